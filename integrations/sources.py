"""Systems that tickets and alerts come from, opened by their connection."""

from __future__ import annotations

from integrations.connections import open_client, vendor_of
from integrations.contracts import AlertSource, TicketSource
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


def open_ticket_source(connection: Connection, *, seconds: float | None = None) -> TicketSource:
    """The connection as a source of tickets; to be closed. `seconds` = a person waits for no longer.

    Raises:
        ToolUnavailable: it is paused, has no credentials, or gives no tickets.
        AddressRefused: its address is none that requests may go to.
    """
    if not is_ticket_source(connection):
        raise ToolUnavailable(f"No tickets come from {connection.label}.")
    client = open_client(connection, _reading(seconds))
    source: TicketSource = vendor_of(connection).module("source").open_source(client)
    return source


def _reading(seconds: float | None) -> Errand:
    return Errand.reading(SYNC_SECONDS) if seconds is None else Errand.reading(seconds, hurried=True)


def gives_alerts(connection: Connection) -> bool:
    """Whether the connection's vendor has alerts that could become signals; asks nobody."""
    vendor = VENDORS.get(connection.vendor)
    return vendor is not None and vendor.gives_alerts


def takes_alerts(connection: Connection) -> bool:
    """Whether alerts of the connection become signals."""
    return connection.takes_alerts and gives_alerts(connection)


def open_alert_source(connection: Connection) -> AlertSource:
    """The connection as a monitoring; to be closed.

    Raises:
        ToolUnavailable: it is paused, has no credentials, or its alerts are not wanted as signals.
        AddressRefused: its address is none that requests may go to.
    """
    if not takes_alerts(connection):
        raise ToolUnavailable(f"Alerts of {connection.label} do not become signals.")
    client = open_client(connection, Errand.reading(SYNC_SECONDS))
    source: AlertSource = vendor_of(connection).module("alerts").open_source(client)
    return source
