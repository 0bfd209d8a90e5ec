"""The webhook of NinjaOne: an activity as it happened. It is not signed; a secret header of ours stands for that."""

from __future__ import annotations

import hmac

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from integrations.contracts import Hint
from integrations.ninjaone.client import NinjaOneClient
from integrations.webhooks import Delivery, DeliveryRefused, Lock, Refusal

WHAT = "every condition that is raised or cleared on a device"
BEFORE = (
    "NinjaOne has one webhook for each API client application. If this one sends somewhere already, that is replaced."
)
HEADER = "X-Junto-Secret"
ACTIVITIES = {"CONDITION": ["TRIGGERED", "RESET", "ACKNOWLEDGED"]}


class _Activity(BaseModel):
    """What of an activity is looked at."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    kind: str = Field(alias="activityType", max_length=60)
    device_id: int | None = Field(None, alias="deviceId", ge=1, le=2**53)


def read(delivery: Delivery, lock: Lock) -> Hint | None:
    """The device whose alerts to look at, when the secret is ours. Raises DeliveryRefused."""
    shown = delivery.headers.get(HEADER.lower(), "")
    if not shown:
        raise DeliveryRefused(Refusal.UNSIGNED)
    if not hmac.compare_digest(lock.secret.encode(), shown.encode("utf-8", "replace")):
        raise DeliveryRefused(Refusal.FORGED)
    try:
        activity = _Activity.model_validate_json(delivery.body)
    except ValidationError:
        raise DeliveryRefused(Refusal.UNREADABLE) from None
    if activity.kind not in ACTIVITIES or activity.device_id is None:
        return None
    return Hint("alerts", str(activity.device_id))


def register(client: NinjaOneClient, *, url: str, secret: str) -> str:
    """Ask for conditions of all devices. The vendor names no id."""
    activities: dict[str, JsonValue] = {kind: [*codes] for kind, codes in ACTIVITIES.items()}
    client.configure_webhook({"url": url, "activities": activities, "headers": [{"name": HEADER, "value": secret}]})
    return ""


def unregister(client: NinjaOneClient, *, url: str, external_id: str) -> None:
    """Ask for no more."""
    client.disable_webhook()
