"""The tools that cut a computer off and let it out again. Each sends one request, and each is the other's undo.

Sophos answers that it has taken the order; the computer follows when it next asks, an offline one when it comes back.
"""

from __future__ import annotations

from pydantic import Field, JsonValue

from integrations.errors import TargetRefused
from integrations.sophos import endpoints, schemas
from integrations.sophos.client import LABEL
from integrations.sophos.targets import Id, computer_of, computer_state, isolation_words, seen_now, tenant_of
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
from integrations.wire import record_of
from integrations.wording import Reason

_ENDPOINTS = (*endpoints.LOCATING, endpoints.COMPUTER, endpoints.ISOLATION, endpoints.SET_ISOLATION)
UNDO_ISOLATION = "Release the computer (sophos.release_endpoint)."
UNDO_RELEASE = "Isolate the computer again (sophos.isolate_endpoint)."


class Contain(ToolArguments):
    endpoint_id: Id = Field(description="The computer's id in Sophos (list_endpoints).")
    comment: Reason = Field(description="Why, for Sophos's own log.")


def _preview(context: ToolContext, arguments: Contain, *, isolate: bool) -> Preview:
    tenant = tenant_of(context)
    computer = computer_of(context, tenant, arguments.endpoint_id)
    asked = tenant.isolation(computer.id)
    if asked.enabled is isolate:
        raise TargetRefused(_already(computer, isolate=isolate))
    verb, after = ("Isolate", "isolated by an admin") if isolate else ("Release", "not isolated")
    effect = "loses every connection but that to Sophos" if isolate else "is back on the network"
    return Preview(
        title=f"{verb} {computer.name}",
        target=computer.name,
        changes=(
            Change("Isolation", isolation_words(computer), after),
            Change("Comment", asked.comment, arguments.comment),
        ),
        seen_by=f"Whoever works on {computer.name}: it {effect}.",
        undo=UNDO_ISOLATION if isolate else UNDO_RELEASE,
        target_state=computer_state(context, computer, isolation=asked.enabled),
        sets={"isolation": isolate},
        evidence=(seen_now(computer), "The computer and its isolation were read just now."),
    )


def _already(computer: schemas.Computer, *, isolate: bool) -> str:
    if isolate:
        return f"{computer.name} is to be isolated already: {isolation_words(computer)} now."
    if computer.isolation.by_itself:
        return f"{computer.name} isolated itself because of its health: it lets itself out when that is good again."
    return f"{computer.name} is to be out of isolation already: {isolation_words(computer)} now."


def _search(context: ToolContext, arguments: Contain, before: JsonValue, *, isolate: bool) -> Outcome:
    tenant = tenant_of(context)
    computer = computer_of(context, tenant, arguments.endpoint_id)
    asked = tenant.isolation(computer.id)
    if asked.enabled is isolate:
        return Outcome("found", f"Sophos says that {computer.name} is {'isolated' if isolate else 'let out'}.")
    if isinstance(before, dict) and before.get("isolation") is asked.enabled:
        return Outcome("absent", f"The isolation of {computer.name} is as it was before.")
    return Outcome("unclear", f"What the isolation of {computer.name} was before is not known.")


def _order(context: ToolContext, arguments: Contain, *, isolate: bool) -> ToolResult:
    tenant = tenant_of(context)
    computer = computer_of(context, tenant, arguments.endpoint_id)
    body: dict[str, JsonValue] = {"enabled": isolate, "comment": arguments.comment}
    answer = tenant.act(endpoints.SET_ISOLATION, body, endpointId=computer.id)
    taken = record_of(schemas.Isolation, answer, label=LABEL).enabled is isolate
    what = "isolation" if isolate else "release"
    words = f"The {what} of {computer.name} is ordered" if taken else f"Sophos has not confirmed the {what} yet"
    return ToolResult(
        content={
            "endpoint_id": computer.id,
            "hostname": computer.name,
            "ordered": "isolated" if isolate else "not isolated",
            "taken": taken,
            "online": computer.online,
        },
        summary=words if computer.online is not False else f"{words}; it is offline and follows when it comes back",
    )


@tool(
    name="sophos.isolate_endpoint",
    label="Isolate a computer",
    description="Cut one computer of this company off from the network, all but its connection to Sophos. Whoever works"
    " on it can work no more.",
    arguments=Contain,
    title=lambda arguments: f"Isolate computer {arguments.endpoint_id}",
    category=Category.EXECUTE,
    risk=Risk.HIGH,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=_ENDPOINTS,
    outcome=OutcomeStrategy.NATURAL,
    undo=UNDO_ISOLATION,
    preview=lambda context, arguments: _preview(context, arguments, isolate=True),
    search=lambda context, arguments, before: _search(context, arguments, before, isolate=True),
)
def isolate_endpoint(context: ToolContext, arguments: Contain) -> ToolResult:
    return _order(context, arguments, isolate=True)


@tool(
    name="sophos.release_endpoint",
    label="Release a computer from isolation",
    description="Let one isolated computer of this company back on the network. If it is still infected, it can spread"
    " what it has.",
    arguments=Contain,
    title=lambda arguments: f"Release computer {arguments.endpoint_id}",
    category=Category.EXECUTE,
    risk=Risk.HIGH,
    flags={Flag.CLIENT_VISIBLE},
    endpoints=_ENDPOINTS,
    outcome=OutcomeStrategy.NATURAL,
    undo=UNDO_RELEASE,
    preview=lambda context, arguments: _preview(context, arguments, isolate=False),
    search=lambda context, arguments, before: _search(context, arguments, before, isolate=False),
)
def release_endpoint(context: ToolContext, arguments: Contain) -> ToolResult:
    return _order(context, arguments, isolate=False)
