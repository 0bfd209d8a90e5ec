"""The list of signals as a person sees it: counted views, what the filters offer, and rows in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from approvals.models import Action, Origin
from integrations.models import Connection, SyncCursor
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from signals.intake.clearing import joined_numbers
from signals.intake.folding import how_often
from signals.list_filters import ALL, OPEN, Filters, Fitting
from signals.models import Board, Signal
from signals.querysets import SignalQuerySet
from signals.service.attention import LABELS as ATTENTION_LABELS
from signals.service.attention import Attention, Due, count_all, due_of
from signals.service.hours import hours_of
from signals.sync.polling import STREAM
from signals.words import (
    DONE,
    MODEL_SILENT,
    NEEDS_APPROVAL,
    NOT_STARTED,
    STATE_WORDS,
    STOPPED,
    WAITING_FOR_REPLY,
    WORKING,
    Word,
    state_word,
)

Choices = list[tuple[str, str]]

#: Most values a filter offers; there is the search for the rest.
MOST_CHOICES = 200

State = Signal.State

#: Changes that were asked for or done, and that nobody and nothing took back.
STANDING = (
    Action.State.WAITING,
    Action.State.APPROVED,
    Action.State.CLAIMED,
    Action.State.SUCCEEDED,
    Action.State.UNKNOWN,
    Action.State.SETTLED,
)


@dataclass(frozen=True)
class View:
    """A tab over the list."""

    label: str
    count: int | None
    path: str
    current: bool


@dataclass(frozen=True)
class Row:
    """One signal in the list, in words."""

    id: UUID
    path: str
    external_id: str
    subject: str
    company_name: str
    company_ended: bool
    contact_name: str
    board_name: str
    state_word: str
    state_reason: str
    tone: str
    icon: str
    session_word: str
    session_tone: str
    session_icon: str
    priority: int | None
    priority_name: str
    assignee: str
    assignee_initials: str
    updated_at: datetime
    repeats: int
    due: Due | None


@dataclass(frozen=True)
class Neighbours:
    """Who stands before and after a signal in the list of open ones; `position` is 0 for one that is not open."""

    previous_path: str
    next_path: str
    position: int
    total: int


def neighbours(actor: Actor, signal: Signal) -> Neighbours:
    """The neighbours of `signal` in the list as it opens: the open ones, last updated first."""
    open_ones = Signal.objects.visible_to(actor).filter(state__in=Signal.OPEN)
    at = signal.source_updated_at
    newer = open_ones.filter(Q(source_updated_at__gt=at) | Q(source_updated_at=at, pk__lt=signal.pk))
    older = open_ones.filter(Q(source_updated_at__lt=at) | Q(source_updated_at=at, pk__gt=signal.pk))
    previous = newer.order_by("source_updated_at", "-pk").values_list("pk", flat=True).first()
    following = older.order_by("-source_updated_at", "pk").values_list("pk", flat=True).first()
    return Neighbours(
        previous_path=reverse("signal", args=[previous]) if previous else "",
        next_path=reverse("signal", args=[following]) if following else "",
        position=newer.count() + 1 if signal.state in Signal.OPEN else 0,
        total=open_ones.count(),
    )


def views(fitting: Fitting, filters: Filters, asked: QueryDict) -> list[View]:
    """The tabs with how many of `fitting` there are of each, unless a search found many."""
    # rows, not ids, are counted: so the index of states is enough
    rows = fitting.signals.none() if fitting.many else fitting.signals
    counts = dict(rows.order_by().values_list("state").annotate(rows=Count("*")))
    shown = {
        OPEN: ("Open", sum(counts.get(state, 0) for state in Signal.OPEN)),
        State.NEW: ("New", counts.get(State.NEW, 0)),
        State.NEEDS_REVIEW: (STATE_WORDS[State.NEEDS_REVIEW].word, counts.get(State.NEEDS_REVIEW, 0)),
        State.TRIAGING: ("Working", counts.get(State.TRIAGING, 0)),
        State.IN_REVIEW: (STATE_WORDS[State.IN_REVIEW].word, counts.get(State.IN_REVIEW, 0)),
        ALL: ("All", sum(counts.values())),
    }
    return [
        View(
            label=label,
            count=None if fitting.many else count,
            path=_with(asked, "state", state),
            current=filters.state == state and not filters.attention,
        )
        for state, (label, count) in shown.items()
    ]


def attention_views(fitting: Fitting, filters: Filters, organization: Organization, asked: QueryDict) -> list[View]:
    """What needs somebody's eye, with how many of `fitting` there are of each kind; two queries."""
    rows = fitting.signals.none() if fitting.many else fitting.signals
    counts = count_all(rows, hours=hours_of(organization), now=timezone.now())
    return [
        View(
            label=ATTENTION_LABELS[kind],
            count=None if fitting.many else counts[kind],
            path=_with(asked, "attention", kind),
            current=filters.attention == kind,
        )
        for kind in Attention
    ]


def choices(actor: Actor) -> dict[str, Choices]:
    """What each filter offers: only values that the actor's signals have."""
    visible = Signal.objects.visible_to(actor).order_by()
    return {
        "states": [(ALL, "All"), *((state, STATE_WORDS[state].word) for state in State.values)],
        "boards": [(str(board.pk), board.name) for board in Board.objects.visible_to(actor)[:MOST_CHOICES]],
        "companies": [(str(one.pk), one.name) for one in Company.objects.visible_to(actor)[:MOST_CHOICES]],
        "priorities": _values(visible, "priority"),
        "assignees": _values(visible, "assignee"),
    }


def rows(signals: Sequence[Signal]) -> list[Row]:
    """A page of signals in words; three queries for the agent's part and two for repeats."""
    sessions, fixed, told, joined = (
        _session_words(signals),
        with_a_fix(signals),
        how_often(signals),
        joined_numbers(signals),
    )
    return [
        _row(
            signal,
            sessions[signal.origin_subject],
            number=signal.number or joined.get(signal.pk, ""),
            has_fix=signal.pk in fixed,
            repeats=told.get(signal.pk, 1),
        )
        for signal in signals
    ]


def with_a_fix(signals: Sequence[Signal]) -> set[UUID]:
    """Those for which a change was proposed or done that stands: not denied, refused, withdrawn or failed."""
    by_subject = {signal.origin_subject: signal.pk for signal in signals}
    if not by_subject:
        return set()
    changes = Action.objects.for_organization(signals[0].organization).exclude(category="read")
    standing = changes.filter(origin__subject__in=by_subject, state__in=STANDING).order_by()
    return {by_subject[subject] for subject in standing.values_list("origin__subject", flat=True)}


class ReadLine(NamedTuple):
    """How the sources stand. `fine` = none of them keeps its tickets from us."""

    words: str
    fine: bool


def read_line(actor: Actor) -> ReadLine | None:
    """Which source cannot be read, else when one was last read; None where none ever was."""
    cursors = SyncCursor.objects.for_organization(actor.organization).filter(stream=STREAM, ran_at__isnull=False)
    in_use = cursors.exclude(connection__state=Connection.State.PAUSED)
    read = list(in_use.select_related("connection").order_by("-ran_at"))
    silent = next((one.connection for one in read if one.connection.state == Connection.State.FAILING), None)
    if silent is not None:
        return ReadLine(f"{silent.label} cannot be read: {silent.state_detail}", fine=False)
    newest = read[0] if read else None
    if newest is None or newest.ran_at is None:
        return None
    return ReadLine(f"{newest.connection.label} read {_ago(timezone.now() - newest.ran_at)}", fine=True)


def _row(signal: Signal, session: Word, *, number: str, has_fix: bool, repeats: int) -> Row:
    state = state_word(signal, has_fix=has_fix)
    return Row(
        id=signal.pk,
        path=reverse("signal", args=[signal.pk]),
        external_id=number or "No ticket",
        subject=signal.subject,
        company_name=signal.company.name if signal.company else "",
        company_ended=signal.company is not None and not signal.company.is_active,
        contact_name=signal.contact.name if signal.contact else "",
        board_name=signal.board.name if signal.board else "",
        state_word=state.word,
        state_reason=signal.state_reason if signal.state == State.NEEDS_REVIEW else "",
        tone=state.tone,
        icon=state.icon,
        session_word=session.word,
        session_tone=session.tone,
        session_icon=session.icon,
        priority=signal.priority_number,
        priority_name=signal.priority,
        assignee=signal.assignee,
        assignee_initials="".join(part[0] for part in signal.assignee.split()[:2]).upper(),
        updated_at=signal.source_updated_at,
        repeats=repeats,
        due=due_of(signal, now=timezone.now()),
    )


def _session_words(signals: Sequence[Signal]) -> dict[str, Word]:
    """What the agent's newest session on each signal is at, as its origin and waiting actions tell."""
    subjects = [signal.origin_subject for signal in signals]
    words = dict.fromkeys(subjects, NOT_STARTED)
    if not signals:
        return words
    organization = signals[0].organization
    origins = Origin.objects.for_organization(organization).filter(kind=Origin.Kind.SESSION, subject__in=subjects)
    waiting = Action.objects.for_organization(organization).filter(
        origin__kind=Origin.Kind.SESSION, origin__subject__in=subjects, state=Action.State.WAITING
    )
    asked = set(waiting.values_list("origin_id", flat=True))
    for origin in origins.order_by("created_at"):
        words[origin.subject] = _session_word(origin, asks=origin.pk in asked)
    return words


def _session_word(origin: Origin, *, asks: bool) -> Word:
    if origin.stopped_at is not None:
        return STOPPED
    if origin.closed_at is not None:
        return DONE
    if asks:
        return NEEDS_APPROVAL
    leased = origin.lease_until is not None and origin.lease_until > timezone.now()
    if leased:
        return WORKING
    return MODEL_SILENT if origin.asked_in_vain else WAITING_FOR_REPLY


def _values(signals: SignalQuerySet, field: str) -> Choices:
    return [(word, word) for word in signals.words_of(field, most=MOST_CHOICES)]


def _with(asked: QueryDict, name: str, value: str) -> str:
    """The list's address in another view, with the other filters kept, from the first page on."""
    kept = asked.copy()
    for other in ("page", "state", "attention"):
        kept.pop(other, None)
    if value:
        kept[name] = value
    return f"{reverse('signals')}?{kept.urlencode()}" if kept else reverse("signals")


def _ago(span: timedelta) -> str:
    seconds = max(int(span.total_seconds()), 0)
    units: Mapping[str, int] = {"d": 86400, "h": 3600, "min": 60}
    return next(
        (f"{seconds // size} {unit} ago" for unit, size in units.items() if seconds >= size), f"{seconds} s ago"
    )
