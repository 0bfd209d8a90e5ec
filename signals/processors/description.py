"""A ticket's description as it would be written now: what it said at first, with what has come to light since."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import ClassVar, Final

from pydantic import Field

from integrations.llm.fencing import says_something
from junto.textwork import read
from junto.textwork.summary import summarize
from signals.processors.asking import Asker, Question, Reply
from signals.processors.base import (
    Abstained,
    ModelOptions,
    NoteText,
    Outcome,
    Phase,
    Processor,
    Producer,
    TicketFacts,
    Value,
    Workbench,
)
from signals.processors.model import ticket_text
from signals.processors.reading import client_notes, reading_of

MOST_CHARACTERS: Final = 4000
#: Notes that a digest tells of, the newest.
_MOST_TOLD: Final = 12
#: A digest only puts together what is there; it is sure of nothing but that.
_SURE_OF_DIGEST: Final = 0.6
_TASK: Final = (
    "Write the ticket's description anew, as it would be written knowing what its notes say: what the problem or wish"
    " is, who and what it concerns, what was found out, what was tried with what result, what is still open. Plain"
    " text, short paragraphs, at most 1500 characters, in the ticket's own language. Keep names, numbers, error"
    " messages and dates as they stand. Only what the ticket and its notes say: no advice, no guess."
)


class Description(Value):
    """The text, and of how many notes it tells. The original stays as it came."""

    text: str = Field(title="Description", min_length=1, max_length=MOST_CHARACTERS)
    notes: int = 0

    def words(self) -> str:
        """The text."""
        return self.text

    def key(self) -> str:
        """A hash of the text."""
        return hashlib.sha256(self.text.encode(errors="replace")).hexdigest()


class DescriptionOptions(ModelOptions):
    """From when on, and of what."""

    notes_from: int = Field(
        2, ge=1, le=100, title="Notes from", description="A ticket with fewer notes keeps its description as it is."
    )
    internal_notes: bool = Field(
        False, title="Use internal notes", description="Off: only notes that the client sees are told of."
    )


class DescriptionProcessor(Processor[Description, DescriptionOptions]):
    """A language model writes it anew; without one it is a digest: the original's sum, and a line for each note."""

    slug: ClassVar = "description"
    label: ClassVar = "Description updater"
    noun: ClassVar = "Description"
    description: ClassVar = "Writes a ticket’s description anew as the ticket grows; the original is kept beside it."
    phase: ClassVar = Phase.CONTINUOUS
    on_by_default: ClassVar = False
    value_type = Description
    options_type = DescriptionOptions

    def run(
        self, facts: TicketFacts, options: DescriptionOptions, bench: Workbench
    ) -> Outcome[Description] | Abstained[Description]:
        """Nothing while the ticket has hardly grown."""
        notes = [
            note for note in facts.notes if says_something(note.text) and (options.internal_notes or not note.internal)
        ]
        if len(notes) < options.notes_from:
            return Abstained(reason="The ticket has not grown enough to be described anew.")
        written = _written(facts, notes, bench.model)
        if written is not None:
            return written
        text = _digest(facts, notes)
        return Outcome(
            value=Description(text=text, notes=len(notes)),
            confidence=_SURE_OF_DIGEST,
            reason="A digest: sentences of the ticket and of its notes as they stand, put together without a model.",
            producer=Producer.RULE,
        )


class Rewritten(Reply):
    """A language model's answer."""

    text: str = Field(min_length=1, max_length=MOST_CHARACTERS)


def _written(facts: TicketFacts, notes: Sequence[NoteText], model: Asker | None) -> Outcome[Description] | None:
    """A language model's text; None where there is none, or it says nothing."""
    if model is None:
        return None
    said = model.ask(Question(task=_TASK, answer=Rewritten, ticket=ticket_text(facts, notes=notes)))
    if said is None or not says_something(said.answer.text):
        return None
    return Outcome(
        value=Description(text=said.answer.text.strip(), notes=len(notes)),
        confidence=said.answer.confidence,
        reason=said.answer.reason or "Written by the language model.",
        producer=Producer.MODEL,
        model=said.model,
        microcents=said.microcents,
    )


def _digest(facts: TicketFacts, notes: Sequence[NoteText]) -> str:
    """The sum of the original, then one line for each of the newest notes: when, who, and what it says most."""
    found = summarize(reading_of(facts))
    clients = client_notes(facts)
    lines = [found.text if found else facts.subject]
    if len(notes) > _MOST_TOLD:
        lines.append(f"({len(notes) - _MOST_TOLD} earlier notes are left out.)")
    for note in notes[-_MOST_TOLD:]:
        told = summarize(read("", note.text))
        if told is not None:
            who = f"{note.author or 'Unknown'}{' (client)' if note in clients else ''}"
            lines.append(f"{note.written_at:%-d %b %H:%M}, {who}: {told.text}")
    return "\n".join(lines)[:MOST_CHARACTERS]
