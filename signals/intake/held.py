"""What we hold of a ticket that is delivered, and whether the delivery says more."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import NamedTuple

from signals.intake.columns import CleanTicket
from signals.models import Signal


class Held(NamedTuple):
    """Of a stored signal, what tells news from repeats, and no more: a repeat is the rule and must be cheap."""

    pk: uuid.UUID
    external_id: str
    revision: int
    digest: str
    state: str
    source_updated_at: datetime

    def is_behind(self, ticket: CleanTicket) -> bool:
        """Whether the ticket says more than the stored revision; in the same second a deletion is the last word."""
        if ticket.revision != self.revision:
            return ticket.revision > self.revision
        return self.state != Signal.State.GONE and (ticket.deleted or ticket.digest != self.digest)
