"""The Admin's page on service levels: working hours, holidays, and how soon tickets are answered and solved."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from junto.zones import zone_names
from signals.listing import MOST_CHOICES
from signals.models import Board, ServiceTarget, Signal
from signals.service.forms import HoursForm, TargetForm, hours_words, target_words
from signals.service.hours import PromiseRefused, hours_of, remove_target, set_hours, set_target
from signals.service.statuses import offered_statuses, status_problem


@require_safe
def service(request: MemberRequest) -> HttpResponse:
    """Hours and targets as they are."""
    actor = _admin(request)
    return _page(request, actor)


@require_POST
def set_hours_view(request: MemberRequest) -> HttpResponse:
    """The form of hours."""
    actor = _admin(request)
    hours = hours_of(actor.organization)
    form = HoursForm(request.POST, hours=hours, offered=offered_statuses(actor.organization))
    if form.is_valid():
        names, held = form.cleaned_data["waiting_statuses"], hours.waiting_statuses
        if wrong := status_problem(actor.organization, names, held=held):
            form.add_error("other_statuses", wrong)
    if not form.is_valid():
        return _page(request, actor, hours_form=form, status=400)
    said = form.cleaned_data
    set_hours(
        actor=actor,
        time_zone=said["time_zone"],
        days=said["days"],
        holidays=said["holidays"],
        waiting_statuses=said["waiting_statuses"],
        at_risk_percent=said["at_risk_percent"],
        stale_days=said["stale_days"],
    )
    messages.success(request, "Hours saved. Due times of open tickets are reckoned anew.")
    return redirect("service")


@require_POST
def set_target_view(request: MemberRequest) -> HttpResponse:
    """The form of a target."""
    actor = _admin(request)
    form = _target_form(actor, request)
    if not form.is_valid():
        return _page(request, actor, target_form=form, status=400)
    said = form.cleaned_data
    board = (
        Board.objects.for_organization(actor.organization).filter(pk=said["board"]).first() if said["board"] else None
    )
    try:
        set_target(
            actor=actor,
            board=board,
            priority=said["priority"],
            response_minutes=form.minutes("response_hours"),
            resolution_minutes=form.minutes("resolution_hours"),
            around_the_clock=said["clock"] == "always",
        )
    except PromiseRefused as problem:
        form.add_error(None, str(problem))
        return _page(request, actor, target_form=form, status=400)
    messages.success(request, "Target saved. Due times of open tickets are reckoned anew.")
    return redirect("service")


@require_POST
def remove_target_view(request: MemberRequest, target_id: UUID) -> HttpResponse:
    """A target is promised no longer."""
    actor = _admin(request)
    rows = ServiceTarget.objects.for_organization(actor.organization).select_related("board")
    target = rows.filter(pk=target_id).first()
    if target is None:
        raise Http404
    remove_target(actor=actor, target=target)
    return redirect("service")


def _admin(request: MemberRequest) -> Actor:
    require(request.actor, Permission.MANAGE_POLICIES)
    return request.actor


def _hours_form(actor: Actor) -> HoursForm:
    return HoursForm(hours=hours_of(actor.organization), offered=offered_statuses(actor.organization))


def _target_form(actor: Actor, request: MemberRequest | None = None) -> TargetForm:
    boards = list(Board.objects.for_organization(actor.organization)[:MOST_CHOICES])
    priorities = Signal.objects.for_organization(actor.organization).words_of("priority", most=MOST_CHOICES)
    return TargetForm(request.POST if request else None, boards=boards, priorities=priorities)


def _page(
    request: MemberRequest,
    actor: Actor,
    *,
    hours_form: HoursForm | None = None,
    target_form: TargetForm | None = None,
    status: int = 200,
) -> HttpResponse:
    targets = ServiceTarget.objects.for_organization(actor.organization).select_related("board")
    context = {
        "hours_form": hours_form or _hours_form(actor),
        "target_form": target_form or _target_form(actor),
        "zones": zone_names(),
        "targets": [
            {
                "words": target_words(target),
                "response": hours_words(target.response_minutes),
                "resolution": hours_words(target.resolution_minutes),
                "around_the_clock": target.around_the_clock,
                "remove_path": reverse("service-target-remove", args=[target.pk]),
            }
            for target in sorted(targets, key=target_words)
        ],
    }
    return render(request, "signals/service.html", context, status=status)
