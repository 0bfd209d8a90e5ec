"""The page that says how far a connection is in step with its source, and sets right what is not."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.models import Connection
from integrations.services import is_ticket_source, takes_alerts
from integrations.traffic import traffic_of
from integrations.vendors import FILES
from integrations.views import find_connection
from integrations.webhooks import webhook_facts
from junto.tenants.access import MemberRequest
from junto.tenants.permissions import Permission, require
from signals.models import DriftCheck
from signals.sync.drift import Drift, ask_to_compare, ask_to_repair
from signals.sync.standing import sync_states
from signals.sync.urgencies import alert_priorities

_WORDS = {
    Drift.MISSING: "At the source, and not here",
    Drift.BEHIND: "Newer at the source",
    Drift.AHEAD: "Newer here than at the source",
    Drift.GONE: "Here, and no longer at the source",
}
#: Numbers of tickets that the page names of each kind at once; the others open with a click.
NAMED = 10
#: So many tickets that are gone at the source are marked so without a second look: more look like a lost right.
FEW_GONE = 5
_RUNNING = {
    DriftCheck.State.WAITING: "A comparison is about to begin",
    DriftCheck.State.COMPARING: "Comparing",
    DriftCheck.State.REPAIRING: "Repairing",
}


@require_safe
def sync(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Lag, backlog, refusals of the vendor, and differences."""
    connection = _connection(request, connection_id)
    reads = is_ticket_source(connection) or takes_alerts(connection)
    if not reads:  # nothing here to be in step with; its requests stand on its own page
        return redirect("connection-change", connection.pk)
    state = next(one for one in sync_states(actor=request.actor) if one.connection == connection.vendor)
    check = DriftCheck.objects.visible_to(request.actor).filter(connection=connection).first()
    context = {
        "name": connection.label,
        "state": state,
        "lag": _length(state.lag_seconds),
        "traffic": traffic_of(connection),
        "webhook": webhook_facts(connection),
        "compares": is_ticket_source(connection),
        "priorities": alert_priorities(connection.organization) if takes_alerts(connection) else (),
        "check": check,
        "running": _RUNNING.get(DriftCheck.State(check.state)) if check else None,
        "drift": _drift(check) if check else [],
        "many_gone": _many_gone(check),
        "compare_path": reverse("connection-compare", args=[connection.pk]),
        "repair_path": reverse("connection-repair", args=[connection.pk]),
        "back_path": reverse("connections"),
        "change_path": reverse("connection-change", args=[connection.pk]),
    }
    return render(request, "signals/_sync.html" if request.headers.get("HX-Request") else "signals/sync.html", context)


@require_POST
def compare_view(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Compare now."""
    connection = _connection(request, connection_id)
    ask_to_compare(actor=request.actor, connection=connection)
    return redirect("connection-sync", connection.pk)


@require_POST
def repair_view(request: MemberRequest, connection_id: UUID) -> HttpResponse:
    """Read anew what differs."""
    connection = _connection(request, connection_id)
    many = _many_gone(DriftCheck.objects.visible_to(request.actor).filter(connection=connection).first())
    if many and request.POST.get("gone") != str(many):
        messages.error(request, f"Nothing was repaired: say first that {many} tickets are gone at the source.")
        return redirect("connection-sync", connection.pk)
    ask_to_repair(actor=request.actor, connection=connection)
    messages.success(request, "What differs is being read anew.")
    return redirect("connection-sync", connection.pk)


def _connection(request: MemberRequest, connection_id: UUID) -> Connection:
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    connection = find_connection(request, connection_id)
    if connection.vendor == FILES:
        raise Http404("Files that were read in have no source to be in step with.")
    return connection


def _many_gone(check: DriftCheck | None) -> int:
    """How many tickets a repair would mark as gone, where that takes a person's second look; else 0."""
    gone = int(check.counts.get(Drift.GONE, 0)) if check else 0
    return gone if gone > FEW_GONE else 0


def _drift(check: DriftCheck) -> list[tuple[str, int, str, str]]:
    """Each kind that there is, in words: how many, the first numbers, and those after them that were kept."""
    told = []
    for kind, words in _WORDS.items():
        if number := check.counts.get(kind, 0):
            ids = check.found.get(kind, [])
            rest = ", ".join(ids[NAMED:]) + (" …" if number > len(ids) else "")
            told.append((words, number, ", ".join(ids[:NAMED]), rest))
    return told


def _length(seconds: int | None) -> str:
    if seconds is None:
        return "Not read yet"
    units = (("d", 86400), ("h", 3600), ("min", 60))
    return next((f"{seconds // size} {unit}" for unit, size in units if seconds >= size), f"{seconds} s")
