"""The tools that tell how well a company is protected: isolation, tamper protection, account health, cases."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from integrations.sophos import endpoints
from integrations.sophos.reading import OneEndpoint, first
from integrations.sophos.targets import computer_of, isolation_words, moment, tenant_of
from integrations.sophos.tenant import Query
from integrations.tools import DefaultPolicy, Risk, ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import counted

CaseStatus = Literal["new", "investigating", "onHold", "actionRequired", "resolved"]


class AccountHealth(ToolArguments):
    pass


class ListCases(ToolArguments):
    status: CaseStatus | None = Field(None, description="Only cases of this status.")
    limit: Annotated[int, Field(ge=1, le=100)] = Field(25, description="At most so many cases.")


@tool(
    name="sophos.isolation_status",
    label="Read a computer's isolation",
    description="Whether one computer of this company is cut off from the network, who asked for it and why.",
    arguments=OneEndpoint,
    title=lambda arguments: f"Read isolation of computer {arguments.endpoint_id}",
    endpoints=(*endpoints.LOCATING, endpoints.COMPUTER, endpoints.ISOLATION),
)
def isolation_status(context: ToolContext, arguments: OneEndpoint) -> ToolResult:
    tenant = tenant_of(context)
    computer = computer_of(context, tenant, arguments.endpoint_id)
    asked = tenant.isolation(computer.id)
    shown: dict[str, JsonValue] = {
        "endpoint_id": computer.id,
        "hostname": computer.name,
        "isolated_now": isolation_words(computer),
        "asked_for": "isolated" if asked.enabled else "not isolated",
        "comment": asked.comment,
        "last_isolated_at": moment(asked.enabled_at),
        "last_isolated_by": asked.enabled_by.name,
        "last_released_at": moment(asked.disabled_at),
        "last_released_by": asked.disabled_by.name,
    }
    return ToolResult(
        content={name: value for name, value in shown.items() if value != ""},
        summary=f"{computer.name} is {isolation_words(computer)}",
        records=(computer, asked),
    )


@tool(
    name="sophos.tamper_status",
    label="Read a computer's tamper protection",
    description="Whether tamper protection is on for one computer of this company. Its passwords are not read.",
    arguments=OneEndpoint,
    title=lambda arguments: f"Read tamper protection of computer {arguments.endpoint_id}",
    risk=Risk.MEDIUM,
    # the vendor's answer holds passwords; they are dropped on arrival, so nothing secret is shown, and it asks even so
    policy=DefaultPolicy.ONCE,
    endpoints=(*endpoints.LOCATING, endpoints.COMPUTER, endpoints.TAMPER_PROTECTION),
)
def tamper_status(context: ToolContext, arguments: OneEndpoint) -> ToolResult:
    tenant = tenant_of(context)
    computer = computer_of(context, tenant, arguments.endpoint_id)
    is_on = tenant.tamper_protection(computer.id).enabled
    return ToolResult(
        content={"endpoint_id": computer.id, "hostname": computer.name, "tamper_protection": "on" if is_on else "off"},
        summary=f"{computer.name}: tamper protection is {'on' if is_on else 'off'}",
    )


@tool(
    name="sophos.account_health",
    label="Read the account's health",
    description="How well this company's Sophos account is set up: computers not fully protected, policies off the"
    " recommended settings, risky exclusions, tamper protection off.",
    arguments=AccountHealth,
    title=lambda _: "Read the account's health",
    endpoints=(*endpoints.LOCATING, endpoints.HEALTH_CHECK),
)
def account_health(context: ToolContext, arguments: AccountHealth) -> ToolResult:
    found = tenant_of(context).health_check().get("endpoint")
    checks: list[JsonValue] = _checks(found if isinstance(found, dict) else {}, ())
    worst = min(
        (one["score"] for one in checks if isinstance(one, dict) and isinstance(one["score"], int)), default=None
    )
    summary = f"Lowest score {worst} of 100" if worst is not None else "Sophos gives no scores"
    return ToolResult(content={"checks": checks[:40]}, summary=summary)


@tool(
    name="sophos.list_cases",
    label="List security cases",
    description="The cases of this company in Sophos: what analysts or the team itself look into, and how far it is.",
    arguments=ListCases,
    title=lambda _: "List security cases",
    endpoints=(*endpoints.LOCATING, endpoints.CASES),
)
def list_cases(context: ToolContext, arguments: ListCases) -> ToolResult:
    query: Query = [("status", arguments.status)] if arguments.status else []
    fitting = (one for one in tenant_of(context).cases(query) if arguments.status in (None, one.status))
    found, more = first(fitting, arguments.limit)
    rows: list[JsonValue] = [
        {
            "id": one.id,
            "name": one.name,
            "type": one.kind,
            "status": one.status,
            "severity": one.severity,
            "created_at": moment(one.created),
        }
        for one in found
    ]
    return ToolResult(
        content={"cases": rows, "more": more}, summary=counted(len(rows), "case", more=more), records=found
    )


def _checks(found: dict[str, JsonValue], above: tuple[str, ...]) -> list[JsonValue]:
    """Each check that has a score, by its place: "protection server", with the numbers beside the score."""
    if isinstance(found.get("score"), int):
        numbers = {name: value for name, value in found.items() if isinstance(value, bool | int)}
        return [{"check": " ".join(above), **numbers}]
    return [check for name, part in found.items() if isinstance(part, dict) for check in _checks(part, (*above, name))]
