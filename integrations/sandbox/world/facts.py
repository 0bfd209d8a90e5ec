"""The facts of the demo world, read from the JSON beside this module.

Ages ("3h", "2d 4h", "25m") count back from the moment a world is filled. Contacts are known by their e-mail address,
companies and members by their identifiers, devices by their names.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from integrations.sandbox.json_types import Record

_FOLDER = Path(__file__).resolve().parent
_AGE_PART = re.compile(r"(\d+)([wdhm])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True)
class Member:
    """Somebody who works for the MSP."""

    identifier: str
    first: str
    last: str
    title: str
    email: str
    phone: str = ""
    license_class: str = "F"


@dataclass(frozen=True)
class Company:
    """A client of the MSP."""

    identifier: str
    name: str
    street: str
    city: str
    zip: str
    country: str
    phone: str
    website: str
    employees: int


@dataclass(frozen=True)
class Contact:
    """Somebody who works for a client."""

    email: str
    first: str
    last: str
    title: str
    company: str
    phone: str = ""
    default: bool = False


@dataclass(frozen=True)
class Device:
    """A machine at a client."""

    name: str
    kind: str
    company: str
    model: str
    serial: str
    os: str = ""
    ip: str = ""
    mac: str = ""
    ram: str = ""
    disk: str = ""
    contact: str = ""
    installed: str = "52w"
    notes: str = ""


@dataclass(frozen=True)
class Note:
    """Something said on a ticket: by a member (identifier) or a contact (e-mail address)."""

    by: str
    age: str
    text: str
    internal: bool = False
    resolution: bool = False


@dataclass(frozen=True)
class Time:
    """Time a member logged on a ticket."""

    by: str
    age: str
    minutes: int
    text: str
    billable: bool = True


@dataclass(frozen=True)
class Ticket:
    """One ticket as it stands when the world is filled."""

    summary: str
    company: str
    board: str
    status: str
    priority: str
    age: str
    text: str
    contact: str = ""
    type: str = ""
    subtype: str = ""
    item: str = ""
    source: str = "Email"
    owner: str = ""
    devices: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    time: tuple[Time, ...] = ()
    closed: str = ""


@dataclass(frozen=True)
class Facts:
    """Everything about one MSP."""

    owner: str
    members: tuple[Member, ...]
    companies: tuple[Company, ...] = ()
    contacts: tuple[Contact, ...] = ()
    devices: tuple[Device, ...] = ()
    tickets: tuple[Ticket, ...] = field(default=())

    def without_clients(self) -> Facts:
        """The MSP on its first day: members, and nobody to work for."""
        return replace(self, companies=(), contacts=(), devices=(), tickets=())


def load_facts(owner: str) -> Facts:
    """Read one MSP's facts."""
    folder = _FOLDER / owner
    return Facts(
        owner=owner,
        members=tuple(Member(**row) for row in _rows(folder / "members.json")),
        companies=tuple(Company(**row) for row in _rows(folder / "companies.json")),
        contacts=tuple(Contact(**row) for row in _rows(folder / "contacts.json")),
        devices=tuple(Device(**row) for row in _rows(folder / "devices.json")),
        tickets=tuple(_ticket(row) for path in sorted(folder.glob("tickets_*.json")) for row in _rows(path)),
    )


def parse_age(age: str) -> timedelta:
    """The time that an age such as "2d 4h" stands for. Raises ValueError if it is none."""
    parts = _AGE_PART.findall(age)
    if not parts or _AGE_PART.sub("", age).strip():
        raise ValueError(f"{age!r} is not an age")
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


def _rows(path: Path) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def _ticket(row: dict[str, str] | Record) -> Ticket:
    fields = dict(row)
    notes = tuple(Note(**note) for note in fields.pop("notes", ()))
    time = tuple(Time(**entry) for entry in fields.pop("time", ()))
    devices = tuple(fields.pop("devices", ()))
    return Ticket(notes=notes, time=time, devices=devices, **fields)
