"""How a sync job shows who it is: `Authorization: Bearer jt_...`."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from junto.team.models import ApiToken
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission

TOKEN_PREFIX = "jt_"  # noqa: S105  (how a token begins, not a token)
#: `last_used_at` is this exact, so that a busy job does not write a row with every request.
LAST_USED_STEP = timedelta(minutes=1)


def hash_token(secret: str) -> str:
    """SHA-256 of a secret with 256 random bits: needs neither salt nor stretching."""
    return hashlib.sha256(secret.encode()).hexdigest()


class TokenAuthentication(BaseAuthentication):
    """Reads the token and its maker's rights anew with every request (T10).

    A revoked token is refused at the next request, and so is one whose maker left, was demoted or limited to some
    companies: a token must not hold what nobody who answers for it holds any more.
    """

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Actor] | None:
        """Nobody's user and the token's actor; None when no token was sent.

        Raises:
            AuthenticationFailed: the token is malformed, unknown, expired, revoked or without a maker who may still
                make it; the message says which.
        """
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != self.keyword.lower().encode():
            return None
        if len(words) != 2 or not words[1].startswith(TOKEN_PREFIX.encode()):
            raise AuthenticationFailed(f"An API token looks like this: Authorization: Bearer {TOKEN_PREFIX}...")
        token = self._find(words[1].decode("latin-1"))
        limited = None if token.all_companies else frozenset(token.companies.values_list("id", flat=True))
        actor = Actor.token(
            token.organization,
            token_id=uuid.UUID(str(token.pk)),
            label=token.label,
            scopes=frozenset(token.scopes),
            companies=limited,
        )
        return AnonymousUser(), actor

    def authenticate_header(self, request: Request) -> str:
        """Makes the refusal a 401."""
        return f'{self.keyword} realm="Junto"'

    def _find(self, secret: str) -> ApiToken:
        rows = ApiToken.unscoped.select_related("organization", "created_by__user", "created_by__organization")
        token = rows.filter(token_hash=hash_token(secret)).first()
        now = timezone.now()
        if token is None:
            raise AuthenticationFailed("This API token is not known.")
        if token.revoked_at is not None:
            raise AuthenticationFailed("This API token was revoked.")
        if token.expires_at <= now:
            raise AuthenticationFailed(f"This API token expired on {token.expires_at:%Y-%m-%d}.")
        if not Actor.person(token.created_by).can(Permission.MANAGE_TOKENS):
            maker = token.created_by.user.display_name
            raise AuthenticationFailed(f"{maker}, who made this API token, may no longer do so. Make a new one.")
        if token.last_used_at is None or token.last_used_at < now - LAST_USED_STEP:
            ApiToken.unscoped.filter(pk=token.pk).update(last_used_at=now)
        return token


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document tells of it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """An HTTP bearer scheme."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": f"{TOKEN_PREFIX}..."}
