"""The demo world as Sophos Central holds it: a tenant a company, its computers and servers, and what was found there.

A stored record is what the vendor shows of it (`shown`), the tenant it belongs to, and what it shows elsewhere. Their
ids are UUIDs made from names, so that they differ between MSPs and stay the same at every filling.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.sophos.credentials import uid
from integrations.sandbox.world.facts import Company, Contact, Device, Facts, parse_age

REGIONS = {"United States": ("US", "us03"), "Germany": ("DE", "eu02")}
ELSEWHERE = ("IE", "eu01")
PROTECTED = ("Server", "Workstation", "Laptop")
_WORLD = Path(__file__).resolve().parent.parent / "world"
_SERVICES = ("Sophos Endpoint Defense Service", "Sophos MCS Client", "Sophos File Scanner Service")
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_STRICT)
class Finding:
    """An alert or an event: what it says, and when it came up."""

    text: str
    severity: str
    type: str
    age: str
    category: str = ""
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Protection:
    """How a computer is, where it is not simply well."""

    device: str
    health: str
    tamper_protected: bool = True
    alerts: tuple[Finding, ...] = ()
    events: tuple[Finding, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class CaseFacts:
    """A case."""

    company: str
    name: str
    type: str
    status: str
    severity: str
    age: str


@dataclass(frozen=True, config=_STRICT)
class Found:
    """What the protection of one MSP's clients found."""

    computers: tuple[Protection, ...]
    cases: tuple[CaseFacts, ...]


def seed_records(facts: Facts) -> dict[str, list[Record]]:
    """Every record of an MSP, ready to be loaded."""
    now = datetime.now(tz=UTC)
    found = _found(facts.owner)
    known = {one.device: one for one in found.computers}
    offline = {one.device: one.offline for one in facts.monitored if one.offline}
    contacts = {one.company: one for one in facts.contacts if one.default}
    tenants = {one.identifier: _tenant(facts.owner, one, contacts[one.identifier]) for one in facts.companies}
    records: dict[str, list[Record]] = {"tenant": [*tenants.values()], "computer": [], "alert": [], "event": []}
    for device in facts.devices:
        if device.kind not in PROTECTED:
            continue
        protection = known.get(device.name) or Protection(device=device.name, health="good")
        tenant = str(_shown(tenants[device.company])["id"])
        seen = now - (parse_age(offline[device.name]) if device.name in offline else timedelta(seconds=40))
        computer = _computer(facts.owner, tenant, device, protection, seen, online=device.name not in offline)
        records["computer"].append(computer)
        records["alert"] += [_alert(facts.owner, computer, one, now) for one in protection.alerts]
        records["event"] += [
            event(computer, one.type, one.text, one.severity, now - parse_age(one.age)) for one in protection.events
        ]
    records["case"] = [
        _case(facts.owner, tenants[one.company], one, now) for one in found.cases if one.company in tenants
    ]
    records["blocked"] = []
    return records


@cache
def _found(owner: str) -> Found:
    return TypeAdapter(Found).validate_json((_WORLD / owner / "protection.json").read_bytes(), strict=True)


def _tenant(owner: str, company: Company, contact: Contact) -> Record:
    geography, region = REGIONS.get(company.country, ELSEWHERE)
    shown: Record = {
        "id": uid(owner, "tenant", company.identifier),
        "showAs": company.name,
        "name": company.name,
        "dataGeography": geography,
        "dataRegion": region,
        "billingType": "usage",
        "partner": {"id": uid(owner, "partner")},
        "organization": {"id": uid(owner, "organization")},
        "status": "active",
        "contact": {
            "firstName": contact.first,
            "lastName": contact.last,
            "email": contact.email,
            "phone": company.phone,
            "address": {"address1": company.street, "city": company.city, "postalCode": company.zip},
        },
    }
    return {"tenant": shown["id"], "company": company.identifier, "shown": shown}


def _computer(owner: str, tenant: str, device: Device, known: Protection, seen: datetime, *, online: bool) -> Record:
    number = uid(owner, "computer", device.name)
    is_server = device.kind == "Server"
    user = device.contact.partition("@")[0]
    shown: Record = {
        "id": number,
        "type": "server" if is_server else "computer",
        "tenant": {"id": tenant},
        "hostname": device.name,
        "health": {
            "overall": known.health,
            "threats": {"status": known.health},
            "services": {
                "status": "good",
                "serviceDetails": [{"name": name, "status": "running"} for name in _SERVICES],
            },
        },
        "os": {
            "isServer": is_server,
            "platform": "macOS" if "macOS" in device.os else "windows",
            "name": device.os,
            "majorVersion": 10,
            "minorVersion": 0,
            "build": 20348 if is_server else 22631,
        },
        "ipv4Addresses": [device.ip],
        "ipv6Addresses": [],
        "macAddresses": [device.mac],
        "serialNumber": device.serial,
        "group": {"id": uid(owner, "group", device.company, device.kind), "name": f"{device.kind}s"},
        "tamperProtectionEnabled": known.tamper_protected,
        "tamperProtectionSupported": True,
        "assignedProducts": [
            {"code": "coreAgent", "version": "2025.2.1.14", "status": "installed"},
            {"code": "interceptX", "version": "2025.1.3.7", "status": "installed"},
            {"code": "deviceEncryption", "version": "", "status": "notInstalled"},
        ],
        "lastSeenAt": stamp(seen),
        "online": online,
        "isolation": {"status": "notIsolated", "adminIsolated": False, "selfIsolated": False},
    }
    if user:
        login = f"{device.company}\\{user}"
        shown["associatedPerson"] = {"id": uid(owner, "person", login), "name": login, "viaLogin": login}
    password = uid(owner, "tamper", device.name)[:13]
    return {
        "tenant": tenant,
        "shown": shown,
        "isolation": {"enabled": False},
        "tamper": {
            "enabled": known.tamper_protected,
            "password": f"tamper-{password}",
            "previousPasswords": [{"password": f"former-{password}", "invalidatedAt": "2026-03-02T08:00:00.000Z"}],
        },
    }


def _alert(owner: str, computer: Record, found: Finding, now: datetime) -> Record:
    about = _shown(computer)
    shown: Record = {
        "id": uid(owner, "alert", about["hostname"], found.text),
        "allowedActions": [*found.actions],
        "category": found.category,
        "description": found.text,
        "groupKey": uid(owner, "group key", found.type),
        "managedAgent": {"id": about["id"], "type": about["type"], "name": about["hostname"]},
        "product": "server" if about["type"] == "server" else "endpoint",
        "raisedAt": stamp(now - parse_age(found.age)),
        "severity": found.severity,
        "tenant": about["tenant"],
        "type": found.type,
    }
    return {"tenant": computer["tenant"], "shown": shown}


def event(computer: Record, kind: str, text: str, severity: str, at: datetime) -> Record:
    """A line of what happened on a computer."""
    about = _shown(computer)
    person = about.get("associatedPerson")
    shown: Record = {
        "id": uid("event", about["id"], kind, at.isoformat()),
        "type": kind,
        "severity": severity,
        "created_at": stamp(at),
        "when": stamp(at),
        "name": text,
        "location": about["hostname"],
        "source": person["name"] if isinstance(person, dict) else "n/a",
        "group": kind.rpartition("::")[2].upper(),
        "endpoint_id": about["id"],
        "endpoint_type": about["type"],
        "customer_id": computer["tenant"],
    }
    return {"tenant": computer["tenant"], "shown": shown}


def _case(owner: str, tenant: Record, case: CaseFacts, now: datetime) -> Record:
    about = _shown(tenant)
    shown: Record = {
        "id": uid(owner, "case", case.name),
        "type": case.type,
        "name": case.name,
        "tenant": {"id": about["id"], "name": about["name"]},
        "createdAt": stamp(now - parse_age(case.age)),
        "status": case.status,
        "severity": case.severity,
    }
    return {"tenant": about["id"], "shown": shown}


def stamp(moment: datetime) -> str:
    """A moment as the vendor writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _shown(record: Record) -> Record:
    shown: Json = record["shown"]
    if not isinstance(shown, dict):
        raise TypeError("a stored record knows what is shown of it")
    return shown
