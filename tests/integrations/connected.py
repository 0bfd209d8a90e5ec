"""Northwind connected to the vendor sandbox over real HTTP, its companies known."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from integrations.dispatch import call_tool, preview_tool
from integrations.models import CompanyLink, Connection
from integrations.services import save_connection, sync_directory
from integrations.tools import Preview, ToolResult, registry
from integrations.warrants import Warrant
from junto.canonical import digest
from junto.tenants.models import Company, Membership
from tests.cases import Cast, JuntoTestCase, JuntoTransactionTestCase
from tests.sandbox_process import SandboxProcess

HARBOR, KESSLER = "250", "251"
"""Two of Northwind's clients at the sandbox; Southgate has clients of the same numbers."""


class Connected(Cast):
    """`self.sandbox`, `self.connection` (Northwind's), and `self.harbor`, `self.kessler` as companies."""

    sandbox: SandboxProcess
    settings: Settings
    connection: Connection

    @pytest.fixture(autouse=True)
    def _borrow(self, sandbox: SandboxProcess, settings: Settings) -> None:
        self.sandbox, self.settings = sandbox, settings
        settings.LOCAL_TARGETS = frozenset({("127.0.0.1", sandbox.port)})

    def setUp(self) -> None:
        """Connect, and read the directory."""
        super().setUp()  # type: ignore[misc]
        self.connection = self.connect(self.adam, "northwind")
        sync_directory(self.connection)
        self.harbor = self.linked(HARBOR)
        self.kessler = self.linked(KESSLER)

    def credentials(self, name: str) -> dict[str, str]:
        """What an admin would type for one of the sandbox's keys."""
        key = self.sandbox.connections[name]
        return {
            "company_id": key.company_id,
            "public_key": key.public_key,
            "private_key": key.private_key,
            "client_id": key.client_id,
        }

    def connect(self, admin: Membership, name: str) -> Connection:
        """A connection to the sandbox with one of its keys."""
        return save_connection(
            actor=self.actor(admin),
            vendor="connectwise",
            label="ConnectWise PSA",
            base_url=self.sandbox.connections[name].api_url,
            credentials=self.credentials(name),
        )

    def linked(self, external_id: str) -> Company:
        """The company of that id at the vendor."""
        links = CompanyLink.objects.for_organization(self.northwind).select_related("company")
        return links.get(connection=self.connection, external_id=external_id).company

    def warrant(self, name: str, arguments: dict[str, Any], **changes: Any) -> Warrant:
        """A warrant such as the claim of an action makes."""
        tool = registry.get(name)
        fields: dict[str, Any] = {
            "action_id": uuid.uuid4(),
            "digest": digest(tool.freeze(arguments)),
            "tool_pin": tool.pin,
            "fence": 1,
            "deadline": datetime.now(UTC) + timedelta(seconds=30),
        }
        return Warrant(**{**fields, **changes})

    def call(self, name: str, /, company: Company | None = None, **arguments: Any) -> ToolResult:
        """Run a tool for Harbor (or another company), with a good warrant where it writes."""
        tool = registry.get(name)
        return call_tool(
            tool=tool,
            arguments=arguments,
            organization=self.northwind,
            company=company or self.harbor,
            warrant=self.warrant(name, arguments) if tool.is_write else None,
        )

    def preview(self, name: str, /, company: Company | None = None, **arguments: Any) -> Preview:
        """Preview a write for Harbor (or another company)."""
        return preview_tool(
            tool=registry.get(name), arguments=arguments, organization=self.northwind, company=company or self.harbor
        )


class ConnectedTestCase(Connected, JuntoTestCase):
    """For nearly every test: one transaction, rolled back."""


class ConnectedTransactionTestCase(Connected, JuntoTransactionTestCase):
    """For tests with threads: what is written is committed."""
