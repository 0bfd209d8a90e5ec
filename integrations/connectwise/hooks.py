"""Callbacks of ConnectWise: signed over the raw body with a key that its own server gives out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from integrations import guard
from integrations.connectwise import endpoints
from integrations.connectwise.client import ConnectWiseClient
from integrations.contracts import Hint
from integrations.errors import AddressRefused
from integrations.warrants import classify
from integrations.webhooks import Delivery, DeliveryRefused, KeyMissing, Lock, Refusal

WHAT = "every ticket that is made, changed or deleted"
BEFORE = ""
"""What an admin must know before it is registered."""


class _Metadata(BaseModel):
    key_url: str


class _Callback(BaseModel):
    """What of a callback is looked at. Its `Entity`, the ticket as the sender has it, is not."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    kind: str = Field(alias="Type", max_length=40)
    number: int = Field(alias="ID", ge=1, le=2**53)
    account: str = Field("", alias="CompanyId", max_length=100)
    metadata: _Metadata = Field(alias="Metadata")


def read(delivery: Delivery, lock: Lock) -> Hint | None:
    """The ticket a callback speaks of, when it proves where it comes from. Raises DeliveryRefused, KeyMissing."""
    signature = delivery.headers.get("x-content-signature", "")
    if not signature:
        raise DeliveryRefused(Refusal.UNSIGNED)
    try:
        callback = _Callback.model_validate_json(delivery.body)
    except ValidationError:
        raise DeliveryRefused(Refusal.UNREADABLE) from None
    key_id = _key_id(callback.metadata.key_url, lock.base_url)
    key = lock.keys.get(key_id)
    if key is None:
        raise KeyMissing(key_id)
    # no `==`: how long a wrong one takes must not say how much of it is right
    if not hmac.compare_digest(signature_of(delivery.body, key).encode(), signature.encode("utf-8", "replace")):
        raise DeliveryRefused(Refusal.FORGED)
    if callback.account.casefold() != lock.account.casefold():
        raise DeliveryRefused(Refusal.FOREIGN)
    return Hint("ticket", str(callback.number)) if callback.kind.casefold() == "ticket" else None


def signature_of(body: bytes, signing_key: str) -> str:
    """The header that the vendor sends with this body."""
    key = hashlib.sha256(signing_key.encode()).digest()
    return base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()


def _key_id(url: str, base_url: str) -> str:
    """The key's name below the configured address. The sender wrote `url`: any other host's key proves nothing."""
    try:
        same = guard.target_of(url) == guard.target_of(base_url)
    except AddressRefused:
        same = False
    if not same:  # nor is it parsed again: what is no address would raise
        raise DeliveryRefused(Refusal.FOREIGN)
    parts, base_path = urlsplit(url), urlsplit(base_url).path.rstrip("/")
    path = parts.path.removeprefix(base_path)
    listed = classify([endpoints.CALLBACK_KEY], method="GET", path=path)
    if parts.query or parts.fragment or path == parts.path or listed is None:
        raise DeliveryRefused(Refusal.FOREIGN)
    return path.rpartition("/")[2][:80]


def fetch_key(client: ConnectWiseClient, key_id: str) -> str:
    """The signing key of that name. Raises IntegrationError."""
    return client.signing_key(key_id)


def register(client: ConnectWiseClient, *, url: str, secret: str) -> str:
    """Ask for all tickets' changes; the callback's id. One with the same address is used again."""
    found = next(iter(client.callbacks(url)), None) or client.create_callback(url)
    return str(found.id)


def unregister(client: ConnectWiseClient, *, url: str, external_id: str) -> None:
    """Ask for no more, whatever stands under our address."""
    for callback in client.callbacks(url):
        client.delete_callback(callback.id)
