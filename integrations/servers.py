"""What an Admin says of an MCP server's tools. Until somebody did, a tool may be used by nobody and for nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone
from pydantic import JsonValue

from integrations.errors import ArgumentProblem, ToolRefused
from integrations.mcp.definitions import shape_of
from integrations.mcp.places import place_of_server, reading_of
from integrations.mcp.tools import tool_of
from integrations.models import Connection, McpTool
from integrations.served import tool_key
from integrations.services import InvalidConnection
from integrations.tools import Category, DefaultPolicy, Flag, Risk, default_policy
from integrations.vendors import MCP
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, require

SHORT_NAME: Final = re.compile(r"[a-z][a-z0-9]{1,11}")
_Reach = McpTool.Reach
_NAMES_A_COMPANY: Final = ("string", "integer", "number")


class ClassificationRefused(ToolRefused):
    """What was said of a tool cannot be; each problem names its field."""

    def __init__(self, *problems: ArgumentProblem) -> None:
        self.problems = problems
        super().__init__(" ".join(one.message for one in problems))


@dataclass(frozen=True, slots=True)
class Said:
    """What an Admin says of a tool: what it does, how it asks, and whose records it sees.

    `reach`: `argument` = `company_argument` carries the company's id at the server, filled in by us; `company` = all
    that the server knows is `company`'s; `free` = it knows no company's records. `company_field` names the field of
    the answers that says whose they are, empty where none does.
    """

    category: str
    risk: str
    policy: str
    reach: str
    flags: tuple[str, ...] = ()
    company_argument: str = ""
    company_field: str = ""
    company: Company | None = None


def system_of(short_name: str, organization: Organization) -> str:
    """The slug of a new server. A name is given once, whatever became of its server: words on its tools outlive it.

    Raises InvalidConnection.
    """
    slug = f"{MCP.slug}_{short_name}"
    if not SHORT_NAME.fullmatch(short_name):
        words = "Two to twelve small letters or digits, beginning with a letter."
        raise InvalidConnection((ArgumentProblem("short_name", words),))
    if Connection.objects.for_organization(organization).filter(vendor=slug).exists():
        words = "A server has, or had, this name. Take another, so that nothing said of that one counts for this one."
        raise InvalidConnection((ArgumentProblem("short_name", words),))
    return slug


@transaction.atomic
def classify_tool(*, actor: Actor, row: McpTool, reading: str, said: Said) -> McpTool:
    """Let a tool be used as an Admin says, with the definition and of the server that they read (`reading_of`).

    Raises:
        PermissionDenied: the actor may not manage integrations and policies.
        ClassificationRefused: what was said cannot be, or the server says something else by now.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    require(actor, Permission.MANAGE_POLICIES)
    if actor.membership is None:
        raise ClassificationRefused(ArgumentProblem("", "Only a person says what a tool does."))
    rows = McpTool.objects.for_organization(actor.organization).select_for_update(of=("self",))
    row = rows.select_related("connection__consent").get(pk=row.pk)
    _require_sound(row, reading, said, actor.organization)
    before = row.trusted_pin
    row.category, row.risk, row.policy, row.flags = said.category, said.risk, said.policy, sorted(said.flags)
    row.reach = said.reach
    row.company_argument = said.company_argument if said.reach == _Reach.ARGUMENT else ""
    row.company_field = said.company_field if said.reach == _Reach.ARGUMENT else ""
    row.company = said.company if said.reach == _Reach.COMPANY else None
    row.trusted, row.trusted_pin, row.state = row.definition, row.pin, McpTool.State.ALLOWED
    row.trusted_server = place_of_server(row.connection)
    row.classified_by, row.classified_at, row.changed_at = actor.membership, timezone.now(), None
    tool_of(row, system=row.connection.vendor, server=row.connection.label)  # what cannot be made is not allowed
    row.save()
    detail: dict[str, JsonValue] = {
        "tool": row.name,
        "server": row.connection.vendor,
        "category": row.category,
        "risk": row.risk,
        "flags": list(row.flags),
        "policy": row.policy,
        "reach": row.reach,
        "argument": row.company_argument,
        "field": row.company_field,
        "company": str(row.company_id) if row.company_id else None,
        "pin": row.pin,
        "at": row.trusted_server,
        "before": before,
    }
    record(actor, "mcp_tool.classified", row, detail)
    return row


@transaction.atomic
def block_tool(*, actor: Actor, row: McpTool) -> None:
    """Let nobody use a tool any more, until it is classified anew. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    row.state, row.trusted, row.trusted_pin, row.trusted_server = McpTool.State.BLOCKED, {}, "", {}
    row.save(update_fields=["state", "trusted", "trusted_pin", "trusted_server"])
    record(actor, "mcp_tool.blocked", row, {"tool": row.name, "server": row.connection.vendor})
    ring("tool.blocked", tool_key(row))


def company_arguments(row: McpTool) -> list[str]:
    """The arguments that can name a company."""
    if row.problem:
        return []
    shapes = shape_of(row.definition)["properties"]
    if not isinstance(shapes, dict):
        return []
    return [
        name
        for name, shape in shapes.items()
        if isinstance(shape, dict) and shape.get("type") in _NAMES_A_COMPANY and len(name) <= 80
    ]


def _require_sound(row: McpTool, reading: str, said: Said, organization: Organization) -> None:
    problems = [*_standing_problems(row, reading), *_kind_problems(said)]
    if not problems:
        problems += _reach_problems(row, said, organization)
    if problems:
        raise ClassificationRefused(*problems)


def _standing_problems(row: McpTool, reading: str) -> list[ArgumentProblem]:
    if row.problem or row.state == McpTool.State.GONE:
        return [ArgumentProblem("", row.problem or "The server has this tool no more.")]
    if reading_of(row) != reading:
        return [ArgumentProblem("", "The server changed the tool, or is another by now. Read it again.")]
    return []


def _kind_problems(said: Said) -> list[ArgumentProblem]:
    try:
        category, risk, policy = Category(said.category), Risk(said.risk), DefaultPolicy(said.policy)
        flags = frozenset(Flag(one) for one in said.flags)
    except ValueError:
        return [ArgumentProblem("", "Say what the tool does, its risk, and when it asks.")]
    derived, order = default_policy(category, risk, flags), list(DefaultPolicy)
    if order.index(policy) < order.index(derived):
        words = {DefaultPolicy.ONCE: "once a session", DefaultPolicy.ALWAYS: "always"}[derived]
        return [ArgumentProblem("policy", f"Of what you say it does, such a tool asks {words}.")]
    if Flag.SECRET in flags and category is not Category.READ:
        return [ArgumentProblem("flags", "A tool that changes something and answers with a secret cannot be used.")]
    return []


def _reach_problems(row: McpTool, said: Said, organization: Organization) -> list[ArgumentProblem]:
    if said.reach == _Reach.ARGUMENT:
        if said.company_argument in company_arguments(row):
            return []
        return [ArgumentProblem("company_argument", "Choose the argument that holds the company's id at the server.")]
    if said.reach == _Reach.COMPANY:
        if said.company is not None and said.company.organization_id == organization.pk:
            return []
        return [ArgumentProblem("company", "Choose the company whose records these are.")]
    if said.reach == _Reach.FREE:
        return []
    return [ArgumentProblem("reach", "Say whose records it sees. Without that it stays blocked.")]
