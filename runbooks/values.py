"""The values of a runbook's inputs for one run: filled from the ticket, given by a person, checked by type. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from pydantic import JsonValue

from runbooks.document import fact_value
from runbooks.inputs import InputDeclaration
from runbooks.mentions import FACT_PATHS
from signals.facts import SignalFacts

#: Characters of one value.
VALUE_LENGTH = 500
_WORDS_FOR = {True: ("true", "yes", "on", "1"), False: ("false", "no", "off", "0", "")}


@dataclass
class ValuesRefused(ValueError):
    """Some values are missing or of the wrong kind; `errors` says which and why, by the input's name."""

    errors: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(f"{name}: {message}" for name, message in self.errors.items())


def prefill(declared: Iterable[InputDeclaration], facts: SignalFacts | None) -> dict[str, JsonValue]:
    """What is known before anybody is asked. A default such as `ticket.contact.email` is read from the ticket.

    An e-mail input without a default gets the address of the ticket's contact.
    """
    values: dict[str, JsonValue] = {}
    for each in declared:
        value: JsonValue = each.default
        path = value if isinstance(value, str) and value in FACT_PATHS else ""
        if not path and value is None and each.type == "email":
            path = "ticket.contact.email"
        if path:
            value = fact_value(path, facts) if facts else None
        if value is not None:
            values[each.name] = value
    return values


def read_values(declared: Iterable[InputDeclaration], given: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The values in their types: text, e-mail address, number, one of the options, ISO date, or true and false.

    Names that are not declared are left out; so is an input that is not required and has no value.

    Raises:
        ValuesRefused: naming every value that is missing or of the wrong kind.
    """
    values: dict[str, JsonValue] = {}
    errors: dict[str, str] = {}
    for each in declared:
        raw = given.get(each.name)
        if isinstance(raw, str):
            raw = raw.replace("\x00", "").strip()
        if raw in (None, "") and each.type != "boolean":
            if each.required:
                errors[each.name] = "This is needed."
            continue
        try:
            values[each.name] = _read(each, raw)
        except ValueError as problem:
            errors[each.name] = str(problem)
    if errors:
        raise ValuesRefused(errors)
    return values


def _read(declared: InputDeclaration, raw: JsonValue) -> JsonValue:
    if declared.type == "boolean":
        return _boolean(raw)
    if declared.type == "number":
        return _number(raw)
    text = raw if isinstance(raw, str) else str(raw)
    if len(text) > VALUE_LENGTH:
        raise ValueError(f"At most {VALUE_LENGTH} characters fit.")
    if not text.replace("\n", " ").isprintable():
        raise ValueError("It holds characters that cannot be seen.")
    if declared.type == "select" and text not in declared.options:
        raise ValueError(f"Choose one of {', '.join(declared.options)}.")
    if declared.type == "date":
        return _date(text)
    if declared.type == "email":
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
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e15:
        raise ValueError("A number is expected.")
    return int(number) if number.is_integer() else number


def _date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise ValueError("A date such as 2026-11-21 is expected.") from None


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        raise ValueError("An e-mail address is expected.") from None
    return text
