"""What bells and the clock wake: sessions to open, to advance, to sweep; sockets to ring. Each is safe to repeat."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import structlog
from django.db.models import Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django_tasks import task

from agent.journal import record_action
from agent.loop import advance
from agent.models import AgentSession, SessionEvent, StartRule
from agent.services import SessionRefused, end_stopped_session, open_session
from agent.stream import session_group
from approvals.models import Action, Origin
from junto.bells import ring
from junto.engine import push
from junto.tenants.actors import Actor
from runbooks.matching import match_signal
from runbooks.models import Runbook
from signals.models import Signal
from signals.services import SignalNotClaimable

log = structlog.get_logger(__name__)

#: Sessions one sweep wakes at the most, so that a backlog does not become a burst.
SWEEP_LIMIT = 50
#: Kinds of events after which it is the model's turn, once no action is open.
TURN_GIVERS = ("user_said", "person_started", "action_changed", "call_refused")
#: Seconds a new signal may wait for its bell before the sweep opens its session (C3: swept within 10 s).
LOST_BELL_SECONDS = 5


@task
def open_sessions(signal_id: str) -> None:
    """Open a session on a new signal where the start rule of its board says so (PRODUCT 5, Start rule)."""
    signal = (
        Signal.unscoped.select_related("organization", "company", "board")
        .filter(pk=signal_id, state=Signal.State.NEW, company__isnull=False)
        .first()
    )
    if signal is None:
        return
    rule = start_mode(signal)
    if rule == StartRule.Mode.OFF:
        return
    runs = rule == StartRule.Mode.RUN and _has_ai_runbook(signal)
    try:
        open_session(
            signal=signal, actor=Actor.system("agent", signal.organization), mode="runbook" if runs else "prepare"
        )
    except (SessionRefused, SignalNotClaimable) as reason:
        log.info("session not opened", signal=signal_id, reason=str(reason))


@task
def advance_session(session_id: str) -> None:
    """Take one step of a session."""
    advance(UUID(session_id))


@task
def wake_sockets(signal_id: str) -> None:
    """Ring the signal's pages; they read the new events by number."""
    push(session_group(UUID(signal_id)), {"type": "session.events"})


@task
def record_action_event(action_id: str) -> None:
    """Write the event of an action's new state and give the session its turn."""
    told = SessionEvent.unscoped.filter(action=OuterRef("pk"), action_state=OuterRef("state"))
    action = Action.unscoped.filter(~Exists(told), pk=UUID(action_id), origin__kind=Origin.Kind.SESSION).first()
    if action is None:
        return
    session = AgentSession.unscoped.select_related("organization").get(origin_id=action.origin_id)
    # whoever told it before gives the session its turn too, or died and is found by the sweep
    if record_action(session, action) and action.state in Action.TERMINAL:
        ring("session.ready", str(session.pk))


@task
def end_stopped_sessions(signal_id: str) -> None:
    """End the session whose origin was stopped from below: its ticket moved to another company or was deleted."""
    session = (
        AgentSession.unscoped.select_related("organization", "company", "signal", "origin")
        .filter(signal_id=signal_id, state__in=AgentSession.LIVE, origin__stopped_at__isnull=False)
        .first()
    )
    if session is not None:
        end_stopped_session(session=session, actor=Actor.system("agent", session.organization))


@task
def wake_ticket(signal_id: str) -> None:
    """Tell the signal's pages that the ticket itself changed."""
    push(session_group(UUID(signal_id)), {"type": "signal.changed"})


@task
def sweep_sessions(_: str = "") -> None:
    """Find what a lost bell or a dead worker left behind: unopened signals, unrecorded states, idle live sessions."""
    _ring_unopened()
    _record_missed()
    working = Q(state__in=[AgentSession.State.QUEUED, AgentSession.State.RUNNING])
    idle = (
        AgentSession.unscoped.filter(working | _unanswered())
        .exclude(origin__lease_until__gt=Now())
        .order_by("changed_at")
    )
    for session_id in idle.values_list("pk", flat=True)[:SWEEP_LIMIT]:
        ring("session.ready", str(session_id))
    stopped = AgentSession.unscoped.filter(state__in=AgentSession.LIVE, origin__stopped_at__isnull=False)
    for signal_id in stopped.values_list("signal_id", flat=True)[:SWEEP_LIMIT]:
        end_stopped_sessions.enqueue(str(signal_id))


def start_mode(signal: Signal) -> StartRule.Mode:
    """The start rule in force for the signal's board: its own, else the organization's, else prepare."""
    rows = StartRule.objects.for_organization(signal.organization).values_list("board_id", "mode")
    rules: dict[UUID | None, str] = dict(rows)
    own = rules.get(signal.board_id) if signal.board_id else None
    return StartRule.Mode(own or rules.get(None) or StartRule.Mode.PREPARE)


def _has_ai_runbook(signal: Signal) -> bool:
    best = next((match for match in match_signal(signal) if match.above_threshold), None)
    return best is not None and best.audience == Runbook.Audience.AI


def _ring_unopened() -> None:
    rules = StartRule.unscoped.filter(organization=OuterRef("organization"))
    waiting = (
        Signal.unscoped.filter(
            state=Signal.State.NEW,
            company__isnull=False,
            changed_at__lt=timezone.now() - timedelta(seconds=LOST_BELL_SECONDS),
        )
        .annotate(
            rule=Coalesce(
                Subquery(rules.filter(board=OuterRef("board")).values("mode")[:1]),
                Subquery(rules.filter(board=None).values("mode")[:1]),
                Value(StartRule.Mode.PREPARE),
            )
        )
        .exclude(rule=StartRule.Mode.OFF)
        .order_by("changed_at")
    )
    for signal_id in waiting.values_list("pk", flat=True)[:SWEEP_LIMIT]:
        ring("signal.changed", str(signal_id))


def _unanswered() -> Q:
    """Sessions at rest in which something was said or done that no worker took up, as the one at it died meanwhile."""
    newest = SessionEvent.unscoped.filter(session=OuterRef("pk"), number=OuterRef("last_number"), kind__in=TURN_GIVERS)
    still_open = Action.unscoped.filter(origin=OuterRef("origin")).exclude(state__in=Action.TERMINAL)
    resting = [AgentSession.State.WAITING_FOR_APPROVAL, AgentSession.State.WAITING_FOR_TECHNICIAN]
    return Q(Exists(newest), ~Exists(still_open), state__in=resting)


def _record_missed() -> None:
    """Actions of live sessions whose present state no event tells yet."""
    told = SessionEvent.unscoped.filter(action__isnull=False, action_state=F("action__state")).values("action_id")
    missed = (
        Action.unscoped.filter(origin__kind=Origin.Kind.SESSION, origin__closed_at=None)
        .exclude(state=Action.State.PROPOSED)
        .exclude(pk__in=told)
        .order_by("created_at")
    )
    for action_id in missed.values_list("pk", flat=True)[:SWEEP_LIMIT]:
        ring("action.changed", str(action_id))
