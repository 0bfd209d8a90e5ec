"""`$filter`, as far as this sandbox needs it: comparisons and startswith, joined by and, or and parentheses.

Each list names the fields that it can be filtered by. Anything else is refused and never means "everything".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.microsoft365.problems import Problem, bad_request

Matches = Callable[[Record], bool]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)"
    r"|(?P<word>[A-Za-z][\w/]*)|(?P<mark>[(),]))"
)
_COMPARE: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "ge": lambda left, right: left >= right,
    "le": lambda left, right: left <= right,
    "gt": lambda left, right: left > right,
    "lt": lambda left, right: left < right,
}


def read_filter(text: str, fields: Collection[str]) -> Matches:
    """The filter that `text` says; an empty one lets everything through. Raises Problem."""
    if not text.strip():
        return lambda record: True
    return _Reader(text, fields).whole()


class _Reader:
    def __init__(self, text: str, fields: Collection[str]) -> None:
        self._fields = fields
        self._tokens: list[str] = []
        at = 0
        stripped = text.rstrip()
        while at < len(stripped):
            match = _TOKEN.match(stripped, at)
            if match is None:
                raise self._invalid(f"Syntax error at position {at}")
            self._tokens.append(match[0].strip())
            at = match.end()
        self._at = 0

    def whole(self) -> Matches:
        """The whole text. Raises Problem."""
        found = self._either()
        if self._at < len(self._tokens):
            raise self._invalid(f"Syntax error near '{self._tokens[self._at]}'")
        return found

    def _either(self) -> Matches:
        parts = [self._both()]
        while self._take("or"):
            parts.append(self._both())
        return lambda record: any(fits(record) for fits in parts)

    def _both(self) -> Matches:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return lambda record: all(fits(record) for fits in parts)

    def _one(self) -> Matches:
        if self._take("("):
            inner = self._either()
            self._need(")")
            return inner
        if self._take("startswith"):
            return self._starts_with()
        name = self._field()
        compare = _COMPARE.get(self._next())
        if compare is None:
            raise self._invalid("An operator is missing")
        wanted = self._value()
        return lambda record: compare(_plain(record.get(name)), wanted)

    def _starts_with(self) -> Matches:
        self._need("(")
        name = self._field()
        self._need(",")
        wanted = self._value()
        self._need(")")
        return lambda record: _plain(record.get(name)).startswith(wanted)

    def _field(self) -> str:
        name = self._next()
        if name not in self._fields:
            raise self._invalid(f"Could not find a property named '{name[:60]}' to filter by")
        return name

    def _value(self) -> str:
        token = self._next()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'").casefold()
        if token in ("true", "false") or token[:1].isdigit():
            return token.casefold()
        raise self._invalid(f"'{token[:60]}' is no value")

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise self._invalid("The filter ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == word:
            self._at += 1
            return True
        return False

    def _need(self, word: str) -> None:
        if not self._take(word):
            raise self._invalid(f"'{word}' is missing")

    def _invalid(self, why: str) -> Problem:
        return bad_request(f"Invalid filter clause: {why}.")


def _plain(value: Json) -> str:
    """A value as it is compared: without case; absent is an empty text, and false where a switch is asked for."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value).casefold()
