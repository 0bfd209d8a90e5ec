"""Reading JSON of unknown shape without ever failing: what is not there is empty."""

import re
from collections.abc import Iterator

from pydantic import JsonValue

Fields = dict[str, JsonValue]

_NAME_KEYS = ("name", "full_name", "display_name", "label", "title", "subject", "summary", "identifier", "id")
_HOLDER_KEYS = ("items", "results", "records", "rows", "content", "value", "values")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\s]+")


def fields(value: JsonValue) -> Fields:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: JsonValue, most: int = 200) -> str:
    """The value on one line, at most `most` characters: an object by its name, a list by its elements."""
    if isinstance(value, dict):
        value = next((value[key] for key in _NAME_KEYS if _is_plain(value.get(key))), None)
    if isinstance(value, list):
        return ", ".join(filter(None, (text(element, most) for element in value[:8])))[:most]
    if value is None or isinstance(value, bool | dict):
        return {True: "yes", False: "no"}.get(value, "") if isinstance(value, bool) else ""
    line = _UNSEEN.sub(" ", str(value)[: 4 * most]).strip()
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _is_plain(value: JsonValue) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def first(record: Fields, *keys: str) -> str:
    """The first of the named fields that says something, as text."""
    return next(filter(None, (text(record.get(key)) for key in keys)), "")


def rows(value: JsonValue, *names: str) -> list[Fields]:
    """The records in a result: the list itself, the list under one of `names`, the only list, or the one record."""
    if isinstance(value, list):
        return [as_record(element) for element in value]
    record = fields(value)
    for key in (*names, *_HOLDER_KEYS):
        if isinstance(record.get(key), list):
            return rows(record[key])
    lists = [element for element in record.values() if isinstance(element, list)]
    if len(lists) == 1:
        return rows(lists[0])
    nested = [element for element in record.values() if isinstance(element, dict)]
    if len(nested) == 1 and len(record) == 1:
        return rows(nested[0], *names)
    return [record] if record and not lists else []


def as_record(value: JsonValue) -> Fields:
    """The element of a list of choices as a record: a bare word becomes its name."""
    return value if isinstance(value, dict) else {"name": value}


def lists_named(value: JsonValue, *names: str, depth: int = 5) -> Iterator[list[JsonValue]]:
    """Every list that stands under one of `names`, anywhere in the value."""
    if depth == 0:
        return
    if isinstance(value, dict):
        for key, element in value.items():
            if key.lower() in names and isinstance(element, list):
                yield element
            else:
                yield from lists_named(element, *names, depth=depth - 1)
    elif isinstance(value, list):
        for element in value[:200]:
            yield from lists_named(element, *names, depth=depth - 1)
