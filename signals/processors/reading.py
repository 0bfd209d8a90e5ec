"""One reading of a ticket's words, shared by the processors that look at it."""

from __future__ import annotations

from functools import lru_cache

from junto.textwork import Reading, read
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
    """Notes that the client wrote: not internal, and by the ticket's contact or another person of the company.

    A technician's answer is seen by the client too; an author nobody knows at the company is taken for one.
    """
    people = [*facts.people, *([facts.contact] if facts.contact else [])]
    names = {name for person in people for each in (person.name, person.detail) if (name := _name(each))}
    return [note for note in facts.notes if not note.internal and _name(note.author) in names]


def _name(text: str) -> str:
    return " ".join(text.split()).casefold()
