"""One reading of a ticket's words, shared by the processors that look at it."""

from __future__ import annotations

from functools import lru_cache

from junto.textwork import Reading, read
from signals.processors.base import TicketFacts

#: Readings remembered: those of the tickets that are being read by the threads of one process.
_REMEMBERED = 16

_read = lru_cache(maxsize=_REMEMBERED)(read)


def reading_of(facts: TicketFacts) -> Reading:
    """Title and text as the ticket stands."""
    return _read(facts.subject, facts.description)


def latest_reading(facts: TicketFacts) -> Reading:
    """The title with what the client saw or wrote last: the newest note that is not internal, else the text."""
    said = [note.text for note in facts.notes if not note.internal]
    return _read(facts.subject, said[-1]) if said else reading_of(facts)
