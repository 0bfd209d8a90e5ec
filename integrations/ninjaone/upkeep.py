"""The tools that reboot and update a device. Each sends exactly one request, a function of its arguments."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from integrations.errors import TargetRefused
from integrations.ninjaone import endpoints, schemas
from integrations.ninjaone.orders import LOG_SECONDS, last_in_log, ordered, seen_in_log
from integrations.ninjaone.targets import Id, awake, client_of, device_of, device_state, moment
from integrations.tools import (
    Category,
    Change,
    Flag,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)
from integrations.wording import Reason


class RebootDevice(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")
    mode: Literal["NORMAL", "FORCED"] = Field(
        "NORMAL", description="NORMAL lets programs close; FORCED does not wait for them."
    )
    reason: Reason = Field(description="Why, for NinjaOne's log.")


class PatchDevice(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")


def _is_reboot(one: schemas.Activity) -> bool:
    return one.code == "SYSTEM_REBOOTED" or "REBOOT" in one.kind or "reboot" in one.subject.lower()


def _preview_reboot(context: ToolContext, arguments: RebootDevice) -> Preview:
    device = awake(device_of(context, arguments.device_id))
    client = client_of(context)
    system, user = client.operating_system(device), client.last_user(device.id)
    signed_in = (
        f"Last signed in: {user.name}, {moment(user.at)}." if user.name else "Nobody is known to have signed in."
    )
    return Preview(
        title=f"Reboot {device.name}",
        target=device.name,
        changes=(
            Change("Runs since", moment(system.last_boot) or "not known", "the reboot"),
            Change("Mode", "", "programs may close first" if arguments.mode == "NORMAL" else "without waiting"),
            Change("Reason", "", arguments.reason),
        ),
        seen_by=f"Whoever works on {device.name}: it is down meanwhile, and what is not saved may be lost.",
        undo="",
        target_state=device_state(context, device, last_in_log=last_in_log(context, device.id, _is_reboot)),
        evidence=("The device, its system and its last user were read just now.", signed_in),
    )


def _search_reboot(context: ToolContext, arguments: RebootDevice, before: JsonValue) -> Outcome:
    return seen_in_log(context, device_of(context, arguments.device_id).id, _is_reboot, before)


@tool(
    name="ninjaone.reboot_device",
    label="Reboot a device",
    description="Reboot one device of this company. Interrupts whoever works on it.",
    arguments=RebootDevice,
    title=lambda arguments: f"Reboot device {arguments.device_id}",
    category=Category.EXECUTE,
    risk=Risk.HIGH,
    flags={Flag.CLIENT_VISIBLE, Flag.IRREVERSIBLE},
    endpoints=(
        endpoints.DEVICE,
        endpoints.OPERATING_SYSTEMS,
        endpoints.LAST_USER,
        endpoints.ACTIVITIES,
        endpoints.REBOOT,
    ),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=LOG_SECONDS,
    undo="A reboot cannot be taken back.",
    preview=_preview_reboot,
    search=_search_reboot,
)
def reboot_device(context: ToolContext, arguments: RebootDevice) -> ToolResult:
    device = awake(device_of(context, arguments.device_id))
    client_of(context).act(endpoints.REBOOT, {"reason": arguments.reason}, id=device.id, mode=arguments.mode)
    return ordered(device, f"A reboot of {device.name} is ordered")


def _is_scan(one: schemas.Activity) -> bool:
    return one.code.startswith("PATCH_MANAGEMENT_SCAN")


def _is_apply(one: schemas.Activity) -> bool:
    return one.code.startswith(("PATCH_MANAGEMENT_APPLY", "PATCH_MANAGEMENT_INSTALL"))


def _preview_scan(context: ToolContext, arguments: PatchDevice) -> Preview:
    device = awake(device_of(context, arguments.device_id))
    return Preview(
        title=f"Scan {device.name} for missing updates",
        target=device.name,
        changes=(
            Change("List of missing updates", f"{len(client_of(context).patches(device.id))} known", "read anew"),
        ),
        seen_by=f"{context.organization.name} only; the device works a little for some minutes.",
        undo="There is nothing to take back: the scan changes nothing on the device.",
        target_state=device_state(context, device, last_in_log=last_in_log(context, device.id, _is_scan)),
        evidence=("The device and its missing updates were read just now.",),
    )


@tool(
    name="ninjaone.scan_patches",
    label="Scan for missing updates",
    description="Let one device of this company look anew for missing updates of its operating system.",
    arguments=PatchDevice,
    title=lambda arguments: f"Scan device {arguments.device_id} for missing updates",
    category=Category.EXECUTE,
    risk=Risk.LOW,
    endpoints=(endpoints.DEVICE, endpoints.OS_PATCHES, endpoints.ACTIVITIES, endpoints.SCAN_PATCHES),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=LOG_SECONDS,
    undo="There is nothing to take back.",
    preview=_preview_scan,
    search=lambda context, arguments, before: seen_in_log(
        context, device_of(context, arguments.device_id).id, _is_scan, before
    ),
)
def scan_patches(context: ToolContext, arguments: PatchDevice) -> ToolResult:
    device = awake(device_of(context, arguments.device_id))
    client_of(context).act(endpoints.SCAN_PATCHES, id=device.id)
    return ordered(device, f"A scan of {device.name} is ordered")


def _preview_apply(context: ToolContext, arguments: PatchDevice) -> Preview:
    device = awake(device_of(context, arguments.device_id))
    patches = client_of(context).patches(device.id)
    if not patches:
        raise TargetRefused(f"{device.name} lacks no updates.")
    return Preview(
        title=f"Install missing updates on {device.name}",
        target=device.name,
        changes=tuple(Change(one.kb or one.name, one.status or "missing", "installed") for one in patches[:20]),
        seen_by=f"Whoever works on {device.name}: it may be slow, and may reboot by itself.",
        undo="",
        target_state=device_state(
            context,
            device,
            patches=[*sorted(one.kb or one.name for one in patches)],
            last_in_log=last_in_log(context, device.id, _is_apply),
        ),
        evidence=("The device and its missing updates were read just now.",),
    )


@tool(
    name="ninjaone.apply_patches",
    label="Install missing updates",
    description="Let one device of this company install its approved and missing updates. It may reboot by itself.",
    arguments=PatchDevice,
    title=lambda arguments: f"Install missing updates on device {arguments.device_id}",
    category=Category.EXECUTE,
    risk=Risk.HIGH,
    flags={Flag.CLIENT_VISIBLE, Flag.IRREVERSIBLE},
    endpoints=(endpoints.DEVICE, endpoints.OS_PATCHES, endpoints.ACTIVITIES, endpoints.APPLY_PATCHES),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=LOG_SECONDS,
    undo="An update has to be uninstalled on the device.",
    preview=_preview_apply,
    search=lambda context, arguments, before: seen_in_log(
        context, device_of(context, arguments.device_id).id, _is_apply, before
    ),
)
def apply_patches(context: ToolContext, arguments: PatchDevice) -> ToolResult:
    device = awake(device_of(context, arguments.device_id))
    client_of(context).act(endpoints.APPLY_PATCHES, id=device.id)
    return ordered(device, f"Updates on {device.name} are ordered")
