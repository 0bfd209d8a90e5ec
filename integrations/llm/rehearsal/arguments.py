"""Arguments for a tool whose schema is only known when it is offered: each property gets the value it asks for."""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from .loose import Fields, fields, text

Meanings = Mapping[str, JsonValue]
"""What we know, by meaning: ticket, contact, note, hours and so on. A value of None is not known."""

_PROPERTIES = {
    "ticket": ("ticket_id", "ticket", "ticket_number", "service_ticket_id", "charge_to_id"),
    "company": ("company_id", "company"),
    "contact": ("contact_id", "contact"),
    "contact_name": ("contact_name", "name", "full_name", "user_name"),
    "email": ("email", "email_address", "contact_email", "mail", "user", "user_principal_name", "upn"),
    "board": ("board_id", "board"),
    "board_name": ("board_name",),
    "device": ("device_id", "configuration_id", "config_id", "device", "configuration"),
    "query": ("query", "search", "text", "words", "contains", "keywords", "q", "term"),
    "limit": ("limit", "page_size", "max_results", "top", "count"),
    "note": ("text", "note", "notes", "body", "message", "comment", "content", "description", "summary", "details",
             "internal_notes", "reason"),
    "title": ("title", "subject", "summary", "name"),
    "hours": ("hours", "actual_hours", "time_spent_hours", "duration_hours"),
    "minutes": ("minutes", "duration_minutes", "time_spent_minutes"),
    "started": ("started_at", "start", "time_start", "start_time", "date", "work_date"),
    "ended": ("ended_at", "end", "time_end", "end_time"),
    "member": ("member", "member_identifier", "member_id", "identifier"),
    "assignee": ("assignee", "member", "member_identifier", "owner", "assigned_to", "identifier", "technician"),
    "type": ("type", "type_name", "ticket_type"),
    "type_id": ("type_id",),
    "subtype": ("subtype", "sub_type", "subtype_name"),
    "subtype_id": ("subtype_id", "sub_type_id"),
    "item": ("item", "item_name"),
    "item_id": ("item_id",),
    "status": ("status", "status_name", "state"),
    "status_id": ("status_id",),
    "priority": ("priority", "priority_name"),
}  # fmt: skip

_DEEPEST_REFERENCE = 8
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Composed:
    """Arguments that fit the schema as far as we can tell, and the required ones we know no value for."""

    arguments: dict[str, JsonValue]
    missing: tuple[str, ...] = ()


def compose(
    schema: Fields, meanings: Meanings, given: Fields | None = None, *, only: Container[str] | None = None
) -> Composed:
    """Arguments for `schema`: those `given` as they are, the others from what we know, by their names.

    A property that is neither given nor known is left out; if it is required and has no default, it is `missing`.
    With `only`, properties that are not required are filled in only when they are named there.
    """
    properties = fields(schema.get("properties"))
    required = schema.get("required")
    names = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    arguments: dict[str, JsonValue] = dict(given or {})
    missing: list[str] = []
    for name, definition in properties.items():
        if name in arguments or (only is not None and name not in names and name not in only):
            continue
        shape = _resolved(fields(definition), schema)
        fitting = (_fitting(value, shape, schema) for value in _known(name, meanings))
        value = next((fit for fit in fitting if fit is not None), None)
        if value is None and name in names and "default" not in fields(definition):
            value = _only_choice(shape)
            if value is None:
                missing.append(name)
        if value is not None:
            arguments[name] = value
    missing += [name for name in sorted(names - set(properties)) if name not in arguments]
    return Composed(arguments, tuple(missing))


def has_property(schema: Fields, meaning: str) -> bool:
    """Whether a property of the schema asks for this meaning."""
    return any(name in fields(schema.get("properties")) for name in _PROPERTIES[meaning])


def value_of(arguments: Fields, meaning: str) -> JsonValue:
    """The value that stands under one of the names of a meaning."""
    return next((arguments[name] for name in _PROPERTIES[meaning] if arguments.get(name) is not None), None)


def _known(name: str, meanings: Meanings) -> Iterator[JsonValue]:
    plain = name.lower()
    for meaning, value in meanings.items():
        if value not in (None, "") and plain in _PROPERTIES.get(meaning, (meaning,)):
            yield value


def _resolved(shape: Fields, schema: Fields, depth: int = 0) -> Fields:
    """The shape behind `$ref`, and of alternatives the first that is not null."""
    if depth > _DEEPEST_REFERENCE:
        return {}
    reference = shape.get("$ref")
    if isinstance(reference, str):
        found = fields(fields(schema.get("$defs")).get(reference.rsplit("/", 1)[-1]))
        return _resolved(found, schema, depth + 1)
    for key in ("anyOf", "oneOf", "allOf"):
        options = shape.get(key)
        if isinstance(options, list):
            for option in map(fields, options):
                if option.get("type") != "null":
                    return _resolved({**option, **{k: v for k, v in shape.items() if k != key}}, schema, depth + 1)
    return shape


def _fitting(value: JsonValue, shape: Fields, schema: Fields) -> JsonValue:
    """The value in the type the shape asks for, or None when it cannot be that."""
    choices = shape.get("enum")
    if isinstance(choices, list):
        wanted = text(value).lower()
        return next((choice for choice in choices if text(choice).lower() == wanted), None)
    kind = shape.get("type")
    if isinstance(kind, list):
        kind = next((name for name in kind if name != "null"), None)
    if kind in ("integer", "number"):
        return _number(value, shape, whole=kind == "integer")
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    if kind == "array":
        element = _fitting(value, _resolved(fields(shape.get("items")), schema), schema)
        return None if element is None else [element]
    if kind == "object":
        inside = compose({**shape, "$defs": schema.get("$defs")}, {"id": value, "name": value})
        return None if inside.missing or not inside.arguments else inside.arguments
    if kind == "string" or kind is None:
        return _string(value, shape)
    return None


def _number(value: JsonValue, shape: Fields, *, whole: bool) -> JsonValue:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    if not abs(number) < 1e15 or (whole and not number.is_integer()):
        return None
    highest, lowest = shape.get("maximum"), shape.get("minimum")
    if isinstance(highest, int | float):
        number = min(number, highest)
    if isinstance(lowest, int | float):
        number = max(number, lowest)
    return int(number) if whole else number


def _string(value: JsonValue, shape: Fields) -> JsonValue:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    word = _CONTROLS.sub("", str(value)).strip()
    longest, shortest = shape.get("maxLength"), shape.get("minLength")
    if isinstance(longest, int) and len(word) > longest:
        word = word[: max(0, longest - 1)].rstrip() + "…"
        word = word[:longest]
    if isinstance(shortest, int) and len(word) < shortest:
        return None
    return word


def _only_choice(shape: Fields) -> JsonValue:
    """The value of a property that allows just one."""
    choices = shape.get("enum")
    if isinstance(choices, list) and len(choices) == 1:
        return choices[0]
    return shape.get("const")
