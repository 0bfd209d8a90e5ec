"""What was found out about tickets, as pages show it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from pydantic import ValidationError

from approvals.models import Action
from integrations.llm.fencing import show_escaped
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission
from signals.models import ModelQuestion, ProcessorResult, ReviewItem, Signal
from signals.processing.plans import plans
from signals.processing.results import read_value
from signals.processors import PROCESSORS, UnknownProcessor, processor_of
from signals.processors.base import Producer
from signals.processors.description import DescriptionProcessor
from signals.processors.router import PROPOSED
from signals.shares import whole_percent
from signals.write_back.put_back import attempts, came_to_nothing, writing_words, writings
from signals.write_back.spoken import carries, still_there, why_not

PRODUCER_WORDS: dict[str, tuple[str, str]] = {
    Producer.RULE: ("Rule", "sliders"),
    Producer.LEARNED: ("Learned", "cpu"),
    Producer.MODEL: ("Language model", "wand"),
    Producer.REHEARSAL: ("Rehearsal model", "wand"),
    Producer.PERSON: ("Person", "user"),
}
_UNREADABLE = "Cannot be read any more"


@dataclass(frozen=True)
class FindingRow:
    """One result on screen. Texts are foreign and shown escaped; `percent` is the confidence, 0 to 100."""

    id: UUID
    slug: str
    label: str
    noun: str
    words: str
    percent: int
    reason: str
    producer: str
    producer_word: str
    producer_icon: str
    model: str
    state: str
    state_word: str
    milliseconds: int
    microcents: int
    at: datetime
    number: str
    subject: str
    signal_path: str
    path: str
    by_person: bool
    stands: bool
    #: Of a value that a person set at the ticket's source: that it stays there, and who set it when.
    kept: str = ""
    waits: bool = False
    #: It is sure enough, and not for a machine to decide.
    proposed: bool = False
    #: What became of it at the ticket's source, and under whose approval; empty where it was not to go there.
    written: str = ""
    was_written: bool = False
    #: It is there, or on its way.
    goes: bool = False
    #: What the source has in place of a person's word, in a sentence, and whether that word may be sent there again.
    still: str = ""
    may_send: bool = False
    #: Why the source still has a value that was taken back here, where it can be tried again.
    not_put_back: str = ""

    @property
    def cost(self) -> str:
        """In cents; empty where it cost nothing."""
        return _cents(self.microcents)


def finding_rows(actor: Actor, *, slug: str = "", signal: Signal | None = None, limit: int) -> list[FindingRow]:
    """The newest results that `actor` may see, of one processor, one ticket, or both."""
    rows = ProcessorResult.objects.visible_to(actor).select_related("signal")
    if slug:
        rows = rows.filter(processor=slug)
    if signal is not None:
        rows = rows.filter(signal=signal)
    return _with_attempts(actor.organization, _told(rows.order_by("-created_at", "id")[:limit]))


def ticket_findings(signal: Signal, *, actor: Actor) -> dict[str, object]:
    """What stands for a ticket and what waits for a person's word, for its page, in the order of the processors."""
    results = ProcessorResult.objects.visible_to(actor).filter(signal=signal).select_related("signal")
    waiting = ReviewItem.objects.visible_to(actor).filter(signal=signal, state=ReviewItem.State.OPEN)
    asked = results.filter(review_items__in=waiting)
    order = {processor.slug: place for place, processor in enumerate(PROCESSORS)}
    standing = list(results.current())
    rows = [*_with_sources(signal, standing, _with_writings(signal, _told(standing))), *_told(asked, waits=True)]
    may_reread = signal.state in Signal.OPEN and actor.can(Permission.MANAGE_PROCESSORS)
    return {
        "rewritten": next((row for row in rows if row.slug == DescriptionProcessor.slug and row.stands), None),
        "results": sorted(rows, key=lambda row: (order.get(row.slug, len(order)), row.waits)),
        "without_value": _without_value(signal, actor=actor, told={row.slug for row in rows}),
        "may_correct": actor.can(Permission.RUN_SESSIONS, signal.company or signal.organization),
        "read_again_path": f"{reverse('processors-rerun')}?signal={signal.pk}" if may_reread else "",
    }


def _without_value(signal: Signal, *, actor: Actor, told: Collection[str]) -> list[dict[str, str]]:
    """Noun and path of processors that read the ticket, or asked a model about it, and of which nothing stands.

    Nothing while the ticket is still to be read.
    """
    if signal.awaits_processors:
        return []
    questions = ModelQuestion.objects.visible_to(actor).filter(signal=signal).order_by()
    asked = set(questions.values_list("processor", flat=True).distinct())
    reads = {
        plan.processor.slug for plan in plans(signal.organization, signal.company) if plan.applies(signal.board_id)
    }
    return [
        {"noun": _noun(processor.slug), "path": reverse("finding", args=[signal.pk, processor.slug])}
        for processor in PROCESSORS
        if processor.slug in reads | asked and processor.slug not in told
    ]


def _with_writings(signal: Signal, rows: list[FindingRow]) -> list[FindingRow]:
    """With what each of them wrote at the source."""
    actions = writings(signal.organization, [row.id for row in rows])
    return [
        replace(
            row,
            written=writing_words(actions[row.id]),
            was_written=actions[row.id].state == Action.State.SUCCEEDED,
            goes=not came_to_nothing(actions[row.id]),
        )
        if row.id in actions
        else row
        for row in rows
    ]


def _with_sources(signal: Signal, results: list[ProcessorResult], rows: list[FindingRow]) -> list[FindingRow]:
    """With what the source has in place of what people said here, where that is not on its way there."""
    return [
        _with_source(signal, result, row) if row.by_person and not row.goes else row
        for result, row in zip(results, rows, strict=True)
    ]


def _with_source(signal: Signal, result: ProcessorResult, row: FindingRow) -> FindingRow:
    try:
        processor = processor_of(result.processor)
        still = still_there(signal, processor, read_value(processor, result))
    except (ValidationError, UnknownProcessor):
        return row
    if not still:
        return row
    if carries(signal, processor):
        return replace(row, still=still, may_send=True)
    return replace(row, still=f"{still} {why_not(signal)}")


def _with_attempts(organization: Organization, rows: list[FindingRow]) -> list[FindingRow]:
    """With what became of putting back those that were taken back."""
    last = attempts(organization, [row.id for row in rows if row.state == ProcessorResult.State.REVERTED])
    return [
        replace(row, not_put_back=show_escaped(last[row.id].reason) or last[row.id].get_state_display())
        if row.id in last and came_to_nothing(last[row.id])
        else row
        for row in rows
    ]


@dataclass(frozen=True)
class QuestionRow:
    """One question to a language model on screen; all texts are escaped. `problem` = why the answer was of no use."""

    at: datetime
    model: str
    prompt: str
    answer: str
    problem: str
    milliseconds: int
    tokens: int
    cost: str


def question_rows(actor: Actor, signal: Signal, *, slug: str, limit: int) -> list[QuestionRow]:
    """What a processor asked of a ticket, newest first; nothing for who may not work on it."""
    if not actor.can(Permission.RUN_SESSIONS, signal.company or signal.organization):
        return []
    rows = ModelQuestion.objects.visible_to(actor).filter(signal=signal, processor=slug)
    return [
        QuestionRow(
            at=row.created_at,
            model=show_escaped(row.model),
            prompt=show_escaped(row.prompt),
            answer=show_escaped(row.answer),
            problem=show_escaped(row.problem),
            milliseconds=row.milliseconds,
            tokens=row.tokens_in + row.tokens_out,
            cost=_cents(row.microcents),
        )
        for row in rows[:limit]
    ]


def _cents(microcents: int) -> str:
    """In cents; empty where it cost nothing."""
    return f"{microcents / 1_000_000:.2f} ¢" if microcents else ""


def _told(rows: Iterable[ProcessorResult], *, waits: bool = False) -> list[FindingRow]:
    return [told(row, waits=waits) for row in rows]


def told(row: ProcessorResult, *, waits: bool = False) -> FindingRow:
    """One row in words."""
    producer, icon = PRODUCER_WORDS.get(row.producer, (row.producer, "dot"))
    proposed = row.state == ProcessorResult.State.ABSTAINED and row.reason.startswith(PROPOSED)
    return FindingRow(
        id=row.pk,
        slug=row.processor,
        label=_label(row.processor),
        noun=_noun(row.processor),
        words=show_escaped(_words(row)),
        percent=whole_percent(row.confidence),
        reason=show_escaped(row.reason),
        producer=row.producer,
        producer_word=producer,
        producer_icon=icon,
        model=show_escaped(row.model),
        state=row.state,
        state_word="Proposed" if proposed else row.get_state_display(),
        milliseconds=row.milliseconds,
        microcents=row.microcents,
        at=row.created_at,
        number=row.signal.number,
        subject=show_escaped(row.signal.subject),
        signal_path=reverse("signal", args=[row.signal_id]),
        path=reverse("finding", args=[row.signal_id, row.processor]),
        by_person=row.producer == Producer.PERSON,
        stands=row.state == ProcessorResult.State.CURRENT,
        kept=kept_words(row) if row.set_at_source and row.state == ProcessorResult.State.CURRENT else "",
        waits=waits,
        proposed=proposed,
    )


def kept_words(row: ProcessorResult) -> str:
    """Why a value that a person set at the ticket's source is not taken back here."""
    at = timezone.localtime(row.created_at)
    seen = f"{at:%Y-%m-%d %H:%M} {at.tzname()}"
    return f"The PSA keeps {show_escaped(_words(row))}: {show_escaped(row.reason)} Seen {seen}. Change it there."


def _label(slug: str) -> str:
    try:
        return processor_of(slug).label
    except UnknownProcessor:
        return slug


def _noun(slug: str) -> str:
    """What the value is called on a ticket's page."""
    try:
        return processor_of(slug).noun or _label(slug)
    except UnknownProcessor:
        return slug


def _words(row: ProcessorResult) -> str:
    if row.state == ProcessorResult.State.FAILED:
        return "Failed"
    try:
        return read_value(processor_of(row.processor), row).words()
    except (ValidationError, UnknownProcessor):
        return _UNREADABLE
