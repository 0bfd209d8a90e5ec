"""The triage page and what its plain forms post. Everything live goes over the socket (agent/consumers.py)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from agent.consumers import latest_session
from agent.frames import MESSAGE_LIMIT, REASON_LIMIT
from agent.journal import read_events, read_progress
from agent.models import AgentSession
from agent.rendering import render_events, session_look
from agent.services import SessionRefused, choose_runbook, live_session, open_session
from agent.solutions import rows_elsewhere
from agent.triage import context_pane, find_signal, ticket_pane
from approvals.budgets import MAX_STEPS
from approvals.models import StaleState
from integrations.llm.fencing import show_escaped
from junto.tenants.access import MAX_FRAME_BYTES, actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission
from runbooks.models import Runbook
from signals.models import Signal
from signals.services import SignalNotClaimable, dismiss_signal, map_company, part_signal, resolve_signal


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def signal_page(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """Ticket, chat and context of one signal."""
    actor = actor_of(request)
    signal = find_signal(actor, signal_id)
    session = latest_session(signal, actor=actor)
    # what a session found and ran belongs to its own company, not beside the ticket of another
    own = session if session is not None and session.company_id == signal.company_id else None
    progress = read_progress(session) if session else None
    company = signal.company
    goes_on = signal.state in Signal.OPEN or (session is not None and session.is_live)
    may_run = goes_on and company is not None and company.is_active and actor.can(Permission.RUN_SESSIONS, company)
    pane = context_pane(
        signal,
        own,
        actor=actor,
        rows=progress.rows if progress and own else (),
    )
    if request.headers.get("HX-Target") == "context":
        fresh = {**pane, **ticket_pane(signal, actor=actor), "may_run": may_run, "why_not": _why_not(signal)}
        return render(request, "agent/_panes.html", fresh)
    events = read_events(session) if session else []
    look = session_look(session) if session else None
    context = {
        **ticket_pane(signal, actor=actor),
        **pane,
        "session": {**look, "max_steps": MAX_STEPS} if look else None,
        "events": render_events(session, events, actor=actor) if session else [],
        **_former(signal, session),
        "last_number": events[-1][0].number if events else 0,
        "socket_path": f"/ws/o/{signal.organization.slug}/sessions/{signal.pk}/",
        "may_run": may_run,
        "why_not": _why_not(signal),
        "is_over": signal.state not in Signal.OPEN,
        "most_bytes": MAX_FRAME_BYTES,
        "most_letters": MESSAGE_LIMIT,
        "most_reason": REASON_LIMIT,
    }
    return render(request, "agent/triage.html", context)


@require_safe
def elsewhere(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """Similar tickets of other companies that this member may see, for the context pane."""
    actor = actor_of(request)
    signal = find_signal(actor, signal_id)
    return render(request, "agent/_elsewhere.html", {"rows": rows_elsewhere(signal, actor)})


@require_POST
def start(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """Start the agent from a list, then show its page."""
    return _act(request, signal_id, lambda actor, signal: open_session(signal=signal, actor=actor, mode="triage"))


@require_POST
def map_company_view(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """A person says which company the ticket belongs to."""

    def act(actor: Actor, signal: Signal) -> None:
        company = Company.objects.visible_to(actor).get(
            pk=request.POST.get("suggested") or request.POST.get("company", "")
        )
        map_company(signal=signal, company=company, actor=actor)

    return _act(request, signal_id, act)


@require_POST
def dismiss(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """Nothing is to be done here."""
    return _act(request, signal_id, lambda actor, signal: dismiss_signal(signal=signal, actor=actor))


@require_POST
def resolve_view(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """A person says that it is solved."""
    return _act(request, signal_id, lambda actor, signal: resolve_signal(signal=signal, actor=actor))


@require_POST
def part(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """It is not what it was folded into."""
    return _act(request, signal_id, lambda actor, signal: part_signal(signal=signal, actor=actor))


@require_POST
def choose_runbook_view(request: HttpRequest, signal_id: UUID) -> HttpResponse:
    """Pin another runbook to the live session."""

    def act(actor: Actor, signal: Signal) -> None:
        session = live_session(signal)
        if session is None:
            raise SessionRefused("Start the agent first, then choose a runbook.")
        wanted = request.POST.get("runbook", "")
        runbook = Runbook.objects.visible_to(actor).get(pk=wanted) if wanted else None
        choose_runbook(session=session, actor=actor, runbook=runbook)

    return _act(request, signal_id, act)


def _act(request: HttpRequest, signal_id: UUID, deed: Callable[[Actor, Signal], object]) -> HttpResponse:
    """Do `deed`, then show the page again; a refusal is said on it."""
    actor = actor_of(request)
    signal = find_signal(actor, signal_id)
    try:
        deed(actor, signal)
    except (SessionRefused, SignalNotClaimable) as refusal:
        messages.error(request, str(refusal))
    except StaleState:
        messages.error(request, "This signal changed meanwhile. It is shown as it is now.")
    except (Company.DoesNotExist, Runbook.DoesNotExist, ValidationError):
        messages.error(request, "That choice is not there any more. Choose again.")
    return redirect("signal", signal_id=signal_id)


def _former(signal: Signal, session: AgentSession | None) -> dict[str, object]:
    """What is said of a session from before the ticket moved: whose it was, or that there is one for others to see."""
    if session is not None:
        return {"was_of": show_escaped(session.company.name) if session.company_id != signal.company_id else ""}
    return {"withheld": AgentSession.objects.for_organization(signal.organization).filter(signal=signal).exists()}


#: Why nothing is started on tickets that do not open again by themselves.
_OVER: dict[str, str] = {
    Signal.State.GONE: "This ticket was deleted at its source: there is nothing left to work on.",
    Signal.State.MERGED: "This ticket was merged into another: work goes on there.",
}


def _why_not(signal: Signal) -> str:
    """Why the agent cannot be started on a signal, whoever asks; empty where it can."""
    if words := _OVER.get(signal.state):
        return words
    if signal.company is None:
        return "Nobody knows yet which company this ticket belongs to. Choose it on the left; then the agent can start."
    if signal.state not in Signal.OPEN:
        return (
            f"This signal is “{signal.get_state_display()}”: the agent works on open ones only. It can be started here"
            " when the signal opens again at its source."
        )
    return signal.company.ended_words
