"""Northwind with the sandbox's asset register connected as an MCP server, and its tools classified."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from integrations.dispatch import call_tool, preview_tool
from integrations.mcp.places import reading_of
from integrations.models import CompanyLink, Connection, McpTool
from integrations.servers import Said, classify_tool
from integrations.services import check_connection, save_connection
from integrations.toolbox import toolbox
from integrations.tools import AnyTool, Preview, ToolResult
from integrations.warrants import Warrant
from junto.canonical import digest
from junto.tenants.models import Company, Membership
from tests.cases import Cast, JuntoTestCase, JuntoTransactionTestCase
from tests.factories import CompanyFactory
from tests.sandbox_process import SandboxProcess

SYSTEM = "mcp_assets"

#: What an Admin says of the register's tools.
LIST = Said(category="read", risk="low", policy="auto", reach="argument", company_argument="company")
GET = Said(
    category="read", risk="low", policy="auto", reach="argument", company_argument="company", company_field="company"
)
NOTE = Said(category="write", risk="low", policy="once", reach="argument", company_argument="company")
GUIDES = Said(category="read", risk="low", policy="auto", reach="free")


class Served(Cast):
    """`self.server` (Northwind's), and `self.harbor`, `self.kessler` as companies that are linked there."""

    sandbox: SandboxProcess
    settings: Settings
    server: Connection
    harbor: Company
    kessler: Company

    @pytest.fixture(autouse=True)
    def _borrow(self, sandbox: SandboxProcess, settings: Settings) -> None:
        self.sandbox, self.settings = sandbox, settings
        settings.LOCAL_TARGETS = frozenset({("127.0.0.1", sandbox.port)})

    def setUp(self) -> None:
        """Connect, and read the list of tools."""
        super().setUp()  # type: ignore[misc]
        self.harbor = CompanyFactory(organization=self.northwind, name="Harbor Dental Group")
        self.kessler = CompanyFactory(organization=self.northwind, name="Kessler Maschinenbau GmbH")
        self.server = self.connect_server(self.adam)
        for company, there in ((self.harbor, "HARBOR"), (self.kessler, "KESSLER")):
            CompanyLink.unscoped.create(
                organization=self.northwind, connection=self.server, company=company, external_id=there
            )

    def connect_server(
        self, admin: Membership, *, owner: str = "northwind", system: str = SYSTEM, **changes: Any
    ) -> Connection:
        """A connection to the sandbox's server, its tools read."""
        key = self.sandbox.mcp[f"{owner}-assets"]
        fields: dict[str, Any] = {
            "label": "Asset register",
            "base_url": key.base_url,
            "credentials": {"auth": "bearer", "token": key.token},
        }
        row = save_connection(actor=self.actor(admin), vendor=system, **{**fields, **changes})
        check_connection(row, insists=True)
        return row

    def row(self, name: str, *, server: Connection | None = None) -> McpTool:
        """What is known of a tool."""
        connection = server or self.server
        rows = McpTool.objects.for_organization(connection.organization).select_related("connection")
        return rows.get(connection=connection, name=name)

    def classify(self, name: str, said: Said, *, by: Membership | None = None) -> McpTool:
        """An Admin says what a tool is."""
        row = self.row(name)
        return classify_tool(actor=self.actor(by or self.adam), row=row, reading=reading_of(row), said=said)

    def tool(self, name: str) -> AnyTool:
        """A tool in use. Raises ToolRefused."""
        return toolbox(self.northwind).get(f"{self.server.vendor}.{name}")

    def call(self, name: str, /, at: Company | None = None, **arguments: Any) -> ToolResult:
        """Run a tool for Harbor (or another company), with a good warrant where it writes."""
        tool = self.tool(name)
        warrant = Warrant(
            action_id=uuid.uuid4(),
            digest=digest(tool.freeze(arguments)),
            tool_pin=tool.pin,
            fence=1,
            deadline=datetime.now(UTC) + timedelta(seconds=30),
        )
        return call_tool(
            tool=tool,
            arguments=arguments,
            organization=self.northwind,
            company=at or self.harbor,
            warrant=warrant if tool.is_write else None,
        )

    def preview(self, name: str, /, at: Company | None = None, **arguments: Any) -> Preview:
        """Preview a write for Harbor (or another company)."""
        return preview_tool(
            tool=self.tool(name),
            arguments=arguments,
            organization=self.northwind,
            company=at or self.harbor,
        )

    def alter_tool(self, name: str, **fields: Any) -> None:
        """The server says something else of a tool from now on."""
        found = next(one for one in self.sandbox.held("mcp", "tools") if one["name"] == name)
        self.sandbox.alter("mcp", "tools", found["id"], fields)

    def move_server(self) -> None:
        """An Admin enters another address, at which the same is listed."""
        self.settings.LOCAL_TARGETS |= {("localhost", self.sandbox.port)}
        self.server = save_connection(
            actor=self.actor(self.adam),
            vendor=SYSTEM,
            label="Asset register",
            base_url=self.other_address(),
            credentials={"auth": "bearer", "token": self.sandbox.mcp["northwind-assets"].token},
            connection=self.server,
        )
        assert check_connection(self.server, insists=True).ok

    def other_address(self) -> str:
        """Another name of the same machine."""
        return self.server.base_url.replace("127.0.0.1", "localhost")

    def asset_of(self, company: str) -> str:
        """An asset of a client there, by its number."""
        return next(f"A-{one['id']}" for one in self.sandbox.held("mcp", "assets") if one["company"] == company)


class ServedTestCase(Served, JuntoTestCase):
    """For nearly every test: one transaction, rolled back."""


class ServedTransactionTestCase(Served, JuntoTransactionTestCase):
    """For tests whose pages or workers commit."""
