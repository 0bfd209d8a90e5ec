"""How whoever writes feels, and how pressing it is; with every change of the ticket anew."""

from __future__ import annotations

import re
from typing import ClassVar, Final, Literal

from pydantic import Field

from junto.textwork.feeling import feel
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
from signals.processors.reading import client_notes, latest_reading

_LAST_READINGS: Final = 5
#: The bands, the worst first.
_LOW: Final = ("very_negative", "negative", "neutral", "positive")
#: Words of a board or type under which machines and unwanted senders are kept.
_NO_CLIENTS: Final = frozenset(
    {
        "alert",
        "alerts",
        "alarm",
        "alarms",
        "monitoring",
        "rmm",
        "überwachung",
        "surveillance",
        "spam",
        "junk",
        "phishing",
    }
)
_TASK: Final = (
    "How does the client who wrote this feel about it in their newest words, and how pressing is it? A fault that is"
    " merely told is neutral; harm to their work is negative; anger is very_negative. `score`: -1 furious, 1 delighted."
)


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


class SentimentOptions(ModelOptions):
    """How sure it must be, and whether people are told when the mood falls."""

    confidence: float = Field(0.65, ge=0, le=1, title="Confidence", description="Below this nothing is said.")
    auto_escalate: bool = Field(
        False,
        title="Escalate by itself",
        description="When the mood falls so far, whoever may see escalations is told, once each time.",
    )
    escalate_at: Literal["negative", "very_negative"] = Field("very_negative", title="Escalate at")


class SentimentProcessor(Processor[Sentiment, SentimentOptions]):
    """By the words people use for it, in every language that there are words for; else a language model."""

    slug: ClassVar = "sentiment"
    label: ClassVar = "Sentiment and tone"
    noun: ClassVar = "Mood"
    description: ClassVar = "Says how the writer feels, and how pressing it is; keeps the last five readings."
    phase: ClassVar = Phase.CONTINUOUS
    on_by_default: ClassVar = True
    keeps_readings: ClassVar = True
    value_type = Sentiment
    options_type = SentimentOptions

    def run(
        self, facts: TicketFacts, options: SentimentOptions, bench: Workbench
    ) -> Outcome[Sentiment] | Abstained[Sentiment]:
        """Of the newest words that the client wrote. Not sure enough, it is silent: nobody reviews a mood.

        A machine and a swindler have none that anybody needs to look after.
        """
        if not _is_of_a_client(facts):
            return Abstained(reason="No client wrote it.")
        felt = feel(latest_reading(facts))
        before = [each.score for each in bench.readings if isinstance(each, Sentiment)]
        if felt is not None and felt.confidence >= options.confidence:
            words = ", ".join(f"“{word}”" for word in felt.words[:4])
            return Outcome(
                value=Sentiment.model_validate(
                    {
                        "band": felt.band,
                        "tone": felt.tone,
                        "frustration": felt.frustration,
                        "urgency": felt.urgency,
                        "score": felt.score,
                        "readings": (felt.score, *before)[:_LAST_READINGS],
                    }
                ),
                confidence=felt.confidence,
                reason=f"Words that tell: {words}." if words else "No word tells of a mood.",
                producer=Producer.RULE,
            )
        asked = _asked(facts, bench.model, before)
        if asked is not None and asked.confidence >= options.confidence:
            return asked
        if felt is None and asked is None:
            return Abstained(reason="There are no words for this language, or none were said.")
        return Abstained(reason=f"Not sure enough (below {options.confidence:.2f}).")

    def alarm(self, value: Sentiment, before: Sentiment | None, options: SentimentOptions) -> str:
        """That the mood is so low as to be escalated: with the reading that brings it there, not with the next."""
        if not options.auto_escalate or not _is_low(value, options) or _is_low(before, options):
            return ""
        return f"The client’s mood {'fell to' if before else 'is'} {value.band.replace('_', ' ')}"


def _is_of_a_client(facts: TicketFacts) -> bool:
    """Whether a client may have written it: no alert, nor what nobody known sent and its source calls one, or spam."""
    if facts.alert_type:
        return bool(client_notes(facts))
    if facts.contact is not None or client_notes(facts):
        return True
    places = " ".join((facts.board, facts.type, facts.subtype, facts.item)).casefold()
    return _NO_CLIENTS.isdisjoint(re.findall(r"\w+", places))


def _is_low(value: Value | None, options: SentimentOptions) -> bool:
    return isinstance(value, Sentiment) and _LOW.index(value.band) <= _LOW.index(options.escalate_at)


class Mood(Reply):
    """A language model's answer. `score` from -1 (furious) to 1 (delighted)."""

    band: Literal["very_negative", "negative", "neutral", "positive"]
    tone: Literal["annoyed", "pressing", "worried", "pleased", "courteous", "plain"]
    frustration: Literal["low", "medium", "high"]
    urgency: Literal["low", "medium", "high"]
    score: float = Field(ge=-1, le=1)


def _asked(facts: TicketFacts, model: Asker | None, before: list[float]) -> Outcome[Sentiment] | None:
    """What a language model makes of the client's words; None where there is none, or it says nothing."""
    if model is None:
        return None
    said = model.ask(Question(task=_TASK, answer=Mood, ticket=ticket_text(facts, notes=client_notes(facts))))
    if said is None:
        return None
    mood = said.answer
    value = Sentiment(
        band=mood.band,
        tone=mood.tone,
        frustration=mood.frustration,
        urgency=mood.urgency,
        score=round(mood.score, 2),
        readings=(round(mood.score, 2), *before)[:_LAST_READINGS],
    )
    return Outcome(
        value=value,
        confidence=mood.confidence,
        reason=mood.reason or "It gave no reason.",
        producer=Producer.MODEL,
        model=said.model,
        microcents=said.microcents,
    )
