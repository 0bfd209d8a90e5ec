"""The Admin's pages for reading tickets again: what it would take, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from integrations.llm.fencing import show_escaped
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from signals.models import Board, Rerun, Signal
from signals.processing.estimate import NO_PRICE, cents, estimate
from signals.processing.rerun import MOST_RERUN, RerunRefused, cost_of, read_again
from signals.processors import PROCESSORS

#: Tickets that can be chosen one by one: more would not fit into an address.
MOST_CHOSEN: Final = 100
#: Of those chosen, so many are named on the page.
SHOWN: Final = 20
_WITH: Final = ("company", "board", "organization")


class _Refused(ValueError):
    """What was chosen cannot be read again; the message says why. `status` is the page's."""

    def __init__(self, words: str, *, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True)
class _Chosen:
    """The tickets that are asked for: `rows` are open; `closed` of those named are not, `more` are left for later."""

    rows: list[Signal]
    asked: list[tuple[str, str]]
    words: str
    closed: int = 0
    more: int = 0


@require_http_methods(["GET", "HEAD", "POST"])
def rerun(request: MemberRequest) -> HttpResponse:
    """What it would take; POST begins. Fields `signal` (ids), or `board` and `of` (a company) for open tickets.

    `processor` (slugs) once for each chosen one, with `chosen` where that was said: else all that would read them.
    POST also has `key`, the form's own id.
    """
    require(request.actor, Permission.MANAGE_PROCESSORS)
    asked = request.POST if request.method == "POST" else request.GET
    try:
        chosen = _chosen(request.actor, asked)
    except _Refused as refusal:
        return _refuse(request, str(refusal), status=refusal.status)
    if request.method != "POST":
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
    require(request.actor, Permission.MANAGE_PROCESSORS)
    rows = Rerun.objects.for_organization(request.organization).select_related("asked_by__user", "organization")
    row = rows.filter(pk=rerun_id).first()
    if row is None:
        raise Http404("There is no such reading.")
    seen = Signal.objects.visible_to(request.actor).filter(pk__in=row.tickets[:SHOWN])
    context = {
        "row": row,
        "running": row.state == Rerun.State.RUNNING,
        "total": len(row.tickets),
        "read": row.position - row.passed - row.failed,
        "labels": [processor.label for processor in PROCESSORS if processor.slug in row.processors],
        "cost": _cost(row),
        "tickets": _named(seen),
        "others": len(row.tickets) - SHOWN,
        "by": row.asked_by.user.display_name,
    }
    return render(request, "signals/rerun_progress.html", context)


def _cost(row: Rerun) -> str:
    paid = cost_of(row)
    if paid is None:
        return NO_PRICE.capitalize()
    return cents(paid) if paid else "None"


def _page(request: MemberRequest, chosen: _Chosen, asked: QueryDict, *, problem: str = "") -> HttpResponse:
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
    }
    return render(request, "signals/rerun.html", context, status=400 if problem else 200)


def _refuse(request: MemberRequest, words: str, *, status: int) -> HttpResponse:
    return render(request, "signals/rerun.html", {"problem": words}, status=status)


def _chosen(actor: Actor, asked: QueryDict) -> _Chosen:
    """Raises _Refused."""
    if "signal" in asked:
        return _by_name(actor, asked.getlist("signal"))
    if "board" not in asked and "of" not in asked:
        raise _Refused("Choose tickets first: tick them in the list of signals, or take a board or a company.")
    return _by_place(actor, asked.get("board", ""), asked.get("of", ""))


def _by_name(actor: Actor, texts: list[str]) -> _Chosen:
    """Those of these ids; one that is not there, or not for `actor` to see, lets none be read."""
    ids = list(dict.fromkeys(_id(text) for text in texts))
    if len(ids) > MOST_CHOSEN:
        raise _Refused(f"Choose at most {MOST_CHOSEN} tickets one by one; {len(ids)} were chosen.")
    rows = {row.pk: row for row in Signal.objects.visible_to(actor).select_related(*_WITH).filter(pk__in=ids)}
    if len(rows) != len(ids):
        raise _missing()
    signals = [rows[pk] for pk in ids if rows[pk].state in Signal.OPEN]
    words = f"{len(ids)} chosen ticket{'' if len(ids) == 1 else 's'}"
    return _Chosen(signals, [("signal", str(pk)) for pk in ids], words, closed=len(ids) - len(signals))


def _by_place(actor: Actor, board: str, company: str) -> _Chosen:
    """The newest open ones of a board, of a company, of both, or of all that `actor` may see."""
    rows = Signal.objects.visible_to(actor).select_related(*_WITH).filter(state__in=Signal.OPEN)
    words = "Open tickets"
    if board:
        place = Board.objects.visible_to(actor).filter(pk=_id(board)).first()
        if place is None:
            raise _missing()
        rows, words = rows.filter(board=place), f"{words} on {place.name}"
    if company:
        client = Company.objects.visible_to(actor).filter(pk=_id(company)).first()
        if client is None:
            raise _missing()
        rows, words = rows.filter(company=client), f"{words} of {client.name}"
    more = max(0, rows.count() - MOST_RERUN)
    newest = list(rows.order_by("-source_updated_at", "pk")[:MOST_RERUN])
    return _Chosen(newest, [("board", board), ("of", company)], words, more=more)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as problem:
        raise _missing() from problem


def _missing() -> _Refused:
    return _Refused(
        "Something that was chosen is not there (any more), or not yours to see. Nothing was read. Choose again.",
        status=404,
    )


def _named(signals: Iterable[Signal]) -> list[dict[str, str]]:
    return [{"name": show_escaped(str(signal)), "path": reverse("signal", args=[signal.pk])} for signal in signals]
