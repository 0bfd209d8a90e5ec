"""The values of a runbook's inputs for one run: filled from the ticket, given by a person, checked by type. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from runbooks.document import fact_value
from runbooks.inputs import InputDeclaration
from runbooks.kinds import read_value
from runbooks.mentions import FACT_PATHS
from signals.facts import SignalFacts

_NAMED: Final = re.compile(r"(?<![\w.@])input\.([a-z][a-z0-9_]{0,39})\b")
#: Characters of a value that stand within other words.
_SHOWN: Final = 80


@dataclass
class ValuesRefused(ValueError):
    """Some values are missing or of the wrong kind; `errors` says which and why, by the input's name.

    `labels` are what people call those inputs.
    """

    errors: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return " ".join(f"{self.labels.get(name, name)}: {message}" for name, message in self.errors.items())


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
    declared = list(declared)
    for each in declared:
        raw = given.get(each.name)
        if isinstance(raw, str):
            raw = raw.replace("\x00", "").strip()
        if raw in (None, "") and each.type != "boolean":
            if each.required:
                errors[each.name] = "This is needed."
            continue
        try:
            values[each.name] = read_value(each.type, each.options, raw)
        except ValueError as problem:
            errors[each.name] = str(problem)
    if errors:
        raise ValuesRefused(errors, {each.name: each.label for each in declared})
    return values


def with_inputs(words: str, values: Mapping[str, JsonValue]) -> str:
    """Words of a step as a run has them: with the values of this run where they name inputs (`input.last_day`).

    One without a value keeps its name. A value stands there on one line, and is cut after 80 characters.
    """

    def value(named: re.Match[str]) -> str:
        given = values.get(named[1])
        return " ".join(str(given).split())[:_SHOWN] if given not in (None, "") else named[0]

    return _NAMED.sub(value, words)
