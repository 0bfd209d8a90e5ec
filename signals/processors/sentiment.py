"""How whoever writes feels, and how pressing it is; with every change of the ticket anew."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import Field

from junto.textwork.feeling import feel
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
from signals.processors.reading import latest_reading

_LAST_READINGS: Final = 5


class Sentiment(Value):
    """`score` from -1 (furious) to 1 (delighted); `readings` = the last five, newest first, this one among them."""

    band: Literal["very_negative", "negative", "neutral", "positive"] = Field(title="Sentiment")
    tone: Literal["annoyed", "pressing", "worried", "pleased", "courteous", "plain"] = Field(title="Tone")
    frustration: Literal["low", "medium", "high"] = Field(title="Frustration")
    urgency: Literal["low", "medium", "high"] = Field(title="Urgency")
    score: float = Field(title="Score, from -1 to 1", ge=-1, le=1)
    readings: tuple[float, ...] = ()

    def words(self) -> str:
        """The band, and what stands out."""
        high = [
            name for name, level in (("frustration", self.frustration), ("urgency", self.urgency)) if level == "high"
        ]
        also = "".join(f", high {name}" for name in high)
        return f"{self.band.replace('_', ' ').capitalize()}, {self.tone}{also}"

    def key(self) -> str:
        """The band: scores are too fine to agree on."""
        return self.band


class SentimentOptions(Options):
    """How sure it must be."""

    confidence: float = Field(0.65, ge=0, le=1, title="Confidence", description="Below this nothing is said.")


class SentimentProcessor(Processor[Sentiment, SentimentOptions]):
    """By the words people use for it, in every language that there are words for."""

    slug: ClassVar = "sentiment"
    label: ClassVar = "Sentiment and tone"
    description: ClassVar = "Says how the writer feels, and how pressing it is; keeps the last five readings."
    phase: ClassVar = Phase.CONTINUOUS
    on_by_default: ClassVar = True
    value_type = Sentiment
    options_type = SentimentOptions

    def run(
        self, facts: TicketFacts, options: SentimentOptions, bench: Workbench
    ) -> Outcome[Sentiment] | Abstained[Sentiment]:
        """Of the newest words that the client wrote or saw. Not sure enough, it is silent: nobody reviews a mood."""
        felt = feel(latest_reading(facts))
        if felt is None:
            return Abstained(reason="There are no words for this language, or none were said.")
        if felt.confidence < options.confidence:
            return Abstained(reason=f"Not sure enough (below {options.confidence:.2f}).")
        before = [each.score for each in bench.readings if isinstance(each, Sentiment)]
        value = Sentiment.model_validate(
            {
                "band": felt.band,
                "tone": felt.tone,
                "frustration": felt.frustration,
                "urgency": felt.urgency,
                "score": felt.score,
                "readings": (felt.score, *before)[:_LAST_READINGS],
            }
        )
        words = ", ".join(f"“{word}”" for word in felt.words[:4])
        reason = f"Words that tell: {words}." if words else "No word tells of a mood."
        return Outcome(value=value, confidence=felt.confidence, reason=reason, producer=Producer.RULE)
