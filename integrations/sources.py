"""Systems that tickets come from, opened by their connection."""

from __future__ import annotations

from integrations.connections import open_client, vendor_of
from integrations.contracts import TicketSource
from integrations.errors import ToolUnavailable
from integrations.models import Connection
from integrations.vendors import VENDORS
from integrations.warrants import Errand

SYNC_SECONDS = 15 * 60.0
"""How long one run may read altogether; the next goes on where it stopped."""


def is_ticket_source(connection: Connection) -> bool:
    """Whether the connection's vendor gives tickets; asks nobody."""
    vendor = VENDORS.get(connection.vendor)
    return vendor is not None and vendor.gives_tickets


def open_ticket_source(connection: Connection) -> TicketSource:
    """The connection as a source of tickets; to be closed.

    Raises:
        ToolUnavailable: it is paused, has no credentials, or gives no tickets.
        AddressRefused: its address is none that requests may go to.
    """
    if not is_ticket_source(connection):
        raise ToolUnavailable(f"No tickets come from {connection.label}.")
    client = open_client(connection, Errand.reading(SYNC_SECONDS))
    source: TicketSource = vendor_of(connection).module("source").open_source(client)
    return source
