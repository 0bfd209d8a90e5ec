"""Northwind connected to any vendor of the sandbox over real HTTP: what a newer vendor's tests begin with."""

from __future__ import annotations

from typing import Any, ClassVar

from integrations.connections import credential_fields
from integrations.models import Connection
from integrations.services import link_company, save_connection
from integrations.vendors import VENDORS
from junto.tenants.models import Company
from tests.integrations.connected import ConnectedTestCase
from tests.integrations.rogue import Rogue


class VendorTestCase(ConnectedTestCase):
    """`self.row` is Northwind's connection to the vendor; Harbor and Kessler are linked by their names there."""

    slug: ClassVar[str]
    key: ClassVar[str]
    """Which of the sandbox's keys connects it, as `--print-connections` names them."""

    companies: ClassVar[str] = "companies"
    """The sandbox's collection of companies."""

    row: Connection

    def setUp(self) -> None:
        super().setUp()
        self.row = self.connect_vendor()
        for company in (self.harbor, self.kessler):
            self.link_there(company)

    def connect_vendor(
        self, key: str = "", *, base_url: str = "", row: Connection | None = None, **credentials: str
    ) -> Connection:
        """A connection to the vendor with one of the sandbox's keys, perhaps with other credentials."""
        known = self.sandbox.keys[self.slug][key or self.key]
        vendor = VENDORS[self.slug]
        return save_connection(
            actor=self.actor(self.adam),
            vendor=self.slug,
            label=vendor.label,
            base_url=base_url or known["base_url"],
            credentials={one.name: known[one.name] for one in credential_fields(vendor)} | credentials,
            connection=row,
        )

    def listen_in(self, wire: Rogue) -> None:
        """Send what Northwind's connection asks through this server, to the end of the test."""
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
        self.connect_vendor(base_url=f"http://127.0.0.1:{wire.port}/{self.slug}", row=self.row)

    def link_there(self, company: Company) -> None:
        """Say that a company is the one of its name there."""
        there = str(self.there(self.companies, company.name)["id"])
        link_company(actor=self.actor(self.adam), connection=self.row, company=company, external_id=there)

    def held(self, collection: str) -> list[dict[str, Any]]:
        """What the vendor really holds of a collection."""
        found: list[dict[str, Any]] = self.sandbox.held(self.slug, collection)
        return found

    def there(self, collection: str, name: str) -> dict[str, Any]:
        """A record as the vendor really holds it, by its name."""
        return next(one for one in self.held(collection) if one["name"] == name)

    def plant_there(self, collection: str, **values: Any) -> dict[str, Any]:
        """A new record at the vendor, like the first of its collection but for these values."""
        planted: dict[str, Any] = self.sandbox.put_in(self.slug, collection, values)
        return planted

    def alter_there(self, collection: str, number: int, **values: Any) -> None:
        """Somebody else changes values of a record at the vendor."""
        self.sandbox.alter(self.slug, collection, number, values)
