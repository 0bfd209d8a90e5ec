"""Consent of a person at a vendor, so that what the API client may not do is done in their name (OAuth 2, PKCE).

State and verifier belong to one member of one organization, hold ten minutes and open once. The refresh token is sealed
for its row and its host; access tokens stay in memory.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from contextlib import closing
from datetime import timedelta
from typing import Protocol, cast
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from integrations.connections import asks_people, credential_value, open_client, vendor_of
from integrations.errors import ToolRefused, ToolUnavailable
from integrations.mcp.oauth import Asked
from integrations.models import Connection, Consent, ConsentRequest
from integrations.persons import Redeemed, consents_of, place_of
from integrations.sealing import Unsealable, seal, unseal
from integrations.served import follow_server
from integrations.vendors import is_mcp
from integrations.warrants import Errand
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet

REQUEST_HOLDS = timedelta(minutes=10)
REDEEM_SECONDS = 20.0


class ConsentRefused(ToolRefused):
    """What came back from the vendor's page is no consent that we asked this member for."""


class AsksPeople(Protocol):
    """A client whose server says by itself where people consent."""

    def ask_consent(self, *, redirect_uri: str, state: str) -> Asked:
        """Raises IntegrationError."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class Redeems(Protocol):
    """A client that turns a code into tokens."""

    def redeem(self, *, code: str, verifier: str, redirect_uri: str, issuer: str | None = ...) -> Redeemed:
        """Raises IntegrationError."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def redirect_uri(connection: Connection) -> str:
    """Where the vendor sends people back to; the same for every consent of the organization."""
    return f"{settings.PUBLIC_URL}/o/{connection.organization.slug}/connections/consent/"


def begin_consent(*, actor: Actor, connection: Connection) -> str:
    """Ask a member for consent: the address of the vendor's page, for this member and the next ten minutes.

    Raises PermissionDenied; ToolUnavailable where there is nobody to ask.
    """
    membership = member_of(actor)
    if not asks_people(vendor_of(connection)) or connection.state == Connection.State.PAUSED:
        raise ToolUnavailable(f"{connection.label} is paused, or asks nobody for consent.")
    state = secrets.token_urlsafe(32)
    address, verifier = _way_to_the_page(connection, state)
    asked = ConsentRequest(
        organization=connection.organization,
        connection=connection,
        membership=membership,
        state_digest=digest_of(state),
    )
    asked.sealed_verifier = seal(verifier.encode(), place=place_of(asked, connection))
    with transaction.atomic():
        _requests(actor).filter(connection=connection, membership=membership, link=None).delete()
        asked.save()
    return address


def _way_to_the_page(connection: Connection, state: str) -> tuple[str, str]:
    """Where a person consents, and what proves afterwards that it was us who sent them. Raises IntegrationError."""
    if is_mcp(connection.vendor):
        with closing(cast("AsksPeople", open_client(connection, Errand.reading(REDEEM_SECONDS)))) as server:
            asked = server.ask_consent(redirect_uri=redirect_uri(connection), state=state)
        return asked.address, asked.secret
    client_id, verifier = credential_value(connection, "client_id"), secrets.token_urlsafe(48)
    client = vendor_of(connection).module("client")
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri(connection),
        "scope": client.CONSENT_SCOPES,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{connection.base_url.rstrip('/')}{client.AUTHORIZE_PATH}?{urlencode(query)}", verifier


def finish_consent(*, actor: Actor, state: str, code: str, issuer: str | None = None) -> Connection:
    """Take what the vendor's page sent back, and keep the consent. `issuer` = who answered, where the page says it.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        ConsentRefused: we did not ask this member, or not in the last ten minutes, or they said no (an empty code).
        IntegrationError: the vendor does not take the code.
    """
    membership = member_of(actor)
    since = timezone.now() - REQUEST_HOLDS
    rows = _requests(actor).filter(
        membership=membership, link=None, state_digest=digest_of(state), created_at__gte=since
    )
    asked = rows.select_related("connection__organization").first()
    if asked is None or not rows.filter(pk=asked.pk).delete()[0]:  # it opens once
        raise ConsentRefused("Nobody asked you for this consent in the last ten minutes. Begin again.")
    connection = asked.connection
    if not code:
        raise ConsentRefused(f"{vendor_of(connection).label} gave no consent.")
    try:
        verifier = unseal(asked.sealed_verifier, place=place_of(asked, connection)).decode()
    except Unsealable:
        raise ConsentRefused("The address of the system changed meanwhile. Begin again.") from None
    more = {"issuer": issuer} if is_mcp(connection.vendor) else {}
    with closing(cast("Redeems", open_client(connection, Errand.reading(REDEEM_SECONDS)))) as client:
        given = client.redeem(code=code, verifier=verifier, redirect_uri=redirect_uri(connection), **more)
    with transaction.atomic():
        consents_of(connection).delete()
        row = Consent(
            organization=connection.organization,
            connection=connection,
            membership=membership,
            scopes=given.scopes,
            issuer=given.issuer,
        )
        row.sealed_token = seal(given.refresh_token.encode(), place=place_of(row, connection))
        row.save()
        record(
            actor,
            "connection.consented",
            connection,
            {"vendor": connection.vendor, "scopes": given.scopes, "issuer": given.issuer},
        )
        follow_server(connection)
    return connection


@transaction.atomic
def withdraw_consent(*, actor: Actor, connection: Connection) -> None:
    """Forget a consent. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    if consents_of(connection).delete()[0]:
        record(actor, "connection.consent_withdrawn", connection, {"vendor": connection.vendor})


def member_of(actor: Actor) -> Membership:
    """Who asks for consent. Raises PermissionDenied; ConsentRefused for what is no person."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    if actor.membership is None:
        raise ConsentRefused("Only a person can consent.")
    return actor.membership


def digest_of(state: str) -> str:
    """What is kept of a state, so that nobody who reads our rows can answer for the vendor."""
    return hashlib.sha256(state.encode()).hexdigest()


def _requests(actor: Actor) -> TenantQuerySet[ConsentRequest]:
    rows: TenantQuerySet[ConsentRequest] = ConsentRequest.objects.for_organization(actor.organization)
    return rows
