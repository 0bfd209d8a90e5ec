"""The vendors there are, one row each. The modules of a vendor's folder always bear the same names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from types import ModuleType

from integrations.warrants import Endpoint, Traffic


@dataclass(frozen=True, slots=True)
class Vendor:
    """A system Junto can connect to. `package` holds its client, schemas, endpoints and tools.

    `gives_tickets` = it also has a `source` module, and signals come from there. `gives_alerts` = it also has a module
    `alerts`, and what its monitoring finds becomes signals where an admin wants that. `sends_webhooks` = it also has
    a module `hooks`, and tells of changes by itself.
    """

    slug: str
    label: str
    package: str
    gives_tickets: bool = False
    gives_alerts: bool = False
    sends_webhooks: bool = False

    def module(self, name: str) -> ModuleType:
        """One module of the vendor's folder."""
        return import_module(f"{self.package}.{name}")

    @property
    def permissions(self) -> Mapping[Endpoint, str]:
        """What its requests need at the vendor, as far as its `endpoints` module tells by `PERMISSIONS`."""
        told: Mapping[Endpoint, str] = getattr(self.module("endpoints"), "PERMISSIONS", {})
        return told

    @property
    def rights_to_write(self) -> tuple[str, ...]:
        """What it must allow for changes, where no reading shows whether it does (`WRITES_UNSEEN` of its client)."""
        if not getattr(self.module("client"), "WRITES_UNSEEN", False):
            return ()
        writes = (words for endpoint, words in self.permissions.items() if endpoint.traffic is Traffic.WRITE)
        return tuple(dict.fromkeys(writes))


#: Stands in `Connection.vendor` for files that people read in: such a connection leads to no system, and its ids are
#: the numbers that stand in the files.
FILES = "csv"

VENDORS: dict[str, Vendor] = {
    vendor.slug: vendor
    for vendor in (
        Vendor(
            slug="connectwise",
            label="ConnectWise PSA",
            package="integrations.connectwise",
            gives_tickets=True,
            sends_webhooks=True,
        ),
        Vendor(
            slug="ninjaone",
            label="NinjaOne",
            package="integrations.ninjaone",
            gives_alerts=True,
            sends_webhooks=True,
        ),
        Vendor(slug="itglue", label="IT Glue", package="integrations.itglue"),
        Vendor(slug="pax8", label="Pax8", package="integrations.pax8"),
        Vendor(slug="sophos", label="Sophos Central", package="integrations.sophos"),
        Vendor(slug="microsoft365", label="Microsoft 365", package="integrations.microsoft365"),
        Vendor(slug="hudu", label="Hudu", package="integrations.hudu"),
    )
}

MCP = Vendor(slug="mcp", label="MCP server", package="integrations.mcp")
"""Any MCP server. There may be several: each connection is a system of its own, called `mcp_` and its short name."""

_SERVED = f"{MCP.slug}_"


def is_mcp(slug: str) -> bool:
    """Whether the system of this slug is an MCP server that an Admin connected."""
    return slug.startswith(_SERVED)


def vendor_named(slug: str) -> Vendor | None:
    """The row of a connection's vendor; None for one that this version does not know."""
    return replace(MCP, slug=slug) if is_mcp(slug) else VENDORS.get(slug)


def vendor_label(slug: str) -> str:
    """What people call a system; empty for one that this version does not know."""
    if is_mcp(slug):
        return f"{MCP.label} {slug.removeprefix(_SERVED)}"
    return VENDORS[slug].label if slug in VENDORS else ""
