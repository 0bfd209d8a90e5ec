"""What becomes of a delivered ticket, in the words that sync jobs and people are told."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from signals.intake.columns import CleanTicket
from signals.intake.held import Held
from signals.models import Signal


class Outcome(StrEnum):
    """What became of one delivered ticket."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    STALE = "stale"
    GONE = "gone"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class UpsertResult:
    """What became of one delivered ticket; `reason` is for people: why refused, passed over, or waiting for review."""

    external_id: str
    outcome: Outcome
    signal_id: uuid.UUID | None = None
    reason: str = ""


def result_of(signal: Signal, outcome: Outcome) -> UpsertResult:
    """For a delivery that was written."""
    return UpsertResult(
        external_id=signal.external_id, outcome=outcome, signal_id=signal.pk, reason=signal.state_reason
    )


def passed_over(ticket: CleanTicket, signal: Held) -> UpsertResult:
    """For a delivery that said no more than we held, or less."""
    known = ticket.revision == signal.revision and ticket.deleted == (signal.state == Signal.State.GONE)
    held = f"We hold a newer revision, of {signal.source_updated_at:%Y-%m-%d %H:%M:%S} UTC."
    if ticket.revision == signal.revision:
        held = "It was deleted at the source in that same second."
    return UpsertResult(
        external_id=ticket.external_id,
        outcome=Outcome.UNCHANGED if known else Outcome.STALE,
        signal_id=signal.pk,
        reason="" if known else held,
    )
