"""Keeping what was found out. One value stands for each ticket and processor; a person's is never overwritten.

That is held where rows are written, by the statements themselves: a machine's UPDATE passes over a person's row, and
of two rows that want to stand the database takes one (constraint `processor_result_current_once`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from junto.tenants.models import Membership
from junto.tenants.scoping import TenantQuerySet
from signals.models import ProcessorResult, ReviewItem, Signal
from signals.processors.base import Abstained, AnyOutcome, AnyProcessor, Producer, Value
from signals.write_back.wishes import open_wish, stop_wishes

State = ProcessorResult.State
#: The same word of the same person within so long is a button that was pressed twice; later it is said anew.
TWICE = timedelta(seconds=10)
#: Said of a value that the source tells, which does not tell whose it is.
SET_BY_SOMEBODY = "Somebody set it at the ticket’s source."


class Overtaken(Exception):
    """Somebody else's word stands by now, which the person who gives another has not seen."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a run took: wall time, and the revision that it read."""

    milliseconds: int
    revision: int


def keep_outcome(
    signal: Signal,
    processor: AnyProcessor,
    outcome: AnyOutcome,
    spent: Spent,
    *,
    goes_back: bool = False,
    then: Callable[[ProcessorResult, ProcessorResult | None], None] | None = None,
) -> ProcessorResult | None:
    """Make a machine's outcome the value that stands; None where a person's, or one of a newer revision, stands.

    With `goes_back` the wish to carry it to the source is written down with it (signals/write_back/writing.py). `then`
    is called with the row and the one it follows, in the same transaction.
    """
    row = _row(signal, processor, outcome, spent)
    row.state = State.CURRENT
    try:
        with transaction.atomic():
            machines = _standing(signal, processor).exclude(producer=Producer.PERSON)
            _supersede(machines.filter(revision__lte=spent.revision))
            row.save(force_insert=True)
            if goes_back:
                open_wish(row)
            _close_reviews(signal, processor, ReviewItem.State.DROPPED)
            if then is not None:
                then(row, _followed(row))
    except IntegrityError:
        return None
    return row


def _followed(row: ProcessorResult) -> ProcessorResult | None:
    """What stood before it, whoever wrote that meanwhile."""
    rows = ProcessorResult.objects.for_organization(row.organization).filter(
        signal_id=row.signal_id, processor=row.processor, state=State.SUPERSEDED
    )
    found: ProcessorResult | None = rows.order_by("-created_at").first()
    return found


def keep_abstention(
    signal: Signal, processor: AnyProcessor, abstained: Abstained[Value], spent: Spent
) -> ProcessorResult | None:
    """Remember what was not sure enough, and put it up for review unless a value stands; None where it is known."""
    nearest = abstained.nearest
    if nearest is None:
        return None
    row = _row(signal, processor, nearest, spent, reason=f"{abstained.reason} {nearest.reason}".strip())
    row.state = State.ABSTAINED
    reviews = ReviewItem.objects.for_organization(signal.organization)
    waiting = reviews.filter(signal=signal, processor=processor.slug, state=ReviewItem.State.OPEN)
    known = waiting.select_related("result").first()
    if known is not None and (known.result.key, known.result.confidence) == (row.key, row.confidence):
        return None
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            waiting.update(state=ReviewItem.State.DROPPED, closed_at=timezone.now())
            if not _standing(signal, processor).exists() and not _is_dismissed(signal, row):
                ReviewItem.objects.create(
                    organization=signal.organization, signal=signal, processor=processor.slug, result=row
                )
    except IntegrityError:  # another run of the same ticket put it up meanwhile
        return None
    return row


def keep_failure(signal: Signal, processor: AnyProcessor, reason: str, spent: Spent) -> ProcessorResult:
    """Say that a processor failed, and why; what stands goes on standing."""
    row = ProcessorResult(
        organization=signal.organization,
        signal=signal,
        processor=processor.slug,
        reason=reason,
        producer=Producer.RULE,
        version=processor.version,
        milliseconds=spent.milliseconds,
        revision=spent.revision,
        state=State.FAILED,
    )
    row.save(force_insert=True)
    return row


@dataclass(frozen=True, kw_only=True)
class Word:
    """Who gave a value. At the source that may be somebody whom we do not know, or know by `name` alone."""

    person: Membership | None = None
    name: str = ""
    at_source: bool = False

    @property
    def reason(self) -> str:
        """In a sentence."""
        name = self.person.user.display_name if self.person else self.name
        if not self.at_source:
            return f"{name} said so."
        return f"{name} set it at the ticket’s source, through Junto." if name else SET_BY_SOMEBODY


def keep_correction(
    signal: Signal,
    processor: AnyProcessor,
    value: Value,
    *,
    word: Word,
    revision: int,
    seen: Collection[UUID] | None = None,
) -> ProcessorResult:
    """Make a person's value the one that stands, whatever stood; says whether they found the machine's right.

    Judged is what the machine last said: the value that stands, else the one that waits for review or was taken back.
    Who corrects a person judges what that person judged; the last word counts. With `seen` (ids) that holds for words
    that are among them.

    Raises:
        Overtaken: another word of somebody else stands, which is not among `seen`.
    """
    try:
        return _correct(signal, processor, value, word=word, revision=revision, seen=seen)
    except IntegrityError:  # a machine's row, or another person's, came in between: it is what is judged now
        return _correct(signal, processor, value, word=word, revision=revision, seen=seen)


def said_by_another(
    signal: Signal, processor: AnyProcessor, value: Value, *, seen: Collection[UUID], person: Membership | None
) -> ProcessorResult | None:
    """Another value than `value` that stands as somebody else's word, and is not among `seen`; None where none does."""
    standing = _standing(signal, processor).select_related("person__user").first()
    return standing if standing is not None and _is_news(standing, value, seen=seen, person=person) else None


def _is_news(standing: ProcessorResult, value: Value, *, seen: Collection[UUID], person: Membership | None) -> bool:
    theirs = standing.producer == Producer.PERSON and (person is None or standing.person_id != person.pk)
    return theirs and standing.pk not in seen and standing.value != value.model_dump(mode="json")


@transaction.atomic
def _correct(
    signal: Signal,
    processor: AnyProcessor,
    value: Value,
    *,
    word: Word,
    revision: int,
    seen: Collection[UUID] | None,
) -> ProcessorResult:
    standing = _standing(signal, processor).select_related("judged").select_for_update(of=("self",)).first()
    if standing is not None and seen is not None and _is_news(standing, value, seen=seen, person=word.person):
        raise Overtaken
    said = value.model_dump(mode="json")
    if standing is not None and standing.producer == Producer.PERSON:
        who = (word.person.pk if word.person else None, word.at_source)
        same = standing.value == said and (standing.person_id, standing.set_at_source) == who
        if same and standing.created_at > timezone.now() - TWICE:
            return standing
        judged = standing.judged
    else:
        judged = standing
    if standing is None:
        reviews = ReviewItem.objects.for_organization(signal.organization)
        review = reviews.filter(signal=signal, processor=processor.slug, state=ReviewItem.State.OPEN)
        waiting = review.select_related("result").first()
        judged = waiting.result if waiting else _taken_back(signal, processor)
    row = ProcessorResult(
        organization=signal.organization,
        signal=signal,
        processor=processor.slug,
        value=said,
        key=value.key()[:300],
        confidence=1.0,
        reason=word.reason,
        producer=Producer.PERSON,
        version=processor.version,
        revision=revision,
        person=word.person,
        set_at_source=word.at_source,
        judged=judged,
    )
    row.agrees = row.key == judged.key if judged is not None else None
    _supersede(_standing(signal, processor))
    row.save(force_insert=True)
    _close_reviews(signal, processor, ReviewItem.State.ANSWERED)
    return row


def _taken_back(signal: Signal, processor: AnyProcessor) -> ProcessorResult | None:
    """What a machine said last, where a person took it away and nothing took its place."""
    rows = ProcessorResult.objects.for_organization(signal.organization).filter(signal=signal, processor=processor.slug)
    reverted = rows.filter(state=State.REVERTED).exclude(producer=Producer.PERSON)
    found: ProcessorResult | None = reverted.order_by("-created_at").first()
    return found


def take_back(result: ProcessorResult) -> ProcessorResult | None:
    """Revert what stands: the value before it stands again, if there was one; that row is returned.

    What a person set at the ticket's source is there whatever is said here: no older value takes its place.

    Raises:
        NotStanding: it does not stand any more.
        SetAtSource: a person set it at the source.
    """
    if result.set_at_source and result.state == State.CURRENT:
        raise SetAtSource
    rows = ProcessorResult.objects.for_organization(result.organization).filter(
        signal_id=result.signal_id, processor=result.processor
    )
    try:
        with transaction.atomic():
            if not rows.filter(pk=result.pk, state=State.CURRENT).update(state=State.REVERTED):
                raise NotStanding
            stop_wishes([result], "It was taken back.")
            older = rows.filter(state=State.SUPERSEDED, created_at__lt=result.created_at)
            before: ProcessorResult | None = older.order_by("-created_at").first()
            if before is not None:
                rows.filter(pk=before.pk, state=State.SUPERSEDED).update(state=State.CURRENT)
                before.state = State.CURRENT
    except IntegrityError as taken:
        raise NotStanding from taken
    return before


def retract(result: ProcessorResult) -> None:
    """A person took the value away at the source: nothing takes its place, and it is not said again."""
    rows = ProcessorResult.objects.for_organization(result.organization).filter(pk=result.pk, state=State.CURRENT)
    if rows.update(state=State.REVERTED):
        stop_wishes([result], "Somebody took the value away at the ticket’s source.")


class NotStanding(Exception):
    """The result was superseded or reverted meanwhile."""


class SetAtSource(Exception):
    """A person set the value at the ticket's source, which keeps it."""


def read_value(processor: AnyProcessor, result: ProcessorResult) -> Value:
    """The stored value, typed. Raises pydantic.ValidationError where the processor has it otherwise by now."""
    value: Value = processor.value_type.model_validate(result.value)
    return value


def _standing(signal: Signal, processor: AnyProcessor) -> TenantQuerySet[ProcessorResult]:
    rows: TenantQuerySet[ProcessorResult] = ProcessorResult.objects.for_organization(signal.organization)
    return rows.filter(signal=signal, processor=processor.slug, state=State.CURRENT)


def _is_dismissed(signal: Signal, row: ProcessorResult) -> bool:
    """Whether a person did not want to be asked about this very value."""
    reviews = ReviewItem.objects.for_organization(signal.organization).filter(signal=signal, processor=row.processor)
    return bool(reviews.filter(state=ReviewItem.State.DISMISSED, result__key=row.key).exists())


def _supersede(standing: TenantQuerySet[ProcessorResult]) -> None:
    """What stood stands no more, and goes nowhere any more if it has not left yet."""
    rows = list(standing.select_related("organization").defer("value", "reason"))
    standing.update(state=State.SUPERSEDED)
    stop_wishes(rows, "Another value took its place.")


def _close_reviews(signal: Signal, processor: AnyProcessor, to: ReviewItem.State) -> None:
    ReviewItem.objects.for_organization(signal.organization).filter(
        signal=signal, processor=processor.slug, state=ReviewItem.State.OPEN
    ).update(state=to, closed_at=timezone.now())


def _row(
    signal: Signal, processor: AnyProcessor, outcome: AnyOutcome, spent: Spent, *, reason: str = ""
) -> ProcessorResult:
    return ProcessorResult(
        organization=signal.organization,
        signal=signal,
        processor=processor.slug,
        value=outcome.value.model_dump(mode="json"),
        key=outcome.value.key()[:300],
        confidence=round(min(max(outcome.confidence, 0.0), 1.0), 4),
        reason=reason or outcome.reason,
        producer=outcome.producer,
        model=outcome.model,
        version=processor.version,
        milliseconds=spent.milliseconds,
        microcents=outcome.microcents,
        revision=spent.revision,
    )
