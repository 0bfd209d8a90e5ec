"""What a ticket is about: a primary category, up to three others, tags, and the systems it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import ClassVar, Final

from pydantic import Field

from signals.processors.base import (
    Abstained,
    ModelOptions,
    Outcome,
    Phase,
    Processor,
    TicketFacts,
    Value,
    Workbench,
    surest,
)
from signals.processors.model import ModelGuesser

_TASK: Final = "Which of the categories is this ticket about? Where two fit, the one whose team would have to act."
_MOST_SECONDARY: Final = 3
#: A category less likely than this is not worth naming beside the first.
_SECONDARY_FROM: Final = 0.15
_MOST_SYSTEMS: Final = 8
#: A device's name shorter than this is found in too many words.
_SHORTEST_NAME: Final = 4
_READ: Final = 4000


class Category(Value):
    """A primary category, others, tags and systems."""

    category: str = Field(title="Category", min_length=1, max_length=120)
    secondary: tuple[str, ...] = Field((), title="Other categories", max_length=_MOST_SECONDARY)
    tags: tuple[str, ...] = Field((), title="Tags", max_length=20)
    systems: tuple[str, ...] = Field((), title="Affected systems", max_length=_MOST_SYSTEMS)

    def words(self) -> str:
        """The category, then what else it may be."""
        more = f" (also {', '.join(self.secondary)})" if self.secondary else ""
        return f"{self.category}{more}"

    def key(self) -> str:
        """The primary category, capitals aside."""
        return self.category.casefold()[:300]


class CategoryOptions(ModelOptions):
    """How sure it must be, and how much it may say."""

    max_tags: int = Field(8, ge=0, le=20, title="Most tags")
    confidence: float = Field(
        0.60, ge=0, le=1, title="Confidence", description="Below this nothing is said, and the ticket waits for review."
    )
    change_confidence: float = Field(
        0.70, ge=0, le=1, title="Confidence to change", description="What stands is changed only by what is so sure."
    )
    append_tags: bool = Field(
        True, title="Append tags", description="New tags are added to those that stand; off: they replace them."
    )


class CategoryProcessor(Processor[Category, CategoryOptions]):
    """Rules, then what was learned from closed tickets (their type in the PSA) and from corrections, then a model.

    The model chooses among the labels of the rules and the types that the organization's tickets have.
    """

    slug: ClassVar = "category"
    label: ClassVar = "Category and tags"
    noun: ClassVar = "Category"
    description: ClassVar = "Says what a ticket is about, with tags and the systems it names."
    phase: ClassVar = Phase.ENRICHMENT
    on_by_default: ClassVar = True
    takes_rules: ClassVar = True
    learns: ClassVar = True
    value_type = Category
    options_type = CategoryOptions

    def run(
        self, facts: TicketFacts, options: CategoryOptions, bench: Workbench
    ) -> Outcome[Category] | Abstained[Category]:
        """The first producer that is sure enough gives the category; systems are found by their names."""
        held = bench.standing.category if isinstance(bench.standing, Category) else ""
        model = ModelGuesser(bench.model, _TASK, bench.labels)
        guess, sure = surest(
            [*bench.guessers, model], facts, options.confidence, standing=held, change=options.change_confidence
        )
        if guess is None:
            return Abstained(reason="No rule holds, and nothing was learned yet.")
        standing = bench.standing.tags if isinstance(bench.standing, Category) and options.append_tags else ()
        outcome = Outcome(
            value=Category(
                category=guess.label,
                secondary=tuple(label for label, share in guess.others if share >= _SECONDARY_FROM)[:_MOST_SECONDARY],
                tags=tuple(_once([*standing, *guess.tags]))[: options.max_tags],
                systems=_systems(facts),
            ),
            confidence=guess.confidence,
            reason=guess.reason,
            producer=guess.producer,
            model=guess.model,
            microcents=guess.microcents,
        )
        if sure:
            return outcome
        return Abstained(reason=f"Not sure enough (below {options.confidence:.2f}).", nearest=outcome)

    def label_of(self, value: Category) -> str:
        """The primary category."""
        return value.category

    def value_of_label(self, label: str) -> Category:
        """The category alone."""
        return Category(category=label)

    def label_of_types(self, type_name: str, subtype: str, item: str, priority: str) -> str:
        """The type that the PSA has for it."""
        return type_name.strip()


def _once(words: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for word in words:
        found.setdefault(word.casefold(), word)
    return list(found.values())


def _systems(facts: TicketFacts) -> tuple[str, ...]:
    """The ticket's device, then the company's devices whose names stand in it."""
    text = f"{facts.subject}\n{facts.description[:_READ]}".casefold()
    named = [
        device.name
        for device in facts.devices
        if len(device.name) >= _SHORTEST_NAME
        and (name := device.name.casefold()) in text
        and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
    ]
    own = [facts.device.name] if facts.device else []
    return tuple(_once([*own, *named]))[:_MOST_SYSTEMS]
