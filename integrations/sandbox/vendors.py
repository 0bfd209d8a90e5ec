"""The vendors that this sandbox plays. One folder each; a new one gets a row in KEYED and nothing else changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from integrations.sandbox.connectwise.credentials import connection_rows as connectwise_connections
from integrations.sandbox.connectwise.vendor import ConnectWise
from integrations.sandbox.hudu.vendor import Hudu
from integrations.sandbox.itglue.credentials import connection_rows as itglue_connections
from integrations.sandbox.itglue.vendor import ITGlue
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.keyed import KeyedVendor, keyed_rows
from integrations.sandbox.mcp.vendor import McpServer
from integrations.sandbox.mcp.vendor import connection_rows as mcp_connections
from integrations.sandbox.microsoft365.credentials import connection_rows as microsoft365_connections
from integrations.sandbox.microsoft365.vendor import Microsoft365
from integrations.sandbox.ninjaone.credentials import connection_rows as ninjaone_connections
from integrations.sandbox.ninjaone.vendor import NinjaOne
from integrations.sandbox.pax8.credentials import connection_rows as pax8_connections
from integrations.sandbox.pax8.vendor import Pax8
from integrations.sandbox.postman import Change, Letter
from integrations.sandbox.sophos.credentials import connection_rows as sophos_connections
from integrations.sandbox.sophos.vendor import Sophos
from integrations.sandbox.store import Store
from integrations.sandbox.wire import Answer, Request, Sighting


class Vendor(Protocol):
    """What the server and the control plane ask of a vendor."""

    slug: ClassVar[str]

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect, one entry a key."""

    def is_seeded(self, owner: str) -> bool:
        """Whether the owner's world was filled before."""

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew; `seed` is one of SEEDS."""

    def recognise(self, request: Request) -> Sighting:
        """Whose credentials a request carries, and its route."""

    def answer(self, request: Request) -> Answer:
        """Serve a request; refusals are answers too."""

    def letters(self, change: Change, base_url: str) -> list[Letter]:
        """What this vendor, serving at `base_url`, tells others about a change."""

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """Put a record into an owner's world."""

    def change(self, owner: str, collection: str, number: int, operations: Json, *, by: str) -> Record:
        """Change a record as somebody else would."""

    def delete(self, owner: str, collection: str, number: int) -> None:
        """Delete a record at the source."""

    def show(self, owner: str, collection: str, number: int | None) -> Json:
        """What really is at the vendor."""


KEYED: tuple[type[KeyedVendor], ...] = (Hudu,)
"""The vendors whose requests carry a key in a header; `bin/junto new_vendor` adds to them."""

SEEDS = ("world", "empty")
"""`world`: two MSPs at work. `empty`: the same MSPs and their members, without clients and tickets."""


def seed_all(vendors: Mapping[str, Vendor], seed: str) -> None:
    """Put a seed in place of every world."""
    for vendor in vendors.values():
        for owner in vendor.owners():
            vendor.seed(owner, seed)


def seed_missing(vendors: Mapping[str, Vendor], seed: str) -> None:
    """Fill the worlds that were never filled; a restart keeps the others as they are."""
    for vendor in vendors.values():
        for owner in vendor.owners():
            if not vendor.is_seeded(owner):
                vendor.seed(owner, seed)


def connection_list(base_url: str) -> list[Record]:
    """What connects to a sandbox at this address: every vendor, every key."""
    return [
        *connectwise_connections(base_url),
        *ninjaone_connections(base_url),
        *itglue_connections(base_url),
        *pax8_connections(base_url),
        *sophos_connections(base_url),
        *microsoft365_connections(base_url),
        *(row for vendor in KEYED for row in keyed_rows(vendor.slug, base_url)),
        *mcp_connections(base_url),
    ]


def make_vendors(store: Store) -> dict[str, Vendor]:
    """Every vendor by its slug, which is also the first part of its paths."""
    vendors: list[Vendor] = [
        ConnectWise(store),
        NinjaOne(store),
        ITGlue(store),
        Pax8(store),
        Sophos(store),
        Microsoft365(store),
        *(vendor(store) for vendor in KEYED),
        McpServer(store),
    ]
    return {vendor.slug: vendor for vendor in vendors}
