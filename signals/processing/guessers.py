"""The producers of labels that an organization has: its rules, then what was learned from its own tickets."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from django.db.models import Count

from junto.learned.model import LabelModel
from junto.tenants.models import Organization
from signals.models import ProcessorRule, Signal, TrainedModel
from signals.processing.senders import SenderGuesser, places
from signals.processors.base import AnyProcessor, Guesser, Step
from signals.processors.learned import LearnedGuesser
from signals.processors.router import RouterProcessor
from signals.processors.rules import Rule, RulesGuesser, read_conditions
from signals.processors.steps import LearnedStep, PathGuesser

#: Trained models held in the memory of a process; one takes some 20 MB.
MODELS_HELD = 8
_DIGITS_SHOWN = 12


def guessers_of(organization: Organization, processor: AnyProcessor) -> list[Guesser]:
    """Cheapest first; none for a processor that gives no labels, or one that chooses in steps."""
    if processor.steps:
        return []
    found: list[Guesser] = []
    if processor.takes_rules:
        rules = rules_of(organization, processor)
        if rules:
            found.append(RulesGuesser(rules))
    if processor.learns:
        learned = learned_guesser(organization, processor)
        if learned is not None:
            found.append(learned)
    if isinstance(processor, RouterProcessor):
        found.append(SenderGuesser(organization))
    return found


def guessers_by_step(organization: Organization, processor: AnyProcessor) -> Callable[[Step], Sequence[Guesser]]:
    """The producers for each step of a processor that chooses in steps, cheapest first; rules are read once."""
    rules = rules_of(organization, processor) if processor.steps and processor.takes_rules else []

    def of_step(step: Step) -> list[Guesser]:
        found: list[Guesser] = [PathGuesser(RulesGuesser(rules), step)] if rules else []
        learned = _newest(organization, level_name(processor, len(step.chosen) + 1)) if processor.learns else None
        if learned is not None:
            found.append(LearnedStep(*learned, step))
        return found

    return of_step


def level_name(processor: AnyProcessor, level: int) -> str:
    """What the model of a processor's paths down to that step is kept under; the first is the processor's own."""
    return processor.slug if level == 1 else f"{processor.slug}:{level}"


def rules_of(organization: Organization, processor: AnyProcessor) -> list[Rule]:
    """The Admin's rules in their order."""
    rows = ProcessorRule.objects.for_organization(organization).filter(processor=processor.slug)
    return [
        Rule(
            number=number,
            conditions=read_conditions(row.conditions),
            any_holds=row.any_holds,
            label=row.label,
            tags=tuple(row.tags),
        )
        for number, row in enumerate(rows, start=1)
    ]


def learned_guesser(organization: Organization, processor: AnyProcessor) -> LearnedGuesser | None:
    """What was learned last; None before anything could be."""
    newest = _newest(organization, processor.slug)
    return LearnedGuesser(*newest) if newest else None


def _newest(organization: Organization, name: str) -> tuple[LabelModel, str] | None:
    """The model kept last under that name, and what it is called."""
    rows = TrainedModel.objects.for_organization(organization).filter(processor=name, problem="")
    newest = rows.values_list("pk", "digest").first()
    if newest is None:
        return None
    return _loaded(organization, newest[0]), f"learned {newest[1][:_DIGITS_SHOWN]}"


def known_labels(organization: Organization, processor: AnyProcessor) -> list[str]:
    """The labels that the organization uses for it: of its rules, then of its tickets, the commonest first.

    For the router they are its companies and boards.
    """
    if isinstance(processor, RouterProcessor):
        return places(organization)
    rows = ProcessorRule.objects.for_organization(organization).filter(processor=processor.slug)
    found = Counter[str]()
    types = Signal.objects.for_organization(organization).order_by().values_list("type", "subtype", "item")
    for type_name, subtype, item, tickets in types.annotate(tickets=Count("pk")):
        if label := processor.label_of_types(type_name, subtype, item, ""):
            found[label] += tickets
    return [*rows.values_list("label", flat=True), *(label for label, _ in found.most_common())]


@lru_cache(maxsize=MODELS_HELD)
def _loaded(organization: Organization, pk: uuid.UUID) -> LabelModel:
    """Read from its bytes once a process: a row never changes."""
    row = TrainedModel.objects.for_organization(organization).only("kept").get(pk=pk)
    return LabelModel.from_bytes(bytes(row.kept))
