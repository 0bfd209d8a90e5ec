"""The Manager's page of escalation rules: what they are, what they did, and a form for a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from integrations.llm.fencing import show_escaped
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission, Role, require
from signals.listing import MOST_CHOICES
from signals.models import Board, EscalationFiring, EscalationRule, Signal
from signals.service.escalation import (
    EscalationRefused,
    Meeting,
    add_rule,
    count_meeting,
    draft_rule,
    remove_rule,
    switch_rule,
)

LATEST = 30
#: From so many tickets on that a new rule would fire for at once, a second press is asked for.
SUDDEN = 20


def _select() -> forms.Select:
    return forms.Select(attrs={"class": "input"})


class RuleForm(forms.Form):
    """A new rule."""

    name = forms.CharField(
        max_length=80, widget=forms.TextInput(attrs={"class": "input", "autocomplete": "off"}), label="Name"
    )
    condition = forms.ChoiceField(choices=EscalationRule.Condition.choices, widget=_select(), label="When")
    board = forms.ChoiceField(required=False, widget=_select())
    priority = forms.ChoiceField(required=False, widget=_select())
    role = forms.ChoiceField(
        required=False,
        widget=_select(),
        label="Tell everybody who is",
        choices=[("", "Nobody"), *((role.value, role.name.capitalize()) for role in Role)],
    )
    member = forms.ChoiceField(required=False, widget=_select(), label="Tell")
    note = forms.CharField(
        required=False,
        max_length=2000,
        label="Internal note to propose",
        widget=forms.Textarea(attrs={"class": "input", "rows": 2}),
        help_text="Left empty, none is. It waits for approval unless policy lets it run.",
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        boards: Sequence[Board],
        priorities: Sequence[str],
        members: Sequence[Membership],
    ) -> None:
        """Offers what the organization has."""
        super().__init__(data)
        offered = {
            "board": [("", "All boards"), *((str(board.pk), board.name) for board in boards)],
            "priority": [("", "All priorities"), *((name, name) for name in priorities)],
            "member": [("", "Nobody"), *((str(each.pk), each.user.display_name) for each in members)],
        }
        for name, choices in offered.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = choices


@require_safe
def escalations(request: MemberRequest) -> HttpResponse:
    """Rules, and what they did last."""
    return _page(request, _manager(request))


@require_POST
def add_rule_view(request: MemberRequest) -> HttpResponse:
    """The form of a new rule."""
    actor = _manager(request)
    form = _form(actor, request)
    if not form.is_valid():
        return _page(request, actor, form=form, status=400)
    said = form.cleaned_data
    boards, members = Board.objects.for_organization(actor.organization), _members(actor)
    try:
        rule = draft_rule(
            actor=actor,
            name=said["name"],
            condition=EscalationRule.Condition(said["condition"]),
            board=boards.filter(pk=said["board"]).first() if said["board"] else None,
            priority=said["priority"],
            notify_role=said["role"],
            notify_member=next((each for each in members if str(each.pk) == said["member"]), None),
            note=said["note"],
        )
        now = count_meeting(actor=actor, rule=rule)
        if _is_sudden(request, now):
            return _page(request, actor, form=form, sudden=now, status=400)
        add_rule(actor=actor, rule=rule)
    except EscalationRefused as problem:
        form.add_error(None, str(problem))
        return _page(request, actor, form=form, status=400)
    return redirect("escalations")


@require_POST
def change_rule_view(request: MemberRequest, rule_id: UUID) -> HttpResponse:
    """Field `do`: on, off or remove."""
    actor = _manager(request)
    rule = EscalationRule.objects.for_organization(actor.organization).filter(pk=rule_id).first()
    if rule is None:
        raise Http404
    deed = request.POST.get("do")
    if deed == "remove":
        remove_rule(actor=actor, rule=rule)
    elif deed == "on":
        now = count_meeting(actor=actor, rule=rule)
        if _is_sudden(request, now):
            return _page(request, actor, sudden=now, switching=rule, status=400)
        switch_rule(actor=actor, rule=rule, enabled=True)
        messages.success(request, f"Rule “{rule.name}” is on. {_meeting_words(now)}")
    else:
        switch_rule(actor=actor, rule=rule, enabled=False)
    return redirect("escalations")


def _is_sudden(request: MemberRequest, now: Meeting) -> bool:
    """Whether a second press is to be asked for, and this is not it."""
    many = now.tickets >= SUDDEN or now.reckoning
    return many and request.POST.get("sure") != str(now.tickets)


def _meeting_words(now: Meeting) -> str:
    if now.tickets == 0:
        return "No open ticket meets it now for which it did not fire before."
    return "It fires for one open ticket now." if now.tickets == 1 else f"It fires for {now.tickets} open tickets now."


def _manager(request: MemberRequest) -> Actor:
    require(request.actor, Permission.VIEW_ESCALATIONS)
    return request.actor


def _members(actor: Actor) -> list[Membership]:
    rows = Membership.objects.for_organization(actor.organization).filter(is_active=True, user__is_active=True)
    return list(rows.select_related("user").order_by("user__first_name", "user__username"))


def _form(actor: Actor, request: MemberRequest | None = None) -> RuleForm:
    return RuleForm(
        request.POST if request else None,
        boards=list(Board.objects.for_organization(actor.organization)[:MOST_CHOICES]),
        priorities=Signal.objects.for_organization(actor.organization).words_of("priority", most=MOST_CHOICES),
        members=_members(actor),
    )


def _page(
    request: MemberRequest,
    actor: Actor,
    *,
    form: RuleForm | None = None,
    sudden: Meeting | None = None,
    switching: EscalationRule | None = None,
    status: int = 200,
) -> HttpResponse:
    """`sudden` = for how many a rule would fire: the new one of the form, or the one that is being switched on."""
    rules = EscalationRule.objects.for_organization(actor.organization).select_related("board", "notify_member__user")
    fired = EscalationFiring.objects.visible_to(actor).select_related("signal__company", "action")
    context = {
        "rules": [_rule(rule) for rule in rules.annotate(fired=Count("firings"))],
        "firings": [_firing(firing) for firing in fired[:LATEST]],
        "form": form or _form(actor),
        "sudden": None if switching else sudden,
        "switching": {**_rule(switching), "now": sudden} if switching else None,
        "may_change": actor.can(Permission.VIEW_WORK),
    }
    return render(request, "signals/escalations.html", context, status=status)


def _rule(rule: EscalationRule) -> dict[str, object]:
    board = rule.board.name if rule.board else "all boards"
    told = [rule.get_notify_role_display()] if rule.notify_role else []
    told += [rule.notify_member.user.display_name] if rule.notify_member else []
    return {
        "name": rule.name,
        "when": EscalationRule.Condition(rule.condition).label
        if rule.condition in EscalationRule.Condition
        else rule.condition,
        "where": show_escaped(f"{rule.priority or 'All priorities'}, {board}"),
        "told": ", ".join(told) or "Nobody any more",
        "note": rule.note,
        "enabled": rule.enabled,
        "fired": getattr(rule, "fired", 0),
        "path": reverse("escalation-rule", args=[rule.pk]),
    }


def _firing(firing: EscalationFiring) -> dict[str, object]:
    signal = firing.signal
    told = firing.told if isinstance(firing.told, list) else []
    return {
        "path": reverse("signal", args=[signal.pk]),
        "ticket": show_escaped(str(signal)),
        "company": show_escaped(signal.company.name) if signal.company else "Company not known",
        "words": firing.words,
        "rule": firing.rule_name,
        "told": ", ".join(str(name) for name in told) or "Nobody",
        "note": firing.action.get_state_display() if firing.action else firing.problem,
        "at": firing.fired_at,
    }
