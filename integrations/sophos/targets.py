"""Computers and alerts that a call may touch: looked up here, and of the signal's own company or refused (I7)."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from pydantic import JsonValue, StringConstraints

from integrations.errors import TargetRefused, ToolUnavailable, VendorNotFound
from integrations.sophos import schemas
from integrations.sophos.client import LABEL, SophosClient
from integrations.sophos.tenant import TenantClient
from integrations.tools import ToolContext
from integrations.wire import is_uuid

_WAITS = {"isolated": "isolated", "notIsolated": "not isolated"}


Id = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
    ),
]
"""A record's id at Sophos."""


def tenant_of(context: ToolContext) -> TenantClient:
    """The company's tenant, fenced by its id from the link and by nothing that a model says. Raises ToolUnavailable."""
    if not isinstance(context.client, SophosClient):
        raise ToolUnavailable(f"{LABEL} is not connected.")
    if not is_uuid(context.company_external_id):
        raise ToolUnavailable(f"{context.company.name} is not linked to a tenant in {LABEL}.")
    return TenantClient(context.client, context.company_external_id)


def computer_of(context: ToolContext, tenant: TenantClient, computer_id: str) -> schemas.Computer:
    """The computer, when it belongs to the company.

    Raises:
        TargetRefused: it does not, or is not there; which of the two is not told.
    """
    try:
        computer = tenant.computer(computer_id)
    except VendorNotFound:
        computer = None
    if computer is None:
        raise TargetRefused(f"{computer_id} is not a computer of {context.company.name}.")
    return computer


def alert_of(context: ToolContext, tenant: TenantClient, alert_id: str) -> schemas.Alert:
    """The alert, when it belongs to the company and still waits. Raises TargetRefused."""
    try:
        alert = tenant.alert(alert_id)
    except VendorNotFound:
        alert = None
    if alert is None:
        raise TargetRefused(f"{alert_id} is not a standing alert of {context.company.name}.")
    return alert


def computer_state(context: ToolContext, computer: schemas.Computer, **fields: JsonValue) -> dict[str, JsonValue]:
    """What a decision on this computer rests on: whose it is, its name, and `fields`."""
    return {
        "company": {"id": context.company_external_id, "name": context.company.name},
        "computer": {"id": computer.id, "name": computer.name},
        **fields,
    }


def seen_now(computer: schemas.Computer) -> str:
    """How the computer is, as read just now, in a sentence."""
    online = {True: "online", False: "offline", None: "of unknown presence"}[computer.online]
    seen = f", last seen {moment(computer.last_seen)}" if computer.last_seen and not computer.online else ""
    user = f", used by {computer.person.name}" if computer.person.name else ""
    return f"{computer.name} is {online}{seen}, its health is {computer.health.overall or 'unknown'}{user}."


def isolation_words(computer: schemas.Computer) -> str:
    """Whether it is cut off, and by whom."""
    said = _WAITS.get(computer.isolation.status, computer.isolation.status or "unknown")
    by = [
        name
        for name, is_so in (("by an admin", computer.isolation.by_admin), ("by itself", computer.isolation.by_itself))
        if is_so
    ]
    return " ".join(filter(None, [said, " and ".join(by)]))


def moment(text: str) -> str:
    """A moment of the vendor's in UTC, to the second; empty where there is none."""
    found = schemas.moment_of(text)
    return found.astimezone(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if found else ""
