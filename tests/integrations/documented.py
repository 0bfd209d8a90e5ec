"""Northwind connected to the sandbox's IT Glue over real HTTP, beside its PSA, with its companies linked."""

from __future__ import annotations

from typing import Any

from integrations.models import Connection
from integrations.services import link_company, save_connection
from junto.tenants.models import Company, Membership
from tests.integrations.connected import ConnectedTestCase

HARBOR_THERE, KESSLER_THERE = 2501, 2502
"""Northwind's clients as IT Glue numbers them; Southgate has organizations of the same numbers."""


class DocumentedTestCase(ConnectedTestCase):
    """`self.documentation` is Northwind's connection to IT Glue; Harbor and Kessler are linked there."""

    slug = "itglue"
    documentation: Connection

    def setUp(self) -> None:
        super().setUp()
        self.documentation = self.connect_documentation(self.adam, "northwind-docs")
        for company, there in ((self.harbor, HARBOR_THERE), (self.kessler, KESSLER_THERE)):
            self.link_there(company, there)

    def link_there(self, company: Company, there: int) -> None:
        """Say which organization of IT Glue a company is."""
        link_company(
            actor=self.actor(self.adam), connection=self.documentation, company=company, external_id=str(there)
        )

    def connect_documentation(
        self, admin: Membership, name: str, *, base_url: str = "", key: str = "", row: Connection | None = None
    ) -> Connection:
        """A connection to the sandbox's IT Glue with one of its keys."""
        known = self.sandbox.itglue[name]
        return save_connection(
            actor=self.actor(admin),
            vendor="itglue",
            label="IT Glue",
            base_url=base_url or known.base_url,
            credentials={"api_key": key or known.api_key},
            connection=row,
        )

    def documented(self, collection: str) -> Any:
        """What IT Glue really holds of a collection, by its name in paths (configurations, documents, passwords)."""
        return self.sandbox.held("itglue", collection)

    def plant_documented(self, collection: str, **attributes: Any) -> Any:
        """A new record in IT Glue; attributes with underscores for dashes."""
        return self.sandbox.put_in("itglue", collection, _dashed(attributes))

    def change_documented(self, collection: str, number: int, **attributes: Any) -> None:
        """Somebody else changes attributes of a record in IT Glue."""
        self.sandbox.alter("itglue", collection, number, _dashed(attributes))

    def there(self, collection: str, name: str) -> dict[str, Any]:
        """A record as IT Glue really holds it: its attributes and its id."""
        found = next(one for one in self.documented(collection) if one["attributes"]["name"] == name)
        return {**found["attributes"], "id": found["id"]}

    def number(self, collection: str, name: str) -> int:
        """A record's id at IT Glue."""
        return int(self.there(collection, name)["id"])


def _dashed(attributes: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("_", "-"): value for name, value in attributes.items()}
