"""Tickets as a source or a sync job delivers them, for the tests of this folder."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.contracts import NoteRecord, TicketRecord
from integrations.models import Connection
from junto.tenants.actors import Actor
from signals.models import Signal
from signals.services import UpsertResult, upsert_signals

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def ticket(external_id: str = "48213", *, minute: int = 0, **fields: Any) -> TicketRecord:
    """A ticket of Harlow & Beck (the source's company 250) as it was `minute` minutes after START."""
    defaults: dict[str, Any] = {
        "subject": "Outlook keeps asking for the password",
        "company_external_id": "250",
        "created_at": START,
        "updated_at": START + timedelta(minutes=minute),
        "status": "New",
        "board_external_id": "1",
        "board_name": "Service Desk",
    }
    return TicketRecord(external_id=external_id, **(defaults | fields))


def note(external_id: str, text: str = "Called, still broken.", *, internal: bool = True) -> NoteRecord:
    """A note written at START."""
    return NoteRecord(external_id=external_id, author="Theo", text=text, internal=internal, written_at=START)


def deliver(connection: Connection, *tickets: TicketRecord) -> list[UpsertResult]:
    """Bring the tickets in, as the poll does."""
    return upsert_signals(connection=connection, tickets=tickets, actor=Actor.system("sync", connection.organization))


def stored(connection: Connection, external_id: str = "48213") -> Signal:
    """The signal of a ticket, as it is in the database."""
    found: Signal = Signal.objects.for_organization(connection.organization).get(
        connection=connection, external_id=external_id
    )
    return found
