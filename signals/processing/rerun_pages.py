"""The Admin's pages for reading tickets again: what it would take, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.models import StaleState
from integrations.llm.fencing import show_escaped
from junto.tenants.access import MemberRequest
from junto.tenants.permissions import Permission, require
from signals.models import Rerun, Signal
from signals.processing.estimate import NO_PRICE, cents, estimate
from signals.processing.rerun import MOST_RERUN, RerunRefused, asked_of, cost_of, read_again, stop_rerun
from signals.processing.rerun_choice import MOST_CHOSEN, ChoiceRefused, Chosen, chosen_of
from signals.processing.unread import silence_among, unread_among
from signals.processors import PROCESSORS

#: Of those chosen, so many are named on the page.
SHOWN: Final = 20


@require_http_methods(["GET", "HEAD", "POST"])
def rerun(request: MemberRequest) -> HttpResponse:
    """What it would take; POST begins, but with `estimate`: then it says that anew. Tickets as `chosen_of` reads them.

    `processor` (slugs) once for each chosen one, with `chosen` where that was said: else all that would read them.
    POST also has `key`, the form's own id.
    """
    require(request.actor, Permission.MANAGE_PROCESSORS)
    posted = request.method == "POST"
    asked = request.POST if posted else request.GET
    try:
        chosen = chosen_of(request.actor, asked, most=MOST_RERUN if posted else MOST_CHOSEN)
    except ChoiceRefused as refusal:
        return _refuse(request, str(refusal), status=refusal.status)
    if not posted or "estimate" in asked:
        return _page(request, chosen, asked)
    try:
        key = UUID(asked.get("key", ""))
        slugs = asked.getlist("processor")
        row = read_again(actor=request.actor, signals=chosen.rows, processors=slugs, key=key)
    except ValueError as refusal:
        words = str(refusal) if isinstance(refusal, RerunRefused) else "This form is not whole. Load the page anew."
        return _page(request, chosen, asked, problem=words)
    return redirect("processors-rerun-progress", rerun_id=row.pk)


@require_safe
def progress(request: MemberRequest, rerun_id: UUID) -> HttpResponse:
    """How far a reading is, and what it found and cost."""
    row = _asked(request, rerun_id)
    running = row.state == Rerun.State.RUNNING
    # the processor that was at work when it was stopped ends first
    ends = row.state == Rerun.State.STOPPED and row.lease_until is not None and row.lease_until > timezone.now()
    seen = Signal.objects.visible_to(request.actor).filter(pk__in=row.tickets[:SHOWN])
    context = {
        "row": row,
        "running": running,
        "polls": running or ends,
        "stopped_by": row.stopped_by.user.display_name if row.stopped_by else "",
        "total": len(row.tickets),
        "read": row.position - row.passed - row.failed,
        "labels": [processor.label for processor in PROCESSORS if processor.slug in row.processors],
        "cost": _cost(row),
        "unread": _unread(row),
        "silence": silence_among(asked_of(row)),
        "tickets": _named(seen),
        "others": len(row.tickets) - SHOWN,
        "by": row.asked_by.user.display_name,
    }
    return render(request, "signals/rerun_progress.html", context)


@require_POST
def stop(request: MemberRequest, rerun_id: UUID) -> HttpResponse:
    """Stop it; what was found stays."""
    row = _asked(request, rerun_id)
    try:
        stop_rerun(actor=request.actor, rerun=row)
    except StaleState as over:
        messages.error(request, str(over))
    return redirect("processors-rerun-progress", rerun_id=row.pk)


def _asked(request: MemberRequest, rerun_id: UUID) -> Rerun:
    require(request.actor, Permission.MANAGE_PROCESSORS)
    rows = Rerun.objects.for_organization(request.organization)
    row: Rerun | None = (
        rows.filter(pk=rerun_id).select_related("asked_by__user", "stopped_by__user", "organization").first()
    )
    if row is None:
        raise Http404("There is no such reading.")
    return row


def _cost(row: Rerun) -> str:
    paid = cost_of(row)
    if paid is None:
        return NO_PRICE.capitalize()
    return cents(paid) if paid else "None"


def _unread(row: Rerun) -> dict[str, object] | None:
    """What of it was paid for in vain: by processor, with the way to its page and what is wrong with the newest."""
    found = unread_among(asked_of(row))
    if found is None:
        return None
    processors = [processor for processor in PROCESSORS if processor.slug in found.by]
    return {
        "count": sum(found.by.values()),
        "by": [(each.label, found.by[each.slug], reverse("processor", args=[each.slug])) for each in processors],
        "problem": found.problem,
        "path": found.path,
    }


def _page(request: MemberRequest, chosen: Chosen, asked: QueryDict, *, problem: str = "") -> HttpResponse:
    only = asked.getlist("processor") if "chosen" in asked else None
    found = estimate(request.organization, chosen.rows, only=only)
    context = {
        "chosen": chosen,
        "tickets": _named(chosen.rows[:SHOWN]),
        "others": len(chosen.rows) - SHOWN,
        "estimate": found,
        "unread": found.open - found.tickets,
        "key": uuid4(),
        "problem": problem,
        "may_begin": bool(found.tickets and found.chosen),
        "path": reverse("processors-rerun"),
        "most": MOST_RERUN,
    }
    return render(request, "signals/rerun.html", context, status=400 if problem else 200)


def _refuse(request: MemberRequest, words: str, *, status: int) -> HttpResponse:
    return render(request, "signals/rerun.html", {"problem": words}, status=status)


def _named(signals: Iterable[Signal]) -> list[dict[str, str]]:
    return [{"name": show_escaped(str(signal)), "path": reverse("signal", args=[signal.pk])} for signal in signals]
