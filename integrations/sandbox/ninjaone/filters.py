"""The device filter `df`, as far as its documentation goes: conditions joined by AND.

`org = 31`, `org in (31, 32)`, the same for `id`, `class`, `status`, and the words `online` and `offline`. Anything else
is refused and never means "everything".
"""

from __future__ import annotations

import re
from collections.abc import Callable

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.ninjaone.problems import Problem

Matches = Callable[[Record], bool]

_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)
_EQUALS = re.compile(r"(\w+)\s*=\s*(\w+)")
_IN = re.compile(r"(\w+)\s+in\s*\(([\w\s,]+)\)", re.IGNORECASE)
_FIELDS = {"org": "organizationId", "id": "id", "class": "nodeClass", "status": "approvalStatus", "loc": "locationId"}


def read_filter(text: str) -> Matches:
    """The filter that `text` says; an empty one lets everything through. Raises Problem."""
    conditions = [_condition(part.strip()) for part in _AND.split(text.strip())] if text.strip() else []
    return lambda device: all(fits(device) for fits in conditions)


def _condition(text: str) -> Matches:
    if text.lower() in ("online", "offline"):
        wanted = text.lower() == "offline"
        return lambda device: device["offline"] is wanted
    equals, several = _EQUALS.fullmatch(text), _IN.fullmatch(text)
    if equals:
        return _one_of(equals[1], [equals[2]])
    if several:
        return _one_of(several[1], [value.strip() for value in several[2].split(",")])
    raise Problem(400, f"Invalid device filter: {text[:80]}")


def _one_of(field: str, values: list[str]) -> Matches:
    name = _FIELDS.get(field.lower())
    if name is None:
        raise Problem(400, f"Invalid device filter: unknown field {field[:40]}")
    wanted: set[Json] = {int(value) if value.isdigit() else value.upper() for value in values}
    return lambda device: device[name] in wanted
