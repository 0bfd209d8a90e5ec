"""What the demo world's MSPs wrote down of their clients, read from the JSON beside the other facts."""

from __future__ import annotations

from dataclasses import field, replace
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

_STRICT = ConfigDict(extra="forbid")
_WORLD = Path(__file__).resolve().parent


@dataclass(frozen=True, config=_STRICT)
class Site:
    """A site of a client beside its main one."""

    company: str
    name: str
    street: str
    city: str
    zip: str
    phone: str = ""
    notes: str = ""


@dataclass(frozen=True, config=_STRICT)
class Notes:
    """What stands at the head of a client's page."""

    alert: str = ""
    quick_notes: str = ""


@dataclass(frozen=True, config=_STRICT)
class Asset:
    """A flexible asset: its fields by their keys, and the devices it names."""

    company: str
    type: str
    name: str
    fields: dict[str, str]
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Document:
    """A document: its parts as (kind, HTML); `published` empty = a draft."""

    company: str
    name: str
    age: str
    published: str
    sections: tuple[tuple[str, str], ...]
    restricted: bool = False


@dataclass(frozen=True, config=_STRICT)
class Password:
    """That there is a password; its value is made up when the world is filled."""

    company: str
    name: str
    username: str
    url: str
    category: str
    belongs_to: str
    age: str
    notes: str = ""
    restricted: bool = False


@dataclass(frozen=True, config=_STRICT)
class Ending:
    """A domain or a certificate, and how long it still holds."""

    company: str
    name: str
    ends: str
    registrar: str = ""


@dataclass(frozen=True, config=_STRICT)
class Documentation:
    """All of one MSP."""

    sites: tuple[Site, ...] = ()
    notes: dict[str, Notes] = field(default_factory=dict)
    assets: tuple[Asset, ...] = ()
    documents: tuple[Document, ...] = ()
    passwords: tuple[Password, ...] = ()
    domains: tuple[Ending, ...] = ()
    certificates: tuple[Ending, ...] = ()

    def without_clients(self) -> Documentation:
        """The MSP on its first day."""
        return replace(self, sites=(), notes={}, assets=(), documents=(), passwords=(), domains=(), certificates=())


@cache
def load_documentation(owner: str) -> Documentation:
    """Read one MSP's; raises pydantic's ValidationError on a misspelt or missing field."""
    return TypeAdapter(Documentation).validate_json((_WORLD / owner / "documentation.json").read_bytes(), strict=True)
