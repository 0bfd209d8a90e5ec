"""A tool's arguments as fields of the Modify form, from its JSON schema and the values asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import JsonValue

from approvals.person_words import person_words
from integrations.llm.fencing import show_escaped

Schema = Mapping[str, JsonValue]
Kind = Literal["string", "text", "integer", "number", "boolean", "enum", "datetime", "list"]

#: Arguments that a vendor's word alone names.
_LABELS: Final = {
    "upn": "Sign-in name",
    "mac_address": "MAC address",
    "primary_ip": "Primary IP address",
    "sha256": "SHA-256",
}
#: A text that may be longer than this gets a box of several lines.
ONE_LINE = 200


@dataclass(frozen=True)
class Field:
    """One argument. `value` is what the form shows: text, for a list its items on lines, for an enum its JSON.

    `choices` are (JSON of the value, label); `item` is the kind of a list's items. `as_json`: what is written in
    the box is JSON, as the argument takes no text.
    """

    name: str
    label: str
    kind: Kind
    required: bool
    help: str
    value: str | bool
    choices: tuple[tuple[str, str], ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    item: str = ""
    as_json: bool = False

    @property
    def items_as_json(self) -> bool:
        """Whether each line of a list is JSON; a line that is a number reads the same either way."""
        return self.item in ("object", "array", "boolean")


def schema_fields(schema: Schema, arguments: Mapping[str, JsonValue], *, system: str = "") -> list[Field]:
    """One field per argument that the schema knows, in its order, filled with `arguments`; `system` = whose tool it is,
    so that other tools of it are called by their labels."""
    properties = _mapping(schema.get("properties"))
    required = schema.get("required")
    needed = set(required) if isinstance(required, list) else set()
    definitions = _mapping(schema.get("$defs"))
    return [
        _field(
            name, _resolved(_mapping(shape), definitions), arguments.get(name), required=name in needed, system=system
        )
        for name, shape in properties.items()
    ]


def shown_arguments(arguments: Mapping[str, JsonValue]) -> list[tuple[str, str, str]]:
    """Each argument as (name, value in full, JSON type); hidden characters are written out (I18)."""
    return [(show_escaped(name), plain(value), _type_of(value)) for name, value in arguments.items()]


def plain(value: JsonValue) -> str:
    """A value as people read it: text as it is, anything else as JSON; hidden characters are written out."""
    return show_escaped(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _field(name: str, shape: Schema, value: JsonValue, *, required: bool, system: str) -> Field:
    kind = _kind(shape)
    choices = shape.get("enum")
    shown_value = value if value is not None else shape.get("default")
    return Field(
        name=name,
        label=_LABELS.get(name) or name.removesuffix("_id").removesuffix("_uid").replace("_", " ").capitalize(),
        kind=kind,
        required=required,
        help=person_words(str(shape.get("description", "")), system),
        value=_shown(kind, shown_value),
        choices=tuple((json.dumps(one), plain(one)) for one in choices) if isinstance(choices, list) else (),
        minimum=_number(shape.get("minimum", shape.get("exclusiveMinimum"))),
        maximum=_number(shape.get("maximum", shape.get("exclusiveMaximum"))),
        max_length=_length(shape.get("maxLength")),
        item=_item(_mapping(shape.get("items"))) if kind == "list" else "",
        as_json=kind == "text" and not _takes_text(shape),
    )


def _kind(shape: Schema) -> Kind:
    if isinstance(shape.get("enum"), list):
        return "enum"
    match shape.get("type"):
        case "integer":
            return "integer"
        case "number":
            return "number"
        case "boolean":
            return "boolean"
        case "array":
            return "list"
    if shape.get("format") == "date-time":
        return "datetime"
    if "pattern" in shape:
        return "string"
    longest = _length(shape.get("maxLength"))
    return "string" if longest is not None and longest <= ONE_LINE else "text"


def _item(shape: Schema) -> str:
    """The kind of a list's items; what only points to a definition is an object."""
    return str(shape.get("type", "object" if "$ref" in shape else "string"))


def _takes_text(shape: Schema) -> bool:
    """Whether a text may be its value; a shape that says nothing takes any."""
    told = shape.get("type")
    if told is not None:
        return "string" in (told if isinstance(told, list) else [told])
    either = shape.get("anyOf", shape.get("oneOf"))
    if isinstance(either, list):
        return any(_takes_text(_mapping(one)) for one in either)
    return "$ref" not in shape and "properties" not in shape


def _shown(kind: Kind, value: JsonValue) -> str | bool:
    if kind == "boolean":
        return value is True
    if value is None:
        return ""
    if kind == "enum":
        return json.dumps(value)
    if kind == "list" and isinstance(value, list):
        return "\n".join(plain(one) for one in value)
    return plain(value)


def _resolved(shape: Schema, definitions: Schema) -> Schema:
    """The shape itself where it only points to a definition; what stands beside the pointer wins."""
    reference = shape.get("$ref")
    if not isinstance(reference, str):
        return shape
    return {**_mapping(definitions.get(reference.rpartition("/")[2])), **shape}


def _mapping(value: JsonValue) -> Schema:
    return value if isinstance(value, Mapping) else {}


def _number(value: JsonValue) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _length(value: JsonValue) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _type_of(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if value is None:
        return "null"
    return "list" if isinstance(value, Sequence) else "object"
