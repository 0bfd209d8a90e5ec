"""The tools that look into a device: storage, software, updates, services, scripts. Of the signal's company only."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from integrations.ninjaone import endpoints, schemas
from integrations.ninjaone.reading import OneDevice
from integrations.ninjaone.targets import Id, client_of, device_of, moment
from integrations.tools import ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Words, counted

GIGABYTE = 10**9


class DeviceSoftware(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")
    name: Words | None = Field(None, description="Only products whose name contains this.")


class ListServices(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")
    state: Literal["RUNNING", "STOPPED", "PAUSED"] | None = Field(None, description="Only services in this state.")


@tool(
    name="ninjaone.device_storage",
    label="Read a device's storage",
    description="Volumes with free space and drives with their health, of one device of this company.",
    arguments=OneDevice,
    title=lambda arguments: f"Read storage of device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.VOLUMES, endpoints.DISKS),
)
def device_storage(context: ToolContext, arguments: OneDevice) -> ToolResult:
    device = device_of(context, arguments.device_id)
    client = client_of(context)
    volumes, drives = client.volumes(device.id), client.disks(device.id)
    rows: list[JsonValue] = [
        {
            "name": one.name,
            "label": one.label,
            "file_system": one.file_system,
            "size_gb": round(one.capacity / GIGABYTE, 1),
            "free_gb": round(one.free / GIGABYTE, 1),
            "free_percent": _percent(one),
        }
        for one in volumes
    ]
    disks: list[JsonValue] = [
        {"name": one.name, "model": one.model, "status": one.status, "size_gb": round(one.size / GIGABYTE)}
        for one in drives
    ]
    fullest = min(volumes, key=_percent, default=None)
    summary = f"{fullest.name} {_percent(fullest):g} % free" if fullest else "No volumes known"
    return ToolResult(content={"volumes": rows, "disks": disks}, summary=summary, records=(*volumes, *drives))


@tool(
    name="ninjaone.device_software",
    label="Read a device's software",
    description="What is installed on one device of this company, with versions.",
    arguments=DeviceSoftware,
    title=lambda arguments: f"Read software of device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.SOFTWARE),
)
def device_software(context: ToolContext, arguments: DeviceSoftware) -> ToolResult:
    device = device_of(context, arguments.device_id)
    word = (arguments.name or "").casefold()
    found = [one for one in client_of(context).software(device.id) if word in one.name.casefold()]
    shown = sorted(found, key=lambda one: one.name.casefold())[:200]
    rows: list[JsonValue] = [
        {"name": one.name, "publisher": one.publisher, "version": one.version, "installed": one.installed[:10]}
        for one in shown
    ]
    return ToolResult(
        content={"software": rows, "left_out": max(len(found) - len(rows), 0)},
        summary=counted(len(found), "product"),
        records=shown,
    )


@tool(
    name="ninjaone.pending_patches",
    label="Read missing updates",
    description="Updates of the operating system that one device of this company lacks, or that failed there, and"
    " whether it waits for a reboot.",
    arguments=OneDevice,
    title=lambda arguments: f"Read missing updates of device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.OS_PATCHES, endpoints.OPERATING_SYSTEMS),
)
def pending_patches(context: ToolContext, arguments: OneDevice) -> ToolResult:
    device = device_of(context, arguments.device_id)
    client = client_of(context)
    found = client.patches(device.id)
    system = client.operating_system(device)
    rows: list[JsonValue] = [
        {"name": one.name, "kb": one.kb, "severity": one.severity, "status": one.status, "type": one.kind}
        for one in found
    ]
    return ToolResult(
        content={"patches": rows, "needs_reboot": system.needs_reboot, "last_start": moment(system.last_boot)},
        summary=counted(len(found), "missing update") + (", waits for a reboot" if system.needs_reboot else ""),
        records=(*found, system),
    )


@tool(
    name="ninjaone.last_user",
    label="Read who signed in last",
    description="Who signed in last on one device of this company, and when.",
    arguments=OneDevice,
    title=lambda arguments: f"Read the last user of device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.LAST_USER),
)
def last_user(context: ToolContext, arguments: OneDevice) -> ToolResult:
    user = client_of(context).last_user(device_of(context, arguments.device_id).id)
    return ToolResult(
        content={"user": user.name or None, "at": moment(user.at) or None},
        summary=user.name or "Nobody known",
        records=(user,),
    )


@tool(
    name="ninjaone.list_services",
    label="List Windows services",
    description="The Windows services of one device of this company: names, state and start type.",
    arguments=ListServices,
    title=lambda arguments: f"List services of device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.SERVICES),
)
def list_services(context: ToolContext, arguments: ListServices) -> ToolResult:
    device = device_of(context, arguments.device_id)
    found = [one for one in client_of(context).services(device.id) if arguments.state in (None, one.state)]
    rows: list[JsonValue] = [
        {"name": one.name, "label": one.label, "state": one.state, "start": one.start} for one in found[:300]
    ]
    stopped = sum(one.state == "STOPPED" and one.start.startswith("AUTO") for one in found)
    return ToolResult(
        content={"services": rows},
        summary=counted(len(found), "service") + (f", {stopped} stopped that should run" if stopped else ""),
        records=found[:300],
    )


@tool(
    name="ninjaone.list_scripts",
    label="List scripts for a device",
    description="The scripts and built-in actions that NinjaOne allows on one device of this company, and as whom.",
    arguments=OneDevice,
    title=lambda arguments: f"List scripts for device {arguments.device_id}",
    endpoints=(endpoints.DEVICE, endpoints.SCRIPTING),
)
def list_scripts(context: ToolContext, arguments: OneDevice) -> ToolResult:
    options = client_of(context).scripting(device_of(context, arguments.device_id).id)
    rows: list[JsonValue] = [
        {
            "script_id": one.id or None,
            "action_uid": one.uid or None,
            "name": one.name,
            "language": one.language,
            "description": one.description[:300],
        }
        for one in options.scripts[:200]
    ]
    return ToolResult(
        content={"scripts": rows, "run_as": [*options.credentials.roles]}, summary=counted(len(rows), "script")
    )


def _percent(volume: schemas.Volume) -> float:
    return round(100 * volume.free / volume.capacity, 1) if volume.capacity else 100.0
