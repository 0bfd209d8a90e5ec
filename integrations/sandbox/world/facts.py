"""The facts of the demo world, read from the JSON beside this module.

Ages ("3h", "2d 4h", "25m") count back from the moment a world is filled. Contacts are known by their e-mail address,
companies and members by their identifiers, devices by their names.
"""

from __future__ import annotations

import re
from dataclasses import field, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

Rows = TypeVar("Rows")
_STRICT = ConfigDict(extra="forbid")
_FOLDER = Path(__file__).resolve().parent
_AGE_PART = re.compile(r"(\d+)([wdhm])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True, config=_STRICT)
class Member:
    """Somebody who works for the MSP."""

    identifier: str
    first: str
    last: str
    title: str
    email: str
    phone: str = ""
    license_class: str = "F"


@dataclass(frozen=True, config=_STRICT)
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


@dataclass(frozen=True, config=_STRICT)
class Contact:
    """Somebody who works for a client."""

    email: str
    first: str
    last: str
    title: str
    company: str
    phone: str = ""
    default: bool = False


@dataclass(frozen=True, config=_STRICT)
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


@dataclass(frozen=True, config=_STRICT)
class Volume:
    """A volume of a machine, in gigabytes."""

    name: str
    label: str
    gigabytes: int
    free: int


@dataclass(frozen=True, config=_STRICT)
class Service:
    """A service of a Windows machine."""

    name: str
    label: str
    state: str = "RUNNING"
    start: str = "AUTO_START"


@dataclass(frozen=True, config=_STRICT)
class Patch:
    """An update of the operating system that is not installed."""

    name: str
    kb: str
    severity: str
    status: str
    type: str = "SECURITY_UPDATES"


@dataclass(frozen=True, config=_STRICT)
class Program:
    """Something installed."""

    name: str
    publisher: str
    version: str


@dataclass(frozen=True, config=_STRICT)
class Alarm:
    """An alert that stands in the monitoring."""

    subject: str
    message: str
    source: str
    severity: str
    priority: str
    age: str


@dataclass(frozen=True, config=_STRICT)
class Monitored:
    """What the monitoring knows of a machine beyond the usual; `offline` = for how long it has been."""

    device: str
    booted: str
    offline: str = ""
    needs_reboot: bool = False
    volumes: tuple[Volume, ...] = ()
    services: tuple[Service, ...] = ()
    patches: tuple[Patch, ...] = ()
    software: tuple[Program, ...] = ()
    alerts: tuple[Alarm, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Note:
    """Something said on a ticket: by a member (identifier) or a contact (e-mail address)."""

    by: str
    age: str
    text: str
    internal: bool = False
    resolution: bool = False


@dataclass(frozen=True, config=_STRICT)
class Time:
    """Time a member logged on a ticket."""

    by: str
    age: str
    minutes: int
    text: str
    billable: bool = True


@dataclass(frozen=True, config=_STRICT)
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


@dataclass(frozen=True, config=_STRICT)
class Facts:
    """Everything about one MSP."""

    owner: str
    members: tuple[Member, ...]
    companies: tuple[Company, ...] = ()
    contacts: tuple[Contact, ...] = ()
    devices: tuple[Device, ...] = ()
    tickets: tuple[Ticket, ...] = field(default=())
    monitored: tuple[Monitored, ...] = ()

    def without_clients(self) -> Facts:
        """The MSP on its first day: members, and nobody to work for."""
        return replace(self, companies=(), contacts=(), devices=(), tickets=(), monitored=())


@cache
def load_facts(owner: str) -> Facts:
    """Read one MSP's facts; once in a process, for the files do not change."""
    folder = _FOLDER / owner
    return Facts(
        owner=owner,
        members=_read(tuple[Member, ...], folder / "members.json"),
        companies=_read(tuple[Company, ...], folder / "companies.json"),
        contacts=_read(tuple[Contact, ...], folder / "contacts.json"),
        devices=_read(tuple[Device, ...], folder / "devices.json"),
        tickets=tuple(
            ticket for path in sorted(folder.glob("tickets_*.json")) for ticket in _read(tuple[Ticket, ...], path)
        ),
        monitored=_read(tuple[Monitored, ...], folder / "monitoring.json"),
    )


@cache
def parse_age(age: str) -> timedelta:
    """The time that an age such as "2d 4h" stands for. Raises ValueError if it is none."""
    parts = _AGE_PART.findall(age)
    if not parts or _AGE_PART.sub("", age).strip():
        raise ValueError(f"{age!r} is not an age")
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


def _read(type_: type[Rows], path: Path) -> Rows:
    """A file's rows as dataclasses; raises pydantic's ValidationError on a misspelt or missing field."""
    return TypeAdapter(type_).validate_json(path.read_bytes(), strict=True)
