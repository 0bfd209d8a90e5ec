"""One reading of a ticket's words, shared by the processors that look at it."""

from __future__ import annotations

from functools import lru_cache

from junto.textwork import Reading, read
from signals.authors import is_by_client, spellings
from signals.processors.base import NoteText, TicketFacts

#: Readings remembered: those of the tickets that are being read by the threads of one process.
_REMEMBERED = 16

_read = lru_cache(maxsize=_REMEMBERED)(read)


def reading_of(facts: TicketFacts) -> Reading:
    """Title and text as the ticket stands."""
    return _read(facts.subject, facts.description)


def latest_reading(facts: TicketFacts) -> Reading:
    """The title with what the client wrote last: their newest note, else the text."""
    said = client_notes(facts)
    return _read(facts.subject, said[-1].text) if said else reading_of(facts)


def client_notes(facts: TicketFacts) -> list[NoteText]:
    """Notes that the client wrote: not internal, and by the client as authors.py tells it.

    A technician's answer is seen by the client too.
    """
    people = [*facts.people, *([facts.contact] if facts.contact else [])]
    known = spellings(each for person in people for each in (person.name, person.detail))
    return [note for note in facts.notes if not note.internal and is_by_client(note.by_client, note.author, known)]
