"""What bells and the clock wake: sessions to open, to advance, to sweep; sockets to ring. Each is safe to repeat."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django_tasks import task

from agent.attention import attended, ring_session
from agent.backlog import WORKING, open_next, organizations_with_work, wake_unattended
from agent.journal import TOLD_OF_ACTIONS, record_action
from agent.loop import advance
from agent.models import AgentSession, SessionEvent
from agent.services import end_stopped_session
from agent.stream import session_group
from approvals.models import Action, Origin, StaleState
from integrations.models import ModelUsage
from junto.bells import Keys, each_of, ring
from junto.engine import push
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from signals.models import Signal
from signals.processing.doubts import may_begin

log = structlog.get_logger(__name__)

#: Sessions one sweep wakes at the most, so that a backlog does not become a burst.
SWEEP_LIMIT = 50


@task
def open_sessions(signal_ids: Keys) -> None:
    """Signals changed: where one waits for its session, it or a more urgent one may get one (PRODUCT 5, Start rule)."""
    waiting = Signal.unscoped.filter(may_begin(), pk__in=signal_ids.split(), company__isnull=False)
    for organization in Organization.objects.filter(pk__in=waiting.order_by().values("organization")):
        open_next(organization)


@task
def open_waiting(organization_id: str) -> None:
    """Go on with what nobody asked for: a session of it rested, or new signals came."""
    organization = Organization.objects.filter(pk=organization_id).first()
    if organization is not None:
        wake_unattended(organization)
        open_next(organization)


@task(queue_name="people")
def advance_session(session_id: str) -> None:
    """Take one step of a session that a person waits for."""
    advance(UUID(session_id))


@task
def advance_unattended(session_id: str) -> None:
    """Take one step of a session that nobody waits for."""
    advance(UUID(session_id))


@task(queue_name="news")
def wake_sockets(signal_id: str) -> None:
    """Ring the signal's pages; they read the new events by number."""
    push(session_group(UUID(signal_id)), {"type": "session.events"})


@task(queue_name="news")
def record_action_event(action_id: str) -> None:
    """Write the event of an action's new state and give the session its turn."""
    told = SessionEvent.unscoped.filter(action=OuterRef("pk"), action_state=OuterRef("state"))
    untold = Action.unscoped.filter(~Exists(told), pk=UUID(action_id), origin__kind=Origin.Kind.SESSION)
    action = untold.only(*TOLD_OF_ACTIONS).first()
    if action is None:
        return
    session = AgentSession.unscoped.select_related("organization").get(origin_id=action.origin_id)
    # whoever told it before gives the session its turn too, or died and is found by the sweep
    if not record_action(session, action):
        return
    _ask_no_more(session)
    # an unknown outcome asks a person, which the session's next step says; the model is not asked before it is settled
    if action.state in {*Action.TERMINAL, Action.State.UNKNOWN}:
        ring_session(session)


@task(queue_name="news")
def show_action(action_id: str) -> None:
    """A request is shown otherwise now, in the state it has: it was passed on, or the first of two approved it."""
    action = Action.unscoped.filter(pk=action_id, origin__kind=Origin.Kind.SESSION).select_related("origin").first()
    if action is not None:
        signal_id = AgentSession.unscoped.values_list("signal_id", flat=True).get(origin_id=action.origin_id)
        push(session_group(signal_id), {"type": "action.shown", "action": action_id})


@task(queue_name="news")
def end_stopped_sessions(signal_ids: Keys) -> None:
    """End sessions whose origin was stopped from below: their tickets moved to another company or were deleted."""
    stopped = AgentSession.unscoped.filter(
        signal_id__in=signal_ids.split(), state__in=AgentSession.LIVE, origin__stopped_at__isnull=False
    )
    each_of(map(str, stopped.values_list("pk", flat=True)), _end_stopped)


@task(queue_name="polls")  # a bulk of changed tickets must not stand before people
def wake_ticket(signal_ids: Keys) -> None:
    """Tell the pages of these signals that the ticket itself changed."""
    for signal_id in signal_ids.split():
        push(session_group(UUID(signal_id)), {"type": "signal.changed"})


@task
def sweep_sessions(_: str = "") -> None:
    """Find what a lost bell or a dead worker left behind: unopened signals, unrecorded states, idle live sessions."""
    _record_missed()
    idle = AgentSession.unscoped.exclude(origin__lease_until__gt=Now()).order_by("changed_at")
    awaited = idle.filter(attended()).filter(Q(state__in=WORKING) | _unanswered())
    for session_id in awaited.values_list("pk", flat=True)[:SWEEP_LIMIT]:
        ring("session.ready", str(session_id))
    for session_id in idle.exclude(attended()).filter(_unanswered()).values_list("pk", flat=True)[:SWEEP_LIMIT]:
        ring("session.unattended", str(session_id))
    for organization_id in organizations_with_work().values_list("pk", flat=True):
        ring("session.rested", str(organization_id))
    stopped = AgentSession.unscoped.filter(state__in=AgentSession.LIVE, origin__stopped_at__isnull=False)
    for signal_id in stopped.values_list("signal_id", flat=True)[:SWEEP_LIMIT]:
        end_stopped_sessions.enqueue(Keys(str(signal_id)))


@task
def sweep_usage(_: str = "") -> None:
    """Book what a step set aside for a model call and died before it settled: the most it may have taken counts (I15).

    A step settles before it gives the session's lease back, so where nobody holds that, nobody will.
    """
    left = {row.pk: row.subject for row in ModelUsage.unscoped.filter(reserved=True, subject__startswith="session:")}
    keys = {UUID(subject.removeprefix("session:")) for subject in left.values()}
    held = AgentSession.unscoped.filter(pk__in=keys, origin__lease_until__gt=Now()).values_list("pk", flat=True)
    at_work = {f"session:{key}" for key in held}
    lost = [pk for pk, subject in left.items() if subject not in at_work]
    if lost:
        ModelUsage.unscoped.filter(pk__in=lost, reserved=True).update(reserved=False)


def _end_stopped(session_id: str) -> None:
    """End one, unless it ended by itself meanwhile."""
    session = (
        AgentSession.unscoped.select_related("organization", "company", "signal", "origin")
        .filter(pk=session_id, state__in=AgentSession.LIVE, origin__stopped_at__isnull=False)
        .first()
    )
    if session is not None:
        end_stopped_session(session=session, actor=Actor.system("agent", session.organization))


def _unanswered() -> Q:
    """Sessions at rest in which something was said or done that no step has seen, as its bell or its worker was lost.

    Whether there is anything to do about it is the step's own rule; it notes what it saw.
    """
    at_rest = [*Action.TERMINAL, Action.State.WAITING]  # a question may be asked while a request waits
    still_open = Action.unscoped.filter(origin=OuterRef("origin")).exclude(state__in=at_rest)
    resting = [AgentSession.State.WAITING_FOR_APPROVAL, AgentSession.State.WAITING_FOR_TECHNICIAN]
    return Q(~Exists(still_open), state__in=resting, last_number__gt=F("seen_number"))


def _ask_no_more(session: AgentSession) -> None:
    """Once nothing waits for a person, the session waits for its turn: its page must not ask until a step says so."""
    asks = Action.unscoped.filter(
        origin_id=session.origin_id, state__in=[Action.State.WAITING, Action.State.UNKNOWN]
    ).exists()
    if asks or session.state != AgentSession.State.WAITING_FOR_APPROVAL:
        return
    try:
        session.move(to=AgentSession.State.QUEUED, frm=(AgentSession.State.WAITING_FOR_APPROVAL,))
    except StaleState:
        return
    ring("session.events", str(session.signal_id))


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
