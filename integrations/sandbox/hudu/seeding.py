"""The demo world as Hudu holds it: the same companies, people, devices and notes as elsewhere, with other numbers.

Hudu knows no people and no devices as such: both are assets, of kinds (layouts) that the MSP made. The two MSPs' ids
overlap on purpose, as they do between real accounts.
"""

from __future__ import annotations

from datetime import UTC, datetime

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.world.documentation import Documentation
from integrations.sandbox.world.facts import Company, Facts, parse_age

FIRST_COMPANY, FIRST_LAYOUT, FIRST_ASSET, FIRST_ARTICLE, FIRST_EXPIRATION = 21, 1, 301, 61, 11
_PEOPLE, _DEVICES = "People", "Computer Assets"
#: Kind -> its fields' labels and types.
_LAYOUTS: dict[str, tuple[tuple[str, str], ...]] = {
    _PEOPLE: (("Title", "Text"), ("Email", "Email"), ("Phone", "Phone")),
    _DEVICES: (
        ("Kind", "Text"),
        ("Operating system", "Text"),
        ("IP address", "Text"),
        ("MAC address", "Text"),
        ("User", "Text"),
        ("Notes", "RichText"),
    ),
    "LAN": (
        ("Subnet", "Text"),
        ("Gateway", "Text"),
        ("DHCP range", "Text"),
        ("DNS servers", "Text"),
        ("Notes", "RichText"),
    ),
    "Wireless": (
        ("SSID", "Text"),
        ("Security", "Text"),
        ("Pre-shared key", "ConfidentialText"),
        ("Notes", "RichText"),
    ),
    "Backup": (
        ("Source", "Text"),
        ("Target", "Text"),
        ("Schedule", "Text"),
        ("Retention", "Text"),
        ("Encryption password", "Password"),
        ("Last restore test", "Date"),
    ),
    "Application": (("Version", "Text"), ("Vendor support", "Text"), ("Notes", "RichText")),
}


class Seeding:
    """Makes the records of one MSP."""

    def __init__(self, facts: Facts, written: Documentation) -> None:
        self._facts, self._written = facts, written
        self._now = datetime.now(tz=UTC)
        self._companies = {one.identifier: FIRST_COMPANY + at for at, one in enumerate(facts.companies)}
        self._names = {one.identifier: one.name for one in facts.companies}
        self._layouts = {name: FIRST_LAYOUT + at for at, name in enumerate(_LAYOUTS)}
        self._assets: list[Record] = []

    def records(self) -> dict[str, list[Record]]:
        """The records, by kind."""
        self._people()
        self._devices()
        self._documented()
        return {
            "companies": [self._company(one) for one in self._facts.companies],
            "asset_layouts": [self._layout(name) for name in _LAYOUTS],
            "assets": self._assets,
            "articles": self._articles(),
            "expirations": self._expirations(),
        }

    def _ago(self, age: str) -> str:
        return (self._now - parse_age(age)).strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def _stamps(self, created: str, updated: str) -> Record:
        return {"created_at": self._ago(created), "updated_at": self._ago(updated)}

    def _company(self, one: Company) -> Record:
        number = self._companies[one.identifier]
        notes = self._written.notes.get(one.identifier)
        return {
            "id": number,
            "slug": f"company-{number}",
            "name": one.name,
            "nickname": one.identifier.capitalize(),
            "address_line_1": one.street,
            "address_line_2": None,
            "city": one.city,
            "state": "",
            "zip": one.zip,
            "country_name": one.country,
            "phone_number": one.phone,
            "company_type": "Client",
            "parent_company_id": None,
            "parent_company_name": None,
            "website": one.website,
            "id_number": one.identifier,
            "notes": f"<p>{notes.alert}</p>{notes.quick_notes}" if notes else None,
            "archived": False,
            "object_type": "Company",
            "full_url": f"https://docs.northwind.example/c/company-{number}",
            "integrations": [],
            **self._stamps("200w", "4w"),
        }

    def _layout(self, name: str) -> Record:
        fields: list[Json] = [
            {"id": 100 * self._layouts[name] + at, "label": label, "field_type": kind, "position": at + 1}
            for at, (label, kind) in enumerate(_LAYOUTS[name])
        ]
        return {
            "id": self._layouts[name],
            "slug": name.lower().replace(" ", "-"),
            "name": name,
            "active": True,
            "fields": fields,
            **self._stamps("220w", "90w"),
        }

    def _add(self, layout: str, company: str, name: str, values: dict[str, str], **primary: str) -> None:
        number = FIRST_ASSET + len(self._assets)
        fields: list[Json] = [
            {"id": 10 * number + at, "label": label, "value": values.get(label) or None, "position": at + 1}
            for at, (label, _) in enumerate(_LAYOUTS[layout])
        ]
        self._assets.append(
            {
                "id": number,
                "company_id": self._companies[company],
                "company_name": self._names[company],
                "asset_layout_id": self._layouts[layout],
                "asset_type": layout,
                "object_type": "Asset",
                "slug": f"asset-{number}",
                "name": name,
                "primary_serial": primary.get("serial"),
                "primary_mail": primary.get("mail"),
                "primary_model": primary.get("model"),
                "primary_manufacturer": primary.get("manufacturer"),
                "archived": False,
                "url": f"/a/asset-{number}",
                "fields": fields,
                "cards": [],
                **self._stamps("120w", "3w"),
            }
        )

    def _people(self) -> None:
        for one in self._facts.contacts:
            values = {"Title": one.title, "Email": one.email, "Phone": one.phone}
            self._add(_PEOPLE, one.company, f"{one.first} {one.last}", values, mail=one.email)

    def _devices(self) -> None:
        people = {one.email: f"{one.first} {one.last}" for one in self._facts.contacts}
        for one in self._facts.devices:
            values = {
                "Kind": one.kind,
                "Operating system": one.os,
                "IP address": one.ip,
                "MAC address": one.mac,
                "User": people.get(one.contact, ""),
                "Notes": one.notes,
            }
            maker = one.model.split()[0]
            self._add(_DEVICES, one.company, one.name, values, serial=one.serial, model=one.model, manufacturer=maker)

    def _documented(self) -> None:
        for one in self._written.assets:
            named = {key.replace("-", " ").casefold(): value for key, value in one.fields.items()}
            values = {label: named.get(label.replace("-", " ").casefold(), "") for label, _ in _LAYOUTS[one.type]}
            self._add(one.type, one.company, one.name, values)

    def _articles(self) -> list[Record]:
        """What is restricted elsewhere is not written down here: the API tells of no restriction."""
        rows: list[Record] = []
        for one in self._written.documents:
            if one.restricted:
                continue
            number = FIRST_ARTICLE + len(rows)
            parts = [f"<h2>{text}</h2>" if kind == "Heading" else text for kind, text in one.sections]
            rows.append(
                {
                    "id": number,
                    "company_id": self._companies[one.company],
                    "slug": f"article-{number}",
                    "name": one.name,
                    "draft": not one.published,
                    "content": "\n".join(parts),
                    "url": f"/kba/article-{number}",
                    "object_type": "Article",
                    "folder_id": None,
                    "enable_sharing": False,
                    "share_url": None,
                    "public_photos": [],
                    **self._stamps(one.age, one.published or one.age),
                }
            )
        return rows

    def _expirations(self) -> list[Record]:
        ends = [("domain", one) for one in self._written.domains]
        ends += [("ssl_certificate", one) for one in self._written.certificates]
        return [
            {
                "id": FIRST_EXPIRATION + at,
                "account_id": 1,
                "company_id": self._companies[one.company],
                "date": (self._now + parse_age(one.ends)).date().isoformat(),
                "expiration_type": kind,
                "expirationable_type": "Website",
                "expirationable_id": 901 + at,
                "asset_layout_field_id": None,
                "archived_at": None,
                **self._stamps("60w", "1w"),
            }
            for at, (kind, one) in enumerate(ends)
        ]
