"""How much of a ticket the connected systems' tools could do."""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from pydantic import Field

from junto.textwork.automation import automation_potential, system_name
from junto.textwork.entities import Entity, Kind, find_entities
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
from signals.processors.model import MOST_CHOICES, ticket_text
from signals.processors.reading import reading_of

#: From which score on a band begins.
_BANDS: Final = (("high", 75), ("medium", 50), ("low", 25), ("none", 0))
_TASK: Final = (
    "How much of what this ticket asks for could the listed tools do, with a technician's approval? `job`: the work in"
    " a few words. `tools`: those that would do it; none where no tool would. `score`: 0 to 100, the share of the whole"
    " work; below 25 where they only look things up."
)


class Automation(Value):
    """`score` 0 to 100, in bands from 25, 50 and 75."""

    score: int = Field(title="Score, 0 to 100", ge=0, le=100)
    band: Literal["none", "low", "medium", "high"] = Field(title="Band")
    jobs: tuple[str, ...] = Field((), title="What is to be done")
    matched: tuple[str, ...] = Field((), title="Systems that can")
    missing: tuple[str, ...] = Field((), title="Systems that could, if connected")
    limits: tuple[str, ...] = Field((), title="What limits it")

    def words(self) -> str:
        """The score, and what is to be done."""
        jobs = f": {', '.join(self.jobs)}" if self.jobs else ""
        return f"{self.score} of 100, {self.band}{jobs}"

    def key(self) -> str:
        """The band."""
        return self.band


class AutomationOptions(ModelOptions):
    """Whether a language model is asked of a ticket that asks for no known work."""


class AutomationProcessor(Processor[Automation, AutomationOptions]):
    """What is asked for, against the tools that the connected systems have."""

    slug: ClassVar = "automation"
    label: ClassVar = "Automation potential"
    noun: ClassVar = "Automation"
    description: ClassVar = "Says how much of a ticket the connected systems’ tools could do, and what is missing."
    phase: ClassVar = Phase.ENRICHMENT
    on_by_default: ClassVar = True
    value_type = Automation
    options_type = AutomationOptions

    def run(
        self, facts: TicketFacts, options: AutomationOptions, bench: Workbench
    ) -> Outcome[Automation] | Abstained[Automation]:
        """Always something: a ticket that asks for nothing known has next to none. Its contact and device are named.

        Of such a ticket a language model may say which of the connected systems' tools would do what it asks.
        """
        reading = reading_of(facts)
        found = find_entities(reading, people=facts.people, devices=facts.devices)
        potential = automation_potential(reading, [*found, *_of_the_ticket(facts)], facts.tools)
        judged = None if potential.jobs else _judged(facts, bench.model)
        if judged is not None:
            return judged
        value = Automation.model_validate(
            {
                "score": potential.score,
                "band": potential.band,
                "jobs": potential.jobs,
                "matched": [system_name(slug) for slug in potential.matched],
                "missing": [system_name(slug) for slug in potential.missing],
                "limits": potential.limits,
            }
        )
        limits = "; ".join(potential.limits)
        reason = f"What limits it: {limits}." if limits else "The ticket names all it takes."
        return Outcome(value=value, confidence=potential.confidence, reason=reason, producer=Producer.RULE)


class Doable(Reply):
    """A language model's answer: the work in a few words, the tools that would do it, and how much of it they would."""

    job: str = Field(min_length=1, max_length=120)
    tools: list[str] = Field(max_length=8)
    score: int = Field(ge=0, le=100)


def _judged(facts: TicketFacts, model: Asker | None) -> Outcome[Automation] | None:
    """What a language model makes of it; None where there is none, it says nothing, or no tool would help."""
    tools = sorted(name for names in facts.tools.values() for name in names)[:MOST_CHOICES]
    if model is None or not tools:
        return None
    said = model.ask(Question(task=_TASK, answer=Doable, ticket=ticket_text(facts), allowed={"tools": tools}))
    if said is None or not said.answer.tools:
        return None
    answer = said.answer
    systems = dict.fromkeys(system_name(name.partition(".")[0]) for name in answer.tools)
    band = next(name for name, least in _BANDS if answer.score >= least)
    return Outcome(
        value=Automation.model_validate(
            {"score": answer.score, "band": band, "jobs": (answer.job,), "matched": tuple(systems)}
        ),
        confidence=answer.confidence,
        reason=f"With {', '.join(answer.tools)}. {answer.reason}".strip(),
        producer=Producer.MODEL,
        model=said.model,
        microcents=said.microcents,
    )


def _of_the_ticket(facts: TicketFacts) -> list[Entity]:
    own = [(Kind.PERSON, facts.contact), (Kind.DEVICE, facts.device)]
    return [Entity(kind, known.name, 1.0, known.id) for kind, known in own if known is not None]
