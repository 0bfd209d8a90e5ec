"""A ticket in a sentence or two, in its own words."""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import Field

from integrations.llm.fencing import says_something
from junto.textwork.summary import summarize
from signals.processors.asking import Asker, Question, Reply
from signals.processors.base import (
    Abstained,
    ModelOptions,
    Outcome,
    Phase,
    Processor,
    Producer,
    TicketFacts,
    Value,
    Workbench,
)
from signals.processors.model import ticket_text
from signals.processors.reading import reading_of

_TASK: Final = (
    "Sum the ticket up for a technician in one or two plain sentences of at most 280 characters, in the ticket's own"
    " language: who has what problem or wants what, on which system. Only what the ticket says; no greeting, no advice."
)


class Summary(Value):
    """A short text."""

    text: str = Field(title="Summary", min_length=1, max_length=600)

    def words(self) -> str:
        """The text."""
        return self.text


class SummaryOptions(ModelOptions):
    """When a language model writes it."""

    long_from: int = Field(
        1500,
        ge=0,
        le=100_000,
        title="Long from, in characters",
        description="A text so long, or in a language without built-in words, is summed up by the language model.",
    )


class SummaryProcessor(Processor[Summary, SummaryOptions]):
    """Takes the telling sentences out of the ticket; of what is long or in another language a model writes it."""

    slug: ClassVar = "summary"
    label: ClassVar = "Summary"
    description: ClassVar = "Sums a ticket up in a sentence or two."
    phase: ClassVar = Phase.ENRICHMENT
    on_by_default: ClassVar = True
    value_type = Summary
    options_type = SummaryOptions

    def run(
        self, facts: TicketFacts, options: SummaryOptions, bench: Workbench
    ) -> Outcome[Summary] | Abstained[Summary]:
        """Nothing of a ticket without words. Without a model the ticket's own sentences stand for every ticket."""
        reading = reading_of(facts)
        found = summarize(reading)
        if found is None:
            return Abstained(reason="The ticket says nothing.")
        if len(facts.description) >= options.long_from or reading.vocabulary is None:
            written = _written(facts, bench.model)
            if written is not None:
                return written
        return Outcome(
            value=Summary(text=found.text),
            confidence=found.confidence,
            reason="The sentences that tell most, as they stand in the ticket.",
            producer=Producer.RULE,
        )


class Written(Reply):
    """A language model's answer."""

    text: str = Field(min_length=1, max_length=600)


def _written(facts: TicketFacts, model: Asker | None) -> Outcome[Summary] | None:
    """A language model's summary; None where there is none, or it says nothing."""
    said = model.ask(Question(task=_TASK, answer=Written, ticket=ticket_text(facts))) if model is not None else None
    if said is None or not says_something(said.answer.text):
        return None
    return Outcome(
        value=Summary(text=said.answer.text),
        confidence=said.answer.confidence,
        reason=said.answer.reason or "Written by the language model.",
        producer=Producer.MODEL,
        model=said.model,
        microcents=said.microcents,
    )
