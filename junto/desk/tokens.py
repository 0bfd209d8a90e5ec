"""API tokens: made by Admins, shown once, revoked."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from junto.desk.views import without_prefix
from junto.team.models import ApiToken
from junto.team.tokens import TokenRefused, create_token, revoke_token
from junto.team.usage import Uses, uses_of_tokens
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import SCOPE_PERMISSIONS, Permission, require

#: What a scope lets a program do, in words.
SCOPE_WORDS = {
    "signals:read": "List and read signals",
    "signals:write": "Send tickets in",
    "companies:sync": "Send companies, contacts and devices in",
    "runbooks:read": "Read runbooks",
    "sessions:read": "Read sessions and actions",
    "sessions:start": "Start the agent",
    "actions:propose": "Propose actions; it never decides one",
    "audit:read": "Read the audit log",
}
LONGEST_DAYS = 365
USUAL_DAYS = 90
#: Companies and tools that a row names.
NAMES_SHOWN = 3


@require_safe
def tokens(request: MemberRequest) -> HttpResponse:
    """The organization's tokens."""
    actor = request.actor
    require(actor, Permission.MANAGE_TOKENS)
    return _page(request, actor)


@require_POST
def create(request: MemberRequest) -> HttpResponse:
    """Make a token; its secret stands on the answer and nowhere else."""
    actor = request.actor
    require(actor, Permission.MANAGE_TOKENS)
    days = request.POST.get("days", "")
    try:
        companies = None if request.POST.get("reach", "all") == "all" else _chosen(request, actor)
        if not days.isdecimal() or not 0 < int(days) <= LONGEST_DAYS:
            raise TokenRefused(f"Say after how many days it expires, from 1 to {LONGEST_DAYS}.")
        _, secret = create_token(
            actor=actor,
            label=request.POST.get("name", ""),
            scopes=request.POST.getlist("scopes"),
            expires_at=timezone.now() + timedelta(days=int(days)),
            companies=companies,
        )
    except TokenRefused as problem:
        return _page(request, actor, errors=[str(problem)])
    return _page(request, actor, secret=secret)


@require_POST
def revoke(request: MemberRequest, token_id: UUID) -> HttpResponse:
    """End a token."""
    actor = request.actor
    require(actor, Permission.MANAGE_TOKENS)
    token = ApiToken.objects.for_organization(actor.organization).filter(pk=token_id).first()
    if token is None:
        raise Http404("There is no such token.")
    revoke_token(actor=actor, token=token)
    messages.success(request, f"{token.label} is revoked.")
    return redirect("tokens")


def _chosen(request: MemberRequest, actor: Actor) -> list[Company]:
    """The companies of the form. Raises TokenRefused."""
    wanted = request.POST.getlist("companies")
    rows = {str(company.pk): company for company in Company.objects.visible_to(actor)}
    if not set(wanted) <= rows.keys():
        raise TokenRefused("One of the companies is not there any more. Choose again.")
    return [rows[each] for each in wanted]


def _typed(request: MemberRequest) -> dict[str, object]:
    """What stood in the form that was refused, to be put right."""
    lists = {name: request.POST.getlist(name) for name in ("scopes", "companies")}
    return {**{name: request.POST.get(name, "") for name in ("name", "days", "reach")}, **lists}


def _reach(token: ApiToken) -> str:
    if token.all_companies:
        return "All companies"
    names = [company.name for company in token.companies.all()]
    others = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"Only {', '.join(names[:NAMES_SHOWN])}{others}"


def _used(uses: Uses | None) -> str:
    """What a token did over MCP lately, in words; empty where it did nothing."""
    if uses is None:
        return ""
    calls = f"{uses.calls:,} {'call' if uses.calls == 1 else 'calls'} over MCP in 30 days"
    refused = f", {uses.refused:,} not obeyed" if uses.refused else ""
    most = ", ".join(f"{tool} {number:,}" for tool, number in uses.by_tool[:NAMES_SHOWN])
    return f"{calls}{refused}: {most}"


def _page(request: MemberRequest, actor: Actor, *, secret: str = "", errors: list[str] | None = None) -> HttpResponse:
    now = timezone.now()
    uses = uses_of_tokens(actor=actor)
    mcp_path = reverse("api-mcp", urlconf=settings.ROOT_URLCONF, args=[actor.organization.slug])
    rows = [
        {
            "id": token.pk,
            "name": token.label,
            "prefix": token.prefix,
            "scopes": token.scopes,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "last_used_at": token.last_used_at,
            "reach": _reach(token),
            "used": _used(uses.get(token.pk)),
            "revoked": token.revoked_at is not None,
            "expired": token.expires_at <= now,
            "revoke_path": reverse("tokens-revoke", args=[token.pk]),
        }
        for token in ApiToken.objects.for_organization(actor.organization).prefetch_related("companies")
    ]
    context = {
        "tokens": rows,
        "scopes": [(scope, SCOPE_WORDS.get(scope, scope)) for scope in SCOPE_PERMISSIONS],
        "create_path": reverse("tokens-create"),
        "companies": [(str(company.pk), company.name) for company in Company.objects.visible_to(actor)],
        "typed": _typed(request) if errors else {"days": USUAL_DAYS, "reach": "all"},
        "mcp_address": settings.PUBLIC_URL + without_prefix(mcp_path),
        "secret": secret,
        "errors": errors or [],
        "may_create": True,
    }
    response = render(request, "desk/tokens.html", context)
    response["Cache-Control"] = "no-store"
    return response
