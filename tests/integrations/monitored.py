"""Northwind connected to the sandbox's NinjaOne over real HTTP, beside its PSA, with its companies linked."""

from __future__ import annotations

from typing import Any

from integrations.models import Connection
from integrations.services import link_company, save_connection
from junto.tenants.models import Company, Membership
from tests.integrations.connected import ConnectedTestCase

HARBOR_THERE, KESSLER_THERE = "31", "32"
"""Northwind's clients as NinjaOne numbers them; Southgate has organizations of the same numbers."""


class MonitoredTestCase(ConnectedTestCase):
    """`self.monitoring` is Northwind's connection to NinjaOne; Harbor and Kessler are linked there."""

    monitoring: Connection

    def setUp(self) -> None:
        super().setUp()
        self.monitoring = self.connect_monitoring(self.adam, "northwind-rmm")
        for company, there in ((self.harbor, HARBOR_THERE), (self.kessler, KESSLER_THERE)):
            self.link_there(company, there)

    def link_there(self, company: Company, there: str) -> None:
        """Say which organization of NinjaOne a company is."""
        link_company(actor=self.actor(self.adam), connection=self.monitoring, company=company, external_id=there)

    def connect_monitoring(
        self, admin: Membership, name: str, *, base_url: str = "", secret: str = "", row: Connection | None = None
    ) -> Connection:
        """A connection to the sandbox's NinjaOne with one of its API clients."""
        key = self.sandbox.ninjaone[name]
        return save_connection(
            actor=self.actor(admin),
            vendor="ninjaone",
            label="NinjaOne",
            base_url=base_url or key.base_url,
            credentials={"client_id": key.client_id, "client_secret": secret or key.client_secret},
            connection=row,
        )

    def device(self, name: str) -> dict[str, Any]:
        """A device as NinjaOne really holds it."""
        found: dict[str, Any] = next(one for one in self.sandbox.monitored("devices") if one["displayName"] == name)
        return found

    def number(self, name: str) -> int:
        """A device's number at NinjaOne."""
        return int(self.device(name)["id"])

    def asked(self, suffix: str = "") -> list[dict[str, Any]]:
        """The requests that reached NinjaOne, those whose route ends so."""
        return [
            row for row in self.sandbox.log() if row["vendor"] == "ninjaone" and (row["route"] or "").endswith(suffix)
        ]
