"""The tools that ask something of the agent on a computer: a scan, a look for updates. Neither changes a setting."""

from __future__ import annotations

from pydantic import JsonValue

from integrations.sophos import endpoints, schemas
from integrations.sophos.client import LABEL
from integrations.sophos.reading import OneEndpoint
from integrations.sophos.targets import computer_of, computer_state, moment, seen_now, tenant_of
from integrations.sophos.tenant import TenantClient
from integrations.tools import Category, Change, Outcome, OutcomeStrategy, Preview, Risk, ToolContext, ToolResult, tool
from integrations.warrants import Endpoint
from integrations.wire import record_of

SCAN_ENDED = "Event::Endpoint::SavScanComplete"
UNDO = "There is nothing to take back."


def _last_scan(tenant: TenantClient, computer: schemas.Computer) -> str:
    """When a scan of the computer last ended, within the events of a day; empty where none did."""
    ended = [
        one.at for one in tenant.events() if one.kind == SCAN_ENDED and one.computer_id.lower() == computer.id.lower()
    ]
    return max(filter(None, map(moment, ended)), default="")


def _preview_scan(context: ToolContext, arguments: OneEndpoint) -> Preview:
    tenant = tenant_of(context)
    computer = computer_of(context, tenant, arguments.endpoint_id)
    last = _last_scan(tenant, computer)
    return Preview(
        title=f"Scan {computer.name}",
        target=computer.name,
        changes=(Change("Scan", f"last one ended {last}" if last else "none ended within a day", "asked for"),),
        seen_by=f"Whoever works on {computer.name}: it may be slow for some hours.",
        undo=UNDO,
        target_state=computer_state(context, computer, last_scan=last),
        evidence=(seen_now(computer), "The computer and the events of the last day were read just now."),
    )


def _search_scan(context: ToolContext, arguments: OneEndpoint, before: JsonValue) -> Outcome:
    """A scan that has ended since proves it; none proves nothing, as one may still run or wait."""
    tenant = tenant_of(context)
    computer = computer_of(context, tenant, arguments.endpoint_id)
    last, known = _last_scan(tenant, computer), before.get("last_scan") if isinstance(before, dict) else None
    if isinstance(known, str) and last > known:
        return Outcome("found", f"A scan of {computer.name} ended at {last}.")
    return Outcome("unclear", f"No scan of {computer.name} has ended since; one may still be running or waiting.")


@tool(
    name="sophos.scan_endpoint",
    label="Scan a computer",
    description="Have Sophos scan one computer of this company now. Findings come as events and alerts.",
    arguments=OneEndpoint,
    title=lambda arguments: f"Scan computer {arguments.endpoint_id}",
    category=Category.EXECUTE,
    risk=Risk.LOW,
    endpoints=(*endpoints.LOCATING, endpoints.COMPUTER, endpoints.EVENTS, endpoints.SCAN),
    outcome=OutcomeStrategy.OBSERVE,
    undo=UNDO,
    preview=_preview_scan,
    search=_search_scan,
)
def scan_endpoint(context: ToolContext, arguments: OneEndpoint) -> ToolResult:
    return _order(context, arguments, endpoints.SCAN, "A scan")


def _preview_update(context: ToolContext, arguments: OneEndpoint) -> Preview:
    computer = computer_of(context, tenant_of(context), arguments.endpoint_id)
    versions = ", ".join(f"{one.code} {one.version}" for one in computer.products if one.version)
    return Preview(
        title=f"Look for updates of the agent on {computer.name}",
        target=computer.name,
        changes=(Change("Agent", versions or "version unknown", "looks for updates now"),),
        seen_by=f"{context.organization.name} only; an update that is found may ask for a restart later.",
        undo=UNDO,
        target_state=computer_state(context, computer),
        evidence=(seen_now(computer), "The computer was read just now."),
    )


@tool(
    name="sophos.check_update",
    label="Look for updates of the agent",
    description="Have the Sophos agent on one computer of this company look for its own updates now.",
    arguments=OneEndpoint,
    title=lambda arguments: f"Look for updates on computer {arguments.endpoint_id}",
    category=Category.EXECUTE,
    risk=Risk.LOW,
    endpoints=(*endpoints.LOCATING, endpoints.COMPUTER, endpoints.CHECK_UPDATE),
    outcome=OutcomeStrategy.ASK,
    undo=UNDO,
    preview=_preview_update,
)
def check_update(context: ToolContext, arguments: OneEndpoint) -> ToolResult:
    return _order(context, arguments, endpoints.CHECK_UPDATE, "A look for updates")


def _order(context: ToolContext, arguments: OneEndpoint, endpoint: Endpoint, what: str) -> ToolResult:
    tenant = tenant_of(context)
    computer = computer_of(context, tenant, arguments.endpoint_id)
    # the vendor refuses a POST without any body
    ordered = record_of(schemas.Ordered, tenant.act(endpoint, {}, endpointId=computer.id), label=LABEL)
    waits = "" if computer.online is not False else "; it is offline and follows when it comes back"
    return ToolResult(
        content={"endpoint_id": computer.id, "hostname": computer.name, "status": ordered.status or "requested"},
        summary=f"{what} of {computer.name} is ordered{waits}"
        if what == "A scan"
        else f"{what} on {computer.name} is ordered{waits}",
    )
