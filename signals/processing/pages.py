"""The Admin's pages of processors: the list in its order, and one page for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError as BadId
from django.http import Http404, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe
from pydantic import ValidationError

from junto.learned.training import FEWEST_ROWS
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from signals.intake.cleaning import storable
from signals.models import Board, ProcessorRule, ProcessorSetting, TrainedModel
from signals.processing.corrections import Precision, precisions
from signals.processing.daily import limits_met
from signals.processing.findings import FindingRow, finding_rows
from signals.processing.learning import count_lessons, learnable_labels
from signals.processing.model_forms import ModelForm, form_for, read_form
from signals.processing.option_checks import idle_rules, offered, option_problems
from signals.processing.plans import Plan, plan_of, plans
from signals.processing.rerun import MOST_RERUN
from signals.processing.settings import (
    SettingRefused,
    add_rule,
    move_processor,
    move_rule,
    remove_rule,
    set_boards,
    set_options,
    switch_processor,
    train_now,
)
from signals.processing.trying import Tried, nowhere_listed, try_rules
from signals.processing.unread import unread_answers
from signals.processors import UnknownProcessor, processor_of
from signals.processors.base import AnyProcessor, Options, Phase
from signals.processors.rules import FIELDS, MOST_CONDITIONS, OPERATOR_WORDS, Condition, read_conditions
from signals.sync.live_lists import for_a_page
from signals.write_back.grants import NotGranted, grants_shown, renew_grants

PHASE_WORDS = {
    Phase.ENRICHMENT: ("Enrichment", "Once a ticket arrives or says something new"),
    Phase.CONTINUOUS: ("Continuous", "Again with every change"),
    Phase.ROUTING: ("Routing", "After everything else"),
}
LATEST = 20
#: Said where the source's lists could not be had, or came too late for the page.
NOT_READ = "The PSA’s list was not read just now: only what is set is offered. Load the page again in a while."
#: Rows of conditions that the form for a new rule shows.
CONDITION_ROWS = 3


@dataclass(frozen=True)
class Line:
    """One processor of the list. `here` is what was set at the place shown: on, off or empty."""

    processor: AnyProcessor
    path: str
    number: int
    enabled: bool
    here: str
    boards: int
    precision: Precision
    first: bool
    last: bool


@require_safe
def processors(request: MemberRequest) -> HttpResponse:
    """All of them by phase, in the order in which they run."""
    actor = _admin(request)
    company = _company(actor, request.GET.get("company", ""))
    figures = precisions(actor.organization)
    here = _here(actor, company)
    groups = []
    number = 0
    for phase, group in groupby(plans(actor.organization, company), key=lambda plan: plan.processor.phase):
        lines = []
        members = list(group)
        for place, plan in enumerate(members):
            number += 1
            lines.append(_line(plan, number, here, figures, first=place == 0, last=place == len(members) - 1))
        groups.append({"label": PHASE_WORDS[phase][0], "when": PHASE_WORDS[phase][1], "lines": lines})
    context = {
        "groups": groups,
        "company": company,
        "companies": Company.objects.visible_to(actor).filter(is_active=True),
        "boards": Board.objects.visible_to(actor),
        "most": MOST_RERUN,
        "review_path": reverse("review"),
    }
    return render(request, "signals/processors.html", context)


@require_safe
def processor_page(request: MemberRequest, slug: str) -> HttpResponse:
    """One processor: switch, options, boards, rules with a box to try them, what was learned, latest results."""
    actor = _admin(request)
    return _page(request, actor, _processor(slug))


@require_POST
def switch(request: MemberRequest, slug: str) -> HttpResponse:
    """Field `enabled`: on, off, or empty for as the organization has it (a company only)."""
    actor = _admin(request)
    company = _company(actor, request.POST.get("company", ""))
    wanted = {"on": True, "off": False, "": None}
    said = request.POST.get("enabled", "")
    if said not in wanted:
        return HttpResponseBadRequest("There is no such switch.")
    switch_processor(actor=actor, processor=_processor(slug), enabled=wanted[said], company=company)
    _grant(request, actor, _processor(slug))
    back = reverse("processor", args=[slug]) if request.POST.get("back") == "page" else reverse("processors")
    return redirect(back + (f"?company={company.pk}" if company else ""))


@require_POST
def move(request: MemberRequest, slug: str) -> HttpResponse:
    """Field `to`: up or down."""
    move_processor(actor=_admin(request), processor=_processor(slug), up=request.POST.get("to") == "up")
    return redirect("processors")


@require_POST
def options(request: MemberRequest, slug: str) -> HttpResponse:
    """Set the options, for the organization or a company; for the organization its boards too."""
    actor, processor = _admin(request), _processor(slug)
    company = _company(actor, request.POST.get("company", ""))
    held = plan_of(actor.organization, processor, company).options
    with for_a_page():
        form = _options_form(actor, processor, held, request.POST)
        said = read_form(form, processor.options_type, held)
        problems = option_problems(actor.organization, processor, said) if said is not None else {}
    for name, words in problems.items():
        form.add_error(name, words)
    if said is None or problems:
        return _page(request, actor, processor, company=company, options_form=form, status=400)
    boards = _ids(request.POST.getlist("boards"))
    if Board.objects.for_organization(actor.organization).filter(pk__in=boards).count() != len(set(boards)):
        raise Http404("There is no such board.")
    set_options(actor=actor, processor=processor, options=said, company=company)
    if company is None:
        set_boards(actor=actor, processor=processor, boards=boards)
    messages.success(request, f"{processor.label}: saved.")
    _grant(request, actor, processor)
    return redirect(reverse("processor", args=[slug]) + (f"?company={company.pk}" if company else ""))


@require_POST
def add_rule_view(request: MemberRequest, slug: str) -> HttpResponse:
    """Fields `field`, `operator` and `value` once a condition, `any`, `label`, `tags`."""
    actor, processor = _admin(request), _processor(slug)
    label = storable(request.POST.get("label", "")).strip()
    with for_a_page():
        problem = nowhere_listed(actor, processor, label)
    if problem:
        return _page(request, actor, processor, problem=problem, status=400)
    try:
        add_rule(
            actor=actor,
            processor=processor,
            conditions=_conditions(request),
            any_holds=request.POST.get("any") == "any",
            label=label,
            tags=request.POST.get("tags", "").split(","),
        )
    except (SettingRefused, ValidationError) as refusal:
        words = str(refusal) if isinstance(refusal, SettingRefused) else "A condition of the rule is not understood."
        return _page(request, actor, processor, problem=words, status=400)
    return redirect("processor", slug=slug)


@require_POST
def change_rule(request: MemberRequest, rule_id: UUID) -> HttpResponse:
    """Field `do`: up, down or remove."""
    actor = _admin(request)
    rule = ProcessorRule.objects.for_organization(actor.organization).filter(pk=rule_id).first()
    if rule is None:
        raise Http404("There is no such rule.")
    deed = request.POST.get("do", "")
    if deed == "remove":
        remove_rule(actor=actor, rule=rule)
    elif deed in {"up", "down"}:
        move_rule(actor=actor, rule=rule, up=deed == "up")
    return redirect("processor", slug=rule.processor)


@require_POST
def train_view(request: MemberRequest, slug: str) -> HttpResponse:
    """Learn now, in the background."""
    train_now(actor=_admin(request), processor=_processor(slug))
    messages.success(request, "It is learning. What comes of it is shown here in a minute.")
    return redirect("processor", slug=slug)


def _page(
    request: MemberRequest,
    actor: Actor,
    processor: AnyProcessor,
    *,
    company: Company | None = None,
    options_form: ModelForm | None = None,
    status: int = 200,
    **more: object,
) -> HttpResponse:
    company = company or _company(actor, request.GET.get("company", ""))
    plan = plan_of(actor.organization, processor, company)
    with for_a_page():
        context = {**_read(request, actor, plan, company, options_form), **more}
    context |= {
        "processor": processor,
        "plan": plan,
        "phase": PHASE_WORDS[processor.phase],
        "company": company,
        "companies": Company.objects.visible_to(actor).filter(is_active=True),
        "here": _here(actor, company).get(processor.slug, ""),
        "boards": Board.objects.visible_to(actor),
        "labels": processor.labels(plan.options),
        "gives_tags": "tags" in processor.value_type.model_fields,
        "fields": [(name, words) for name, (words, _) in FIELDS.items()],
        "operators": list(OPERATOR_WORDS.items()),
        "rows": range(CONDITION_ROWS),
        "learned": _learned(actor, processor) if processor.learns else None,
        "precision": precisions(actor.organization).get(processor.slug, Precision(0, 0)),
        "latest": _latest(actor, processor),
        "unread": unread_answers(actor.organization, plan),
        "limits": limits_met(actor.organization, processor, company),
        "grants": grants_shown(actor.organization, processor),
        "back_path": reverse("processors") + (f"?company={company.pk}" if company else ""),
    }
    return render(request, "signals/processor.html", context, status=status)


def _read(
    request: MemberRequest, actor: Actor, plan: Plan, company: Company | None, options_form: ModelForm | None
) -> dict[str, object]:
    """What of the page is held against the lists of the tickets' source."""
    return {
        "options_form": options_form or _options_form(actor, plan.processor, plan.options),
        "rules": _rules(actor, plan),
        "tried": _tried(request, actor, plan.processor, company),
    }


def _options_form(
    actor: Actor, processor: AnyProcessor, held: Options, posted: Mapping[str, Any] | None = None
) -> ModelForm:
    there = offered(actor.organization, processor, held)
    form = form_for(processor.options_type, held, posted, choices=there.choices)
    if there.unread:
        for name in there.choices:
            form.fields[name].help_text = f"{form.fields[name].help_text} {NOT_READ}".strip()
    return form


def _grant(request: MemberRequest, actor: Actor, processor: AnyProcessor) -> None:
    """Who saves settings with the write-back on answers for it; where that cannot be, the page says why."""
    try:
        renew_grants(actor=actor, processor=processor)
    except NotGranted as problem:
        messages.warning(request, f"Write-back has no standing approval. {problem}")


def _rules(actor: Actor, plan: Plan) -> list[dict[str, object]]:
    rows = ProcessorRule.objects.for_organization(actor.organization).filter(processor=plan.processor.slug)
    idle = idle_rules(actor.organization, [row.label for row in rows], plan.options)
    return [
        {
            "path": reverse("processor-rule", args=[row.pk]),
            "conditions": [condition.words() for condition in read_conditions(row.conditions)],
            "joined": "or" if row.any_holds else "and",
            "label": row.label,
            "problem": idle.get(row.label, ""),
            "tags": row.tags,
        }
        for row in rows
    ]


def _learned(actor: Actor, processor: AnyProcessor) -> dict[str, object]:
    last = TrainedModel.objects.for_organization(actor.organization).filter(processor=processor.slug).first()
    labels = [] if last else learnable_labels(actor.organization, processor)
    return {
        "last": last,
        "lessons": count_lessons(actor.organization, processor),
        "fewest": FEWEST_ROWS,
        "ready": labels if len(labels) > 1 else [],
    }


def _latest(actor: Actor, processor: AnyProcessor) -> list[FindingRow]:
    return finding_rows(actor, slug=processor.slug, limit=LATEST)


def _tried(request: MemberRequest, actor: Actor, processor: AnyProcessor, company: Company | None) -> Tried | None:
    """What the processor would say of the ticket whose number was typed, or of the words; writes nothing."""
    number, text = request.GET.get("number", "").strip(), request.GET.get("text", "").strip()
    if not number and not text:
        return None
    return try_rules(actor, processor, number=number[:80], text=text[:4000], company=company)


def _conditions(request: MemberRequest) -> list[Condition]:
    """Those that were filled in. Raises pydantic.ValidationError for one that means nothing."""
    parts = zip(
        request.POST.getlist("field"), request.POST.getlist("operator"), request.POST.getlist("value"), strict=False
    )
    return [
        Condition.model_validate({"field": field, "operator": operator, "value": storable(value).strip()})
        for field, operator, value in list(parts)[:MOST_CONDITIONS]
        if field and (value.strip() or operator in {"empty", "filled"})
    ]


def _line(
    plan: Plan, number: int, here: dict[str, str], figures: dict[str, Precision], *, first: bool, last: bool
) -> Line:
    slug = plan.processor.slug
    return Line(
        processor=plan.processor,
        path=reverse("processor", args=[slug]),
        number=number,
        enabled=plan.enabled,
        here=here.get(slug, ""),
        boards=len(plan.boards),
        precision=figures.get(slug, Precision(0, 0)),
        first=first,
        last=last,
    )


def _here(actor: Actor, company: Company | None) -> dict[str, str]:
    """What was switched at this very place."""
    rows = ProcessorSetting.objects.for_organization(actor.organization).filter(company=company)
    return {row.processor: "on" if row.enabled else "off" for row in rows if row.enabled is not None}


def _admin(request: MemberRequest) -> Actor:
    require(request.actor, Permission.MANAGE_PROCESSORS)
    return request.actor


def _processor(slug: str) -> AnyProcessor:
    try:
        return processor_of(slug)
    except UnknownProcessor as unknown:
        raise Http404(str(unknown)) from unknown


def _company(actor: Actor, wanted: str) -> Company | None:
    """The company asked for. Raises Http404 for one that is not the member's."""
    if not wanted:
        return None
    try:
        return Company.objects.visible_to(actor).get(pk=UUID(wanted))
    except (ValueError, BadId, Company.DoesNotExist) as problem:
        raise Http404("There is no such company.") from problem


def _ids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError as problem:
            raise Http404("There is no such row.") from problem
    return found
