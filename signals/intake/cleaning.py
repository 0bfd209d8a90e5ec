"""Foreign JSON and text made storable: for every way a ticket comes in, before anything looks at it. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from pydantic import JsonValue

#: How deep a record may be nested: far more than any PSA's, far less than what breaks whoever reads it later.
MOST_LEVELS = 50
#: Digits of a whole number. Python itself stops at 4,300, and what reads our database later may stop earlier.
MOST_DIGITS = 1000

_BITS = MOST_DIGITS * 10 // 3
_HALF_SURROGATE = re.compile("[\ud800-\udfff]")


class TicketRefused(ValueError):
    """A ticket that cannot be stored; the message says what is wrong and what to do, for the sync job's log."""


@dataclass(frozen=True)
class Unreadable:
    """Stands in parsed JSON for a value that was left out, so that only the ticket that holds it is refused."""

    reason: str


def whole_number(digits: str) -> int | Unreadable:
    """A JSON number without fraction."""
    if len(digits) > MOST_DIGITS:
        return Unreadable(f"It holds a number of {len(digits):,} digits, the limit is {MOST_DIGITS:,}.")
    return int(digits)


def clean_json(value: object, *, levels: int = MOST_LEVELS) -> JsonValue:
    """The value with every text in it made storable.

    Raises:
        TicketRefused: it is nested deeper than `levels`, or holds a number that no database takes.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict | list):
        if not levels:
            raise TicketRefused(f"It is nested deeper than {MOST_LEVELS} levels: send a flatter record.")
        if isinstance(value, list):
            return [clean_json(held, levels=levels - 1) for held in value]
        return {storable(key): clean_json(held, levels=levels - 1) for key, held in value.items()}
    return _scalar(value)


def storable(text: str) -> str:
    """Without NUL, which PostgreSQL's text does not hold, and half surrogates, which UTF-8 does not."""
    if text.isascii():
        return text.replace("\0", "")
    return _HALF_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\0", ""))


def _scalar(value: object) -> JsonValue:
    if isinstance(value, Unreadable):
        raise TicketRefused(value.reason)
    if isinstance(value, float) and not math.isfinite(value):
        raise TicketRefused("It holds a number that is too large.")
    if isinstance(value, int) and value.bit_length() > _BITS:
        raise TicketRefused(f"It holds a number of more than {MOST_DIGITS:,} digits.")
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TicketRefused(f"It holds a {type(value).__name__}, which is no JSON.")
