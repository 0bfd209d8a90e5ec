"""Northwind connected to the sandbox's Microsoft 365 over real HTTP, beside its PSA, with its companies linked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from approvals.revealing import draw_password
from integrations.dispatch import call_tool
from integrations.models import Connection
from integrations.services import link_company, save_connection
from integrations.tools import Outcome, ToolResult, registry
from junto.tenants.models import Company, Membership
from tests.integrations.connected import ConnectedTestCase

DANA, MARCUS, TOM = (f"{name}@harbordental.example" for name in ("dana.reyes", "marcus.bell", "tom.kowalski"))
"""At Harbor: the practice manager, the front desk, and one without country or licence."""
KESSLER_PERSON = "s.vogt@kessler-mb.example"
"""At Kessler, whose people come from a local directory."""


class CloudTestCase(ConnectedTestCase):
    """`self.cloud` is Northwind's connection to Microsoft 365; Harbor and Kessler are linked there."""

    slug = "microsoft365"
    cloud: Connection

    def setUp(self) -> None:
        super().setUp()
        self.cloud = self.connect_cloud(self.adam, "northwind-365")
        for company in (self.harbor, self.kessler):
            self.link_tenant(company)

    def link_tenant(self, company: Company) -> None:
        """Link a company to the tenant that bears its name."""
        there = self.tenant(company.name)["tenantId"]
        link_company(actor=self.actor(self.adam), connection=self.cloud, company=company, external_id=there)

    def connect_cloud(
        self, admin: Membership, name: str, *, base_url: str = "", secret: str = "", row: Connection | None = None
    ) -> Connection:
        """A connection to the sandbox's Microsoft 365 with one of its apps."""
        key = self.sandbox.microsoft365[name]
        return save_connection(
            actor=self.actor(admin),
            vendor="microsoft365",
            label="Microsoft 365",
            base_url=base_url or key.base_url,
            credentials={
                "client_id": key.client_id,
                "client_secret": secret or key.client_secret,
                "tenant_id": key.tenant_id,
            },
            connection=row,
        )

    def tenant(self, name: str) -> dict[str, Any]:
        """A tenant by its name, as the sandbox holds it."""
        found: dict[str, Any] = next(one for one in self.sandbox.cloud("tenants") if one["displayName"] == name)
        return found

    def set_it(self, name: str, /, company: Company | None = None, **arguments: Any) -> tuple[ToolResult, str]:
        """Run a tool that sets a secret, as the claim of an action does; the result and what was drawn for it."""
        tool = registry.get(name)
        drawn = draw_password()
        result = call_tool(
            tool=tool,
            arguments=arguments,
            organization=self.northwind,
            company=company or self.harbor,
            warrant=self.warrant(name, arguments),
            drawn_secret=drawn if tool.draws_secret else "",
        )
        return result, drawn

    def look_again(self, name: str, before: Any, /, *, settled: bool = True, **arguments: Any) -> Outcome:
        """What the vendor's records tell about a write that got no answer."""
        ago = timedelta(hours=1) if settled else timedelta(seconds=-30)
        return self.outcome_of(name, arguments, before, ago=ago)

    def account(self, upn: str) -> dict[str, Any]:
        """An account as Microsoft 365 really holds it."""
        rows = self.sandbox.cloud("users")
        found: dict[str, Any] = next(one["body"] for one in rows if one["body"]["userPrincipalName"] == upn)
        return found

    def number(self, collection: str, **fields: Any) -> int:
        """The sandbox's own number of the record whose body, or tenant, says this."""
        for row in self.sandbox.cloud(collection):
            told = row if collection == "tenants" else row["body"]
            if fields.items() <= told.items():
                return int(row["id"])
        raise AssertionError(f"there is no such record among {collection}")
