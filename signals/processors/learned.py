"""What was learned from an organization's own closed tickets, as a producer of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from junto.learned.model import LabelModel
from signals.processors.base import Guess, Producer, TicketFacts

_OTHERS: Final = 3


@dataclass(frozen=True)
class LearnedGuesser:
    """A trained classifier; `name` says which, for whoever asks later."""

    model: LabelModel
    name: str

    def guess(self, facts: TicketFacts) -> Guess | None:
        """Its likeliest label, with the probability that it is right."""
        ranked = self.model.predict(facts.text).ranked
        answer = ranked[0]
        return Guess(
            answer.label,
            answer.probability,
            f"Learned from {self.model.rows} tickets of yours.",
            Producer.LEARNED,
            model=self.name,
            others=tuple((each.label, each.probability) for each in ranked[1 : 1 + _OTHERS]),
        )
