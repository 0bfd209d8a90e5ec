"""A ticket in a sentence or two, in its own words."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from junto.textwork.summary import summarize
from signals.processors.base import (
    Abstained,
    Options,
    Outcome,
    Phase,
    Processor,
    Producer,
    TicketFacts,
    Value,
    Workbench,
)
from signals.processors.reading import reading_of


class Summary(Value):
    """A short text."""

    text: str = Field(title="Summary", min_length=1, max_length=600)

    def words(self) -> str:
        """The text."""
        return self.text


class SummaryOptions(Options):
    """None."""


class SummaryProcessor(Processor[Summary, SummaryOptions]):
    """Takes the telling sentences out of the ticket; writes none of its own."""

    slug: ClassVar = "summary"
    label: ClassVar = "Summary"
    description: ClassVar = "Sums a ticket up in a sentence or two of its own."
    phase: ClassVar = Phase.ENRICHMENT
    on_by_default: ClassVar = True
    value_type = Summary
    options_type = SummaryOptions

    def run(
        self, facts: TicketFacts, options: SummaryOptions, bench: Workbench
    ) -> Outcome[Summary] | Abstained[Summary]:
        """Nothing of a ticket without words."""
        found = summarize(reading_of(facts))
        if found is None:
            return Abstained(reason="The ticket says nothing.")
        return Outcome(
            value=Summary(text=found.text),
            confidence=found.confidence,
            reason="The sentences that tell most, as they stand in the ticket.",
            producer=Producer.RULE,
        )
