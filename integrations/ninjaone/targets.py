"""Devices and alerts that a call may touch: looked up here, and of the signal's own company or refused (I7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import TargetRefused, ToolUnavailable, VendorNotFound
from integrations.ninjaone import schemas
from integrations.ninjaone.client import NinjaOneClient
from integrations.tools import ToolContext

LARGEST_ID = 2**31 - 1

Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
"""A record's id at NinjaOne."""


Uid = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
"""A UUID as NinjaOne writes it."""


def client_of(context: ToolContext) -> NinjaOneClient:
    """The client that dispatch opened for this call."""
    if not isinstance(context.client, NinjaOneClient):
        raise ToolUnavailable("NinjaOne is not connected.")
    return context.client


def organization_id_of(context: ToolContext) -> int:
    """The signal's company as NinjaOne numbers it."""
    try:
        return int(context.company_external_id)
    except ValueError:
        raise ToolUnavailable(f"{context.company.name} is not linked to an organization in NinjaOne.") from None


def device_of(context: ToolContext, device_id: int) -> schemas.Device:
    """The device, when it belongs to the company: its ids are those of the whole tenant.

    Raises:
        TargetRefused: it does not, or is not there; which of the two is not told.
    """
    try:
        device = client_of(context).device(device_id)
    except VendorNotFound:
        device = None
    if device is None or device.id != device_id or device.organization_id != organization_id_of(context):
        raise TargetRefused(f"{device_id} is not a device of {context.company.name}.")
    return device


def awake(device: schemas.Device) -> schemas.Device:
    """The device, when it is online: on an offline one NinjaOne queues what is asked for, or drops it silently."""
    if device.offline:
        seen = f", last seen {moment(device.last_contact)}" if device.last_contact else ""
        raise TargetRefused(f"{device.name} is offline{seen}: nothing can be done on it now.")
    return device


def alert_of(context: ToolContext, uid: str) -> tuple[schemas.Alert, schemas.Device]:
    """The alert and its device, when they belong to the company. Raises TargetRefused."""
    for alert, device in alerts_of(context):
        if alert.uid.lower() == uid.lower():
            return alert, device
    raise TargetRefused(f"{uid} is not a standing alert of {context.company.name}.")


def alerts_of(context: ToolContext) -> list[tuple[schemas.Alert, schemas.Device]]:
    """The company's alerts with their devices. Asked for by the filter, and checked against its devices once more."""
    wanted = organization_id_of(context)
    client = client_of(context)
    alerts = client.alerts(f"org = {wanted}")
    devices = {one.id: one for one in client.organization_devices(wanted) if one.organization_id == wanted}
    return [(alert, devices[alert.device_id]) for alert in alerts if alert.device_id in devices]


def class_words(device: schemas.Device) -> str:
    """The vendor's class in words: "Windows server"."""
    return device.node_class.replace("NMS_", "").replace("_", " ").capitalize() or "Device"


def device_state(context: ToolContext, device: schemas.Device, **fields: JsonValue) -> dict[str, JsonValue]:
    """What a decision on this device rests on: whose it is, its name, whether it is online, and `fields`."""
    return {
        "company": {"id": device.organization_id, "name": context.company.name},
        "device": {"id": device.id, "name": device.name},
        "online": not device.offline,
        **fields,
    }


def moment(seconds: float) -> str:
    """A moment of NinjaOne's in UTC, to the second; empty where there is none."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if seconds > 0 else ""
