"""API tokens: made by Admins, shown once, revoked."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from junto.team.models import ApiToken
from junto.team.tokens import TokenRefused, create_token, revoke_token
from junto.tenants.access import MemberRequest
from junto.tenants.actors import Actor
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
        if not days.isdecimal() or not 0 < int(days) <= LONGEST_DAYS:
            raise TokenRefused(f"Say after how many days it expires, from 1 to {LONGEST_DAYS}.")
        _, secret = create_token(
            actor=actor,
            label=request.POST.get("name", ""),
            scopes=request.POST.getlist("scopes"),
            expires_at=timezone.now() + timedelta(days=int(days)),
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


def _page(request: MemberRequest, actor: Actor, *, secret: str = "", errors: list[str] | None = None) -> HttpResponse:
    now = timezone.now()
    rows = [
        {
            "id": token.pk,
            "name": token.label,
            "prefix": token.prefix,
            "scopes": token.scopes,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "last_used_at": token.last_used_at,
            "revoked": token.revoked_at is not None,
            "expired": token.expires_at <= now,
            "revoke_path": reverse("tokens-revoke", args=[token.pk]),
        }
        for token in ApiToken.objects.for_organization(actor.organization)
    ]
    context = {
        "tokens": rows,
        "scopes": [(scope, SCOPE_WORDS.get(scope, scope)) for scope in SCOPE_PERMISSIONS],
        "create_path": reverse("tokens-create"),
        "secret": secret,
        "errors": errors or [],
        "may_create": True,
    }
    response = render(request, "desk/tokens.html", context)
    response["Cache-Control"] = "no-store"
    return response
