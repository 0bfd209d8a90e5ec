"""Northwind connected to the sandbox's Pax8 over real HTTP, beside its PSA, with its companies linked."""

from __future__ import annotations

from typing import Any

from integrations.models import Connection
from integrations.services import link_company, save_connection
from junto.tenants.models import Company, Membership
from tests.integrations.connected import ConnectedTestCase

PREMIUM = "Microsoft 365 Business Premium"
NOWHERE = "00000000-0000-4000-8000-000000000000"


class ResoldTestCase(ConnectedTestCase):
    """`self.distributor` is Northwind's connection to Pax8; Harbor and Kessler are linked there."""

    slug = "pax8"
    distributor: Connection

    def setUp(self) -> None:
        super().setUp()
        self.distributor = self.connect_distributor(self.adam, "northwind-pax8")
        for company in (self.harbor, self.kessler):
            self.link_buyer(company)

    def link_buyer(self, company: Company) -> None:
        """Say that a company is the one of its name there."""
        there = self.buyer(company.name)
        link_company(actor=self.actor(self.adam), connection=self.distributor, company=company, external_id=there)

    def connect_distributor(
        self, admin: Membership, name: str, *, base_url: str = "", secret: str = "", row: Connection | None = None
    ) -> Connection:
        """A connection to the sandbox's Pax8 with one of its applications."""
        key = self.sandbox.pax8[name]
        return save_connection(
            actor=self.actor(admin),
            vendor="pax8",
            label="Pax8",
            base_url=base_url or key.base_url,
            credentials={"client_id": key.client_id, "client_secret": secret or key.client_secret},
            connection=row,
        )

    def rows(self, collection: str, *, owner: str = "northwind", **shown: Any) -> list[dict[str, Any]]:
        """The records of a collection as Pax8 really holds them, those that show these values."""
        found: list[dict[str, Any]] = self.sandbox.held("pax8", collection, owner=owner)
        return [row for row in found if all(row["shown"].get(name) == value for name, value in shown.items())]

    def buyer(self, name: str, *, owner: str = "northwind") -> str:
        """A company's id at Pax8 by its name."""
        return str(self.rows("companies", owner=owner, name=name)[0]["shown"]["id"])

    def product(self, part: str) -> dict[str, Any]:
        """The product whose name begins so, with what is stored beside it."""
        return next(row for row in self.rows("products") if row["shown"]["name"].startswith(part))

    def bought(self, part: str, company: Company | None = None) -> dict[str, Any]:
        """What is shown of the subscription that a company (Harbor) has of a product."""
        number = self.buyer((company or self.harbor).name)
        rows = self.rows("subscriptions", companyId=number)
        found: dict[str, Any] = next(row["shown"] for row in rows if row["shown"]["productName"].startswith(part))
        return found

    def alter(self, collection: str, number: str, **shown: Any) -> None:
        """Somebody else changes what a record shows."""
        self.sandbox.alter("pax8", collection, self.rows(collection, id=number)[0]["id"], shown)
