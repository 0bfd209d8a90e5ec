"""The Admin's page of a processor's back-test: start it, see how right it would have been, choose the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from approvals.models import StaleState
from integrations.llm.fencing import show_escaped
from integrations.services import known_price, model_info
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
    start_back_test,
    stop_back_test,
)
from signals.back_tests.sample import MOST_ASKED, asks_model
from signals.models import BackTest, Signal
from signals.processing.plans import plan_of
from signals.processing.pricing import question_cost
from signals.processing.settings import SettingRefused
from signals.processors import UnknownProcessor, processor_of
from signals.processors.base import AnyProcessor, ModelOptions
from signals.shares import whole_percent
from signals.write_back.grants import NotGranted

#: Tickets that are tested, and of how many the language model is asked, where nothing else is said.
USUAL: Final = 200
USUAL_ASKED: Final = 50


class ThresholdForm(forms.Form):
    """A confidence, and the one that changing a value takes; without it, as much more as now."""

    threshold = forms.FloatField(min_value=0, max_value=1)
    to_change = forms.FloatField(min_value=0, max_value=1, required=False)


class StartForm(forms.Form):
    """How many tickets; and of how many the language model is asked too, if it is."""

    most = forms.IntegerField(min_value=20, max_value=MOST_TICKETS)
    ask_model = forms.BooleanField(required=False)
    model_most = forms.IntegerField(min_value=1, max_value=MOST_ASKED, required=False)

    @property
    def asked(self) -> int:
        """Of how many tickets the language model may be asked."""
        told = self.cleaned_data
        return (told["model_most"] or USUAL_ASKED) if told["ask_model"] else 0


@require_safe
def back_test(request: MemberRequest, slug: str) -> HttpResponse:
    """The newest back-test, at the threshold that is asked for (`?threshold=`), else at the one in force."""
    actor, processor = _asked(request, slug)
    return _page(request, actor, processor)


@require_POST
def start(request: MemberRequest, slug: str) -> HttpResponse:
    """Field `most`: how many of the newest closed tickets. `ask_model`: the language model too, for `model_most`."""
    actor, processor = _asked(request, slug)
    form = StartForm(request.POST)
    if not form.is_valid():
        return _page(request, actor, processor, problem=_what_to_test(form), status=400)
    try:
        start_back_test(actor=actor, processor=processor, most=form.cleaned_data["most"], model_most=form.asked)
    except BackTestRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("back-test", slug=slug)


@require_POST
def stop(request: MemberRequest, slug: str) -> HttpResponse:
    """Stop the one under way; what it said so far is kept."""
    actor, processor = _asked(request, slug)
    try:
        stop_back_test(actor=actor, processor=processor)
    except StaleState as over:
        messages.error(request, str(over))
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


def _what_to_test(form: StartForm) -> str:
    if "most" in form.errors:
        return f"Test 20 to {MOST_TICKETS} tickets."
    return f"Ask the language model of 1 to {MOST_ASKED} tickets."


def _page(
    request: MemberRequest,
    actor: Actor,
    processor: AnyProcessor,
    *,
    at: float | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    rows = BackTest.objects.for_organization(actor.organization).select_related("stopped_by__user")
    row = rows.filter(processor=processor.slug).first()
    in_force = _in_force(actor, processor)
    form = ThresholdForm(request.GET)
    if at is None:
        at = round(form.cleaned_data["threshold"], 2) if form.is_valid() else in_force
    changing = _in_force(actor, processor, 1)
    answers = [Answer(*each) for each in row.answers] if row else []
    found = report(answers, at) if answers else None
    context = {
        "processor": processor,
        "row": row,
        **_standing(row),
        "report": found,
        "errors": _errors(actor, found) if found else [],
        "in_force": f"{in_force:.2f}",
        "changing": f"{changing:.2f}",
        "to_change": f"{changing if at == in_force else bar_to_change(actor.organization, processor, at):.2f}",
        "at": f"{at:.2f}",
        "usual": USUAL,
        "most": MOST_TICKETS,
        "by_steps": bool(processor.steps[1:]),
        "each": round(row.milliseconds / max(1, row.position), 1) if row else 0,
        "seconds": round(row.milliseconds / 1000, 1) if row else 0,
        "fewest": FEWEST_ROWS,
        "problem": problem,
        "processor_path": reverse("processor", args=[processor.slug]),
        **_model(actor, processor, row, answers, at),
    }
    return render(request, "signals/back_test.html", context, status=status)


def _standing(row: BackTest | None) -> dict[str, object]:
    """Whether it runs, who stopped it, and whether the page is to be loaded anew by itself."""
    running = row is not None and row.state == BackTest.State.RUNNING
    stopped = row is not None and row.state == BackTest.State.STOPPED
    # the ticket at which it was stopped is tested to its end
    ends = stopped and row is not None and row.lease_until is not None and row.lease_until > timezone.now()
    by = row.stopped_by.user.display_name if row is not None and row.stopped_by else ""
    return {"running": running, "stopped": stopped, "stopped_by": by, "polls": running or ends}


def _model(
    actor: Actor, processor: AnyProcessor, row: BackTest | None, answers: Sequence[Answer], at: float
) -> dict[str, object]:
    """What the page says of the language model: what it would take, what it took, and what was left out."""
    options = plan_of(actor.organization, processor).options
    may = asks_model(actor.organization, options)
    each = question_cost(actor.organization, processor) if may else None
    nothing = [answer for answer in answers if answer.at(at) is None]
    left = sum(not answer.asked for answer in nothing)
    asked = sum(answer.asked for answer in answers)
    ended = [answer for answer in nothing if answer.asked or not may]
    unsaid = sum(answer.nobody for answer in ended)
    return {
        "asks_model": may,
        "model_off": isinstance(options, ModelOptions) and not options.ask_model,
        "model_name": model_info(actor.organization).model,
        "model_daily": options.model_daily if isinstance(options, ModelOptions) else 0,
        "usual_asked": USUAL_ASKED,
        "most_asked": MOST_ASKED,
        "each_cost": _cents(each),
        "usual_cost": _cents(each, USUAL_ASKED),
        "left": left,
        "left_cost": _cents(each, left),
        "silent": sum(answer.nobody for answer in answers),
        "unsaid": unsaid,
        "unsure": len(ended) - unsaid,
        "asked": asked,
        "unread": sum(answer.unread and not answer.by_model for answer in answers),
        "unanswered": sum(answer.asked and not answer.by_model and not answer.unread for answer in answers),
        "asked_below": f"{row.asked_below:.2f}" if row else "",
        "spent": _cents(row.model_microcents) if row and known_price(row.model) else "",
    }


def _cents(microcents: float | None, times: int = 1) -> str:
    """In cents; empty where nobody knows. What is not nothing is never told as nothing."""
    if microcents is None:
        return ""
    cents = microcents * times / 1_000_000
    return f"{cents:.2f} ¢" if not 0 < cents < 0.005 else "less than 0.01 ¢"


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
