"""What a ticket was merged into: by its source, which names the other ticket, or here, as an alert's or a file's is."""

from __future__ import annotations

from junto.tenants.actors import Actor
from signals.models import Signal


def merged_words(external_id: str) -> str:
    """Why a ticket is over that its source merged into the one of this id."""
    return f"Merged into ticket {external_id} at the source."


def merged_into(signal: Signal, *, actor: Actor) -> Signal | None:
    """The signal in whose place this merged one is worked on.

    None where it is not merged, and where the other is not here or not for `actor` to see.
    """
    if signal.state != Signal.State.MERGED:
        return None
    found: Signal | None = None
    seen = Signal.objects.visible_to(actor).exclude(pk=signal.pk)
    if signal.merged_into and signal.connection_id is not None:
        found = seen.filter(connection=signal.connection_id, external_id=signal.merged_into).first()
    elif signal.ticket_id is not None:
        found = seen.filter(pk=signal.ticket_id).first()
    return found
