"""The pages of runs: the list with its queue, one run, what people do with it, and the form that starts one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from agent.directing import answer_decision, finish_run, hand_back, mark_step, retry_step, skip_step, take_over
from agent.models import AgentSession
from agent.run_list import queue_rows, run_rows, runs_visible_to
from agent.runs import run_view
from agent.services import SessionRefused, stop_session
from agent.starting import drop_firing
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, PermissionDenied
from runbooks.models import Runbook, TriggerFiring
from runbooks.querysets import FiringQuerySet

PAGE_SIZE = 50
#: Starts shown of the queue, and of those that did not take place.
QUEUE_SHOWN = 100

SHOWN = {"open": "Going on", "ended": "Ended", "skipped": "Did not take place", "all": "All"}

Deed = Callable[[AgentSession, Actor, int, Mapping[str, str]], None]

DEEDS: dict[str, Deed] = {
    "answer": lambda session, actor, step, posted: answer_decision(
        session=session, actor=actor, number=step, option=posted.get("option", "")
    ),
    "skip": lambda session, actor, step, posted: skip_step(
        session=session, actor=actor, number=step, reason=posted.get("reason", ""), rest=bool(posted.get("rest"))
    ),
    "retry": lambda session, actor, step, posted: retry_step(session=session, actor=actor, number=step),
    "done": lambda session, actor, step, posted: mark_step(session=session, actor=actor, number=step, done=True),
    "undone": lambda session, actor, step, posted: mark_step(session=session, actor=actor, number=step, done=False),
    "take_over": lambda session, actor, step, posted: take_over(session=session, actor=actor),
    "hand_back": lambda session, actor, step, posted: hand_back(session=session, actor=actor),
    "stop": lambda session, actor, step, posted: stop_session(
        session=session, actor=actor, reason=posted.get("reason", "")
    ),
    "finish": lambda session, actor, step, posted: finish_run(session=session, actor=actor),
}


@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Runs, filtered; beside those that go on the queue, with what each start waits for.

    Raises:
        PermissionDenied: the member may see no work at all.
    """
    actor = _reader(request)
    show = request.GET.get("show", "open")
    show = show if show in SHOWN else "open"
    filters = {"runbook": _identifier(request, "runbook"), "company": _identifier(request, "company")}
    every, firings = _narrowed(actor, filters)
    queue = firings.filter(state=TriggerFiring.State.QUEUED).order_by("due_at", "created_at")
    skipped = firings.filter(state=TriggerFiring.State.SKIPPED).order_by("-due_at")
    live = every.filter(state__in=AgentSession.LIVE)
    ended = every.exclude(state__in=AgentSession.LIVE)
    counts = {"open": live.count() + queue.count(), "ended": ended.count(), "skipped": skipped.count()}
    listed = {"open": live, "ended": ended, "all": every, "skipped": every.none()}[show]
    page = Paginator(listed, PAGE_SIZE).get_page(request.GET.get("page"))
    asked = request.GET.copy()
    asked.pop("page", None)
    context = {
        "tabs": [
            {"label": label, "path": _tab(request, key), "current": key == show, "count": counts.get(key)}
            for key, label in SHOWN.items()
        ],
        "show": show,
        "runs": run_rows(list(page.object_list), actor=actor),
        "queue": queue_rows(list(queue[:QUEUE_SHOWN]), actor) if show in ("open", "all") else [],
        "skipped": queue_rows(list(skipped[:QUEUE_SHOWN]), actor) if show == "skipped" else [],
        "page_obj": page,
        "query_string": asked.urlencode(),
        "filters": filters,
        "choices": _choices(actor),
    }
    return render(request, "agent/runs.html", context)


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def run_page(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """One run: its steps, what each did and on whose word, and what may be done about it.

    Raises:
        Http404: there is none of this id, or it is not theirs to see.
    """
    actor = _reader(request)
    session = _session(actor, session_id)
    view = run_view(session, actor=actor)
    if view is None:
        raise Http404("There is no such run.")
    context = {
        "run": view,
        "last_number": session.last_number,
        "socket_path": f"/ws/o/{session.organization.slug}/sessions/{session.signal_id}/",
    }
    only_body = request.headers.get("HX-Target") == "run-body"
    return render(request, "agent/_run_body.html" if only_body else "agent/run.html", context)


@require_POST
def direct(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """What a person does with a run. A script is answered with 200, or 409 and the reason; a form by the page again.

    Raises:
        Http404: there is no such run, or no such deed.
    """
    actor = _reader(request)
    session = _session(actor, session_id)
    deed = DEEDS.get(request.POST.get("deed", ""))
    if deed is None:
        raise Http404("There is nothing of that name to do.")
    by_script = request.headers.get("Accept") == "application/json"
    number = request.POST.get("step", "0")
    try:
        deed(
            session,
            actor,
            int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0,
            posted(request),
        )
    except (SessionRefused, PermissionDenied) as refusal:
        if by_script:
            status = 403 if isinstance(refusal, PermissionDenied) else 409
            return JsonResponse({"message": str(refusal)}, status=status)
        messages.error(request, str(refusal))
    if by_script:
        return JsonResponse({"message": ""})
    return redirect("run", session_id=session_id)


@require_POST
def drop(request: HttpRequest, firing_id: UUID) -> HttpResponse:
    """Take a start out of the queue.

    Raises:
        Http404: there is none of this id, or it is not theirs to see.
    """
    actor = _reader(request)
    rows = TriggerFiring.objects.visible_to(actor).select_related("company")
    firing: TriggerFiring | None = rows.filter(pk=firing_id).first()
    if firing is None:
        raise Http404("There is no such start.")
    try:
        drop_firing(firing=firing, actor=actor)
    except SessionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Taken out of the queue.")
    return redirect("runs")


def posted(request: HttpRequest) -> dict[str, str]:
    """What a form holds, one text a name."""
    return {name: str(value) for name, value in request.POST.items()}


def _reader(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if not actor.can_anywhere(Permission.VIEW_WORK):
        raise PermissionDenied(actor, Permission.VIEW_WORK)
    return actor


def _session(actor: Actor, session_id: UUID) -> AgentSession:
    rows = AgentSession.objects.visible_to(actor).select_related(
        "organization", "company", "signal", "origin", "runbook", "started_by__user", "firing__trigger"
    )
    found: AgentSession | None = rows.filter(pk=session_id).first()
    if found is None:
        raise Http404("There is no such run.")
    return found


def _narrowed(actor: Actor, filters: Mapping[str, str]) -> tuple[QuerySet[AgentSession], FiringQuerySet]:
    """The runs and the starts that `actor` may see, of the chosen runbook and company."""
    chosen = {name: value for name, value in filters.items() if value}
    firings = TriggerFiring.objects.visible_to(actor).filter(**chosen)
    return (
        runs_visible_to(actor).filter(**chosen),
        firings.select_related("runbook", "company", "signal", "trigger", "started_by__user"),
    )


def _choices(actor: Actor) -> dict[str, list[tuple[UUID, str]]]:
    """What the list is narrowed by."""
    return {
        "runbooks": [(row.pk, row.title) for row in _runbooks_that_ran(actor)],
        "companies": list(Company.objects.visible_to(actor).values_list("id", "name")),
    }


def _runbooks_that_ran(actor: Actor) -> list[Runbook]:
    ran = AgentSession.objects.visible_to(actor).exclude(origin__runbook="").order_by().values("runbook")
    return list(Runbook.objects.visible_to(actor).filter(pk__in=ran).order_by("title"))


def _tab(request: HttpRequest, key: str) -> str:
    """The list's address in another view, with the filters kept, from the first page on."""
    kept = request.GET.copy()
    kept.pop("page", None)
    kept["show"] = key
    return f"?{kept.urlencode()}"


def _identifier(request: HttpRequest, name: str) -> str:
    try:
        return str(UUID(request.GET.get(name, "")))
    except ValueError:
        return ""
