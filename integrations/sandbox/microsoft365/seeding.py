"""The demo world's people and devices as Microsoft 365 holds them: the same names as in the PSA, ids of its own.

Each client has a tenant; the MSP's own holds nobody but lists them. What a tenant has bought and whether its people
come from a local directory stand in `_HOUSES`; everybody not named there has consented and bought the usual.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.microsoft365 import habits
from integrations.sandbox.world.facts import Company, Contact, Device, Facts

_COUNTRIES = {"United States": "US", "Germany": "DE", "France": "FR", "United Kingdom": "GB", "Ireland": "IE"}


@dataclass(frozen=True)
class House:
    """How a client uses Microsoft 365. `premium` = it has Entra ID P1, and with it sign-ins and risks."""

    sku: str = "SPB"
    premium: bool = True
    synced: bool = False
    consented: bool = True


#: Laurent has the smaller licence (its tickets say so), Kessler a domain controller, and at Brightwater nobody has
#: consented yet.
_HOUSES = {
    "KESSLER": House(sku="SPE_E3", synced=True),
    "LAURENT": House(sku="O365_BUSINESS_PREMIUM", premium=False),
    "BRIGHTWATER": House(consented=False),
    "TIDEWELL": House(sku="O365_BUSINESS_PREMIUM", premium=False),
}


def uid(owner: str, *parts: object) -> str:
    """The same UUID at every filling."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"microsoft365/{owner}/" + "/".join(map(str, parts))))


def seed_records(facts: Facts, home: str) -> dict[str, list[Record]]:
    """Every record of an MSP, ready to be loaded; `home` is its own tenant."""
    now = datetime.now(tz=UTC)
    filled: dict[str, list[Record]] = {
        "tenants": [_tenant(home, facts.owner.capitalize(), f"{facts.owner}.example", House())],
        "customers": [],
    }
    for company in facts.companies:
        house = _HOUSES.get(company.identifier, House())
        tenant = uid(facts.owner, company.identifier)
        domain = company.website.removeprefix("https://")
        filled["tenants"].append(_tenant(tenant, company.name, domain, house))
        customer: Record = {"id": tenant, "tenantId": tenant, "displayName": company.name}
        filled["customers"].append({"tenant": home, "body": customer})
        people = [one for one in facts.contacts if one.company == company.identifier]
        devices = [one for one in facts.devices if one.company == company.identifier]
        for kind, bodies in _inside(facts.owner, company, house, people=people, devices=devices, now=now).items():
            filled.setdefault(kind, []).extend({"tenant": tenant, "body": body} for body in bodies)
    return {kind: [{"id": at, **row} for at, row in enumerate(rows, start=1)] for kind, rows in filled.items()}


def _tenant(tenant: str, name: str, domain: str, house: House) -> Record:
    return {
        "tenantId": tenant,
        "displayName": name,
        "domain": domain,
        "premium": house.premium,
        "consented": house.consented,
        "withheld": [],
    }


def _inside(
    owner: str, company: Company, house: House, *, people: list[Contact], devices: list[Device], now: datetime
) -> dict[str, list[Record]]:
    """What is in one client's tenant."""
    bought = habits.sku(owner, company.identifier, house.sku, seats=len(people) + 3)
    free = habits.sku(owner, company.identifier, "FLOW_FREE", seats=10_000)
    users = [_user(owner, company, house, person, sku=str(bought["skuId"]), now=now) for person in people]
    users += _others(owner, company, str(bought["skuId"]), now)
    bought["consumedUnits"] = sum(bool(one["assignedLicenses"]) for one in users)
    by_mail = {str(user["mail"]): user for user in users}
    real = [by_mail[person.email] for person in people]
    return {
        "users": users,
        "skus": [bought, free],
        "groups": _groups(owner, company, house, everybody=[one["id"] for one in real], now=now),
        "methods": [one for at, user in enumerate(real) for one in habits.methods(owner, user, at, now)],
        "rules": habits.rules(owner, real),
        "mailboxes": [habits.mailbox(user) for user in users],
        "devices": [
            habits.managed(owner, device, by_mail[device.contact], now)
            for device in devices
            if device.contact in by_mail and device.kind in ("Laptop", "Workstation")
        ],
        "signIns": habits.sign_ins(owner, company, real, now),
        "audits": habits.audits(owner, company.identifier, real, now),
        "riskyUsers": habits.risky(real, company.identifier, now),
        "alerts": habits.alerts(owner, company.identifier, real, now),
    }


def _user(owner: str, company: Company, house: House, person: Contact, *, sku: str, now: datetime) -> Record:
    name = f"{person.first} {person.last}".removeprefix("Dr. ")
    made = habits.stamp(now - timedelta(days=300 + len(person.email) * 7))
    return {
        "id": uid(owner, company.identifier, person.email),
        "displayName": name,
        "givenName": person.first.removeprefix("Dr. "),
        "surname": person.last,
        "userPrincipalName": person.email,
        "mail": person.email,
        "mailNickname": person.email.partition("@")[0],
        "accountEnabled": True,
        "userType": "Member",
        "jobTitle": person.title,
        "department": None,
        # one person without a country, as there always is: nothing can be licensed to them before that is set
        "usageLocation": None if person.email.startswith("tom.") else _COUNTRIES[company.country],
        "onPremisesSyncEnabled": True if house.synced else None,
        "assignedLicenses": [] if person.email.startswith("tom.") else [{"skuId": sku, "disabledPlans": []}],
        "licenseAssignmentStates": [] if person.email.startswith("tom.") else [habits.license_state(sku)],
        "createdDateTime": made,
        "lastPasswordChangeDateTime": habits.stamp(now - timedelta(days=40 + len(person.email))),
        "signInSessionsValidFromDateTime": made,
        "proxyAddresses": [f"SMTP:{person.email}"],
    }


def _others(owner: str, company: Company, sku: str, now: datetime) -> list[Record]:
    """A mailbox that several share, and somebody who left and still has a licence."""
    domain = company.website.removeprefix("https://")
    found: list[Record] = []
    for local, name, enabled, licensed in (
        ("info", f"Info {company.name}", False, False),
        ("former.colleague", "Robin Former", False, True),
    ):
        mail = f"{local}@{domain}"
        found.append(
            {
                "id": uid(owner, company.identifier, mail),
                "displayName": name,
                "givenName": None,
                "surname": None,
                "userPrincipalName": mail,
                "mail": mail,
                "mailNickname": local,
                "accountEnabled": enabled,
                "userType": "Member",
                "jobTitle": None,
                "department": None,
                "usageLocation": _COUNTRIES[company.country],
                "onPremisesSyncEnabled": None,
                "assignedLicenses": [{"skuId": sku, "disabledPlans": []}] if licensed else [],
                "licenseAssignmentStates": [habits.license_state(sku)] if licensed else [],
                "createdDateTime": habits.stamp(now - timedelta(days=700)),
                "lastPasswordChangeDateTime": habits.stamp(now - timedelta(days=400)),
                "signInSessionsValidFromDateTime": habits.stamp(now - timedelta(days=400)),
                "proxyAddresses": [f"SMTP:{mail}"],
            }
        )
    return found


def _groups(owner: str, company: Company, house: House, *, everybody: list[Json], now: datetime) -> list[Record]:
    domain = company.website.removeprefix("https://")
    first = everybody[:1]
    rows: tuple[tuple[str, str, list[Json], bool, bool, list[Json]], ...] = (
        ("All Staff", f"all@{domain}", ["Unified"], True, False, everybody),
        ("Reception", "", [], False, True, everybody[2:4]),
        ("Management", f"management@{domain}", ["Unified"], True, False, first),
        ("Newsletter", f"newsletter@{domain}", [], True, False, everybody[:3]),
        ("Everybody with a licence", "", ["DynamicMembership"], False, True, everybody),
    )
    return [
        {
            "id": uid(owner, company.identifier, "group", name),
            "displayName": name,
            "description": f"{name} of {company.name}",
            "mail": mail or None,
            "mailEnabled": with_mail,
            "mailNickname": name.lower().replace(" ", "-"),
            "securityEnabled": secures,
            "groupTypes": types,
            "membershipRule": "user.assignedPlans -any (true)" if "DynamicMembership" in types else None,
            "isAssignableToRole": None,
            "onPremisesSyncEnabled": True if house.synced and name == "Reception" else None,
            "createdDateTime": habits.stamp(now - timedelta(days=600)),
            "members": members,
        }
        for name, mail, types, with_mail, secures, members in rows
    ]
