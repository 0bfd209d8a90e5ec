"""One spelling for each JSON value, so that a digest means the value and not its layout (RFC 8785).

Strings are kept as given: no Unicode normalisation, because two texts that look alike are still two texts.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import JsonValue

#: Beyond this an integer is no longer exact in every JSON reader (RFC 8785, section 3.2.2.3).
MAX_EXACT_INTEGER = 2**53 - 1
#: Deeper than any argument of ours, and far from Python's own recursion limit.
MAX_DEPTH = 60


class NotCanonical(ValueError):
    """The value has no spelling that all read alike: NaN, a huge number, half a surrogate, NUL, too deep."""


def canonical_json(value: JsonValue | Mapping[str, JsonValue] | Sequence[JsonValue]) -> str:
    """`value` in the one spelling of RFC 8785: keys sorted by UTF-16 code units, no spaces, ECMAScript numbers.

    Raises:
        NotCanonical: the value has no such spelling, or a database could not keep it.
    """
    return _write(value, depth=0)


def digest(value: JsonValue | Mapping[str, JsonValue] | Sequence[JsonValue]) -> str:
    """SHA-256 over the canonical JSON of `value` in UTF-8, as 64 hex digits. Raises NotCanonical."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _write(value: object, *, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise NotCanonical(f"Nested deeper than {MAX_DEPTH} levels.")
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        names = sorted(value, key=_sort_key)
        return "{" + ",".join(f"{_string(name)}:{_write(value[name], depth=depth + 1)}" for name in names) + "}"
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return "[" + ",".join(_write(each, depth=depth + 1) for each in value) + "]"
    raise NotCanonical(f"{type(value).__name__} is no JSON value.")


def _sort_key(name: object) -> bytes:
    if not isinstance(name, str):
        raise NotCanonical("The name of a member must be a string.")
    return name.encode("utf-16-be", "surrogatepass")


def _string(text: str) -> str:
    if "\x00" in text:
        raise NotCanonical("The text holds a NUL character, which PostgreSQL cannot keep.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("The text holds half a surrogate pair.") from error
    return json.dumps(text, ensure_ascii=False)


def _integer(value: int) -> str:
    if abs(value) > MAX_EXACT_INTEGER:
        raise NotCanonical("The number is too large to be exact.")
    return str(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        raise NotCanonical("Not a finite number.")
    if value.is_integer():
        # 1.0 and 1 are one number; PostgreSQL and SQLite give them back differently
        return _integer(int(value))
    if abs(value) >= 1e-6:
        return format(Decimal(repr(value)), "f")
    mantissa, exponent = repr(value).split("e")
    return f"{mantissa}e{int(exponent)}"
