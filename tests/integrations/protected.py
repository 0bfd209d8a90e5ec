"""Northwind connected to the sandbox's Sophos Central over real HTTP, beside its PSA, with its companies linked."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.models import Connection
from integrations.services import link_company, save_connection
from integrations.sophos import client
from junto.tenants.models import Company, Membership
from tests.integrations.connected import ConnectedTestCase


class ProtectedTestCase(ConnectedTestCase):
    """`self.protection` is Northwind's connection to Sophos; Harbor and Kessler are linked to their tenants."""

    slug = "sophos"
    protection: Connection
    monkeypatch: pytest.MonkeyPatch

    @pytest.fixture(autouse=True)
    def _hurried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nobody shall wait here for the vendor's limit of a minute, but where a test is about that."""
        self.monkeypatch = monkeypatch
        monkeypatch.setattr(client, "PER_MINUTE", 60_000)

    def setUp(self) -> None:
        super().setUp()
        self.protection = self.connect_protection(self.adam, "northwind-sophos")
        for company in (self.harbor, self.kessler):
            self.link_tenant(company)

    def tenant(self, name: str, *, owner: str = "northwind") -> str:
        """A tenant's id at Sophos by its name."""
        rows = self.sandbox.held("sophos", "tenants", owner=owner)
        return next(str(row["tenant"]) for row in rows if row["shown"]["name"] == name)

    def link_tenant(self, company: Company) -> None:
        """Say that a company is the tenant of its name."""
        there = self.tenant(company.name)
        link_company(actor=self.actor(self.adam), connection=self.protection, company=company, external_id=there)

    def connect_protection(
        self, admin: Membership, name: str, *, base_url: str = "", secret: str = "", row: Connection | None = None
    ) -> Connection:
        """A connection to the sandbox's Sophos with one of its credentials."""
        key = self.sandbox.sophos[name]
        return save_connection(
            actor=self.actor(admin),
            vendor="sophos",
            label="Sophos Central",
            base_url=base_url or key.base_url,
            credentials={"client_id": key.client_id, "client_secret": secret or key.client_secret},
            connection=row,
        )

    def held(self, collection: str, hostname: str) -> dict[str, Any]:
        """A computer, or the first alert of one, as Sophos really holds it."""

        def is_it(shown: dict[str, Any]) -> bool:
            return hostname in (shown.get("hostname"), shown.get("managedAgent", {}).get("name"))

        rows = self.sandbox.held("sophos", collection)
        found: dict[str, Any] = next(row for row in rows if is_it(row["shown"]))
        return found

    def computer(self, hostname: str) -> str:
        """A computer's id at Sophos."""
        return str(self.held("computers", hostname)["shown"]["id"])

    def alert(self, hostname: str) -> str:
        """The id of an alert that stands on a computer."""
        return str(self.held("alerts", hostname)["shown"]["id"])

    def alter_computer(self, hostname: str, **changes: Any) -> None:
        """The computer itself, or somebody else, changes what is known of it: `shown__online=False`."""
        named = {name.replace("__", "/"): value for name, value in changes.items()}
        self.sandbox.alter("sophos", "computers", self.held("computers", hostname)["id"], named)
