"""Tools and policies: every tool there is, what runs by itself, what asks, and who said so."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe
from django.views.decorators.vary import vary_on_headers

from approvals.catalogue import (
    Wanted,
    all_tools,
    blocked_row,
    blocked_rows,
    connection_to,
    last_uses,
    systems,
    tool_arguments,
    tool_groups,
    tool_row,
)
from approvals.overrides import PolicyRefused, set_policy
from approvals.policy import Mode
from approvals.tool_words import CATEGORY_WORDS, MODE_WORDS
from integrations.errors import UnknownTool
from integrations.toolbox import toolbox
from integrations.tools import AnyTool, Risk
from integrations.vendors import VENDORS
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission

#: What a page's query may hold.
KEPT = ("company", "q", "vendor", "category", "risk", "policy", "connected")


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def policies(request: HttpRequest) -> HttpResponse:
    """Every tool with the policy in force and where it comes from; `q` and the filters narrow it."""
    actor = actor_of(request)
    company = _company(actor, request.GET.get("company", ""))
    wanted = Wanted.of(request.GET.dict(), vendors=[slug for slug, _ in systems(actor)])
    groups = list(tool_groups(actor, company, wanted))
    context = {
        "groups": groups,
        "blocked": blocked_rows(actor, wanted),
        "found": sum(len(group.tools) for group in groups),
        "total": len(all_tools(actor)),
        "wanted": wanted,
        "kept": urlencode([(name, request.GET[name]) for name in KEPT if request.GET.get(name)]),
        "companies": Company.objects.visible_to(actor).filter(is_active=True),
        "company": company,
        "choices": {
            "vendor": systems(actor),
            "category": [(each.value, words) for each, words in CATEGORY_WORDS.items()],
            "risk": [(each.value, each.value.capitalize()) for each in Risk],
            "policy": [(mode.value, words) for mode, words in MODE_WORDS.items()],
            "connected": [("yes", "Connected"), ("no", "Not connected")],
        },
        "may_edit": actor.can(Permission.MANAGE_POLICIES),
        "may_connect": actor.can(Permission.MANAGE_INTEGRATIONS),
    }
    partial = request.headers.get("HX-Target") == "catalogue"
    return render(request, "approvals/_catalogue.html" if partial else "approvals/policies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def tool_policy(request: HttpRequest, tool: str) -> HttpResponse:
    """A tool's own page; sent to, it sets or takes back the tool's policy."""
    actor = actor_of(request)
    tools = toolbox(actor.organization)
    if tool not in tools:
        return _blocked(request, actor, tool)
    chosen = tools.get(tool)
    if request.method == "POST":
        return _set(request, actor, chosen)
    company = _company(actor, request.GET.get("company", ""))
    row = tool_row(actor, company, chosen)
    context = {
        "tool": row,
        "words": row.words,
        "arguments": tool_arguments(chosen),
        "uses": last_uses(actor, chosen),
        "connection": connection_to(actor, chosen.vendor),
        "can_connect": chosen.vendor in VENDORS,
        "company": company,
        "companies": Company.objects.visible_to(actor).filter(is_active=True),
        "may_connect": actor.can(Permission.MANAGE_INTEGRATIONS),
    }
    return render(request, "approvals/tool.html", context)


def _blocked(request: HttpRequest, actor: Actor, tool: str) -> HttpResponse:
    """What became of a server's tool that was in use: cards and policies lead here. Raises Http404."""
    try:
        row = toolbox(actor.organization).blocked(tool)
    except UnknownTool:
        raise Http404("There is no such tool.") from None
    if request.method == "POST":
        raise Http404("A blocked tool has no policy.")
    return render(request, "approvals/tool_blocked.html", {"tool": blocked_row(actor, row)})


def _set(request: HttpRequest, actor: Actor, tool: AnyTool) -> HttpResponse:
    """Fields `mode` (empty = inherits), `company`, `never_unattended`; `kept` = the list's query, shown again after."""
    company = _company(actor, request.POST.get("company", ""))
    wanted = request.POST.get("mode", "")
    if wanted and wanted not in list(Mode):
        return HttpResponseBadRequest("There is no such policy.")
    try:
        set_policy(
            actor=actor,
            tool=tool,
            mode=Mode(wanted) if wanted else None,
            company=company,
            never_unattended=bool(request.POST.get("never_unattended")),
        )
    except PolicyRefused as refusal:
        messages.error(request, str(refusal))
    kept = dict(parse_qsl(request.POST.get("kept", "")))
    query = {name: kept[name] for name in KEPT if name in kept and name != "company"}
    if company:
        query["company"] = str(company.pk)
    return redirect(reverse("policies") + (f"?{urlencode(query)}" if query else ""))


def _company(actor: Actor, wanted: str) -> Company | None:
    """The company asked for. Raises Http404 for one that is not the member's."""
    if not wanted:
        return None
    try:
        return Company.objects.visible_to(actor).get(pk=UUID(wanted))
    except (ValueError, ValidationError, Company.DoesNotExist) as problem:
        raise Http404("There is no such company.") from problem
