"""Labels of several steps, as paths: “Email > Outlook > One person”. Each step is chosen for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from integrations.contracts import Choice, StatusChoice
from junto.learned.model import LabelModel
from signals.processors.base import Guess, Guesser, Producer, Step, TicketFacts
from signals.processors.boards import BoardNow

#: What stands between the parts of a path.
PARTED: Final = " > "


def path_of(parts: Sequence[str]) -> str:
    """The path of these parts, up to the first empty one."""
    given = [part.strip() for part in parts]
    end = given.index("") if "" in given else len(given)
    return PARTED.join(given[:end])


def parts_of(path: str) -> list[str]:
    """The parts of a path."""
    return [part for each in path.split(PARTED) if (part := each.strip())]


def going_with(choices: Sequence[Choice], chain: Sequence[Choice]) -> list[Choice]:
    """Those that go with what was chosen before; of two alike in name the first."""
    ids = tuple(each.id for each in chain)
    found: dict[str, Choice] = {}
    for choice in choices:
        if not choice.under or ids in choice.under:
            found.setdefault(choice.name.casefold(), choice)
    return list(found.values())


def named(choices: Sequence[Choice], name: str) -> Choice | None:
    """The one of this name, capitals aside."""
    return next((each for each in choices if each.name.casefold() == name.strip().casefold()), None)


def entry(choice: Choice | StatusChoice | BoardNow) -> JsonValue:
    """Its id in the shape that the source's own tools take: a number where it is one."""
    return int(choice.id) if choice.id.isascii() and choice.id.isdecimal() else choice.id


@dataclass(frozen=True)
class PathGuesser:
    """What a producer of whole paths (a rule) says of one step of them."""

    guesser: Guesser
    step: Step

    def guess(self, facts: TicketFacts) -> Guess | None:
        """The part of its path at this step, as the list spells it; None where the path is another or ends before."""
        found = self.guesser.guess(facts)
        if found is None:
            return None
        label = _next_part(parts_of(found.label), self.step)
        return replace(found, label=label, others=()) if label else None


@dataclass(frozen=True)
class LearnedStep:
    """What was learned of the paths down to one step: how likely each is, given the parts chosen before."""

    model: LabelModel
    name: str
    step: Step

    def guess(self, facts: TicketFacts) -> Guess | None:
        """The likeliest of the allowed ones; None where it knows none of them."""
        ranked = self.model.predict(facts.text).ranked
        chosen = [part.casefold() for part in self.step.chosen]
        depth = len(chosen)
        mine = [each for each in ranked if [part.casefold() for part in parts_of(each.label)][:depth] == chosen]
        whole = sum(each.probability for each in mine)
        for each in sorted(mine, key=lambda one: -one.probability):
            label = _next_part(parts_of(each.label), self.step)
            if label and whole:
                return Guess(
                    label,
                    each.probability / whole,
                    f"Learned from {self.model.rows} tickets of yours.",
                    Producer.LEARNED,
                    model=self.name,
                )
        return None


def _next_part(parts: Sequence[str], step: Step) -> str:
    """The part after those chosen before, as it is allowed; empty where there is none."""
    depth = len(step.chosen)
    before = [part.casefold() for part in parts[:depth]]
    if len(parts) <= depth or before != [part.casefold() for part in step.chosen]:
        return ""
    return next((each for each in step.allowed if each.casefold() == parts[depth].casefold()), "")
