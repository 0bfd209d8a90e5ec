"""What the agent does without being asked: how much of it goes on at once, and what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from heapq import merge
from operator import attrgetter

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from agent.attention import attended
from agent.events import TriedAgain
from agent.journal import append_event
from agent.models import AgentSession, StartRule
from agent.outages import ASK_AGAIN_AFTER, may_probe, no_answers
from agent.services import SessionRefused, open_session
from agent.start_rules import start_mode
from agent.starting import keep_waiting, queued, start_firing
from approvals.models import Origin
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from runbooks.firing import fire_on_signal
from runbooks.matching import match_signal
from runbooks.models import Runbook, TriggerFiring
from runbooks.suspension import suspended_at
from signals.models import Signal
from signals.processing.doubts import may_begin, may_begin_unattended
from signals.querysets import urgency_of
from signals.services import SignalNotClaimable

log = structlog.get_logger(__name__)

#: Sessions that nobody asked for which one organization may have queued or working at once. The next is opened when one
#: of them rests, so that a first import of thousands of tickets is worked off beside the people and not before them.
AT_ONCE = 4
#: Signals, and sessions to be asked again, looked at for one opening: some of them are refused, and must not keep the
#: others from their turn.
LOOKED_AT = 50
WORKING = (AgentSession.State.QUEUED, AgentSession.State.RUNNING)


def unattended_at_work(organization: Organization) -> QuerySet[AgentSession]:
    """Queued and working sessions of the organization that nobody asked for."""
    rows: QuerySet[AgentSession] = AgentSession.objects.for_organization(organization)
    return rows.filter(state__in=WORKING).exclude(attended())


def wake_unattended(organization: Organization) -> None:
    """Ring for those of the first AT_ONCE unattended sessions that no worker is at; the others wait for their turn."""
    leases = Origin.unscoped.filter(pk=OuterRef("origin"), lease_until__gt=Now())
    begun = unattended_at_work(organization).annotate(at_work=Exists(leases))
    # those begun go on before others begin, so that each comes to an end
    first = begun.order_by("-at_work", "-steps_used", "-created_at").values_list("pk", "at_work")
    for session_id, at_work in first[:AT_ONCE]:
        if not at_work:
            ring("session.unattended", str(session_id))


def open_next(organization: Organization) -> None:
    """Begin the runs in the queue, then ask silent models again and open sessions on new signals, while there is room.

    There is while fewer than AT_ONCE of the organization's unasked sessions are at work; for only one at a time, and
    with a wait between, while the model answers nobody.
    """
    _start_queued(organization)
    if _why_no_room(organization):
        return
    # by urgency alone, so that neither those left behind by an outage nor new ones starve the other; of the same
    # urgency what was begun goes first, as it is older and comes to an end
    begun = due_again().filter(organization=organization).select_related("organization", "origin")
    again = begun.annotate(urgency=urgency_of("signal__priority")).order_by("urgency", "changed_at")
    rows: Iterable[AgentSession | Signal] = merge(
        again[:LOOKED_AT], waiting(organization)[:LOOKED_AT], key=attrgetter("urgency")
    )
    for row in rows:
        if not (_open(row) if isinstance(row, Signal) else _retry(row)):
            return


def due_again() -> QuerySet[AgentSession]:
    """Sessions that nobody waits for, whose model gave no answer and is to be asked again now."""
    now = timezone.now()
    due = Q()
    for times, seconds in enumerate(ASK_AGAIN_AFTER, start=1):
        due |= Q(origin__asked_in_vain=times, changed_at__lte=now - timedelta(seconds=seconds))
    rows = AgentSession.unscoped.filter(
        due, state=AgentSession.State.WAITING_FOR_TECHNICIAN, origin__stopped_at=None, origin__closed_at=None
    )
    return rows.exclude(attended())


@transaction.atomic
def ask_again(session: AgentSession) -> None:
    """Queue the session for another question to the model; does nothing where a person has it in hand by now."""
    # a person's word and Stop write the origin too: after this they come before or behind
    Origin.objects.for_organization(session.organization).select_for_update().get(pk=session.origin_id)
    if due_again().filter(pk=session.pk).exists():
        session.move(to=AgentSession.State.QUEUED, frm=(AgentSession.State.WAITING_FOR_TECHNICIAN,))
        append_event(session, TriedAgain())
        ring("session.unattended", str(session.pk))


def waiting(organization: Organization) -> QuerySet[Signal]:
    """Signals on which a session is to be opened: most urgent first, of these the newest."""
    rules = StartRule.objects.for_organization(organization)
    rows: QuerySet[Signal] = Signal.objects.for_organization(organization).urgent_first()
    found = rows.filter(may_begin(), company__is_active=True).annotate(
        rule=Coalesce(
            Subquery(rules.filter(board=OuterRef("board")).values("mode")[:1]),
            Subquery(rules.filter(board=None).values("mode")[:1]),
            Value(StartRule.Mode.PREPARE),
        )
    )
    return found.exclude(rule=StartRule.Mode.OFF).select_related("organization", "company", "board")


def organizations_with_work() -> QuerySet[Organization]:
    """Those with a signal that waits for its session, with runs in the queue, or with unattended sessions at work.

    Also those with one whose model is to be asked again.
    """
    new = Signal.unscoped.filter(may_begin(), organization=OuterRef("pk"), company__is_active=True)
    working = AgentSession.unscoped.filter(organization=OuterRef("pk"), state__in=WORKING).exclude(attended())
    queued = TriggerFiring.unscoped.filter(organization=OuterRef("pk"), state=TriggerFiring.State.QUEUED)
    silent = due_again().filter(organization=OuterRef("pk")).order_by()
    return Organization.objects.filter(Exists(new) | Exists(working) | Exists(queued) | Exists(silent))


def _start_queued(organization: Organization) -> None:
    """Begin what waits in the queue, the longest waiting first; what a person started needs no room."""
    for firing in queued(organization)[:LOOKED_AT]:
        with transaction.atomic():
            _lock(organization)
            full = "" if firing.started_by_id else _why_no_room(organization)
            if full:
                keep_waiting(firing.pk, full)
            else:
                start_firing(firing.pk)


@transaction.atomic
def _retry(session: AgentSession) -> bool:
    """Have the model of `session` asked again; False when there is no room for it."""
    _lock(session.organization)
    if _why_no_room(session.organization):
        return False
    ask_again(session)
    return True


def _open(signal: Signal) -> bool:
    """Open a session on `signal`; False when there is no room for one. A refusal is logged and takes no room.

    While it is in doubt what the ticket is, the session only prepares.
    """
    unattended = may_begin_unattended(signal)
    runs = unattended and start_mode(signal) == StartRule.Mode.RUN and _has_ai_runbook(signal)
    fired = fire_on_signal(signal) if unattended else []
    try:
        with transaction.atomic():
            _lock(signal.organization)
            if _why_no_room(signal.organization):
                return False
            # what a trigger names goes before what merely fits best
            if any(start_firing(firing.pk) for firing in fired):
                return True
            agent = Actor.system("agent", signal.organization)
            open_session(signal=signal, actor=agent, mode="runbook" if runs else "prepare")
    except (SessionRefused, SignalNotClaimable) as reason:
        log.info("session not opened", signal=str(signal.pk), reason=str(reason))
    return True


def _lock(organization: Organization) -> None:
    """One at a time counts and opens; no_key lets rows that point at the organization be written meanwhile."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _why_no_room(organization: Organization) -> str:
    """Why nothing may begin by itself now; empty where it may. People's own sessions need no room."""
    at_work = unattended_at_work(organization).count()
    if at_work >= AT_ONCE:
        return f"{AT_ONCE} sessions that nobody asked for are at work; it begins as one rests."
    # every other one would only be asked in vain too, and leave its ticket to the clock
    if no_answers(organization) and (at_work or not may_probe(organization)):
        return "The language model does not answer at present; it begins once it does."
    return ""


def _has_ai_runbook(signal: Signal) -> bool:
    """Whether what fits best is for the agent, surely enough to begin by itself; else it is offered to people."""
    best = next((match for match in match_signal(signal) if match.above_threshold), None)
    if best is None or not best.may_start or best.audience != Runbook.Audience.AI or signal.company is None:
        return False
    return not suspended_at(best.runbook, signal.company)
