"""How much of a ticket the connected systems' tools could do."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from junto.textwork.automation import automation_potential
from junto.textwork.entities import Entity, Kind, find_entities
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


class AutomationOptions(Options):
    """None."""


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
        """Always something: a ticket that asks for nothing known has next to none. Its contact and device are named."""
        reading = reading_of(facts)
        found = find_entities(reading, people=facts.people, devices=facts.devices)
        potential = automation_potential(reading, [*found, *_of_the_ticket(facts)], facts.tools)
        value = Automation.model_validate(
            {
                "score": potential.score,
                "band": potential.band,
                "jobs": potential.jobs,
                "matched": potential.matched,
                "missing": potential.missing,
                "limits": potential.limits,
            }
        )
        limits = [*potential.limits, *([f"not connected: {', '.join(potential.missing)}"] if potential.missing else [])]
        reason = f"What limits it: {'; '.join(limits)}." if limits else "The ticket names all it takes."
        return Outcome(value=value, confidence=potential.confidence, reason=reason, producer=Producer.RULE)


def _of_the_ticket(facts: TicketFacts) -> list[Entity]:
    own = [(Kind.PERSON, facts.contact), (Kind.DEVICE, facts.device)]
    return [Entity(kind, known.name, 1.0, known.id) for kind, known in own if known is not None]
