"""The tools that look at what happened: sign-ins, the directory's log, risks, devices, alerts. In one tenant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from integrations.microsoft365 import endpoints
from integrations.microsoft365.reading import NoArguments
from integrations.microsoft365.schemas_watch import Alert, Audit, Device, RiskyUser, SignIn
from integrations.microsoft365.targets import UserName, moment, quoted, tenant_of, user_of
from integrations.tools import Risk, ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, counted

LOOK_BACK = timedelta(days=7)
"""How far sign-ins and the log are read where nobody says since when: the vendor is slow on longer ones."""


class SignIns(ToolArguments):
    user: UserName | None = Field(None, description="Only of this account; without it of all.")
    since: AwareDatetime | None = Field(
        None, description="Only at or after this moment; without it of the last 7 days."
    )
    limit: Limit = Field(30, description="At most so many, the newest first.")


class AuditLog(ToolArguments):
    since: AwareDatetime | None = Field(
        None, description="Only at or after this moment; without it of the last 7 days."
    )
    limit: Limit = Field(50, description="At most so many, the newest first.")


class ManagedDevices(ToolArguments):
    user: UserName | None = Field(None, description="Only of this account; without it of all.")
    limit: Limit = Field(50, description="At most so many devices.")


class SecurityAlerts(ToolArguments):
    severity: Literal["informational", "low", "medium", "high"] | None = Field(
        None, description="Only of this severity."
    )
    limit: Limit = Field(30, description="At most so many alerts, the newest first.")


@tool(
    name="microsoft365.sign_ins",
    label="Read sign-ins",
    description="Sign-ins of one account or of all of this company, the newest first: when, from where, with what, and"
    " whether they succeeded. Needs Entra ID P1.",
    arguments=SignIns,
    title=lambda arguments: f"Read sign-ins of {arguments.user or 'the company'}",
    risk=Risk.MEDIUM,
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.SIGN_INS),
)
def sign_ins(context: ToolContext, arguments: SignIns) -> ToolResult:
    user = user_of(context, arguments.user) if arguments.user else None
    asked = f"createdDateTime ge {_since(arguments.since)}"
    if user is not None:
        asked += f" and userId eq {quoted(user.id)}"
    query = [("$filter", asked), ("$top", str(arguments.limit)), ("$orderby", "createdDateTime desc")]
    read = islice(tenant_of(context).rows(SignIn, endpoints.SIGN_INS, query), arguments.limit)
    found = [one for one in read if user is None or one.user_id.lower() == user.id.lower()]
    rows: list[JsonValue] = [
        {
            "at": one.at,
            "user": one.upn,
            "app": one.app,
            "client": one.client,
            "address": one.address,
            "place": ", ".join(filter(None, [one.place.city, one.place.country])),
            "succeeded": one.status.code == 0,
            "reason": one.status.reason,
            "device": one.device.name or one.device.system,
            "conditional_access": one.access,
            "risk": one.risk,
        }
        for one in found
    ]
    failed = sum(one.status.code != 0 for one in found)
    places = sorted({one.place.country for one in found if one.place.country and one.status.code == 0})
    summary = counted(len(found), "sign-in") + (f", {failed} failed" if failed else "")
    return ToolResult(
        content={"sign_ins": rows}, summary=summary + (f"; from {', '.join(places)}" if places else ""), records=found
    )


@tool(
    name="microsoft365.audit_log",
    label="Read the directory's log",
    description="What was changed in this company's directory, by whom, the newest first: accounts, groups, sign-in"
    " methods, applications.",
    arguments=AuditLog,
    title=lambda _: "Read the directory's log",
    endpoints=(endpoints.AUDITS,),
)
def audit_log(context: ToolContext, arguments: AuditLog) -> ToolResult:
    asked = f"activityDateTime ge {_since(arguments.since)}"
    query = [("$filter", asked), ("$top", str(arguments.limit)), ("$orderby", "activityDateTime desc")]
    found = list(islice(tenant_of(context).rows(Audit, endpoints.AUDITS, query), arguments.limit))
    rows: list[JsonValue] = [
        {
            "at": one.at,
            "activity": one.activity,
            "category": one.category,
            "result": one.result,
            "by": one.by.words,
            "targets": [target.upn or target.name for target in one.targets[:5]],
        }
        for one in found
    ]
    return ToolResult(content={"log": rows}, summary=counted(len(found), "line"), records=found)


@tool(
    name="microsoft365.risky_users",
    label="Read accounts at risk",
    description="Accounts of this company that Microsoft holds for endangered, with level and reason. Needs Entra ID"
    " P1 or P2.",
    arguments=NoArguments,
    title=lambda _: "Read accounts at risk",
    endpoints=(endpoints.RISKY_USERS,),
)
def risky_users(context: ToolContext, arguments: NoArguments) -> ToolResult:
    query = [("$filter", "riskState eq 'atRisk' or riskState eq 'confirmedCompromised'"), ("$top", "100")]
    read = tenant_of(context).rows(RiskyUser, endpoints.RISKY_USERS, query)
    found = [one for one in read if one.state in ("atRisk", "confirmedCompromised")]
    rows: list[JsonValue] = [
        {"user": one.upn, "name": one.name, "level": one.level, "state": one.state, "why": one.detail, "since": one.at}
        for one in found
    ]
    return ToolResult(
        content={"users": rows},
        summary=", ".join(one.upn for one in found[:5]) or "No account is at risk",
        records=found,
    )


@tool(
    name="microsoft365.managed_devices",
    label="Read managed devices",
    description="Devices of this company that Intune manages: whether compliant, encrypted, when last seen, and whose.",
    arguments=ManagedDevices,
    title=lambda arguments: f"Read managed devices of {arguments.user or 'the company'}",
    endpoints=(endpoints.USERS, endpoints.USER, endpoints.MANAGED_DEVICES),
)
def managed_devices(context: ToolContext, arguments: ManagedDevices) -> ToolResult:
    user = user_of(context, arguments.user) if arguments.user else None
    query = [("$filter", f"userPrincipalName eq {quoted(user.upn)}")] if user is not None else []
    read = tenant_of(context).rows(Device, endpoints.MANAGED_DEVICES, query)
    found = [one for one in read if user is None or one.user_id.lower() == user.id.lower()]
    rows: list[JsonValue] = [
        {
            "device_id": one.id,
            "name": one.name,
            "user": one.upn,
            "system": f"{one.system} {one.version}".strip(),
            "model": f"{one.maker} {one.model}".strip(),
            "serial_number": one.serial_number,
            "compliance": one.compliance,
            "encrypted": one.encrypted,
            "last_seen": one.synced_at,
        }
        for one in found[: arguments.limit]
    ]
    bad = sum(one.compliance == "noncompliant" for one in found)
    return ToolResult(
        content={"devices": rows, "left_out": len(found) - len(rows)},
        summary=counted(len(found), "device") + (f", {bad} not compliant" if bad else ""),
        records=found[: arguments.limit],
    )


@tool(
    name="microsoft365.security_alerts",
    label="Read security alerts",
    description="Alerts of Microsoft Defender for this company that are not resolved, the newest first.",
    arguments=SecurityAlerts,
    title=lambda _: "Read security alerts",
    endpoints=(endpoints.ALERTS,),
)
def security_alerts(context: ToolContext, arguments: SecurityAlerts) -> ToolResult:
    asked = "(status eq 'new' or status eq 'inProgress')" + (
        f" and severity eq '{arguments.severity}'" if arguments.severity else ""
    )
    read = tenant_of(context).rows(Alert, endpoints.ALERTS, [("$filter", asked), ("$top", "100")])
    found = [one for one in read if one.status != "resolved" and arguments.severity in (None, one.severity)]
    found.sort(key=lambda one: one.created, reverse=True)
    rows: list[JsonValue] = [
        {
            "id": one.id,
            "title": one.title,
            "severity": one.severity,
            "status": one.status,
            "category": one.category,
            "source": one.source,
            "since": one.created,
            "description": one.description[:500],
            "advice": one.advice[:500],
            "url": one.url,
        }
        for one in found[: arguments.limit]
    ]
    return ToolResult(
        content={"alerts": rows, "left_out": len(found) - len(rows)},
        summary=counted(len(found), "open alert"),
        records=found[: arguments.limit],
    )


def _since(told: datetime | None) -> str:
    return moment(told if isinstance(told, datetime) else datetime.now(UTC) - LOOK_BACK)
