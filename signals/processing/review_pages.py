"""Where people say what is right: the review queue, and the page of one ticket's value with its history."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from pydantic import ValidationError

from approvals.models import Action, StaleState
from integrations.errors import IntegrationError
from integrations.llm.fencing import show_escaped
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, PermissionDenied
from signals.models import ProcessorResult, ReviewItem, Signal
from signals.processing.corrections import (
    CorrectionRefused,
    NotStanding,
    Overtaken,
    SetAtSource,
    confirm_result,
    correct_value,
    dismiss_review,
    meanwhile,
    revert,
)
from signals.processing.findings import finding_rows, kept_words, question_rows, told
from signals.processing.model_forms import form_for, read_form
from signals.processing.plans import plan_of
from signals.processing.results import read_value
from signals.processing.routes import LEFT, RouteRefused, place, route_words, send_route, targets
from signals.processors import PROCESSORS, UnknownProcessor, processor_of
from signals.processors.base import AnyProcessor, Value
from signals.processors.router import Route, RouterProcessor
from signals.sync.live_lists import for_a_page, lists_of_signal
from signals.write_back.put_back import attempts, came_to_nothing, put_back
from signals.write_back.spoken import carries, send_word

PAGE_SIZE = 50
HISTORY = 50


@require_safe
def review(request: MemberRequest) -> HttpResponse:
    """What processors were not sure of, oldest first."""
    actor = request.actor
    if not actor.can_anywhere(Permission.VIEW_WORK):
        raise PermissionDenied(actor, Permission.VIEW_WORK)
    filters = {"processor": request.GET.get("processor", ""), "company": request.GET.get("company", "")}
    companies = Company.objects.visible_to(actor)
    rows = (
        ReviewItem.objects.visible_to(actor)
        .filter(state=ReviewItem.State.OPEN, signal__state__in=Signal.OPEN)
        .select_related("result", "result__signal", "signal__company")
    )
    if filters["processor"]:
        rows = rows.filter(processor=filters["processor"])
    if filters["company"]:
        known = [each.pk for each in companies if str(each.pk) == filters["company"]]
        rows = rows.filter(signal__company__in=known)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "lines": [
            {
                "finding": told(row.result, waits=True),
                "company": show_escaped(row.signal.company.name) if row.signal.company else "",
                "may": actor.can(Permission.RUN_SESSIONS, row.signal.company or actor.organization),
            }
            for row in page
        ],
        "page_obj": page,
        "query_string": "&".join(f"{name}={value}" for name, value in filters.items() if value),
        "filters": filters,
        "companies": [(str(each.pk), each.name) for each in companies],
        "processors": [(each.slug, each.label) for each in PROCESSORS],
    }
    return render(request, "signals/review.html", context)


@require_safe
def finding(request: MemberRequest, signal_id: UUID, slug: str) -> HttpResponse:
    """What a processor said of one ticket, all of it, with a form to say what is right."""
    signal, processor = _asked(request, signal_id, slug)
    return _page(request, signal, processor)


@require_POST
def correct(request: MemberRequest, signal_id: UUID, slug: str) -> HttpResponse:
    """Say what is right."""
    signal, processor = _asked(request, signal_id, slug)
    held = _held(request.actor, signal, processor)
    form = form_for(processor.value_type, held, request.POST, choices=_choices(request.actor, processor, signal))
    value = read_form(form, processor.value_type, held)
    if value is None:
        return _page(request, signal, processor, form=form, status=400)
    seen = _seen(request.POST.get("seen", ""))
    try:
        _require_seen(request.actor, signal, processor, value, seen)
        placed = _place(request, signal, value)
        row = correct_value(signal=signal, processor=processor, value=value, actor=request.actor, seen=seen)
        if not placed:
            _send(request, processor, row, value)
    except Overtaken:
        said = meanwhile(signal, processor, value, seen=seen, actor=request.actor)
        messages.error(request, f"{said} Save again to put yours in its place.".strip())
        return _page(request, signal, processor, form=form, status=409)
    except (CorrectionRefused, StaleState) as refusal:
        messages.error(request, str(refusal))
    return _back(request, signal)


@require_POST
def confirm(request: MemberRequest, signal_id: UUID, slug: str) -> HttpResponse:
    """Say that the result named in `result` is right."""
    signal, processor = _asked(request, signal_id, slug)
    row = _named(request, signal, processor)
    seen = [row.pk]
    if row.state == ProcessorResult.State.REVERTED:
        messages.error(request, "Not confirmed. It was taken back meanwhile.")
        return redirect("finding", signal_id=signal_id, slug=slug)
    try:
        value = read_value(processor, row)
        _require_seen(request.actor, signal, processor, value, seen)
        placed = _place(request, signal, value)
        row = confirm_result(result=row, actor=request.actor)
        if not placed:
            _send(request, processor, row, value)
    except Overtaken:
        said = meanwhile(signal, processor, value, seen=seen, actor=request.actor)
        messages.error(request, f"Not confirmed. {said}".strip())
        return redirect("finding", signal_id=signal_id, slug=slug)
    except (CorrectionRefused, ValidationError, StaleState) as refusal:
        why = f" {refusal}" if isinstance(refusal, CorrectionRefused) else ""
        messages.error(request, f"That value cannot be confirmed any more.{why or ' Choose the right one.'}")
        return redirect("finding", signal_id=signal_id, slug=slug)
    return _back(request, signal)


@require_POST
def dismiss(request: MemberRequest, signal_id: UUID, slug: str) -> HttpResponse:
    """Leave open what waits for review in the result named in `result`."""
    signal, processor = _asked(request, signal_id, slug)
    row = _named(request, signal, processor)
    item = ReviewItem.objects.visible_to(request.actor).filter(result=row).select_related("signal__company").first()
    try:
        if item is None:
            raise NotStanding
        dismiss_review(item=item, actor=request.actor)
    except NotStanding:
        messages.error(request, "It does not wait for a word any more. It is shown as it is.")
    return _back(request, signal)


@require_POST
def revert_view(request: MemberRequest, signal_id: UUID, slug: str) -> HttpResponse:
    """Take back what stands; what it changed at the ticket's source is set to what it was there."""
    signal, processor = _asked(request, signal_id, slug)
    row = _named(request, signal, processor)
    try:
        revert(result=row, actor=request.actor)
    except SetAtSource:
        messages.error(request, f"Nothing was taken back. {kept_words(row)}")
        return _back(request, signal)
    except NotStanding:
        standing = ProcessorResult.objects.visible_to(request.actor).current()
        now = standing.filter(signal=signal, processor=slug, set_at_source=True).first()
        why = kept_words(now) if now is not None else "It is shown as it is."
        messages.error(request, f"Something else stands by now. {why}")
        return _back(request, signal)
    _put_back(request, row)
    return _back(request, signal)


@require_POST
def put_back_view(request: MemberRequest, signal_id: UUID, slug: str) -> HttpResponse:
    """Try anew to set back at the source what was taken back here."""
    signal, processor = _asked(request, signal_id, slug)
    row = _named(request, signal, processor)
    last = attempts(signal.organization, [row.pk]).get(row.pk)
    if row.state != ProcessorResult.State.REVERTED or last is None or not came_to_nothing(last):
        messages.error(request, "There is nothing to try again. It is shown as it is.")
    else:
        _put_back(request, row)
    return redirect("finding", signal_id=signal_id, slug=slug)


def _put_back(request: MemberRequest, row: ProcessorResult) -> None:
    """Set back at the source what was taken back here; says what came of it. Raises PermissionDenied."""
    action = put_back(result=row, actor=request.actor)
    if action is not None and came_to_nothing(action):
        again = "It can be tried again under History of what was found."
        messages.error(request, f"Taken back here; the PSA stays as it is. {show_escaped(action.reason)} {again}")
    elif action is not None and action.state == Action.State.WAITING:
        messages.warning(request, "Taken back here. Setting it back in the PSA waits for somebody who may decide it.")
    elif action is not None:
        messages.success(request, "Taken back here, and being set back in the PSA.")


def _place(request: MemberRequest, signal: Signal, value: Value) -> bool:
    """Do what an accepted route does here, if anything, and tell them. Raises PermissionDenied and StaleState."""
    words = place(signal, value, actor=request.actor) if isinstance(value, Route) else ""
    if words:
        messages.success(request, words)
    return bool(words)


def _send(request: MemberRequest, processor: AnyProcessor, row: ProcessorResult, value: Value) -> None:
    """Ask for what a person's word changes in the PSA, and tell them what came of it. Raises PermissionDenied."""
    if not isinstance(value, Route):
        told_of = send_word(row, processor, value, actor=request.actor)
        if told_of is not None:
            (messages.success if told_of.goes else messages.warning)(request, told_of.words)
        return
    try:
        action = send_route(row, value, actor=request.actor)
    except RouteRefused as refusal:
        messages.warning(request, str(refusal))
        return
    messages.success(request, route_words(action) if action is not None else LEFT)


def _page(
    request: MemberRequest, signal: Signal, processor: AnyProcessor, *, status: int = 200, **more: object
) -> HttpResponse:
    actor = request.actor
    held = _held(actor, signal, processor)
    rows = finding_rows(actor, slug=processor.slug, signal=signal, limit=HISTORY)
    context = {
        "processor": processor,
        "signal_title": show_escaped(str(signal)),
        "signal_path": reverse("signal", args=[signal.pk]),
        "form": form_for(processor.value_type, held, choices=_choices(actor, processor, signal)),
        "rows": rows,
        "questions": question_rows(actor, signal, slug=processor.slug, limit=HISTORY),
        "standing": next((row for row in rows if row.stands), None),
        "may_correct": actor.can(Permission.RUN_SESSIONS, signal.company or signal.organization),
        "carried": carries(signal, processor),
        "kept": bool(processor.fields) and signal.has_ticket,
        "correct_path": reverse("finding-correct", args=[signal.pk, processor.slug]),
        "back": request.GET.get("back", ""),
    }
    return render(request, "signals/finding.html", {**context, **more}, status=status)


def _held(actor: Actor, signal: Signal, processor: AnyProcessor) -> Value | None:
    """What the form begins with: what stands, else what was said last."""
    rows = ProcessorResult.objects.visible_to(actor).filter(signal=signal, processor=processor.slug)
    row = rows.current().first() or rows.exclude(state=ProcessorResult.State.FAILED).order_by("-created_at").first()
    try:
        return read_value(processor, row) if row else None
    except ValidationError:
        return None


def _choices(actor: Actor, processor: AnyProcessor, signal: Signal) -> dict[str, list[str]]:
    """Labels that are few and fixed, and those of the source's lists, are chosen, not typed."""
    if isinstance(processor, RouterProcessor):
        with for_a_page():
            return {"target": targets(actor, signal)}
    plan = plan_of(signal.organization, processor, signal.company)
    labels = list(processor.labels(plan.options))
    first = next(iter(processor.value_type.model_fields))
    if processor.lists is None:
        return {first: labels} if labels else {}
    try:
        with for_a_page():
            lists = lists_of_signal(signal, processor.lists)
    except IntegrationError:  # typed, then, and held against the lists when it is saved
        return {}
    return {name: list(names) for name, names in processor.choices(lists).items()} if lists else {}


def _asked(request: MemberRequest, signal_id: UUID, slug: str) -> tuple[Signal, AnyProcessor]:
    rows = Signal.objects.visible_to(request.actor).select_related("organization", "company", "board", "connection")
    signal = rows.filter(pk=signal_id).first()
    if signal is None:
        raise Http404("There is no such signal.")
    try:
        return signal, processor_of(slug)
    except UnknownProcessor as unknown:
        raise Http404(str(unknown)) from unknown


def _named(request: MemberRequest, signal: Signal, processor: AnyProcessor) -> ProcessorResult:
    rows = ProcessorResult.objects.visible_to(request.actor).filter(signal=signal, processor=processor.slug)
    try:
        row: ProcessorResult | None = (
            rows.filter(pk=UUID(request.POST.get("result", "")))
            .select_related("signal", "signal__company", "signal__organization", "signal__board", "signal__connection")
            .first()
        )
    except ValueError:
        row = None
    if row is None:
        raise Http404("There is no such result.")
    return row


def _seen(text: str) -> list[UUID]:
    """The value that stood when the form was opened; none where nothing did."""
    try:
        return [UUID(text)] if text else []
    except ValueError:
        return []


def _require_seen(actor: Actor, signal: Signal, processor: AnyProcessor, value: Value, seen: Collection[UUID]) -> None:
    """Before anything is done here: the word itself is held against it again as it is written."""
    if meanwhile(signal, processor, value, seen=seen, actor=actor):
        raise Overtaken


def _back(request: MemberRequest, signal: Signal) -> HttpResponse:
    """To the queue for who came from there, else to the ticket."""
    return redirect("review") if request.POST.get("back") == "review" else redirect("signal", signal_id=signal.pk)
