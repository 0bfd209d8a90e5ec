"""The Admin's page of a processor's back-test: start it, see how right it would have been, choose the threshold."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.llm.fencing import show_escaped
from junto.learned.training import FEWEST_ROWS
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from signals.back_tests.report import Answer, Report, report
from signals.back_tests.running import (
    MOST_TICKETS,
    BackTestRefused,
    bar_to_change,
    choose_threshold,
    model_cost,
    start_back_test,
)
from signals.models import BackTest, Signal
from signals.processing.plans import plan_of
from signals.processing.settings import SettingRefused
from signals.processors import UnknownProcessor, processor_of
from signals.processors.base import AnyProcessor
from signals.shares import whole_percent
from signals.write_back.grants import NotGranted

#: Tickets that are tested where nothing else is said.
USUAL: Final = 200


class ThresholdForm(forms.Form):
    """A confidence, and the one that changing a value takes; without it, as much more as now."""

    threshold = forms.FloatField(min_value=0, max_value=1)
    to_change = forms.FloatField(min_value=0, max_value=1, required=False)


class StartForm(forms.Form):
    """How many tickets."""

    most = forms.IntegerField(min_value=20, max_value=MOST_TICKETS)


@require_safe
def back_test(request: MemberRequest, slug: str) -> HttpResponse:
    """The newest back-test, at the threshold that is asked for (`?threshold=`), else at the one in force."""
    actor, processor = _asked(request, slug)
    return _page(request, actor, processor)


@require_POST
def start(request: MemberRequest, slug: str) -> HttpResponse:
    """Field `most`: how many of the newest closed tickets."""
    actor, processor = _asked(request, slug)
    form = StartForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, processor, problem=f"Test 20 to {MOST_TICKETS} tickets.", status=400)
    try:
        start_back_test(actor=actor, processor=processor, most=form.cleaned_data["most"])
    except BackTestRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("back-test", slug=slug)


@require_POST
def threshold(request: MemberRequest, slug: str) -> HttpResponse:
    """Fields `threshold` and `to_change`: what the processor asks for from now on, to set a value and to change one."""
    actor, processor = _asked(request, slug)
    form = ThresholdForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, processor, problem="A threshold is from 0 to 1.", status=400)
    chosen = round(form.cleaned_data["threshold"], 2)
    said = form.cleaned_data["to_change"]
    bar = bar_to_change(actor.organization, processor, chosen) if said is None else round(said, 2)
    try:
        choose_threshold(actor=actor, processor=processor, threshold=chosen, to_change=bar)
    except SettingRefused as refusal:
        return _page(request, actor, processor, at=chosen, problem=str(refusal), status=400)
    except NotGranted as problem:
        messages.warning(request, f"Write-back has no standing approval. {problem}")
    messages.success(request, f"{processor.label}: from now on {chosen:.2f} to set a value, {bar:.2f} to change one.")
    return redirect("back-test", slug=slug)


def _page(
    request: MemberRequest,
    actor: Actor,
    processor: AnyProcessor,
    *,
    at: float | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    row = BackTest.objects.for_organization(actor.organization).filter(processor=processor.slug).first()
    in_force = _in_force(actor, processor)
    form = ThresholdForm(request.GET)
    if at is None:
        at = round(form.cleaned_data["threshold"], 2) if form.is_valid() else in_force
    changing = _in_force(actor, processor, 1)
    answers = [Answer(*each) for each in row.answers] if row else []
    found = report(answers, at) if answers else None
    left = found.whole.answered.all - found.whole.answered.hits if found else 0
    silent = sum(not answer.said for answer in answers)
    context = {
        "processor": processor,
        "row": row,
        "running": row is not None and row.state == BackTest.State.RUNNING,
        "report": found,
        "errors": _errors(actor, found) if found else [],
        "in_force": f"{in_force:.2f}",
        "changing": f"{changing:.2f}",
        "to_change": f"{changing if at == in_force else bar_to_change(actor.organization, processor, at):.2f}",
        "at": f"{at:.2f}",
        "usual": USUAL,
        "most": MOST_TICKETS,
        "by_steps": bool(processor.steps[1:]),
        "each": round(row.milliseconds / max(1, row.total), 1) if row else 0,
        "seconds": round(row.milliseconds / 1000, 1) if row else 0,
        "left": left,
        "silent": silent,
        "unsure": left - silent,
        "fewest": FEWEST_ROWS,
        "cost": _cost(actor, processor, left),
        "problem": problem,
        "processor_path": reverse("processor", args=[processor.slug]),
    }
    return render(request, "signals/back_test.html", context, status=status)


def _cost(actor: Actor, processor: AnyProcessor, left: int) -> str:
    """What a language model would take for the tickets that are left, in cents; empty where nobody knows."""
    each = model_cost(actor.organization, processor)
    return "" if each is None else f"{each * left / 1_000_000:.2f} ¢"


def _errors(actor: Actor, found: Report) -> list[dict[str, object]]:
    """Tickets on which it is surest and wrong, those that `actor` may see."""
    ids = [UUID(answer.signal) for answer in found.errors]
    signals = {
        str(row.pk): row
        for row in Signal.objects.visible_to(actor).filter(pk__in=ids).only("external_id", "subject", "organization")
    }
    return [
        {
            "title": show_escaped(str(signals[answer.signal])),
            "path": reverse("signal", args=[answer.signal]),
            "said": show_escaped(answer.said),
            "was": show_escaped(answer.was),
            "percent": whole_percent(answer.confidence),
        }
        for answer in found.errors
        if answer.signal in signals
    ]


def _in_force(actor: Actor, processor: AnyProcessor, place: int = 0) -> float:
    """The confidence that it takes now to set a value (0) or to change one (1)."""
    plan = plan_of(actor.organization, processor)
    return float(getattr(plan.options, processor.thresholds[place]))


def _asked(request: MemberRequest, slug: str) -> tuple[Actor, AnyProcessor]:
    require(request.actor, Permission.MANAGE_PROCESSORS)
    try:
        processor = processor_of(slug)
    except UnknownProcessor as unknown:
        raise Http404(str(unknown)) from unknown
    if not processor.learns:
        raise Http404("This processor has no back-test.")
    return request.actor, processor
