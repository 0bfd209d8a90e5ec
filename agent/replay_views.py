"""What the pages of a replay show: its sums, and its tickets with their lanes and differences, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet, Sum

from agent.lanes import CallChange, LaneCall, compare_lanes, in_words, read_calls
from agent.models import Replay, ReplayedSignal, ReplayLane
from integrations.llm.fencing import show_escaped
from junto.tenants.actors import Actor
from runbooks.contents import Content
from runbooks.reviewing import newest_record
from runbooks.wording import Piece

#: Tickets on one page.
PER_PAGE: Final = 10
#: Characters of one value on the page.
MOST_SHOWN: Final = 1_500
_MICROCENTS_PER_DOLLAR: Final = 100_000_000

Kind = ReplayLane.Kind
_VERDICTS: Final = {
    "read": "Looks up",
    "unseen": "Unseen",
    "runs": "Runs by itself",
    "asks": "Asks",
    "refused": "Refused",
}
#: The same in the past, where it is known what became of it.
_PAST: Final = {"runs": "Ran by itself", "asks": "Asked", "refused": "Was refused", "read": "Looked up"}
_CHANGES: Final = {
    "added": "New in the draft",
    "removed": "Gone in the draft",
    "changed": "Changed",
    "reworded": "In other words",
}


@dataclass(frozen=True)
class LaneSum:
    """What all tickets of one lane come to. `tickets` = those that have this lane with something in it."""

    label: str
    tickets: int
    runs: int
    asks: int
    refusals: int
    unseen: int
    answers: int
    tokens: str
    cost: str


@dataclass(frozen=True)
class ReplaySum:
    """How far a replay is, and what differs so far."""

    total: int
    done: int
    left_out: int
    differing: int
    added: int
    removed: int
    changed: int
    lanes: tuple[LaneSum, ...]

    @property
    def finished(self) -> int:
        """Tickets that nothing more is done on."""
        return self.done + self.left_out


@dataclass(frozen=True)
class Argument:
    """An argument as it is shown."""

    name: str
    value: str


@dataclass(frozen=True)
class CallShown:
    """A call of a lane as it is shown."""

    tool: str
    title: str
    verdict: str
    tag: str
    note: str
    step: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class ArgumentShown:
    """An argument that changed, word by word."""

    name: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class ChangeShown:
    """One difference of the draft as it is shown."""

    kind: str
    tag: str
    title: str
    tool: str
    words: str
    arguments: tuple[ArgumentShown, ...]


@dataclass(frozen=True)
class LaneShown:
    """A lane as it is shown; `calls` None = there is no such lane."""

    label: str
    end: str
    words: str
    calls: tuple[CallShown, ...] | None


@dataclass(frozen=True)
class TicketShown:
    """One ticket of a replay as it is shown."""

    id: str
    number: str
    subject: str
    company: str
    state: str
    detail: str
    differs: bool
    changes: tuple[ChangeShown, ...]
    lanes: tuple[LaneShown, ...]
    unseen: int


def tickets_of(replay: Replay, actor: Actor) -> QuerySet[ReplayedSignal]:
    """The tickets of a replay that `actor` may see."""
    rows: QuerySet[ReplayedSignal] = ReplayedSignal.objects.visible_to(actor).filter(replay=replay)
    return rows


def sum_up(replay: Replay, actor: Actor) -> ReplaySum:
    """What all visible tickets come to, in two queries."""
    rows = tickets_of(replay, actor)
    state = ReplayedSignal.State
    found = rows.order_by().aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state=state.DONE)),
        left_out=Count("pk", filter=Q(state=state.LEFT_OUT)),
        differing=Count("pk", filter=Q(differs=True)),
        added=Sum("added", default=0),
        removed=Sum("removed", default=0),
        changed=Sum("changed", default=0),
    )
    lanes = ReplayLane.objects.visible_to(actor).filter(replayed__replay=replay).order_by()
    sums = lanes.values("kind").annotate(
        tickets=Count("pk", filter=Q(answers__gt=0) | Q(replayed__session__isnull=False)),
        **{name: Sum(name) for name in ("runs", "asks", "refusals", "unseen", "answers", "cost_microcents")},
        read=Sum("tokens_in"),
        written=Sum("tokens_out"),
    )
    by_kind = {each["kind"]: each for each in sums}
    return ReplaySum(
        **found,
        lanes=tuple(
            LaneSum(
                label=lane_label(kind, replay),
                tickets=each["tickets"],
                runs=each["runs"],
                asks=each["asks"],
                refusals=each["refusals"],
                unseen=each["unseen"],
                answers=each["answers"],
                tokens=f"{each['read'] + each['written']:,}",
                cost=dollars(each["cost_microcents"]),
            )
            for kind in Kind
            if (each := by_kind.get(kind.value)) is not None
        ),
    )


def page_of(replay: Replay, actor: Actor, *, only_differing: bool, number: str) -> Page[ReplayedSignal]:
    """A page of its tickets in their order; a number that is none is the first page."""
    rows = tickets_of(replay, actor).select_related("signal", "company", "session").prefetch_related("lanes")
    rows = rows.filter(differs=True) if only_differing else rows
    return Paginator(rows.order_by("position"), PER_PAGE).get_page(number)


def show_ticket(row: ReplayedSignal, replay: Replay) -> TicketShown:
    """One ticket with its lanes, its foreign texts shown escaped."""
    lanes = {lane.kind: lane for lane in row.lanes.all()}
    calls = {kind: read_calls(lane.calls) for kind, lane in lanes.items()}
    before = calls.get(Kind.PUBLISHED, calls.get(Kind.HAPPENED, []))
    found = compare_lanes(before, calls.get(Kind.DRAFT, []))
    return TicketShown(
        id=str(row.signal_id),
        number=show_escaped(row.signal.external_id),
        subject=show_escaped(row.signal.subject),
        company=show_escaped(row.company.name),
        state=row.state,
        detail=row.detail,
        differs=row.differs,
        changes=tuple(_change(each) for each in found if each.kind != "same"),
        lanes=tuple(_lane(kind, lanes.get(kind), calls.get(kind, []), replay) for kind in Kind),
        unseen=sum(lane.unseen for lane in lanes.values()),
    )


def lane_label(kind: Kind, replay: Replay) -> str:
    """What a lane is called, with the number of its version."""
    if kind == Kind.PUBLISHED:
        return f"Version {replay.published_number}, in force then" if replay.published_number else "In force"
    return str(kind.label)


def changed_since(replay: Replay) -> int | None:
    """The newest record of the runbook when its draft says something else than the one replayed; else None."""
    newest = newest_record(replay.runbook)
    if newest == replay.record:
        return None
    row = replay.runbook.history.filter(history_id=replay.record).first()
    same = row is not None and Content.of(row) == Content.of(replay.runbook)
    return None if same else newest


def dollars(microcents: int) -> str:
    """Money in words: nothing where nothing is priced."""
    if not microcents:
        return "-"
    amount = microcents / _MICROCENTS_PER_DOLLAR
    return f"${amount:.2f}" if amount >= 0.01 else "under $0.01"


def _lane(kind: Kind, lane: ReplayLane | None, calls: Sequence[LaneCall], replay: Replay) -> LaneShown:
    label = lane_label(kind, replay)
    if lane is None:
        none = "Never published: there is no version to compare with." if kind == Kind.PUBLISHED else "Not yet."
        return LaneShown(label, none, "", None)
    past = kind == Kind.HAPPENED
    return LaneShown(
        label=label,
        end=show_escaped(lane.end),
        words=_cut(lane.words),
        calls=tuple(_call(call, past=past) for call in calls),
    )


def _call(call: LaneCall, *, past: bool) -> CallShown:
    tag = (_PAST if past else _VERDICTS).get(call.verdict, call.verdict)
    notes = [call.outcome and f"{call.outcome}.", call.reason]
    if call.verdict == "unseen":
        notes = ["Nobody ever looked this up, so the model was told that it is not known."]
    elif call.near == "company":
        notes = ["From another ticket of this company."]
    return CallShown(
        tool=show_escaped(call.tool),
        title=show_escaped(call.title),
        verdict=call.verdict,
        tag=tag,
        note=show_escaped(" ".join(filter(None, notes))),
        step=call.step,
        arguments=tuple(Argument(show_escaped(name), _cut(in_words(value))) for name, value in call.arguments.items()),
    )


def _change(change: CallChange) -> ChangeShown:
    call = change.after or change.before
    words = ""
    if change.before and change.after and change.before.verdict != change.after.verdict:
        words = f"{_VERDICTS[change.before.verdict]} → {_VERDICTS[change.after.verdict]}"
        words = f"{words}. {change.after.reason}".strip()
    elif call is not None and change.kind in ("added", "removed"):
        words = f"{_VERDICTS[call.verdict]}. {call.reason}".strip()
    return ChangeShown(
        kind=change.kind,
        tag=_CHANGES.get(change.kind, ""),
        title=show_escaped(call.title if call else ""),
        tool=show_escaped(call.tool if call else ""),
        words=show_escaped(words),
        arguments=tuple(
            ArgumentShown(
                show_escaped(each.name),
                tuple(Piece(piece.kind, show_escaped(piece.text)) for piece in each.pieces),
            )
            for each in change.arguments
        ),
    )


def _cut(text: str) -> str:
    shown = show_escaped(text)
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}…"
