"""Why a signal is in its state, in words."""

from __future__ import annotations

import uuid

from signals.intake.columns import REASON_LENGTH, CleanTicket
from signals.intake.directory import review_reason
from signals.merging import merged_words
from signals.models import Signal


def why(ticket: CleanTicket, company_id: uuid.UUID | None, state: Signal.State) -> str:
    """Where it was merged to; or why a person must look: no company of ours, and what was too much to be kept."""
    if state != Signal.State.NEEDS_REVIEW:
        return merged_words(ticket.merged_into) if state == Signal.State.MERGED and ticket.merged_into else ""
    placeless = "" if company_id else review_reason(ticket.company_external_id, ticket.company_name)
    return " ".join(filter(None, [placeless, ticket.left_out]))[:REASON_LENGTH]
