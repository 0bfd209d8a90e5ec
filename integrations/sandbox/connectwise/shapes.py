"""What a record type consists of: its fields, their types, and how a path such as `company/name` is read.

Filters, orders, projections, patches and creation all go through these shapes, so a field that a record type
does not have is refused everywhere in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World


class Type(Enum):
    """The scalar types of the filter language, and what is none of them."""

    NUMBER = "number"
    TEXT = "text"
    BOOL = "boolean"
    DATE = "date"
    REFERENCE = "reference"
    LIST = "list"


@dataclass(frozen=True)
class Field:
    """One field. `target` is the kind a reference points to; `whole` marks integers; `choices` an enumeration."""

    type: Type
    target: str = ""
    max_length: int | None = None
    whole: bool = False
    choices: tuple[str, ...] = ()
    members: Mapping[str, Type] | None = None
    read_only: bool = False


@dataclass(frozen=True)
class Column:
    """A readable path of a record type: its type, and how to read it from a stored record."""

    path: str
    type: Type
    read: Callable[[World, Record], Json]


class UnknownField(Exception):
    """The record type has no such field."""

    def __init__(self, path: str, resource: str) -> None:
        super().__init__(f"'{path}' is not a field of {resource}")


def text(max_length: int | None = None, *, read_only: bool = False) -> Field:
    """A string, at most `max_length` characters."""
    return Field(Type.TEXT, max_length=max_length, read_only=read_only)


def choice(*choices: str) -> Field:
    """A string out of a fixed list."""
    return Field(Type.TEXT, choices=choices)


def whole(*, read_only: bool = False) -> Field:
    """An integer."""
    return Field(Type.NUMBER, whole=True, read_only=read_only)


def number(*, read_only: bool = False) -> Field:
    """A number, fractions allowed."""
    return Field(Type.NUMBER, read_only=read_only)


def flag(*, read_only: bool = False) -> Field:
    """True or false."""
    return Field(Type.BOOL, read_only=read_only)


def date(*, read_only: bool = False) -> Field:
    """A moment, ISO 8601 UTC."""
    return Field(Type.DATE, read_only=read_only)


def ref(target: str) -> Field:
    """A reference to a record of another kind; stored as its id."""
    return Field(Type.REFERENCE, target=target)


def rows(**members: Type) -> Field:
    """A list of objects with these members, reachable through child conditions."""
    return Field(Type.LIST, members=members)


def _full_name(record: Record) -> Json:
    return f"{record.get('firstName') or ''} {record.get('lastName') or ''}".strip()


def _plain(name: str) -> Callable[[Record], Json]:
    return lambda record: record.get(name)


_NAME: dict[str, tuple[Type, Callable[[Record], Json]]] = {"name": (Type.TEXT, _plain("name"))}
_PERSON: dict[str, tuple[Type, Callable[[Record], Json]]] = {"name": (Type.TEXT, _full_name)}

REFERENCES: dict[str, dict[str, tuple[Type, Callable[[Record], Json]]]] = {
    "company": {"identifier": (Type.TEXT, _plain("identifier")), **_NAME},
    "member": {"identifier": (Type.TEXT, _plain("identifier")), **_PERSON},
    "contact": _PERSON,
    "status": {**_NAME, "sort": (Type.NUMBER, _plain("sortOrder"))},
    "priority": {**_NAME, "sort": (Type.NUMBER, _plain("sortOrder")), "level": (Type.TEXT, _plain("level"))},
    "configuration": {"deviceIdentifier": (Type.TEXT, _plain("deviceIdentifier")), **_NAME},
    "configuration_status": {"name": (Type.TEXT, _plain("description"))},
    "schedule_type": {"identifier": (Type.TEXT, _plain("identifier"))},
    "ticket": {"summary": (Type.TEXT, _plain("summary"))},
}
"""What a reference shows of its target beside the id; other kinds show their name."""

INFO: dict[str, Type] = {
    "lastUpdated": Type.DATE,
    "updatedBy": Type.TEXT,
    "dateEntered": Type.DATE,
    "enteredBy": Type.TEXT,
}


def reference_columns(kind: str) -> dict[str, tuple[Type, Callable[[Record], Json]]]:
    """The columns that a reference to this kind shows beside its id."""
    return REFERENCES.get(kind, _NAME)


def reference(world: World, kind: str, number: Json) -> Json:
    """A reference as the vendor writes it, or None if it points nowhere."""
    target = world.get(kind, number)
    if target is None:
        return None
    shown: Record = {"id": number}
    for name, (_, read) in reference_columns(kind).items():
        value = read(target)
        if value is not None:
            shown[name] = value
    shown["_info"] = {}
    return shown


@dataclass(frozen=True)
class Shape:
    """A record type. `resource` is the vendor's word for it in messages; `aliases` are extra names in filters."""

    kind: str
    resource: str
    fields: Mapping[str, Field]
    required: tuple[str, ...] = ()
    aliases: Mapping[str, str] | None = None

    def column(self, path: str) -> Column:
        """The readable column at a path such as `id`, `company/name` or `_info/lastUpdated`."""
        path = (self.aliases or {}).get(path, path)
        first, *rest = path.split("/")
        if first == "_info" and len(rest) == 1 and rest[0] in INFO:
            name = rest[0]
            return Column(path, INFO[name], lambda _, record: _info_of(record).get(name))
        field = self.fields.get(first)
        if field is None or field.type is Type.LIST or len(rest) > 1:
            raise UnknownField(path, self.resource)
        if not rest:
            return Column(path, field.type, lambda _, record: record.get(first))
        if field.type is not Type.REFERENCE:
            raise UnknownField(path, self.resource)
        if rest[0] == "id":
            return Column(path, Type.NUMBER, lambda _, record: record.get(first))
        columns = reference_columns(field.target)
        if rest[0] not in columns:
            raise UnknownField(path, self.resource)
        kind, (column_type, read_target) = field.target, columns[rest[0]]

        def read(world: World, record: Record) -> Json:
            target = world.get(kind, record.get(first))
            return None if target is None else read_target(target)

        return Column(path, column_type, read)

    def child_column(self, collection: str, path: str) -> Column:
        """The column of one entry of a child collection: `communicationItems/value` read from the entry."""
        field = self.fields.get(collection)
        if field is None or field.members is None:
            raise UnknownField(path, self.resource)
        name = path.removeprefix(f"{collection}/")
        first, *rest = name.split("/")
        if name not in field.members:
            raise UnknownField(path, self.resource)

        def read(world: World, entry: Record) -> Json:
            value = entry.get(first)
            if rest:
                return value.get(rest[0]) if isinstance(value, dict) else None
            return value

        return Column(path, field.members[name], read)

    def knows(self, path: str) -> bool:
        """Whether a projection may name this path (whole references and lists included)."""
        first, *rest = path.split("/")
        if first == "_info":
            return not rest or (len(rest) == 1 and rest[0] in INFO)
        field = self.fields.get(first)
        if field is None:
            return False
        if field.type is Type.LIST:
            return not rest or "/".join(rest) in (field.members or {})
        if field.type is Type.REFERENCE and rest:
            return len(rest) == 1 and (rest[0] in ("id", "_info") or rest[0] in reference_columns(field.target))
        return not rest

    def render(self, world: World, record: Record) -> Record:
        """The record as the vendor answers it: references written out, empty fields left out."""
        shown: Record = {}
        for name, field in self.fields.items():
            value = record.get(name)
            if field.type is Type.REFERENCE:
                value = reference(world, field.target, value)
            if value is not None:
                shown[name] = value
        shown["_info"] = dict(_info_of(record))
        return shown


def _info_of(record: Record) -> Record:
    info = record.get("_info")
    return info if isinstance(info, dict) else {}


def stamp(world: World, record: Record, *, by: str) -> str:
    """Move `_info` on for a change made now; a new record also gets who entered it. Returns the moment."""
    moment = world.now()
    info = dict(_info_of(record))
    info.setdefault("dateEntered", moment)
    info.setdefault("enteredBy", by)
    info["lastUpdated"] = moment
    info["updatedBy"] = by
    record["_info"] = info
    return moment
