"""What a ticket was merged into: its source's word stands in the reason alone, an alert's or a file's in the row."""

from __future__ import annotations

import re
from typing import Final

from junto.tenants.actors import Actor
from signals.models import Signal

_WORDS: Final = "Merged into ticket {} at the source."
_READ: Final = re.compile(re.escape(_WORDS).replace(r"\{\}", "(.+)"))


def merged_words(external_id: str) -> str:
    """Why a ticket is over that its source merged into the one of this id."""
    return _WORDS.format(external_id)


def merged_into(signal: Signal, *, actor: Actor) -> Signal | None:
    """The signal in whose place this merged one is worked on.

    None where it is not merged, and where the other is not here or not for `actor` to see.
    """
    if signal.state != Signal.State.MERGED:
        return None
    found: Signal | None = None
    seen = Signal.objects.visible_to(actor).exclude(pk=signal.pk)
    told = _READ.fullmatch(signal.state_reason)
    if told is not None:
        found = seen.filter(connection=signal.connection_id, external_id=told[1]).first()
    elif signal.ticket_id is not None:
        found = seen.filter(pk=signal.ticket_id).first()
    return found
