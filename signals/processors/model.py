"""A language model as a producer: of labels, and the ticket as it reads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from integrations.llm.fencing import fence
from integrations.texts import redacted
from signals.processors.asking import MOST_LABEL, Asker, Choice, Question
from signals.processors.base import Guess, NoteText, Producer, TicketFacts

#: Characters of the ticket's text, and of its newest notes together, that a model is given.
MOST_TEXT: Final = 8000
MOST_NOTES_TEXT: Final = 6000
#: Values that are offered for a choice; of more a model would lose sight.
MOST_CHOICES: Final = 200


@dataclass(frozen=True)
class ModelGuesser:
    """Asks for one of the labels there are now; where there are none, it is not asked.

    `task` says in our words what is wanted. `model` None = there is none, or it may not be asked.
    """

    model: Asker | None
    task: str
    labels: Callable[[], Sequence[str]]

    def guess(self, facts: TicketFacts) -> Guess | None:
        """Its label, always one of the list; None where it gives none."""
        labels = offered(self.labels) if self.model is not None else []
        if self.model is None or not labels:
            return None
        said = self.model.ask(
            Question(task=self.task, answer=Choice, ticket=ticket_text(facts), allowed={"label": labels})
        )
        if said is None:
            return None
        return Guess(
            said.answer.label,
            said.answer.confidence,
            said.answer.reason or "It gave no reason.",
            Producer.MODEL,
            model=said.model,
            microcents=said.microcents,
        )


def offered(values: Callable[[], Sequence[str]]) -> list[str]:
    """The values to choose from, each once, of bearable length and number."""
    return list(dict.fromkeys(value for value in values() if 0 < len(value) <= MOST_LABEL))[:MOST_CHOICES]


def ticket_text(facts: TicketFacts, *, notes: Sequence[NoteText] = ()) -> str:
    """The ticket as a model reads it, everything of it fenced and without passwords; of `notes` the newest, oldest
    first."""
    board = f"\nBoard: {facts.board}" if facts.board else ""
    own = f"Title: {redacted(facts.subject)}{board}\n\n{_cut(facts.description, MOST_TEXT)}"
    told: list[str] = []
    room = MOST_NOTES_TEXT
    for note in reversed(notes):
        if room <= 0:
            break
        text = _cut(note.text, room)
        room -= len(text)
        source = "internal note" if note.internal else "note the client sees"
        told.append(fence(text, source=source, ref=f"{note.author}, {note.written_at:%Y-%m-%d %H:%M}"))
    return "\n\n".join([fence(own, source="ticket", ref="title and text"), *reversed(told)])


def _cut(text: str, most: int) -> str:
    words = redacted(text[: 2 * MOST_TEXT])  # looked through before it is cut, so that no half of a password is left
    more = max(len(text) - 2 * MOST_TEXT, 0) + max(len(words) - most, 0)
    return f"{words[:most]}\n(cut: {more} more characters)" if more else words
