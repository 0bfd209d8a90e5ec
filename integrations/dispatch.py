"""Running tools: the only functions that call one. `approvals.execution` alone imports this module (HOUSE 2).

Never to be called inside a transaction: the network is waited for.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pydantic import JsonValue

from integrations.company_consents import noting_consent
from integrations.connections import linked, open_client
from integrations.errors import OutcomeUnknown, ToolRefused, WarrantRefused
from integrations.marks import References, none_of
from integrations.mcp.tools import ServedTool
from integrations.models import ExternalRef
from integrations.texts import redacted, without_passwords
from integrations.toolbox import Reach, reach_of
from integrations.tools import (
    OWN_VENDOR,
    AnyTool,
    ExternalRecord,
    Outcome,
    OutcomeStrategy,
    Preview,
    ToolArguments,
    ToolContext,
    ToolResult,
)
from integrations.warrants import Errand, Traffic, Warrant
from junto.canonical import digest
from junto.tenants.models import Company, Organization

T = TypeVar("T")

Arguments = Mapping[str, JsonValue]


def call_tool(
    *,
    tool: AnyTool,
    arguments: Arguments,
    organization: Organization,
    company: Company,
    subject: str = "",
    warrant: Warrant | None = None,
    seen: JsonValue = None,
    drawn_secret: str = "",
    not_for_company: References = none_of,
    deadline_seconds: float = 60.0,
) -> ToolResult:
    """Run a tool for one company. A write needs the warrant of its claimed action, is told what the claim has `seen`,
    and gets the secret that was drawn with it. Whatever the tool, passwords are cut out of the texts of its answer, and
    what Junto wrote there for another company, as `not_for_company` tells of its actions.

    Raises:
        OutcomeUnknown: a write left and nobody knows whether it happened.
        IntegrationError: it was not done, for certain.
    """
    frozen = tool.freeze(arguments)
    if tool.is_write and warrant is None:
        raise WarrantRefused(f"{tool.name} changes something, and no claimed action stands behind it.")
    reach = _reach(tool, organization, company)
    errand = Errand(
        deadline=time.monotonic() + deadline_seconds,
        endpoints=tool.endpoints,
        tool_pin=tool.pin,
        digest=digest(frozen),
        warrant=warrant,
    )
    try:
        result = _with_context(
            lambda context, accepted: _cleaned(tool.run(context, accepted)),
            tool.accept(frozen),
            errand=errand,
            reach=reach,
            organization=organization,
            company=company,
            subject=subject,
            action_id=warrant.action_id if warrant else None,
            seen=seen,
            drawn_secret=drawn_secret,
            not_for_company=not_for_company,
        )
    except OutcomeUnknown:
        raise
    except Exception as error:
        if errand.effect_possible:
            raise OutcomeUnknown(f"The change was sent, but its answer could not be understood: {error}") from error
        raise
    if warrant is not None:
        _remember(reach, result.written, warrant.action_id)
    return result


def preview_tool(
    *,
    tool: AnyTool,
    arguments: Arguments,
    organization: Organization,
    company: Company,
    subject: str = "",
    deadline_seconds: float = 20.0,
) -> Preview:
    """What a write would do, from the live target, by reads alone.

    Raises:
        IntegrationError: it cannot be told; TargetRefused among them for a record that is not the company's.
    """
    if tool.preview is None:
        raise ToolRefused(f"{tool.name} only looks something up and has no preview.")
    return _with_context(
        tool.preview,
        tool.accept(arguments),
        errand=_reads_of(tool, deadline_seconds),
        reach=_reach(tool, organization, company),
        organization=organization,
        company=company,
        subject=subject,
    )


def observe_target(
    *,
    tool: AnyTool,
    arguments: Arguments,
    organization: Organization,
    company: Company,
    subject: str = "",
    deadline_seconds: float = 20.0,
) -> JsonValue:
    """The target's state now, as `Preview.target_state` held it before. Raises IntegrationError."""
    return preview_tool(
        tool=tool,
        arguments=arguments,
        organization=organization,
        company=company,
        subject=subject,
        deadline_seconds=deadline_seconds,
    ).target_state


def search_outcome(
    *,
    tool: AnyTool,
    arguments: Arguments,
    organization: Organization,
    company: Company,
    action_id: uuid.UUID,
    before: JsonValue,
    deadline: datetime,
    subject: str = "",
    deadline_seconds: float = 20.0,
) -> Outcome:
    """Whether a write of unknown outcome happened, read from the vendor.

    `before` is the target's state at the claim, `deadline` the warrant's. Not finding it proves nothing until the
    request's time is over and, for a mark or a log, the vendor's index has settled; until then the answer is "unclear".

    Raises:
        IntegrationError: the vendor could not be asked.
    """
    if tool.search is None:
        return Outcome("unclear", f"{tool.label} leaves no trace that could be looked for: only a person can tell.")
    search, reach = tool.search, _reach(tool, organization, company)
    outcome = _with_context(
        lambda context, accepted: search(context, accepted, before),
        tool.accept(arguments),
        errand=_reads_of(tool, deadline_seconds),
        reach=reach,
        organization=organization,
        company=company,
        subject=subject,
        action_id=action_id,
    )
    _remember(reach, outcome.written, action_id)
    lag = tool.settle_seconds if tool.outcome in (OutcomeStrategy.MARKER, OutcomeStrategy.OBSERVE) else 0.0
    settled = deadline + timedelta(seconds=lag)
    if outcome.verdict == "absent" and datetime.now(UTC) < settled:
        return Outcome("unclear", f"{outcome.evidence} It may still happen until {settled:%H:%M:%S} UTC.")
    return outcome


def _cleaned(result: ToolResult) -> ToolResult:
    """The answer as models and people read it: people type passwords into notes, names and descriptions everywhere."""
    return replace(result, content=without_passwords(result.content), summary=redacted(result.summary))


def _with_context(
    run: Callable[[ToolContext, ToolArguments], T],
    accepted: ToolArguments,
    *,
    errand: Errand,
    reach: Reach | None,
    organization: Organization,
    company: Company,
    subject: str,
    action_id: uuid.UUID | None = None,
    seen: JsonValue = None,
    drawn_secret: str = "",
    not_for_company: References = none_of,
) -> T:
    """Run with a context built for this call, its client closed at the end."""
    if company.organization_id != organization.pk:
        raise ToolRefused("The company belongs to another organization.")
    with closing(open_client(reach.connection, errand)) if reach else nullcontext() as client:
        context = ToolContext(
            organization=organization,
            company=company,
            client=client,
            company_external_id=reach.external_id if reach else "",
            connection_id=reach.connection.pk if reach else None,
            subject=subject,
            action_id=action_id,
            seen=seen,
            drawn_secret=drawn_secret,
            not_for_company=not_for_company,
        )
        with noting_consent(client, reach.connection, company) if reach else nullcontext():
            return run(context, accepted)


def _reach(tool: AnyTool, organization: Organization, company: Company) -> Reach | None:
    if isinstance(tool, ServedTool):
        return reach_of(tool, organization, company)
    if tool.vendor == OWN_VENDOR:
        return None
    link = linked(organization, company, tool.vendor)
    return Reach(link.connection, link.external_id)


def _remember(reach: Reach | None, written: ExternalRecord | None, action_id: uuid.UUID) -> None:
    """Keep what a write left at the vendor, so that its coming back is known as our own echo."""
    if reach is not None and written is not None:
        ExternalRef.objects.for_organization(reach.connection.organization).get_or_create(
            connection=reach.connection,
            kind=written.kind,
            external_id=written.id,
            defaults={"organization_id": reach.connection.organization_id, "action_id": action_id},
        )


def _reads_of(tool: AnyTool, seconds: float) -> Errand:
    """An errand on which a write tool may do its look-ups, and no write whatever warrant there is."""
    reads = frozenset(one for one in tool.endpoints if one.traffic is Traffic.READ)
    return Errand(deadline=time.monotonic() + seconds, endpoints=reads, tool_pin=tool.pin)
