"""The tools that look up computers, alerts and events. Lists are cut to the signal's company, and short."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Literal, TypeVar

from pydantic import AwareDatetime, Field, JsonValue

from integrations.errors import TargetRefused
from integrations.sophos import endpoints, schemas
from integrations.sophos.targets import Id, alert_of, computer_of, isolation_words, moment, tenant_of
from integrations.sophos.tenant import Query
from integrations.tools import ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, Words, counted

LONGEST_TEXT = 500
EVENT_HOURS = 24

T = TypeVar("T")


class ListEndpoints(ToolArguments):
    hostname: Words | None = Field(None, description="Only computers whose name contains this.")
    health: Literal["good", "suspicious", "bad", "unknown"] | None = Field(
        None, description="Only computers of this health."
    )
    isolated: bool | None = Field(None, description="Only computers that are isolated, or only those that are not.")
    limit: Limit = Field(50, description="At most so many computers.")


class OneEndpoint(ToolArguments):
    endpoint_id: Id = Field(description="The computer's id in Sophos (list_endpoints).")


class ListAlerts(ToolArguments):
    severity: Literal["low", "medium", "high"] | None = Field(None, description="Only alerts of this severity.")
    endpoint_id: Id | None = Field(None, description="Only alerts of this computer (list_endpoints).")
    since: AwareDatetime | None = Field(None, description="Only alerts raised at or after this moment.")
    until: AwareDatetime | None = Field(None, description="Only alerts raised before this moment.")
    limit: Limit = Field(25, description="At most so many alerts, the newest first.")


class OneAlert(ToolArguments):
    alert_id: Id = Field(description="The alert (list_alerts: id).")


class ListEvents(ToolArguments):
    endpoint_id: Id | None = Field(None, description="Only what happened on this computer (list_endpoints).")
    since: AwareDatetime | None = Field(None, description="Only from this moment on, at most 24 hours ago.")
    limit: Limit = Field(50, description="At most so many lines, the newest first.")


@tool(
    name="sophos.list_endpoints",
    label="List protected computers",
    description="The computers and servers of this company in Sophos: health, whether online or isolated, last seen.",
    arguments=ListEndpoints,
    title=lambda arguments: (
        f"Find computer “{arguments.hostname}”" if arguments.hostname else "List protected computers"
    ),
    endpoints=(*endpoints.LOCATING, endpoints.LIST_COMPUTERS),
)
def list_endpoints(context: ToolContext, arguments: ListEndpoints) -> ToolResult:
    query: Query = []
    if arguments.hostname:
        query.append(("hostnameContains", arguments.hostname))
    if arguments.health:
        query.append(("healthStatus", arguments.health))
    if arguments.isolated is not None:
        query.append(("isolationStatus", "isolated" if arguments.isolated else "notIsolated"))
    # a filter that the vendor passes over would make everything look found, so that each record is looked at here, too
    fitting = (one for one in tenant_of(context).computers(query) if _is_wanted(one, arguments))
    found, more = first(fitting, arguments.limit)
    rows: list[JsonValue] = [_computer_line(one) for one in found]
    summary = found[0].name if len(found) == 1 and not more else counted(len(found), "computer", more=more)
    return ToolResult(content={"endpoints": rows, "more": more}, summary=summary, records=found)


@tool(
    name="sophos.get_endpoint",
    label="Read a protected computer",
    description="One computer of this company in Sophos: health with its causes, system, addresses, user, versions of"
    " the agent, isolation.",
    arguments=OneEndpoint,
    title=lambda arguments: f"Read computer {arguments.endpoint_id}",
    endpoints=(*endpoints.LOCATING, endpoints.COMPUTER),
)
def get_endpoint(context: ToolContext, arguments: OneEndpoint) -> ToolResult:
    computer = computer_of(context, tenant_of(context), arguments.endpoint_id)
    failing: list[JsonValue] = [
        f"{one.name}: {one.status}" for one in computer.health.services.details if one.status != "running"
    ]
    products: list[JsonValue] = [
        f"{one.code} {one.version}".strip() for one in computer.products if one.status != "notInstalled"
    ]
    shown: dict[str, JsonValue] = {
        **_computer_line(computer),
        "threats": computer.health.threats.status,
        "services": computer.health.services.status,
        "services_not_running": failing[:20],
        "operating_system": computer.system.name,
        "addresses": [*computer.addresses[:10]],
        "mac_addresses": [*computer.mac_addresses[:10]],
        "products": products[:20],
        "group": computer.group.name,
        "tamper_protected": computer.tamper_protected,
    }
    return ToolResult(
        content={name: value for name, value in shown.items() if value not in ("", [], None)},
        summary=f"{computer.name}, health {computer.health.overall or 'unknown'}, {isolation_words(computer)}",
        records=(computer,),
    )


@tool(
    name="sophos.list_alerts",
    label="List security alerts",
    description="The alerts of this company that wait in Sophos, the newest first: what was found, where, how severe,"
    " and which actions each allows.",
    arguments=ListAlerts,
    title=lambda _: "List security alerts",
    endpoints=(*endpoints.LOCATING, endpoints.LIST_ALERTS),
)
def list_alerts(context: ToolContext, arguments: ListAlerts) -> ToolResult:
    query: Query = []
    if arguments.severity:
        query.append(("severity", arguments.severity))
    for name, bound in (("from", arguments.since), ("to", arguments.until)):
        if bound is not None:
            query.append((name, bound.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")))
    fitting = (one for one in tenant_of(context).alerts(query) if _fits(one, arguments))
    found, more = first(fitting, arguments.limit)
    rows: list[JsonValue] = [_alert_line(one) for one in found]
    return ToolResult(
        content={"alerts": rows, "more": more}, summary=counted(len(found), "alert", more=more), records=found
    )


@tool(
    name="sophos.get_alert",
    label="Read a security alert",
    description="One alert of this company in Sophos, with the actions that it allows.",
    arguments=OneAlert,
    title=lambda arguments: f"Read alert {arguments.alert_id}",
    endpoints=(*endpoints.LOCATING, endpoints.ALERT),
)
def get_alert(context: ToolContext, arguments: OneAlert) -> ToolResult:
    alert = alert_of(context, tenant_of(context), arguments.alert_id)
    return ToolResult(
        content=_alert_line(alert), summary=alert.description[:100] or alert.kind or "An alert", records=(alert,)
    )


@tool(
    name="sophos.list_events",
    label="List security events",
    description="What Sophos saw in this company within the last 24 hours, the newest first: detections, clean-ups,"
    " scans, updates.",
    arguments=ListEvents,
    title=lambda _: "List security events",
    endpoints=(*endpoints.LOCATING, endpoints.EVENTS),
)
def list_events(context: ToolContext, arguments: ListEvents) -> ToolResult:
    since = arguments.since
    if since is not None and since < datetime.now(UTC) - timedelta(hours=EVENT_HOURS):
        raise TargetRefused(f"Sophos tells events of the last {EVENT_HOURS} hours only.")
    asked = int(since.timestamp()) if since is not None else None
    fitting = [
        one
        for one in tenant_of(context).events(since=asked)
        if arguments.endpoint_id in (None, one.computer_id.lower()) and _not_before(one.at, since)
    ]
    fitting.sort(key=lambda one: moment(one.at), reverse=True)
    found, more = first(iter(fitting), arguments.limit)
    rows: list[JsonValue] = [
        {
            "at": moment(one.at),
            "severity": one.severity,
            "type": one.kind,
            "text": one.name[:LONGEST_TEXT],
            "computer": one.location,
            "endpoint_id": one.computer_id,
            "user": one.source,
        }
        for one in found
    ]
    return ToolResult(
        content={"events": rows, "more": more}, summary=counted(len(rows), "event", more=more), records=found
    )


def first(records: Iterator[T], limit: int) -> tuple[list[T], bool]:
    """The first records of a list that is read no further than needed, and whether there are more."""
    found = list(islice(records, limit + 1))
    return found[:limit], len(found) > limit


def _is_wanted(computer: schemas.Computer, arguments: ListEndpoints) -> bool:
    is_isolated = computer.isolation.status == "isolated"
    return (
        (arguments.hostname or "").casefold() in computer.hostname.casefold()
        and arguments.health in (None, computer.health.overall)
        and arguments.isolated in (None, is_isolated)
    )


def _fits(alert: schemas.Alert, arguments: ListAlerts) -> bool:
    raised = schemas.moment_of(alert.raised)
    return (
        arguments.severity in (None, alert.severity)
        and arguments.endpoint_id in (None, alert.agent.id.lower())
        and _not_before(alert.raised, arguments.since)
        and (arguments.until is None or (raised is not None and raised < arguments.until))
    )


def _not_before(text: str, since: datetime | None) -> bool:
    told = schemas.moment_of(text)
    return since is None or (told is not None and told >= since)


def _computer_line(computer: schemas.Computer) -> dict[str, JsonValue]:
    return {
        "id": computer.id,
        "hostname": computer.name,
        "type": computer.kind,
        "health": computer.health.overall or "unknown",
        "online": computer.online,
        "isolation": isolation_words(computer),
        "last_seen": moment(computer.last_seen),
        "user": computer.person.name,
    }


def _alert_line(alert: schemas.Alert) -> dict[str, JsonValue]:
    return {
        "id": alert.id,
        "text": alert.description[:LONGEST_TEXT],
        "severity": alert.severity,
        "category": alert.category,
        "type": alert.kind,
        "raised_at": moment(alert.raised),
        "endpoint_id": alert.agent.id,
        "computer": alert.agent.name,
        "allowed_actions": [*alert.actions],
    }
