"""The tools that say what is to become of something found: an alert's own actions, and a file that may run nowhere."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import TargetRefused, VendorNotFound
from integrations.sophos import endpoints, schemas
from integrations.sophos.client import LABEL
from integrations.sophos.targets import Id, alert_of, moment, tenant_of
from integrations.sophos.tenant import TenantClient
from integrations.tools import (
    Category,
    Change,
    ExternalRecord,
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
from integrations.wire import record_of
from integrations.wording import Reason

ALERT_SECONDS = 120.0
"""So long an alert that was acted on may still be listed."""

UNDO_ACTION = "An alert that was dealt with does not come back; what was found stays in the events."
UNDO_BLOCK = "Remove the item in Sophos Central under Global Settings > Blocked Items."

_ACTIONS = {
    "acknowledge": ("Acknowledge", "closed as seen; nothing is cleaned"),
    "cleanPua": ("Remove the unwanted application of", "the unwanted application is removed"),
    "cleanVirus": ("Remove the malware of", "the malware is removed"),
    "clearThreat": ("Clear the threat of", "the threat is taken as dealt with"),
    "clearHmpa": ("Clear the exploit detection of", "the exploit detection is taken as dealt with"),
}
"""What each action is called before an alert, and what it does."""

#: What has its effect on a computer, some time later.
_TAKES_TIME = {"cleanPua", "cleanVirus"}


class ActOnAlert(ToolArguments):
    """Authorizing an application and writing to its user are left out: they weaken protection, or reach a person."""

    alert_id: Id = Field(description="The alert (list_alerts: id).")
    action: Literal["acknowledge", "cleanPua", "cleanVirus", "clearThreat", "clearHmpa"] = Field(
        description="One of the alert's allowed_actions."
    )
    comment: Reason = Field(description="Why, for Sophos's own log.")


class BlockHash(ToolArguments):
    sha256: Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")] = (
        Field(description="SHA-256 of the file, 64 hexadecimal digits.")
    )
    comment: Reason = Field(description="What the file is and why it is blocked.")


def _preview_action(context: ToolContext, arguments: ActOnAlert) -> Preview:
    alert = _allowed(context, tenant_of(context), arguments)
    what = alert.description or alert.kind
    verb, effect = _ACTIONS[arguments.action]
    where = f" on {alert.agent.name}" if alert.agent.name else ""
    return Preview(
        title=f"{verb} the alert “{what[:80]}”{where}",
        target=alert.agent.name or what[:80],
        changes=(Change(what[:200], f"waits since {moment(alert.raised)} ({alert.severity})", effect),),
        seen_by=f"{context.organization.name}, and whoever reads alerts in Sophos.",
        undo=UNDO_ACTION,
        target_state={
            "company": {"id": context.company_external_id, "name": context.company.name},
            "alert": {"id": alert.id, "name": what},
            "allowed_actions": [*sorted(alert.actions)],
        },
        evidence=(f"The alert was read just now; it allows {', '.join(alert.actions)}.",),
    )


def _allowed(context: ToolContext, tenant: TenantClient, arguments: ActOnAlert) -> schemas.Alert:
    """The alert, when it allows the action. Raises TargetRefused."""
    alert = alert_of(context, tenant, arguments.alert_id)
    if arguments.action not in alert.actions:
        allowed = ", ".join(alert.actions) or "nothing"
        raise TargetRefused(f"This alert does not allow {arguments.action}: it allows {allowed}.")
    return alert


def _search_action(context: ToolContext, arguments: ActOnAlert, _: JsonValue) -> Outcome:
    try:
        alert = tenant_of(context).alert(arguments.alert_id)
    except VendorNotFound:
        return Outcome("found", "The alert no longer stands.")
    if alert is None or arguments.action not in alert.actions:
        return Outcome("found", "The alert no longer asks for this action.")
    if arguments.action in _TAKES_TIME:
        return Outcome("unclear", "The alert still stands; the computer may not have carried out the order yet.")
    return Outcome("absent", "The alert still stands, and allows the action.")


@tool(
    name="sophos.act_on_alert",
    label="Act on a security alert",
    description="Take one of the actions that an alert of this company allows: acknowledge it, clean what was found, or"
    " clear it. The alert is closed at its source by that.",
    arguments=ActOnAlert,
    title=lambda arguments: f"{_ACTIONS[arguments.action][0]} alert {arguments.alert_id}",
    category=Category.EXECUTE,
    risk=Risk.MEDIUM,
    endpoints=(*endpoints.LOCATING, endpoints.ALERT, endpoints.ACT_ON_ALERT),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=ALERT_SECONDS,
    undo=UNDO_ACTION,
    preview=_preview_action,
    search=_search_action,
)
def act_on_alert(context: ToolContext, arguments: ActOnAlert) -> ToolResult:
    tenant = tenant_of(context)
    alert = _allowed(context, tenant, arguments)
    body: dict[str, JsonValue] = {"action": arguments.action, "message": arguments.comment}
    taken = record_of(schemas.Ordered, tenant.act(endpoints.ACT_ON_ALERT, body, alertId=alert.id), label=LABEL)
    return ToolResult(
        content={"alert_id": alert.id, "action": arguments.action, "status": taken.status or "requested"},
        summary=f"{arguments.action} of “{alert.description[:80]}”: {taken.status or 'requested'}",
    )


def _blocked(tenant: TenantClient, sha256: str) -> schemas.BlockedItem | None:
    return next((one for one in tenant.blocked_items() if one.properties.sha256.lower() == sha256), None)


def _preview_block(context: ToolContext, arguments: BlockHash) -> Preview:
    there = _blocked(tenant_of(context), arguments.sha256)
    if there is not None:
        raise TargetRefused(f"This file is blocked already at {context.company.name}: {there.comment or 'no comment'}.")
    return Preview(
        title=f"Block a file everywhere at {context.company.name}",
        target=f"All computers of {context.company.name}",
        changes=(
            Change(f"SHA-256 {arguments.sha256}", "may run", "blocked on every computer and server"),
            Change("Comment", "", arguments.comment),
        ),
        seen_by=f"Everybody at {context.company.name} who uses this file: it starts no more.",
        undo=UNDO_BLOCK,
        target_state={
            "company": {"id": context.company_external_id, "name": context.company.name},
            "sha256": arguments.sha256,
            "blocked": False,
        },
        sets={"blocked": True},
        evidence=("The list of blocked items was read just now, to its end.",),
    )


def _search_block(context: ToolContext, arguments: BlockHash, _: JsonValue) -> Outcome:
    there = _blocked(tenant_of(context), arguments.sha256)
    if there is None:
        return Outcome("absent", "The file is not among the blocked items.")
    return Outcome("found", "The file is among the blocked items.", ExternalRecord("blocked_item", there.id))


@tool(
    name="sophos.block_hash",
    label="Block a file everywhere",
    description="Block a file by its SHA-256 on every computer and server of this company. A file that is in use stops"
    " working everywhere.",
    arguments=BlockHash,
    title=lambda arguments: f"Block file {arguments.sha256[:12]}… everywhere",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=(*endpoints.LOCATING, endpoints.BLOCKED_ITEMS, endpoints.BLOCK_ITEM),
    outcome=OutcomeStrategy.NATURAL,
    undo=UNDO_BLOCK,
    preview=_preview_block,
    search=_search_block,
)
def block_hash(context: ToolContext, arguments: BlockHash) -> ToolResult:
    body: dict[str, JsonValue] = {
        "type": "sha256",
        "properties": {"sha256": arguments.sha256},
        "comment": arguments.comment,
    }
    made = record_of(schemas.BlockedItem, tenant_of(context).act(endpoints.BLOCK_ITEM, body), label=LABEL)
    return ToolResult(
        content={"blocked_item_id": made.id, "sha256": arguments.sha256},
        summary=f"The file is blocked at {context.company.name}",
        written=ExternalRecord("blocked_item", made.id) if made.id else None,
    )
