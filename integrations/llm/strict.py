"""Strict reading of JSON that a model or a stranger wrote: nothing is guessed, nothing is silently dropped."""

import json
from typing import NoReturn

from pydantic import JsonValue

DEEPEST = 64
"""Levels of nesting accepted. Tool arguments need a handful; the bound keeps hostile text off the stack."""

LONGEST_INTEGER = 64
"""Digits accepted in an integer; Python would otherwise take quadratic time for very long ones."""


class JsonRefused(ValueError):
    """The text is not the one JSON value it claims to be; the message says where and why."""


class DuplicateKey(JsonRefused):
    """An object names a key twice: two readers could take different values, so none is taken."""


def strict_json(text: str) -> JsonValue:
    """Decode `text` as exactly one JSON value.

    Raises `DuplicateKey` for a key named twice and `JsonRefused` for anything else that strict JSON (RFC 8259) does
    not allow, such as NaN, trailing text and lone surrogates, or that is nested deeper than `DEEPEST`.
    """
    try:
        value: JsonValue = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_short_integer
        )
    except JsonRefused:
        raise
    except json.JSONDecodeError as error:
        raise JsonRefused(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise JsonRefused(f"nested deeper than {DEEPEST} levels") from error
    _check_shape(value)
    return value


def _unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for key, value in pairs:
        if key in found:
            raise DuplicateKey(f"the key {json.dumps(key[:80])} is named twice")
        found[key] = value
    return found


def _no_constant(word: str) -> NoReturn:
    raise JsonRefused(f"{word} is not JSON")


def _short_integer(digits: str) -> int:
    if len(digits) > LONGEST_INTEGER:
        raise JsonRefused(f"a number of {len(digits)} digits is too long")
    return int(digits)


def _check_shape(value: JsonValue) -> None:
    waiting: list[tuple[JsonValue, int]] = [(value, 1)]
    while waiting:
        current, depth = waiting.pop()
        if depth > DEEPEST:
            raise JsonRefused(f"nested deeper than {DEEPEST} levels")
        if isinstance(current, str):
            _check_text(current)
        elif isinstance(current, float):
            if current in (float("inf"), float("-inf")):
                raise JsonRefused("a number is too large")
        elif isinstance(current, list):
            waiting.extend((element, depth + 1) for element in current)
        elif isinstance(current, dict):
            for key, element in current.items():
                _check_text(key)
                waiting.append((element, depth + 1))


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise JsonRefused("a string holds half a surrogate pair") from error
