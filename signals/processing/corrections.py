"""A person's word on what processors said: right, something else, or taken back. And how often they were right."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from integrations.errors import IntegrationError
from integrations.llm.fencing import show_escaped
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.models import ProcessorResult, ReviewItem, Signal
from signals.processing.doubts import reconsider
from signals.processing.results import (
    NotStanding,
    Overtaken,
    SetAtSource,
    Word,
    keep_correction,
    read_value,
    said_by_another,
    take_back,
)
from signals.processors import processor_of
from signals.processors.base import AnyProcessor, Producer, Value
from signals.processors.router import Route
from signals.shares import whole_percent
from signals.sync.live_lists import lists_of_signal

__all__ = [
    "CorrectionRefused",
    "NotStanding",
    "Overtaken",
    "Precision",
    "SetAtSource",
    "confirm_result",
    "correct_value",
    "dismiss_review",
    "meanwhile",
    "precisions",
    "revert",
]


class CorrectionRefused(ValueError):
    """The word cannot be taken; the message says why."""


def correct_value(
    *, signal: Signal, processor: AnyProcessor, value: Value, actor: Actor, seen: Collection[UUID] | None = None
) -> ProcessorResult:
    """Make `value` the one that stands; no processor overwrites it. The same value as the machine's confirms it.

    `seen` = ids of the values that the person has seen; None = whatever stands by now. Not to be called inside a
    transaction: the source may be asked for its lists.

    Raises:
        Overtaken: another word of somebody else stands, which is not among `seen`.
        CorrectionRefused: `actor` is no person, or the value is in none of the source's lists, or they cannot be read,
            or it names a company that `actor` does not work for.
        PermissionDenied: `actor` may not work for the signal's company.
    """
    require(actor, Permission.RUN_SESSIONS, signal.company or signal.organization)
    if actor.membership is None:
        raise CorrectionRefused("Only a person corrects what a processor said.")
    _require_in_lists(signal, processor, value)
    _require_known_company(value, actor)
    word = Word(person=actor.membership)
    with transaction.atomic():
        row = keep_correction(signal, processor, value, word=word, revision=signal.revision, seen=seen)
        verb = "processor.confirmed" if row.agrees else "processor.corrected"
        record(actor, verb, signal, {"processor": processor.label, "value": value.words()[:200]})
        reconsider(signal)
        ring("signal.changed", str(signal.pk))  # what waited for this word may begin
    return row


def _require_in_lists(signal: Signal, processor: AnyProcessor, value: Value) -> None:
    try:
        lists = lists_of_signal(signal, processor.lists)
    except IntegrationError as problem:
        raise CorrectionRefused(f"{problem} What the ticket may be could not be read: try again.") from problem
    wrong = processor.not_in(lists, value) if lists is not None else ""
    if wrong:
        raise CorrectionRefused(wrong)


def _require_known_company(value: Value, actor: Actor) -> None:
    if not isinstance(value, Route) or value.action != "move_company":
        return
    if not Company.objects.visible_to(actor).filter(name__iexact=value.target, is_active=True).exists():
        raise CorrectionRefused(f"{value.target} is no company that Junto knows and you work for. Choose another.")


def confirm_result(*, result: ProcessorResult, actor: Actor) -> ProcessorResult:
    """Say that what stands, or waits for review, is right. Raises as `correct_value`."""
    processor = processor_of(result.processor)
    value = read_value(processor, result)
    return correct_value(signal=result.signal, processor=processor, value=value, actor=actor, seen=[result.pk])


def meanwhile(signal: Signal, processor: AnyProcessor, value: Value, *, seen: Collection[UUID], actor: Actor) -> str:
    """What else than `value` somebody else said since `actor` saw the values with these ids, in a sentence."""
    row = said_by_another(signal, processor, value, seen=seen, person=actor.membership)
    if row is None:
        return ""
    who = row.person.user.display_name if row.person else "Somebody at the ticket’s source"
    return f"{who} said “{show_escaped(read_value(processor, row).words())}” meanwhile."


@transaction.atomic
def dismiss_review(*, item: ReviewItem, actor: Actor) -> None:
    """Leave open what a processor was not sure of: nothing stands, and nobody is asked for this value again.

    Raises:
        NotStanding: somebody answered meanwhile, or it is no longer needed.
        PermissionDenied: `actor` may not work for the signal's company.
    """
    signal = item.signal
    require(actor, Permission.RUN_SESSIONS, signal.company or signal.organization)
    waiting = ReviewItem.objects.for_organization(signal.organization).filter(pk=item.pk, state=ReviewItem.State.OPEN)
    if not waiting.update(state=ReviewItem.State.DISMISSED, closed_at=timezone.now()):
        raise NotStanding
    label = processor_of(item.processor).label
    record(actor, "processor.review_dismissed", signal, {"processor": label, "value": item.result.key})
    reconsider(signal)
    ring("signal.changed", str(signal.pk))


@transaction.atomic
def revert(*, result: ProcessorResult, actor: Actor) -> ProcessorResult | None:
    """Take back what stands; what stood before stands again, and is returned. No machine says the same a second time.

    Raises:
        NotStanding: something else stands by now.
        SetAtSource: a person set it at the ticket's source, which keeps it.
        PermissionDenied: `actor` may not work for the signal's company.
    """
    signal = result.signal
    require(actor, Permission.RUN_SESSIONS, signal.company or signal.organization)
    before = take_back(result)
    record(
        actor, "processor.reverted", signal, {"processor": processor_of(result.processor).label, "value": result.key}
    )
    ring("signal.processed", str(signal.pk))
    return before


@dataclass(frozen=True)
class Precision:
    """How many values people looked at, and found right."""

    right: int
    judged: int

    @property
    def percent(self) -> int | None:
        """0 to 100, which is all of them; None before anybody judged."""
        return whole_percent(self.right / self.judged) if self.judged else None


def precisions(organization: Organization) -> dict[str, Precision]:
    """By processor: people's last word on each ticket, where a processor had said something before.

    What they took back, without saying something else, was wrong.
    """
    rows: TenantQuerySet[ProcessorResult] = ProcessorResult.objects.for_organization(organization)
    people = rows.filter(producer=Producer.PERSON, state=ProcessorResult.State.CURRENT)
    said = people.filter(agrees__isnull=False).order_by().values_list("processor")
    found = {
        slug: Precision(right=right, judged=judged)
        for slug, judged, right in said.annotate(judged=Count("pk"), right=Count("pk", filter=Q(agrees=True)))
    }
    corrected = people.filter(signal=OuterRef("signal"), processor=OuterRef("processor"))
    reverted = rows.filter(~Exists(corrected), state=ProcessorResult.State.REVERTED).exclude(producer=Producer.PERSON)
    for slug, wrong in reverted.order_by().values_list("processor").annotate(wrong=Count("signal", distinct=True)):
        known = found.get(slug, Precision(0, 0))
        found[slug] = Precision(right=known.right, judged=known.judged + wrong)
    return found
