"""The tools an organization has: those that everybody has, and those of the MCP servers that its Admins classified.

The tools of a server exist in their organization alone: two organizations may both have a tool `mcp_docs.search`, and
neither is told of the other's. Every row is asked for with its organization, at every look.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from integrations.errors import ToolUnavailable, UnknownTool
from integrations.mcp.definitions import local_name
from integrations.mcp.places import is_at, is_in_use
from integrations.mcp.tools import ServedTool, tool_of
from integrations.models import CompanyLink, Connection, McpTool
from integrations.tools import AnyTool, Scope, registry
from integrations.vendors import is_mcp
from junto.tenants.models import Company, Organization
from junto.tenants.scoping import TenantQuerySet

#: What says which server a tool is of.
_SERVER = ("connection", "connection__consent")


@dataclass(frozen=True, slots=True)
class Reach:
    """Through which connection a tool is called for a company, and what the company is called there."""

    connection: Connection
    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What `registry` is for everybody, for one organization."""

    organization: Organization

    def get(self, name: str) -> AnyTool:
        """The tool of exactly this name.

        Raises:
            UnknownTool: the organization has none.
            ToolUnavailable: it is a server's, and blocked.
        """
        if not is_mcp(name):
            return registry.get(name)
        row = self._row(name)
        if not is_in_use(row):
            raise ToolUnavailable(f"{name} is blocked: its server changed, or nobody said yet what it does.")
        return _made(row)

    def __contains__(self, name: str) -> bool:
        if not is_mcp(name):
            return name in registry
        try:
            return is_in_use(self._row(name))
        except UnknownTool:
            return False

    def blocked(self, name: str) -> McpTool:
        """A server's tool of this name that an Admin classified once and nobody can use now. Raises UnknownTool."""
        row = self._row(name)
        if is_in_use(row) or row.classified_at is None:
            raise UnknownTool(f"There is no blocked tool called {name!r}.")
        return row

    def all_blocked(self) -> list[McpTool]:
        """The servers' tools that an Admin classified once and nobody can use now, by system and name."""
        rows: TenantQuerySet[McpTool] = McpTool.objects.for_organization(self.organization)
        known = rows.filter(classified_at__isnull=False, connection__removed_at=None).select_related(*_SERVER)
        return [row for row in known.order_by("connection__vendor", "name") if not is_in_use(row)]

    def offered(self, systems: Collection[str]) -> tuple[AnyTool, ...]:
        """The tools of these systems and our own, by name."""
        common = registry.offered([one for one in systems if not is_mcp(one)])
        if not any(map(is_mcp, systems)):
            return common
        served = [_made(row) for row in self._allowed() if row.connection.vendor in systems]
        return tuple(sorted((*common, *served), key=lambda tool: tool.name))

    def served_for(self, company: Company) -> Iterator[ServedTool]:
        """The servers' tools that may be used for a company."""
        rows = [
            row for row in self._allowed() if row.connection.removed_at is None and row.connection.sealed_credentials
        ]
        if not rows:
            return
        linked = set(_links(self.organization, company).values_list("connection_id", flat=True))
        for row in rows:
            if row.connection.state != Connection.State.PAUSED and _reaches(row, company, linked):
                yield _made(row)

    def _row(self, name: str) -> McpTool:
        system, _, local = name.partition(".")
        rows = McpTool.objects.for_organization(self.organization).filter(connection__vendor=system)
        found = [row for row in rows.select_related(*_SERVER) if local_name(row.name) == local]
        if len(found) != 1:
            raise UnknownTool(f"There is no tool called {name!r}.")
        return found[0]

    def _allowed(self) -> list[McpTool]:
        rows: TenantQuerySet[McpTool] = McpTool.objects.for_organization(self.organization)
        allowed = rows.filter(state=McpTool.State.ALLOWED).select_related(*_SERVER)
        return [row for row in allowed if is_in_use(row)]


def toolbox(organization: Organization) -> Toolbox:
    """The tools of an organization."""
    return Toolbox(organization)


def name_of(row: McpTool) -> str:
    """What a server's tool is called here, whether it can be used or not."""
    return f"{row.connection.vendor}.{local_name(row.name)}"


def blocked_words(row: McpTool) -> str:
    """Why nobody can use a server's tool that an Admin classified once, in a few words."""
    return {
        McpTool.State.CHANGED: "the server changed it",
        McpTool.State.GONE: "the server lists it no more",
        McpTool.State.ALLOWED: "its connection leads to another server",
    }.get(McpTool.State(row.state), "an Admin blocked it")


def reach_words(tool: AnyTool) -> str:
    """Whose records a tool of an MCP server can touch, as an Admin classified it, in a sentence; empty for ours.

    Nothing is looked up at such a server: what is not checked is said.
    """
    if not isinstance(tool, ServedTool):
        return ""
    if tool.scope is Scope.FREE:
        return "No company's, an Admin said. Junto cannot look whether that is so."
    if not tool.company_argument:
        return "One company's alone: an Admin said that the server knows no other. Junto does not check its answers."
    told = f"Junto fills in “{tool.company_argument}” with the company's id there; nobody else can."
    if tool.company_field:
        return f"{told} An answer that holds a “{tool.company_field}” of another company is dropped whole."
    return f"{told} Whether the server keeps to it is not checked: no field of its answers says whose they are."


def filled_in(tool: AnyTool, organization: Organization, company: Company) -> dict[str, JsonValue]:
    """The arguments that Junto adds to those of a call as it is sent, and that nobody gives.

    Raises:
        ToolUnavailable: the tool cannot be called for the company.
        TargetRefused: the company's id there cannot be what the server asks for.
    """
    if not isinstance(tool, ServedTool) or not tool.company_argument:
        return {}
    return tool.filled_in(company_id=reach_of(tool, organization, company).external_id)


def reach_of(tool: ServedTool, organization: Organization, company: Company) -> Reach:
    """How a server's tool is called for a company. Raises ToolUnavailable: no scope is no right."""
    rows = Connection.objects.for_organization(organization).filter(pk=tool.served_by, removed_at=None)
    connection = rows.select_related("organization", "consent").first()
    if connection is None:
        raise ToolUnavailable(f"The server of {tool.label} is not connected.")
    if not is_at(tool.server, connection):
        raise ToolUnavailable(f"{tool.label} is blocked: its connection leads to another server now.")
    if tool.only_company and tool.only_company != str(company.pk):
        raise ToolUnavailable(f"{tool.label} is not for {company.name}.")
    if not tool.company_argument:
        return Reach(connection)
    link = _links(organization, company).filter(connection=connection).first()
    if link is None or not link.external_id:
        raise ToolUnavailable(f"{company.name} is not linked to a company in {connection.label}.")
    return Reach(connection, link.external_id)


def _reaches(row: McpTool, company: Company, linked: Collection[object]) -> bool:
    if row.reach == McpTool.Reach.ARGUMENT:
        return row.connection_id in linked
    if row.reach == McpTool.Reach.COMPANY:
        return row.company_id == company.pk
    return row.reach == McpTool.Reach.FREE


def _links(organization: Organization, company: Company) -> TenantQuerySet[CompanyLink]:
    links: TenantQuerySet[CompanyLink] = CompanyLink.objects.for_organization(organization)
    return links.filter(company=company)


def _made(row: McpTool) -> ServedTool:
    return tool_of(row, system=row.connection.vendor, server=row.connection.label)
