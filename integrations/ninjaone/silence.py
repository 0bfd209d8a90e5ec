"""The tools that keep alerts quiet: maintenance windows, and resetting what stands. Each sends one request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from integrations.errors import TargetRefused
from integrations.ninjaone import endpoints
from integrations.ninjaone.orders import ordered
from integrations.ninjaone.targets import (
    Id,
    Uid,
    alert_of,
    client_of,
    device_of,
    device_state,
    moment,
    organization_id_of,
)
from integrations.tools import (
    Category,
    Change,
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

LONGEST_MAINTENANCE_DAYS = 7


class SetMaintenance(ToolArguments):
    device_id: Id = Field(description="Number of the device in NinjaOne (find_device).")
    end: AwareDatetime = Field(description="When it ends, with its time zone; at most 7 days from now.")
    features: tuple[Literal["ALERTS", "PATCHING", "AVSCANS", "TASKS"], ...] = Field(
        ("ALERTS",), min_length=1, max_length=4, description="What is switched off until then."
    )
    reason: Reason = Field(description="Why, for NinjaOne's log.")


class ResetAlert(ToolArguments):
    alert_uid: Uid = Field(description="The alert (device_alerts or org_alerts: uid).")


def _preview_maintenance(context: ToolContext, arguments: SetMaintenance) -> Preview:
    device = device_of(context, arguments.device_id)
    left = (arguments.end - datetime.now(UTC)).total_seconds()
    if not 0 < left <= LONGEST_MAINTENANCE_DAYS * 86400:
        raise TargetRefused(f"The end must lie ahead, at most {LONGEST_MAINTENANCE_DAYS} days.")
    window = device.maintenance
    was = f"until {moment(window.end)}" if window.status else "no"
    return Preview(
        title=f"Maintenance of {device.name} until {_until(arguments)}",
        target=device.name,
        changes=(
            Change("Maintenance", was, f"until {_until(arguments)}"),
            Change("Switched off", "", ", ".join(arguments.features).lower()),
            Change("Reason", window.reason, arguments.reason),
        ),
        seen_by=f"{context.organization.name}: {', '.join(arguments.features).lower()} are off there meanwhile.",
        undo="End the maintenance of the device in NinjaOne.",
        target_state=device_state(context, device, maintenance=moment(window.end) if window.status else None),
        sets={"maintenance": _until(arguments)},
        evidence=("The device was read just now.",),
    )


def _until(arguments: SetMaintenance) -> str:
    return moment(arguments.end.timestamp())


def _search_maintenance(context: ToolContext, arguments: SetMaintenance, before: JsonValue) -> Outcome:
    window = device_of(context, arguments.device_id).maintenance
    now = moment(window.end) if window.status else None
    if now == _until(arguments):
        return Outcome("found", f"The device is in maintenance until {now}.")
    if isinstance(before, dict) and before.get("maintenance") == now:
        return Outcome("absent", "The device's maintenance is as it was before.")
    return Outcome("unclear", f"The device is in maintenance until {now}." if now else "It is in no maintenance.")


@tool(
    name="ninjaone.set_maintenance",
    label="Set a maintenance window",
    description="Put one device of this company into maintenance from now until a moment: alerts, updates, scans or"
    " tasks are off meanwhile.",
    arguments=SetMaintenance,
    title=lambda arguments: f"Maintenance of device {arguments.device_id} until {_until(arguments)}",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    endpoints=(endpoints.DEVICE, endpoints.SET_MAINTENANCE),
    outcome=OutcomeStrategy.NATURAL,
    undo="End the maintenance of the device in NinjaOne.",
    preview=_preview_maintenance,
    search=_search_maintenance,
)
def set_maintenance(context: ToolContext, arguments: SetMaintenance) -> ToolResult:
    device = device_of(context, arguments.device_id)
    body: dict[str, JsonValue] = {
        "disabledFeatures": [*arguments.features],
        "end": int(arguments.end.timestamp()) * 1000,
        "reasonMessage": arguments.reason,
    }
    client_of(context).act(endpoints.SET_MAINTENANCE, body, id=device.id)
    return ordered(device, f"In maintenance until {_until(arguments)}", until=_until(arguments))


def _preview_reset(context: ToolContext, arguments: ResetAlert) -> Preview:
    alert, device = alert_of(context, arguments.alert_uid)
    return Preview(
        title=f"Reset “{alert.subject or alert.message}” on {device.name}",
        target=device.name,
        changes=(Change(alert.subject or "Alert", f"{alert.message} (since {moment(alert.created)})", "closed"),),
        seen_by=f"{context.organization.name} only. NinjaOne raises it again when its condition is met anew.",
        undo="",
        target_state=device_state(context, device, alert={"id": alert.uid, "name": alert.subject}),
        evidence=("The company's alerts were read just now.",),
    )


def _search_reset(context: ToolContext, arguments: ResetAlert, _: JsonValue) -> Outcome:
    organization = organization_id_of(context)
    for alert in client_of(context).alerts(f"org = {organization}"):
        if alert.uid.lower() == arguments.alert_uid.lower():
            return Outcome("absent", "The alert still stands.")
    return Outcome("found", "The alert no longer stands.")


@tool(
    name="ninjaone.reset_alert",
    label="Reset an alert",
    description="Close one standing alert of a device of this company. It comes again when its condition is met anew.",
    arguments=ResetAlert,
    title=lambda arguments: f"Reset alert {arguments.alert_uid}",
    category=Category.WRITE,
    risk=Risk.MEDIUM,
    endpoints=(endpoints.ALERTS, endpoints.ORGANIZATION_DEVICES, endpoints.RESET_ALERT),
    outcome=OutcomeStrategy.NATURAL,
    undo="A closed alert comes back by itself when its condition is met anew.",
    preview=_preview_reset,
    search=_search_reset,
)
def reset_alert(context: ToolContext, arguments: ResetAlert) -> ToolResult:
    alert, device = alert_of(context, arguments.alert_uid)
    client_of(context).act(endpoints.RESET_ALERT, {}, uid=alert.uid)
    return ordered(device, f"“{alert.subject or alert.message}” is reset", alert_uid=alert.uid)
