"""One run as people see it: its steps, what each did and on whose word, from rows and receipts alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from pydantic import JsonValue

from agent.closing import authority_of, is_closing
from agent.directing import is_run, is_taken_over
from agent.events import Event, ModelReplied, Notice
from agent.journal import actions_of, read_events
from agent.models import AgentSession, RunStep
from agent.rendering import SessionLook, sees_ticket, session_look, ticket_words
from agent.run_list import started_words
from agent.steps import in_tool_words, left_over, read_steps
from agent.work import worked_seconds
from approvals.cards import LOOKS, system_label
from approvals.models import Action
from approvals.services import may_have_secret
from integrations.llm.fencing import show_escaped
from junto.markdown import render_inert
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission
from runbooks.document import Step
from runbooks.models import Runbook
from runbooks.services import PublishedVersion, published_document

State = RunStep.State

#: State of a step -> (tone, icon, how the dot is drawn).
STEP_LOOKS: dict[str, tuple[str, str, str]] = {
    State.PENDING: ("", "dot", "next"),
    State.RUNNING: ("", "play", "now"),
    State.WAITING: ("accent", "hand", "now"),
    State.DONE: ("ok", "check", "done"),
    State.PASSED: ("", "dot", "passed"),
    State.SKIPPED: ("", "next", "next"),
    State.FAILED: ("danger", "alert", "now"),
}
_OPEN = (State.PENDING, State.RUNNING, State.WAITING, State.FAILED)


@dataclass(frozen=True)
class ActionLine:
    """What one call came to: what, where, with which outcome, on whose word, when."""

    id: UUID
    title: str
    system: str
    word: str
    tone: str
    icon: str
    authority: str
    reason: str
    at: datetime | None
    waits: bool
    result_path: str
    secret_path: str


@dataclass(frozen=True)
class StepView:
    """One step for one reader; `may` holds the deeds that make sense now."""

    number: int
    label: str
    title: str
    text: SafeString
    word: str
    tone: str
    icon: str
    dot: str
    is_decision: bool
    options: tuple[str, ...]
    answer: str
    reason: str
    by: str
    at: datetime | None
    seconds: float | None
    cost: str
    actions: Sequence[ActionLine]
    may: frozenset[str]

    @property
    def is_over(self) -> bool:
        """Whether the run goes on behind it."""
        return self.dot in ("done", "passed") or self.icon == "next"


@dataclass(frozen=True)
class RunView:
    """One run, with what a reader may do about it."""

    id: UUID
    path: str
    direct_path: str
    title: str
    version: int
    audience: str
    runbook_path: str
    archived: bool
    signal_path: str
    signal_words: str
    company: str
    look: SessionLook
    detail: str
    is_run: bool
    for_people: bool
    unattended: bool
    started: str
    started_at: datetime
    ended_at: datetime | None
    worked: float
    cost: str
    inputs: Sequence[tuple[str, object]]
    steps: Sequence[StepView]
    closing: Sequence[ActionLine]
    beside: Sequence[ActionLine]
    looked_up: int
    may: frozenset[str]

    @property
    def over(self) -> int:
        """How many steps the run is past."""
        return sum(step.is_over for step in self.steps)


def run_view(session: AgentSession, *, actor: Actor) -> RunView | None:
    """The run of a session that follows a runbook; None where it follows none."""
    if session.runbook is None or session.runbook_record is None:
        return None
    version = published_document(session.runbook, record=session.runbook_record)
    rows, steps = actions_of(session), read_steps(session)
    told = [(row.created_at, event) for row, event in read_events(session)]
    events = [event for _, event in told]
    by_call = {row.call_id: row for row in rows}
    claimed = {call_id for step in steps for call_id in step.calls}
    others = [row for row in rows if row.call_id not in claimed and not is_closing(row)]
    may_direct = session.is_live and actor.can(Permission.RUN_SESSIONS, session.company)
    reach = _reach(session, version, steps) if may_direct else 0
    drawing = _Drawing(session, version, by_call, events, reach)
    look = session_look(session)
    return RunView(
        id=session.pk,
        path=reverse("run", args=[session.pk]),
        direct_path=reverse("run-direct", args=[session.pk]),
        title=version.title,
        version=version.number,
        audience=str(Runbook.Audience(version.audience).label),
        runbook_path=reverse("runbook", args=[version.runbook_id]),
        archived=session.runbook.status == Runbook.Status.ARCHIVED,
        signal_path=reverse("signal", args=[session.signal_id]) if sees_ticket(session, actor=actor) else "",
        signal_words=ticket_words(session, actor=actor),
        company=show_escaped(session.company.name),
        look=look,
        detail=show_escaped(_detail(session, events, for_people=version.audience == Runbook.Audience.HUMAN)),
        is_run=is_run(session),
        for_people=version.audience == Runbook.Audience.HUMAN,
        unattended=version.audience == Runbook.Audience.AI and is_run(session),
        started=started_words(session),
        started_at=session.created_at,
        ended_at=session.ended_at,
        worked=worked_seconds(told, began=session.created_at, until=session.ended_at or timezone.now()),
        cost=look["cost"],
        inputs=[(each.label, _value(session.inputs.get(each.name))) for each in version.inputs],
        steps=[drawing.of(step, written) for step, written in zip(steps, version.document.steps, strict=False)],
        closing=[_line(row) for row in rows if is_closing(row)],
        beside=[_line(row) for row in others if row.is_write or row.state == Action.State.WAITING],
        looked_up=sum(not row.is_write for row in others),
        may=_may(session, version) if may_direct else frozenset(),
    )


@dataclass(frozen=True)
class _Drawing:
    """What the steps of one run are drawn from. Steps up to `reach` may be directed."""

    session: AgentSession
    version: PublishedVersion
    by_call: Mapping[str, Action]
    events: Sequence[Event]
    reach: int

    def of(self, step: RunStep, written: Step) -> StepView:
        """One step as a reader sees it."""
        tone, icon, dot = STEP_LOOKS[step.state]
        actions = [self.by_call[call_id] for call_id in step.calls if call_id in self.by_call]
        ended = step.finished_at
        told = written.text if written.kind == "step" and (step.title.endswith("…") or "\n" in written.text) else ""
        return StepView(
            number=step.number,
            label=step.label,
            title=show_escaped(in_tool_words(step.title)),
            text=render_inert(show_escaped(in_tool_words(told))) if told else SafeString(""),
            word=str(step.get_state_display()),
            tone=tone,
            icon=icon,
            dot=dot,
            is_decision=step.decision,
            options=written.options,
            answer=show_escaped(step.answer),
            reason=show_escaped(step.reason),
            by=step.by.user.display_name if step.by else "",
            at=ended,
            seconds=(ended - step.started_at).total_seconds() if ended and step.started_at else None,
            cost=_money(self._cost(set(step.calls))),
            actions=[_line(row) for row in actions],
            may=_may_with(step, actions, self.session, self.version, passed=self._passed(step, written))
            if step.number <= self.reach
            else frozenset(),
        )

    def _passed(self, step: RunStep, written: Step) -> bool:
        """Whether the run stands at it because the agent went past it without its work."""
        in_hand = is_run(self.session) and not is_taken_over(self.session)
        undone = step.number == self.reach and step.state in (State.PENDING, State.RUNNING)
        return in_hand and undone and bool(written.mentions)

    def _cost(self, calls: AbstractSet[str]) -> int:
        """What the replies cost that asked for one of these calls."""
        replies = [event for event in self.events if isinstance(event, ModelReplied)]
        return sum(reply.cost_microcents for reply in replies if calls & {call.call_id for call in reply.calls})


def _reach(session: AgentSession, version: PublishedVersion, steps: Sequence[RunStep]) -> int:
    """The last step that people may do something about: where the agent has the run in hand, the one it stands at."""
    if version.audience == Runbook.Audience.HUMAN or is_taken_over(session):
        return len(steps)
    return next((step.number for step in left_over(steps, version)), len(steps))


def _may_with(
    step: RunStep, actions: Sequence[Action], session: AgentSession, version: PublishedVersion, *, passed: bool
) -> frozenset[str]:
    """What a person can do with a step as it is; the deeds themselves look again."""
    for_people = version.audience == Runbook.Audience.HUMAN
    if not (for_people or is_run(session) or version.audience == Runbook.Audience.HYBRID):
        return frozenset()
    if any(row.state not in Action.TERMINAL for row in actions):
        return frozenset()
    rests = session.state == AgentSession.State.WAITING_FOR_TECHNICIAN
    may = set()
    if step.state in _OPEN:
        may.add("skip")
        if step.decision and (for_people or step.state == State.WAITING):
            may.add("answer")
        if not step.decision and (for_people or is_taken_over(session) or rests):
            may.add("done")
    elif step.state == State.PASSED:
        may |= {"done", "skip"}
    elif step.by_id is not None and not (step.answer and not for_people):
        may.add("undone")
    again = passed or step.state in (State.FAILED, State.SKIPPED)
    if again and rests and not for_people and not step.decision:
        may.add("retry")
    return frozenset(may)


def _may(session: AgentSession, version: PublishedVersion) -> frozenset[str]:
    """What a person can do with the run."""
    may = {"stop"}
    if is_run(session) and version.audience != Runbook.Audience.HUMAN:
        may.add("hand_back" if is_taken_over(session) else "take_over")
    if version.audience == Runbook.Audience.HUMAN:
        may.add("finish")
    return frozenset(may)


def _line(row: Action) -> ActionLine:
    word, tone, icon = LOOKS[row.state]
    return ActionLine(
        id=row.pk,
        title=show_escaped(row.title or row.tool),
        system=system_label(row.tool),
        word=word,
        tone=tone,
        icon=icon,
        authority=authority_of(row) if row.is_write else "",
        reason=show_escaped(row.reason),
        at=row.finished_at or row.created_at,
        waits=row.state in (Action.State.WAITING, Action.State.UNKNOWN),
        result_path=reverse("action-result", args=[row.pk]) if row.result is not None else "",
        secret_path=reverse("action-secret", args=[row.pk]) if may_have_secret(row) else "",
    )


def _detail(session: AgentSession, events: Sequence[Event], *, for_people: bool) -> str:
    """Why it ended, or what it waits for."""
    if not session.is_live:
        return session.state_detail
    if is_taken_over(session) and not for_people and session.state == AgentSession.State.WAITING_FOR_TECHNICIAN:
        return "A person has this run in hand; the agent waits."
    latest = next((event for event in reversed(events) if isinstance(event, Notice) and event.parks), None)
    rests = session.state == AgentSession.State.WAITING_FOR_TECHNICIAN
    return latest.text if latest is not None and rests and latest.tone != "quiet" else ""


def _value(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "" if value is None else show_escaped(str(value))


def _money(microcents: int) -> str:
    return f"{microcents / 100_000_000:.2f} $" if microcents else ""
