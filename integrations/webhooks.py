"""Webhooks of connections: what a delivery is checked with, the vendor's key, and the address that vendors send to.

Deliveries are taken in by integrations/webhook_intake.py.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import ModuleType
from typing import cast

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone
from pydantic import BaseModel, ValidationError

from integrations.connections import open_client, vendor_of, webhook_place
from integrations.errors import AddressRefused, ToolUnavailable
from integrations.models import Connection, Webhook, WebhookHint
from integrations.sealing import Unsealable, seal, unseal
from integrations.vendors import VENDORS
from integrations.warrants import Errand
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet

KEPT = timedelta(days=7)
MOST_KEYS = 4
CONTROL_SECONDS = 20.0
TOKEN_BYTES = 32


class Reception(StrEnum):
    """What became of a delivery that was not turned away."""

    TAKEN = "taken"
    REPEATED = "repeated"
    NOT_NEEDED = "not needed"


class Refusal(StrEnum):
    """Why a delivery is turned away; the value is the column of `Webhook` that counts it."""

    UNSIGNED = "unsigned"
    FORGED = "forged"
    FOREIGN = "foreign"
    OVERSIZED = "oversized"
    UNREADABLE = "unreadable"


class NoSuchWebhook(LookupError):
    """Nobody gave out this address, or what opened it went with the connection's former host."""


class DeliveryRefused(Exception):
    """A delivery that proves nothing. The sender is told no more than that."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.value)


class KeyMissing(Exception):
    """It is signed with a key that we do not hold; `key_id` names it at the configured host."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        super().__init__("The signing key is not here yet.")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it came. Names of headers are lower case."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lock:
    """What a delivery must fit: where the vendor is, whose account we have there, and the secrets that prove it."""

    base_url: str
    account: str
    secret: str = field(repr=False)
    keys: Mapping[str, str] = field(repr=False)


class Secrets(BaseModel):
    """What proves a delivery, and what its address ends with."""

    token: str
    secret: str
    keys: dict[str, str] = {}


def sends_webhooks(connection: Connection) -> bool:
    """Whether the connection's vendor can tell of changes by itself."""
    vendor = VENDORS.get(connection.vendor)
    return vendor is not None and vendor.sends_webhooks


def fetch_wanted_key(webhook: Webhook) -> None:
    """Ask the configured host for the key that deliveries are signed with, and keep it sealed.

    Raises:
        IntegrationError: it could not be asked.
    """
    key_id = webhook.wanted_key
    if not key_id:
        return
    with closing(open_client(webhook.connection, Errand.reading(CONTROL_SECONDS))) as client:
        key = cast("str", hooks_of(webhook.connection).fetch_key(client, key_id))
    known = open_secrets(webhook)
    kept = dict(list({**known.keys, key_id: key}.items())[-MOST_KEYS:])
    rows_of(webhook).filter(wanted_key=key_id).update(
        sealed_secrets=_seal(webhook, known.model_copy(update={"keys": kept})), wanted_key=""
    )


def webhook_address(webhook: Webhook) -> str:
    """Where the vendor sends to: as secret as a password. Raises Unsealable."""
    return f"{settings.PUBLIC_URL}/hooks/{open_secrets(webhook).token}/"


def register_webhook(*, actor: Actor, connection: Connection) -> Webhook:
    """Ask the vendor to tell us of changes, at an address of the connection's own, which is new each time.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        IntegrationError: the vendor did not take it; the address then stays unused.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    if not sends_webhooks(connection):
        raise ToolUnavailable(f"{connection.label} does not tell of changes by itself.")
    _forget_at_vendor(connection)
    webhook = _new(connection)
    found = open_secrets(webhook)
    with closing(open_client(connection, Errand.reading(CONTROL_SECONDS))) as client:
        external_id = cast(
            "str", hooks_of(connection).register(client, url=webhook_address(webhook), secret=found.secret)
        )
    webhook.external_id, webhook.registered_at = external_id, timezone.now()
    with transaction.atomic():
        webhook.save(update_fields=["external_id", "registered_at"])
        record(actor, "connection.webhook_registered", connection, {"vendor": connection.vendor})
    return webhook


def unregister_webhook(*, actor: Actor, connection: Connection) -> None:
    """Close the address at once, and ask the vendor to send no more.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        IntegrationError: the vendor did not hear it. The address is closed all the same.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    with transaction.atomic():
        _webhooks(connection).update(token_digest=f"closed:{connection.pk}")
        record(actor, "connection.webhook_removed", connection, {"vendor": connection.vendor})
    _forget_at_vendor(connection)
    _webhooks(connection).delete()


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """What the pages tell of a connection's webhook. `refused`: the word for why -> how many."""

    what: str
    before: str
    registered_at: datetime | None
    last_at: datetime | None
    taken: int
    unread: int
    repeated: int
    refused: tuple[tuple[str, int], ...]
    refused_at: datetime | None


#: Refusal -> how the pages say it.
_WORDS = {
    Refusal.UNSIGNED: "without a signature",
    Refusal.FORGED: "with a wrong signature",
    Refusal.FOREIGN: "from another account or address",
    Refusal.OVERSIZED: "too large",
    Refusal.UNREADABLE: "unreadable",
}


def webhook_facts(connection: Connection) -> WebhookFacts | None:
    """How the webhook of this connection stands; None where the vendor has none."""
    if not sends_webhooks(connection):
        return None
    webhook = _webhooks(connection).first() or Webhook()
    hints = WebhookHint.objects.for_organization(connection.organization).filter(connection=connection)
    counted = hints.aggregate(taken=Count("pk"), unread=Count("pk", filter=Q(read_at=None)), last=Max("received_at"))
    hooks = hooks_of(connection)
    return WebhookFacts(
        what=hooks.WHAT,
        before=hooks.BEFORE,
        registered_at=webhook.registered_at,
        last_at=counted["last"],
        taken=counted["taken"],
        unread=counted["unread"],
        repeated=webhook.repeated,
        refused=tuple((words, number) for each, words in _WORDS.items() if (number := getattr(webhook, each.value))),
        refused_at=webhook.refused_at,
    )


def forget_old_hints() -> int:
    """Delete hints that were read long ago; how many."""
    return WebhookHint.unscoped.filter(read_at__lt=timezone.now() - KEPT).delete()[0]


def _forget_at_vendor(connection: Connection) -> None:
    webhook = _webhooks(connection).first()
    if webhook is None or webhook.registered_at is None:
        return
    try:
        address = webhook_address(webhook)
    except Unsealable:  # it was registered at another host, which we have left
        return
    with closing(open_client(connection, Errand.reading(CONTROL_SECONDS))) as client:
        hooks_of(connection).unregister(client, url=address, external_id=webhook.external_id)


def _new(connection: Connection) -> Webhook:
    made = Secrets(token=secrets.token_urlsafe(TOKEN_BYTES), secret=secrets.token_urlsafe(TOKEN_BYTES))
    with transaction.atomic():
        _webhooks(connection).delete()
        webhook = Webhook(organization_id=connection.organization_id, connection=connection)
        webhook.token_digest = digest_of(made.token)
        webhook.sealed_secrets = _seal(webhook, made)
        webhook.save(force_insert=True)
    return webhook


def rows_of(webhook: Webhook) -> TenantQuerySet[Webhook]:
    """The webhook's own row, to be changed."""
    rows: TenantQuerySet[Webhook] = Webhook.objects.for_organization(webhook.connection.organization)
    return rows.filter(pk=webhook.pk)


def _webhooks(connection: Connection) -> TenantQuerySet[Webhook]:
    rows: TenantQuerySet[Webhook] = Webhook.objects.for_organization(connection.organization)
    return rows.filter(connection=connection).select_related("connection__organization")


def hooks_of(connection: Connection) -> ModuleType:
    """What the connection's vendor knows of webhooks."""
    return vendor_of(connection).module("hooks")


def digest_of(token: str) -> str:
    """What is kept of an address's secret part."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def open_secrets(webhook: Webhook) -> Secrets:
    """What was sealed for this webhook. Raises Unsealable."""
    try:
        return Secrets.model_validate_json(unseal(webhook.sealed_secrets, place=webhook_place(webhook)))
    except (ValidationError, AddressRefused):
        raise Unsealable("The webhook's secrets do not open here.") from None


def _seal(webhook: Webhook, held: Secrets) -> str:
    return seal(held.model_dump_json().encode(), place=webhook_place(webhook))
