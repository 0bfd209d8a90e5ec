"""What a value of each type of input is, and reading one from what a form, a file or a runbook gives. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Final, Literal

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import JsonValue

Kind = Literal["string", "email", "number", "select", "date", "boolean"]

#: Characters of one value.
VALUE_LENGTH: Final = 500
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WORDS_FOR: Final = {True: ("true", "yes", "on", "1"), False: ("false", "no", "off", "0", "")}


def read_value(kind: Kind, options: Sequence[str], raw: JsonValue) -> JsonValue:
    """The value in its type. `options` are those of a select.

    Raises:
        ValueError: it is of another kind; the message says what is expected.
    """
    if kind == "boolean":
        return _boolean(raw)
    if kind == "number":
        return _number(raw)
    text = raw if isinstance(raw, str) else str(raw)
    if len(text) > VALUE_LENGTH:
        raise ValueError(f"At most {VALUE_LENGTH} characters fit.")
    if not text.replace("\n", " ").isprintable():
        raise ValueError("It holds characters that cannot be seen.")
    if kind == "select" and text not in options:
        raise ValueError(f"Choose one of {', '.join(options)}.")
    if kind == "date":
        return _date(text)
    if kind == "email":
        return _email(text)
    return text


def _boolean(raw: JsonValue) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw or "").lower()
    for value, words in _WORDS_FOR.items():
        if word in words:
            return value
    raise ValueError("Yes or no is expected.")


def _number(raw: JsonValue) -> int | float:
    try:
        number = float(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else float("nan")
    except (ValueError, OverflowError):
        number = float("nan")
    if not abs(number) < 1e15:
        raise ValueError("A number is expected.")
    return int(number) if number.is_integer() else number


def _date(text: str) -> str:
    try:
        if not _DATE.fullmatch(text):  # weeks and bare digits are ISO dates too, but nobody reads them as one
            raise ValueError(text)
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("A date such as 2026-11-21 is expected.") from None


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError("An e-mail address is expected.") from None
    return text
