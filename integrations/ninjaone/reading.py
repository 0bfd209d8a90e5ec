"""The tools that look things up. Lists are cut to the signal's company; what comes back is short and plain."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from integrations.ninjaone import endpoints, schemas
from integrations.ninjaone.targets import Id, alerts_of, class_words, client_of, device_of, moment, organization_id_of
from integrations.tools import ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, Words, counted

MOST_SEARCHED = 200
MOST_ACTIVITIES = 1000

NodeClass = Literal[
    "WINDOWS_SERVER",
    "WINDOWS_WORKSTATION",
    "LINUX_SERVER",
    "LINUX_WORKSTATION",
    "MAC",
    "MAC_SERVER",
    "NMS_SWITCH",
    "NMS_ROUTER",
    "NMS_FIREWALL",
    "NMS_WAP",
    "NMS_PRINTER",
    "NMS_SERVER",
]


class ListDevices(ToolArguments):
    node_class: NodeClass | None = Field(None, description="Only devices of this class.")
    online: bool | None = Field(None, description="Only devices that are online, or only those that are not.")
    limit: Limit = Field(50, description="At most so many devices.")


class FindDevice(ToolArguments):
    text: Words = Field(description="A device's name or part of it, its user's name, or its address.")


class OneDevice(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")


class OrganizationAlerts(ToolArguments):
    severity: Literal["NONE", "MINOR", "MODERATE", "MAJOR", "CRITICAL"] | None = Field(
        None, description="Only alerts of this severity."
    )
    limit: Limit = Field(50, description="At most so many alerts, the newest first.")


class DeviceActivities(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")
    since: AwareDatetime | None = Field(None, description="Only what happened at or after this moment.")
    limit: Limit = Field(30, description="At most so many lines, the newest first.")


@tool(
    name="ninjaone.list_devices",
    label="List monitored devices",
    description="The devices of this company in NinjaOne: class, whether online, when last seen.",
    arguments=ListDevices,
    title=lambda _: "List monitored devices",
    endpoints=(endpoints.DEVICES,),
)
def list_devices(context: ToolContext, arguments: ListDevices) -> ToolResult:
    wanted = organization_id_of(context)
    parts = [f"org = {wanted}"]
    if arguments.node_class:
        parts.append(f"class in ({arguments.node_class})")
    if arguments.online is not None:
        parts.append("online" if arguments.online else "offline")
    found = [
        device
        for device in client_of(context).devices(" AND ".join(parts))
        if device.organization_id == wanted
        and arguments.node_class in (None, device.node_class)
        and arguments.online in (None, not device.offline)
    ]
    return ToolResult(
        content={
            "devices": [_device_line(device) for device in found[: arguments.limit]],
            "left_out": max(len(found) - arguments.limit, 0),
        },
        summary=counted(len(found), "device"),
        records=found[: arguments.limit],
    )


@tool(
    name="ninjaone.find_device",
    label="Find a monitored device",
    description="Find devices of this company in NinjaOne by name, user or address: their number there, and whether"
    " they are online.",
    arguments=FindDevice,
    title=lambda arguments: f"Find device “{arguments.text}”",
    endpoints=(endpoints.SEARCH_DEVICES, endpoints.ORGANIZATION_DEVICES),
)
def find_device(context: ToolContext, arguments: FindDevice) -> ToolResult:
    wanted = organization_id_of(context)
    client = client_of(context)
    # the vendor searches over all organizations, so that others can fill its answer: names are looked at here, too
    word = arguments.text.casefold()
    named = [one for one in client.organization_devices(wanted) if word in one.name.casefold()]
    others = client.search_devices(arguments.text, limit=MOST_SEARCHED)
    by_id = {one.id: one for one in (*named, *others) if one.organization_id == wanted}
    found = sorted(by_id.values(), key=lambda one: (one.name.casefold() != word, one.name))
    exact = [one for one in found if one.name.casefold() == word]
    rows: list[JsonValue] = [_device_line(device) for device in (exact or found)[:25]]
    return ToolResult(
        content={"devices": rows},
        summary=(exact or found)[0].name if len(rows) == 1 else counted(len(rows), "device"),
        records=exact or found,
    )


@tool(
    name="ninjaone.get_device",
    label="Read a monitored device",
    description="One device of this company: system, memory, addresses, last start, whether it waits for a reboot or is"
    " in maintenance.",
    arguments=OneDevice,
    title=lambda arguments: f"Read device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.OPERATING_SYSTEMS, endpoints.COMPUTER_SYSTEMS),
)
def get_device(context: ToolContext, arguments: OneDevice) -> ToolResult:
    device = device_of(context, arguments.device_id)
    client = client_of(context)
    system, computer = client.operating_system(device), client.computer_system(device)
    shown: dict[str, JsonValue] = {
        **_device_line(device),
        "addresses": [*device.ip_addresses[:10]],
        "operating_system": f"{system.name} {system.release}".strip(),
        "last_start": moment(system.last_boot),
        "needs_reboot": system.needs_reboot,
        "model": computer.model,
        "serial_number": computer.serial_number,
        "memory_gb": round(computer.memory / 2**30, 1),
        "domain": computer.domain,
        "maintenance": _maintenance(device),
    }
    return ToolResult(
        content={name: value for name, value in shown.items() if value not in ("", [], 0.0)},
        summary=f"{device.name}, {'offline' if device.offline else 'online'}",
        records=(device,),
    )


@tool(
    name="ninjaone.device_alerts",
    label="Read a device's alerts",
    description="The alerts that stand on one device of this company.",
    arguments=OneDevice,
    title=lambda arguments: f"Read alerts of device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.DEVICE_ALERTS),
)
def device_alerts(context: ToolContext, arguments: OneDevice) -> ToolResult:
    device = device_of(context, arguments.device_id)
    found = [one for one in client_of(context).device_alerts(device.id) if one.device_id in (0, device.id)]
    return ToolResult(
        content={"alerts": [_alert_line(alert, device) for alert in found]},
        summary=counted(len(found), "alert"),
        records=found,
    )


@tool(
    name="ninjaone.org_alerts",
    label="Read the company's alerts",
    description="The alerts that stand on the devices of this company, the newest first.",
    arguments=OrganizationAlerts,
    title=lambda _: "Read the company's alerts",
    endpoints=(endpoints.ALERTS, endpoints.ORGANIZATION_DEVICES),
)
def org_alerts(context: ToolContext, arguments: OrganizationAlerts) -> ToolResult:
    found = [pair for pair in alerts_of(context) if arguments.severity in (None, pair[0].severity)]
    found.sort(key=lambda pair: pair[0].created, reverse=True)
    rows: list[JsonValue] = [_alert_line(alert, device) for alert, device in found[: arguments.limit]]
    return ToolResult(
        content={"alerts": rows, "left_out": max(len(found) - len(rows), 0)},
        summary=counted(len(found), "alert"),
        records=[alert for alert, _ in found[: len(rows)]],
    )


@tool(
    name="ninjaone.device_activities",
    label="Read a device's log",
    description="What happened on one device of this company, the newest first: sign-ins, alerts, scripts, updates.",
    arguments=DeviceActivities,
    title=lambda arguments: f"Read the log of device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.ACTIVITIES),
)
def device_activities(context: ToolContext, arguments: DeviceActivities) -> ToolResult:
    device = device_of(context, arguments.device_id)
    since = arguments.since.timestamp() if isinstance(arguments.since, datetime) else 0.0
    read = client_of(context).activities(device.id, limit=MOST_ACTIVITIES if since else 200)
    found = [one for one in read if one.at >= since]
    rows: list[JsonValue] = [
        {
            "id": one.id,
            "at": moment(one.at),
            "type": one.kind,
            "status": one.code,
            "result": one.result,
            "subject": one.subject or one.source,
            "message": one.message[:500],
        }
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"activities": rows}, summary=counted(len(rows), "line"), records=found[: arguments.limit]
    )


def _device_line(device: schemas.Device) -> dict[str, JsonValue]:
    return {
        "id": device.id,
        "name": device.name,
        "class": class_words(device),
        "online": not device.offline,
        "last_seen": moment(device.last_contact),
    }


def _alert_line(alert: schemas.Alert, device: schemas.Device) -> JsonValue:
    return {
        "uid": alert.uid,
        "device_id": device.id,
        "device": device.name,
        "subject": alert.subject,
        "message": alert.message[:500],
        "severity": alert.severity,
        "priority": alert.priority,
        "since": moment(alert.created),
    }


def _maintenance(device: schemas.Device) -> str:
    window = device.maintenance
    return f"{window.status} until {moment(window.end)} {window.reason}".strip() if window.status else ""
