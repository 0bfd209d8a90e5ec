"""ConnectWise's filter language, written so that no text can widen the filter it stands in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime


def quoted(text: str) -> str:
    """A string literal: quotes and backslashes escaped, control characters, which no filter needs, dropped."""
    kept = "".join(character for character in text if character.isprintable())
    return '"' + kept.replace("\\", "\\\\").replace('"', '\\"') + '"'


def moment(at: datetime) -> str:
    """A date literal, in UTC, cut to the second below: the vendor's own stamps may be no finer."""
    return f"[{at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z]"


def equals(path: str, value: int | bool | str) -> str:
    """`path` is exactly `value`."""
    if isinstance(value, bool):
        return f"{path}={'true' if value else 'false'}"
    return f"{path}={value}" if isinstance(value, int) else f"{path}={quoted(value)}"


def contains(path: str, text: str) -> str:
    """`path` holds `text` somewhere."""
    return f"{path} contains {quoted(text)}"


def since(path: str, at: datetime) -> str:
    """`path` is `at` or later."""
    return f"{path}>={moment(at)}"


def before(path: str, at: datetime) -> str:
    """`path` is earlier than `at`."""
    return f"{path}<{moment(at)}"


def after(path: str, at: datetime) -> str:
    """`path` is later than `at`."""
    return f"{path}>{moment(at)}"


def one_of(path: str, numbers: Sequence[int]) -> str:
    """`path` is one of these numbers."""
    return f"{path} in ({','.join(map(str, numbers))})"


def all_of(*conditions: str | None) -> str:
    """All of the given conditions; None ones are left out."""
    return " and ".join(condition for condition in conditions if condition)
