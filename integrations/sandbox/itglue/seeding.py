"""The demo world as IT Glue holds it: the same companies, people and devices as elsewhere, with other numbers.

The two MSPs' ids overlap on purpose, as they do between real accounts.
"""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.documentation import Documentation
from integrations.sandbox.world.facts import Company, Contact, Device, Facts, parse_age

FIRST_ORGANIZATION, FIRST_CONFIGURATION, FIRST_CONTACT, FIRST_LOCATION = 2501, 45_001, 7_201, 795
FIRST_COMPANY_OF_THE_PSA, FIRST_DEVICE_OF_THE_RMM = 250, 801
_SYNCED = ("Laptop", "Workstation")
"""Devices that come from the PSA, so that IT Glue lets nobody change them; the others were typed in by hand."""


class Base:
    """Organizations, people, devices and sites of one MSP, and their ids."""

    def __init__(self, facts: Facts, documentation: Documentation) -> None:
        self.facts, self.written = facts, documentation
        self.now = datetime.now(tz=UTC)
        self.organizations = {one.identifier: FIRST_ORGANIZATION + at for at, one in enumerate(facts.companies)}
        self.devices = {one.name: FIRST_CONFIGURATION + at for at, one in enumerate(facts.devices)}
        self.people = {one.email: FIRST_CONTACT + at for at, one in enumerate(facts.contacts)}
        self.sites = {one.identifier: FIRST_LOCATION + at for at, one in enumerate(facts.companies)}

    def records(self) -> dict[str, list[Record]]:
        """The records, by kind."""
        return {
            "organization": [self._organization(at, one) for at, one in enumerate(self.facts.companies)],
            "location": self._locations(),
            "contact": [self._contact(one) for one in self.facts.contacts],
            "configuration": [self._configuration(at, one) for at, one in enumerate(self.facts.devices)],
        }

    def ago(self, age: str) -> str:
        """A moment in the past."""
        return (self.now - parse_age(age)).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def ahead(self, age: str) -> str:
        """A day to come."""
        return (self.now + parse_age(age)).strftime("%Y-%m-%dT00:00:00.000Z")

    def _organization(self, at: int, company: Company) -> Record:
        notes = self.written.notes.get(company.identifier)
        return {
            "id": self.organizations[company.identifier],
            "hidden": {"psa_id": str(FIRST_COMPANY_OF_THE_PSA + at), "psa_integration_type": "manage"},
            "attributes": {
                "name": company.name,
                "alert": notes.alert if notes else None,
                "description": None,
                "organization-type-id": 4,
                "organization-type-name": "Customer",
                "organization-status-id": 1,
                "organization-status-name": "Active",
                "primary": False,
                "quick-notes": notes.quick_notes if notes else None,
                "short-name": company.identifier.lower(),
                "created-at": self.ago("200w"),
                "updated-at": self.ago("4w"),
            },
        }

    def _locations(self) -> list[Record]:
        main: list[Record] = [
            self._location(
                self.sites[one.identifier],
                one.identifier,
                "Main office",
                (one.street, one.city, one.zip, one.country),
                phone=one.phone,
                primary=True,
            )
            for one in self.facts.companies
        ]
        countries = {one.identifier: one.country for one in self.facts.companies}
        return main + [
            self._location(
                FIRST_LOCATION + len(main) + at,
                one.company,
                one.name,
                (one.street, one.city, one.zip, countries[one.company]),
                phone=one.phone,
                notes=one.notes,
            )
            for at, one in enumerate(self.written.sites)
        ]

    def _location(
        self,
        number: int,
        company: str,
        name: str,
        place: tuple[str, str, str, str],
        *,
        phone: str,
        primary: bool = False,
        notes: str = "",
    ) -> Record:
        street, city, code, country = place
        return {
            "id": number,
            "attributes": {
                "organization-id": self.organizations[company],
                "name": name,
                "primary": primary,
                "address-1": street,
                "address-2": None,
                "city": city,
                "postal-code": code,
                "country-name": country,
                "phone": phone,
                "notes": notes or None,
                "created-at": self.ago("200w"),
                "updated-at": self.ago("50w"),
            },
        }

    def _contact(self, contact: Contact) -> Record:
        phones: list[Json] = [
            {"value": contact.phone, "primary": True, "label-name": "Work", "formatted-value": contact.phone}
        ]
        return {
            "id": self.people[contact.email],
            "hidden": {"primary_email": contact.email},
            "attributes": {
                "organization-id": self.organizations[contact.company],
                "name": f"{contact.first} {contact.last}",
                "first-name": contact.first,
                "last-name": contact.last,
                "title": contact.title,
                "contact-type-id": 24 if contact.default else 25,
                "contact-type-name": "Approver" if contact.default else "End User",
                "location-id": self.sites[contact.company],
                "location-name": "Main office",
                "important": contact.default,
                "notes": None,
                "created-at": self.ago("150w"),
                "updated-at": self.ago("20w"),
                "contact-emails": [{"value": contact.email, "primary": True, "label-name": "Work"}],
                "contact-phones": phones if contact.phone else [],
            },
        }

    def _configuration(self, at: int, device: Device) -> Record:
        kinds = sorted({one.kind for one in self.facts.devices})
        person = self.people.get(device.contact)
        return {
            "id": self.devices[device.name],
            "synced": device.kind in _SYNCED,
            "hidden": {"rmm_id": str(FIRST_DEVICE_OF_THE_RMM + at), "rmm_integration_type": "ninja-rmm"},
            "attributes": {
                "organization-id": self.organizations[device.company],
                "name": device.name,
                "hostname": device.name.lower(),
                "primary-ip": device.ip or None,
                "mac-address": device.mac or None,
                "serial-number": device.serial,
                "asset-tag": f"A{1000 + at}",
                "position": None,
                "installed-by": None,
                "purchased-by": None,
                "notes": device.notes or None,
                "operating-system-notes": None,
                "warranty-expires-at": self.warranty(device)[:10],
                "installed-at": self.ago(device.installed)[:10],
                "purchased-at": self.ago(device.installed)[:10],
                "created-at": self.ago(device.installed),
                "updated-at": self.ago("2w"),
                "organization-short-name": device.company.lower(),
                "configuration-type-id": 60 + kinds.index(device.kind),
                "configuration-type-name": device.kind,
                "configuration-type-kind": device.kind.lower().replace(" ", "-"),
                "configuration-status-id": 29,
                "configuration-status-name": "Active",
                "manufacturer-id": None,
                "manufacturer-name": device.model.split()[0],
                "model-id": None,
                "model-name": device.model,
                "operating-system-id": None,
                "operating-system-name": device.os or None,
                "location-id": self.sites[device.company],
                "location-name": "Main office",
                "contact-id": person,
                "contact-name": next(
                    (f"{one.first} {one.last}" for one in self.facts.contacts if one.email == device.contact), None
                ),
                "archived": False,
            },
        }

    def warranty(self, device: Device) -> str:
        """Three years from the day it was installed, or five for servers."""
        years = 5 if device.kind == "Server" else 3
        begun = self.now - parse_age(device.installed)
        return (begun + parse_age(f"{52 * years}w")).strftime("%Y-%m-%dT00:00:00.000Z")
