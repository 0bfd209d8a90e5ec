"""Learning labels from an organization's own tickets: those that are closed, and what people corrected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count, Q

from junto.learned.features import MOST_CHARACTERS, TicketText
from junto.learned.training import FEWEST_ROWS, Untrainable, train
from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import ProcessorResult, Signal, TrainedModel
from signals.processing.guessers import level_name
from signals.processing.plans import plans
from signals.processing.results import read_value
from signals.processors.base import AnyProcessor, Producer
from signals.processors.steps import parts_of, path_of

log = structlog.get_logger(__name__)

#: The newest closed tickets that are learned from: these take half a minute of one core.
MOST_TICKETS = 5000
#: It is learned anew when there are so many lessons more than last time, as a share and in number.
_MORE_SHARE = 0.1
_MORE_ROWS = 20
#: Trained models kept of each processor: the one in use, and the one before it. A failed training takes no place.
_KEPT = 2
#: Fields of a closed ticket that may bear a label.
_LABELLED = ("type", "subtype", "item", "priority")


def due_for_training(organization: Organization) -> list[AnyProcessor]:
    """Processors that are switched on and have learned nothing yet, or could learn from clearly more tickets now."""
    found = []
    for plan in plans(organization):
        if plan.enabled and plan.processor.learns:
            lessons = count_lessons(organization, plan.processor)
            if lessons >= _next_training(organization, plan.processor):
                found.append(plan.processor)
    return found


def count_lessons(organization: Organization, processor: AnyProcessor) -> int:
    """Closed tickets that bear a label, and corrections; of the newest `MOST_TICKETS`."""
    types = closed_tickets(organization).order_by().values_list(*_LABELLED).annotate(rows=Count("pk"))
    labelled = sum(rows for *names, rows in types if processor.label_of_types(*names))
    return min(int(labelled), MOST_TICKETS) + _corrections(organization, processor).count()


def learnable_labels(organization: Organization, processor: AnyProcessor) -> list[str]:
    """The labels that have enough tickets to be learned, most first; of paths the first part."""
    corrected = _corrections(organization, processor)
    closed = closed_tickets(organization).exclude(pk__in=corrected.values("signal"))
    found = Counter[str]()
    for *names, rows in closed.order_by().values_list(*_LABELLED).annotate(rows=Count("pk")):
        found[_at_first(processor, processor.label_of_types(*names))] += rows
    found.update(_at_first(processor, label) for _, label in _corrected(organization, processor))
    return [label for label, rows in found.most_common() if label and rows >= FEWEST_ROWS]


def _at_first(processor: AnyProcessor, label: str) -> str:
    return path_of(parts_of(label)[:1]) if processor.steps else label


def train_processor(organization: Organization, processor: AnyProcessor) -> TrainedModel:
    """Learn from what there is now and keep it; the row says why nothing could be learned where nothing could.

    Takes up to half a minute of one core; touches the database before and after, not while it learns.
    """
    known = list(lessons(organization, processor).values())
    tickets, labels = [each.ticket for each in known], [each.label for each in known]
    taught = count_lessons(organization, processor)
    levels = [of_level(tickets, labels, level) for level in range(1, len(processor.steps) + 1)] or [(tickets, labels)]
    rows = [
        _learned(organization, level_name(processor, level), *lessons, taught=taught)
        for level, lessons in enumerate(levels, start=1)
    ]
    log.info("processor trained", processor=processor.slug, tickets=len(tickets), problem=rows[0].problem)
    return rows[0]


def of_level(tickets: Sequence[TicketText], labels: Sequence[str], level: int) -> tuple[list[TicketText], list[str]]:
    """The lessons for paths down to one step: those that reach so far, cut there."""
    reaching = [
        (ticket, parts) for ticket, label in zip(tickets, labels, strict=True) if len(parts := parts_of(label)) >= level
    ]
    return [ticket for ticket, _ in reaching], [path_of(parts[:level]) for _, parts in reaching]


def _learned(
    organization: Organization, name: str, tickets: Sequence[TicketText], labels: Sequence[str], *, taught: int
) -> TrainedModel:
    """Train one model and keep it under that name."""
    row = TrainedModel(organization=organization, processor=name, taught=taught)
    try:
        model = train(tickets, labels)
    except Untrainable as nothing:
        row.problem = f"Nothing could be learned: {nothing}."
    else:
        row.kept, row.digest = model.to_bytes(), model.digest
        row.labels, row.left_out = list(model.labels), dict(model.left_out)
    with transaction.atomic():
        row.save(force_insert=True)
        rows = TrainedModel.objects.for_organization(organization).filter(processor=name)
        newest = rows.values_list("pk", flat=True)
        rows.exclude(pk__in=[row.pk, *newest.filter(problem="")[:_KEPT]]).delete()
    return row


def _next_training(organization: Organization, processor: AnyProcessor) -> float:
    """How many lessons it takes."""
    last = TrainedModel.objects.for_organization(organization).filter(processor=processor.slug).first()
    if last is None:
        return 2 * FEWEST_ROWS
    return last.taught + max(_MORE_ROWS, last.taught * _MORE_SHARE)


@dataclass(frozen=True)
class Lesson:
    """A ticket's text and its label."""

    ticket: TicketText
    label: str


def lessons(organization: Organization, processor: AnyProcessor) -> dict[UUID, Lesson]:
    """By the signal's id: a person's word, else what a closed ticket bore. The newest closed ones."""
    closed = closed_tickets(organization).order_by("-source_updated_at", "pk").values_list("pk", *_LABELLED)
    # of many tickets few may bear a label: they are counted, not those that teach nothing
    borne = ((pk, label) for pk, *names in closed.iterator() if (label := processor.label_of_types(*names)))
    labels = dict(islice(borne, MOST_TICKETS))
    labels.update((pk, label) for pk, label in _corrected(organization, processor) if label)
    told = Signal.objects.for_organization(organization).filter(pk__in=list(labels))
    return {
        pk: Lesson(TicketText(title=subject, text=description[:MOST_CHARACTERS]), labels[pk])
        for pk, subject, description in told.values_list("pk", "subject", "description")
    }


def _corrected(organization: Organization, processor: AnyProcessor) -> Iterator[tuple[UUID, str]]:
    for row in _corrections(organization, processor).order_by("-created_at")[:MOST_TICKETS]:
        yield row.signal_id, processor.label_of(read_value(processor, row))


def _corrections(organization: Organization, processor: AnyProcessor) -> TenantQuerySet[ProcessorResult]:
    rows: TenantQuerySet[ProcessorResult] = ProcessorResult.objects.for_organization(organization)
    return rows.filter(processor=processor.slug, producer=Producer.PERSON, state=ProcessorResult.State.CURRENT)


def closed_tickets(organization: Organization) -> TenantQuerySet[Signal]:
    """What is closed at its source, or resolved here."""
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(organization)
    return rows.filter(Q(closed_at_source=True) | Q(state=Signal.State.RESOLVED)).exclude(
        state__in=[Signal.State.GONE, Signal.State.MERGED]
    )
