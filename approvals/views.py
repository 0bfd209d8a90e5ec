"""Tools and policies: what runs by itself, what asks, and who said so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from approvals.cards import system_label
from approvals.grants import policy_rules
from approvals.models import ApprovalPolicy
from approvals.overrides import PolicyRefused, set_policy
from approvals.policy import EffectivePolicy, Mode, PolicyRule, ToolFacts, effective_policy
from integrations.models import Connection
from integrations.toolbox import toolbox
from integrations.tools import AnyTool, Flag
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission

#: Mode -> its words and look, as the design's table of words says.
WORDS: dict[Mode, tuple[str, str, str]] = {
    Mode.AUTO: ("Runs by itself", "play", ""),
    Mode.ONCE: ("Ask once a session", "clock", ""),
    Mode.ALWAYS: ("Always ask", "hand", "accent"),
    Mode.DISABLED: ("Off", "ban", ""),
}


@dataclass(frozen=True)
class ToolRow:
    """One tool of the page. `override` is the mode set at the place shown, empty = inherited; `options` may be set."""

    tool: str
    title: str
    category: str
    risk: str
    client_sees: bool
    default_word: str
    override: str
    override_word: str
    options: list[tuple[str, str]]
    never_unattended: bool
    effective_word: str
    effective_icon: str
    effective_tone: str
    source: str
    path: str
    unattended: bool


@dataclass(frozen=True)
class ToolGroup:
    """The tools of one system."""

    system: str
    tools: list[ToolRow]


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    """Every tool of the connected systems with the policy in force and where it comes from."""
    actor = actor_of(request)
    company = _company(actor, request.GET.get("company", ""))
    context = {
        "groups": list(_groups(actor, company)),
        "companies": Company.objects.visible_to(actor).filter(is_active=True),
        "company": company,
        "may_edit": actor.can(Permission.MANAGE_POLICIES),
    }
    return render(request, "approvals/policies.html", context)


@require_POST
def set_tool_policy(request: HttpRequest, tool: str) -> HttpResponse:
    """Set or take back the policy of one tool: fields `mode` (empty = inherits), `company`, `never_unattended`."""
    actor = actor_of(request)
    tools = toolbox(actor.organization)
    if tool not in tools:
        raise Http404("There is no such tool.")
    company = _company(actor, request.POST.get("company", ""))
    wanted = request.POST.get("mode", "")
    if wanted and wanted not in list(Mode):
        return HttpResponseBadRequest("There is no such policy.")
    try:
        set_policy(
            actor=actor,
            tool=tools.get(tool),
            mode=Mode(wanted) if wanted else None,
            company=company,
            never_unattended=bool(request.POST.get("never_unattended")),
        )
    except PolicyRefused as refusal:
        messages.error(request, str(refusal))
    return redirect(reverse("policies") + (f"?company={company.pk}" if company else ""))


def _company(actor: Actor, wanted: str) -> Company | None:
    """The company asked for. Raises Http404 for one that is not the member's."""
    if not wanted:
        return None
    try:
        return Company.objects.visible_to(actor).get(pk=UUID(wanted))
    except (ValueError, ValidationError, Company.DoesNotExist) as problem:
        raise Http404("There is no such company.") from problem


def _groups(actor: Actor, company: Company | None) -> Iterator[ToolGroup]:
    vendors = Connection.objects.for_organization(actor.organization).values_list("vendor", flat=True)
    rules = policy_rules(organization=actor.organization)
    setters = {str(row.pk): row for row in _rows(actor)}
    for vendor, tools in groupby(toolbox(actor.organization).offered(set(vendors)), key=lambda tool: tool.vendor):
        rows = [_row(tool, rules=rules, setters=setters, company=company) for tool in tools]
        yield ToolGroup(system=system_label(f"{vendor}."), tools=rows)


def _rows(actor: Actor) -> list[ApprovalPolicy]:
    return list(ApprovalPolicy.objects.for_organization(actor.organization).select_related("set_by__user", "company"))


def _row(
    tool: AnyTool, *, rules: list[PolicyRule], setters: dict[str, ApprovalPolicy], company: Company | None
) -> ToolRow:
    facts = ToolFacts.of(tool)
    here = str(company.pk) if company else None
    policy = effective_policy(facts, here, rules)
    mine = next((rule for rule in rules if rule.tool == tool.name and rule.company == here), None)
    floor = effective_policy(facts, None, rules).mode if company else Mode.AUTO
    word, icon, tone = WORDS[policy.mode]
    return ToolRow(
        tool=tool.name,
        title=tool.label,
        category=tool.category.capitalize(),
        risk=tool.risk.value,
        client_sees=Flag.CLIENT_VISIBLE in tool.flags,
        default_word=WORDS[facts.default][0],
        override=mine.mode.value if mine else "",
        override_word=WORDS[mine.mode][0] if mine else "",
        options=[(mode.value, words[0]) for mode, words in WORDS.items() if mode.strictness >= floor.strictness],
        never_unattended=mine.never_unattended if mine else False,
        effective_word=word,
        effective_icon=icon,
        effective_tone=tone,
        source=_source(policy, setters),
        path=reverse("policy-set", args=[tool.name]),
        unattended=policy.unattended,
    )


def _source(policy: EffectivePolicy, setters: dict[str, ApprovalPolicy]) -> str:
    """Where the policy in force comes from, with the name of whoever set it."""
    unattended = "" if policy.unattended else ", never unattended"
    row = setters.get(policy.ref)
    if row is None:
        return f"Default{unattended}"
    place = row.company.name if row.company else "Your organization"
    return f"{place}, set by {row.set_by.user.display_name}, {row.updated_at:%-d %b %Y}{unattended}"
