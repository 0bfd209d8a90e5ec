"""Who and what a ticket names: people, devices, applications and vendors."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

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


class Link(BaseModel):
    """A name that is a contact's or device's of the ticket's company, with our own id of that row."""

    model_config = ConfigDict(frozen=True)

    name: str
    id: str


class Entities(Value):
    """Names as they stand in the ticket; `links` = those that are known at its company."""

    people: tuple[str, ...] = Field((), title="People")
    devices: tuple[str, ...] = Field((), title="Devices")
    applications: tuple[str, ...] = Field((), title="Applications")
    vendors: tuple[str, ...] = Field((), title="Vendors")
    links: tuple[Link, ...] = ()

    def words(self) -> str:
        """All of them, kind by kind."""
        kinds = (self.people, self.devices, self.applications, self.vendors)
        return "; ".join(", ".join(names) for names in kinds if names) or "Nothing named"

    def key(self) -> str:
        """The names, in any order; links aside."""
        names = sorted(
            name.casefold() for each in (self.people, self.devices, self.applications, self.vendors) for name in each
        )
        return "|".join(names)


class EntityOptions(Options):
    """None."""


class EntityProcessor(Processor[Entities, EntityOptions]):
    """Compares with the company's contacts and devices, and with lists of names; links to nobody else's."""

    slug: ClassVar = "entities"
    label: ClassVar = "Entity extraction"
    noun: ClassVar = "Names"
    description: ClassVar = "Finds people, devices, applications and vendors, and links those known at the company."
    phase: ClassVar = Phase.ENRICHMENT
    on_by_default: ClassVar = True
    value_type = Entities
    options_type = EntityOptions

    def run(
        self, facts: TicketFacts, options: EntityOptions, bench: Workbench
    ) -> Outcome[Entities] | Abstained[Entities]:
        """As sure as it is of the names on average."""
        found = find_entities(reading_of(facts), people=facts.people, devices=facts.devices)
        if not found:
            return Abstained(reason="The ticket names nobody and nothing.")
        links = tuple(Link(name=each.text, id=each.known) for each in found if each.known)
        known = f"{len(links)} of {len(found)} known at {facts.company or 'the company'}."
        return Outcome(
            value=Entities(
                people=_names(found, Kind.PERSON),
                devices=_names(found, Kind.DEVICE),
                applications=_names(found, Kind.APPLICATION),
                vendors=_names(found, Kind.VENDOR),
                links=links,
            ),
            confidence=sum(each.confidence for each in found) / len(found),
            reason=f"Compared with the company’s contacts and devices, and with lists of names. {known}",
            producer=Producer.RULE,
        )


def _names(found: tuple[Entity, ...], kind: Kind) -> tuple[str, ...]:
    return tuple(each.text for each in found if each.kind is kind)
