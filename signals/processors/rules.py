"""Rules that an Admin makes: conditions on any field of the ticket, and the label they give. The cheapest producer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signals.processors.base import Guess, Producer, TicketFacts

#: Field of a condition -> its words and where it is read.
FIELDS: Final[Mapping[str, tuple[str, Callable[[TicketFacts], str]]]] = {
    "text": ("Title or text", lambda facts: f"{facts.subject}\n{facts.description}"),
    "subject": ("Title", lambda facts: facts.subject),
    "description": ("Text", lambda facts: facts.description),
    "notes": ("Notes", lambda facts: "\n".join(note.text for note in facts.notes)),
    "company": ("Company", lambda facts: facts.company),
    "contact": ("Contact's name", lambda facts: facts.contact.name if facts.contact else ""),
    "contact_email": ("Contact's e-mail", lambda facts: facts.contact.detail if facts.contact else ""),
    "device": ("Device", lambda facts: facts.device.name if facts.device else ""),
    "board": ("Board", lambda facts: facts.board),
    "priority": ("Priority", lambda facts: facts.priority),
    "status": ("Status", lambda facts: facts.status),
    "type": ("Type", lambda facts: facts.type),
    "subtype": ("Subtype", lambda facts: facts.subtype),
    "item": ("Item", lambda facts: facts.item),
    "assignee": ("Owner", lambda facts: facts.assignee),
    "alert_type": ("Alert type", lambda facts: facts.alert_type),
}


class Operator(StrEnum):
    """How a field is compared. Capitals never count."""

    CONTAINS = "contains"
    CONTAINS_WORD = "word"
    IS = "is"
    STARTS = "starts"
    ENDS = "ends"
    LACKS = "lacks"
    EMPTY = "empty"
    FILLED = "filled"


OPERATOR_WORDS: Final[Mapping[Operator, str]] = {
    Operator.CONTAINS: "contains",
    Operator.CONTAINS_WORD: "contains the word",
    Operator.IS: "is",
    Operator.STARTS: "starts with",
    Operator.ENDS: "ends with",
    Operator.LACKS: "does not contain",
    Operator.EMPTY: "is empty",
    Operator.FILLED: "is not empty",
}
_NEEDS_NO_VALUE: Final = {Operator.EMPTY, Operator.FILLED}
#: Conditions of one rule.
MOST_CONDITIONS: Final = 8


class Condition(BaseModel):
    """One comparison; several alternatives in `value` are parted by `|`, and one of them is enough (none, to lack)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    field: str = Field(pattern=f"^({'|'.join(FIELDS)})$")
    operator: Operator
    value: str = Field("", max_length=300)

    def holds(self, facts: TicketFacts) -> bool:
        """Whether the ticket is so. A condition without a value, where one is needed, never holds."""
        text = FIELDS[self.field][1](facts).casefold().strip()
        if self.operator in _NEEDS_NO_VALUE:
            return bool(text) == (self.operator is Operator.FILLED)
        wanted = [part for each in self.value.split("|") if (part := each.casefold().strip())]
        if not wanted:
            return False
        if self.operator is Operator.LACKS:
            return not any(each in text for each in wanted)
        return any(_COMPARE[self.operator](text, each) for each in wanted)

    def words(self) -> str:
        """The condition as a sentence's part."""
        value = "" if self.operator in _NEEDS_NO_VALUE else f" “{self.value}”"
        return f"{FIELDS[self.field][0]} {OPERATOR_WORDS[self.operator]}{value}"


_COMPARE: Final[Mapping[Operator, Callable[[str, str], bool]]] = {
    Operator.CONTAINS: lambda text, wanted: wanted in text,
    Operator.CONTAINS_WORD: lambda text, wanted: bool(re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", text)),
    Operator.IS: lambda text, wanted: text == wanted,
    Operator.STARTS: lambda text, wanted: text.startswith(wanted),
    Operator.ENDS: lambda text, wanted: text.endswith(wanted),
}


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Conditions and the label; `number` is its place in the order that people see, from 1."""

    number: int
    conditions: Sequence[Condition]
    any_holds: bool
    label: str
    tags: Sequence[str] = ()

    def holds(self, facts: TicketFacts) -> bool:
        """Whether it decides this ticket. Without conditions never."""
        answers = [condition.holds(facts) for condition in self.conditions]
        return bool(answers) and (any(answers) if self.any_holds else all(answers))

    def words(self) -> str:
        """Its conditions as one sentence."""
        return (" or " if self.any_holds else " and ").join(each.words() for each in self.conditions)


def read_conditions(stored: object) -> tuple[Condition, ...]:
    """Conditions as they are stored; those that no longer fit are left out, so that the rule holds less, not more.

    A rule with one left out must not hold on what remains: then none is given.
    """
    if not isinstance(stored, list):
        return ()
    try:
        return tuple(Condition.model_validate(each) for each in stored)
    except ValidationError:
        return ()


@dataclass(frozen=True)
class RulesGuesser:
    """The first rule that holds gives its label, with full confidence: somebody decided so."""

    rules: Sequence[Rule]

    def guess(self, facts: TicketFacts) -> Guess | None:
        """Its label; None where no rule holds."""
        for rule in self.rules:
            if rule.holds(facts):
                return Guess(
                    rule.label, 1.0, f"Rule {rule.number}: {rule.words()}.", Producer.RULE, tags=tuple(rule.tags)
                )
        return None
