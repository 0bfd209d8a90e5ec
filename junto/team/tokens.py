"""API tokens of sync jobs: made, shown once, revoked (T10)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from junto.audit.services import record
from junto.team.authentication import TOKEN_PREFIX, hash_token
from junto.team.models import ApiToken
from junto.team.services import TeamError
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import EVERYWHERE_PERMISSIONS, SCOPE_PERMISSIONS, Permission, require

LONGEST_LIFE = timedelta(days=365)
SECRET_BYTES = 32
SHOWN_CHARACTERS = 8


class TokenRefused(TeamError):
    """A token that cannot be made as asked."""


@transaction.atomic
def create_token(
    *,
    actor: Actor,
    label: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    companies: Iterable[Company] | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is kept nowhere: show it now or never. Expires in a year at the latest.

    `companies`: those it reaches; None = all, also later ones.

    Raises:
        PermissionDenied: the actor may not manage tokens.
        TokenRefused: no or unknown scopes, no label, an expiry in the past or more than a year away, or a limit to no
            company, a foreign one, or of a scope that reaches into all of them.
    """
    require(actor, Permission.MANAGE_TOKENS)
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPE_PERMISSIONS]
    now = timezone.now()
    expires = expires_at or now + LONGEST_LIFE
    if unknown or not wanted:
        raise TokenRefused(f"Unknown scope: {unknown[0]}." if unknown else "Choose at least one scope.")
    if not label.strip():
        raise TokenRefused("Give the token a name, so that others know what uses it.")
    if not now < expires <= now + LONGEST_LIFE:
        raise TokenRefused("A token expires in the future, and in a year at the latest.")
    if actor.membership is None:
        raise TokenRefused("Only a person makes tokens.")
    reached = None if companies is None else _limit(actor, wanted, companies)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(SECRET_BYTES)
    token = ApiToken.unscoped.create(
        organization=actor.organization,
        label=label.strip(),
        prefix=secret[: len(TOKEN_PREFIX) + SHOWN_CHARACTERS],
        token_hash=hash_token(secret),
        scopes=wanted,
        all_companies=reached is None,
        created_by=actor.membership,
        expires_at=expires,
    )
    token.companies.set(reached or [])
    detail = {"label": token.label, "scopes": wanted, "expires_at": expires.isoformat()}
    if reached is not None:
        detail["companies"] = sorted(company.name for company in reached)
    record(actor, "token.created", token, detail)
    return token, secret


def _limit(actor: Actor, scopes: Iterable[str], companies: Iterable[Company]) -> list[Company]:
    """The companies of a limited token. Raises TokenRefused."""
    reached = list(companies)
    if not reached:
        raise TokenRefused("Choose at least one company, or let the token reach all of them.")
    if any(company.organization_id != actor.organization.pk for company in reached):
        raise TokenRefused("One of the companies is not there any more. Choose again.")
    everywhere = [scope for scope in scopes if SCOPE_PERMISSIONS[scope] & EVERYWHERE_PERMISSIONS]
    if everywhere:
        raise TokenRefused(f"{everywhere[0]} reaches into all companies: leave it out, or do not limit the token.")
    return reached


@transaction.atomic
def revoke_token(*, actor: Actor, token: ApiToken) -> ApiToken:
    """End a token; its next request is refused. Revoking twice changes nothing.

    Raises:
        PermissionDenied: the actor may not manage tokens.
        ApiToken.DoesNotExist: it is not of the actor's organization.
    """
    require(actor, Permission.MANAGE_TOKENS)
    own = ApiToken.objects.for_organization(actor.organization).select_for_update().get(pk=token.pk)
    if own.revoked_at is None:
        own.revoked_at = timezone.now()
        own.save(update_fields=["revoked_at"])
        record(actor, "token.revoked", own, {"label": own.label})
    return own
