"""Pages of an organization that no single floor owns: dashboard and inbox."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from agent.models import AgentSession
from agent.rendering import sees_ticket, session_cards, session_look, ticket_words
from approvals.services import waiting_for
from integrations.llm.fencing import show_escaped
from junto.desk.digest import want_digest, wants_digest
from junto.inbox.services import mark_read, notices_of
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from signals.models import Signal

SESSIONS_SHOWN = 8
WAITING_SHOWN = 8
NOTICES_SHOWN = 100


@require_safe
def home(request: MemberRequest) -> HttpResponse:
    """The dashboard: what is new, what waits for this member, what is going on."""
    actor = request.actor
    signals = Signal.objects.visible_to(actor)
    sessions = AgentSession.objects.visible_to(actor)
    waiting = waiting_for(actor)
    counts = {
        "signals_new": signals.filter(state=Signal.State.NEW).count(),
        "needs_review": signals.filter(state=Signal.State.NEEDS_REVIEW).count(),
        "approvals_waiting": waiting.count(),
        "live_sessions": sessions.filter(state__in=AgentSession.LIVE).count(),
    }
    # what ended moments ago is still looked for, so not only the live ones
    recent = sessions.select_related("signal", "company", "origin").order_by("-changed_at")[:SESSIONS_SHOWN]
    context = {
        "counts": counts,
        "waiting": session_cards(list(waiting.order_by("expires_at")[:WAITING_SHOWN]), actor=actor),
        "sessions": [_session(session, actor) for session in recent],
    }
    return render(request, "desk/home.html", context)


def _session(session: AgentSession, actor: Actor) -> dict[str, object]:
    return {
        **session_look(session),
        "path": reverse("signal", args=[session.signal_id]) if sees_ticket(session, actor=actor) else "",
        "title": ticket_words(session, actor=actor),
        "company": show_escaped(session.company.name),
        "updated_at": session.changed_at,
    }


@require_safe
def inbox(request: MemberRequest) -> HttpResponse:
    """What this member was told, newest first."""
    notices = [
        {
            "title": notice.title,
            "body": notice.body,
            "path": reverse("home") + notice.path.lstrip("/") if notice.path else "",
            "at": notice.created_at,
            "unread": notice.read_at is None,
        }
        for notice in notices_of(request.membership)[:NOTICES_SHOWN]
    ]
    context = {
        "notices": notices,
        "read_path": reverse("inbox-read"),
        "digest_path": reverse("inbox-digest"),
        "wants_digest": wants_digest(request.membership),
    }
    return render(request, "desk/inbox.html", context)


@require_POST
def mark_inbox_read(request: MemberRequest) -> HttpResponse:
    """Everything in this member's inbox is read now."""
    mark_read(membership=request.membership)
    return redirect("inbox")


@require_POST
def set_digest(request: MemberRequest) -> HttpResponse:
    """Field `wanted`: yes or no."""
    want_digest(membership=request.membership, wanted=request.POST.get("wanted") == "yes")
    return redirect("inbox")
