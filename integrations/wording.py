"""What the tools of all vendors take and say alike: kinds of arguments, and short words for what was found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, StringConstraints


def _on_one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line without control characters")
    return text


def _no_controls(text: str) -> str:
    if any(character < " " and character not in "\t\n\r" for character in text) or "\x7f" in text:
        raise ValueError("holds control characters")
    return text


single_line = AfterValidator(_on_one_line)
"""For text that may hold no line end and nothing invisible."""

several_lines = AfterValidator(_no_controls)
"""For text that a person reads: line ends, but no other control characters."""

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), single_line]
"""A few words to look for."""

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), single_line]
"""Why something is done, in one line."""

Limit = Annotated[int, Field(ge=1, le=100)]
"""How many records a list shows at most."""


def counted(number: int, word: str, *, more: bool = False) -> str:
    """A number of things in words; `more` = there are others that were not read."""
    if more:
        return f"The first {number} {word}s"
    return f"1 {word}" if number == 1 else f"{number or 'No'} {word}s"


def day(moment: str) -> str:
    """The date of a moment in ISO 8601; empty where there is none."""
    return moment[:10]


def moment_words(moment: str) -> str:
    """A moment in ISO 8601 as people read it, to the minute in UTC; as it came where it is none."""
    try:
        told = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    return f"{told.astimezone(UTC):%d %B %Y, %H:%M} UTC" if told.tzinfo else moment


def filled(record: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Without the fields that say nothing: empty ones and nulls. Zero and "no" say something and stay."""
    return {name: value for name, value in record.items() if value is not None and value not in ("", [], {})}
