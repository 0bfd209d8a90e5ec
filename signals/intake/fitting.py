"""A ticket that is too large for us, made to fit: what the poll reads is taken in as far as it goes. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from integrations.contracts import NoteRecord, TicketRecord, TimeRecord
from signals.intake.cleaning import storable
from signals.intake.columns import MOST_DEVICES, MOST_NOTES, RAW_LIMIT, TEXT_LIMIT, mebibytes, text_size

#: Kept free of TEXT_LIMIT for the words that say where a description was cut.
_ROOM_FOR_WORDS = 1024


def fitted(ticket: TicketRecord) -> TicketRecord:
    """The ticket within the limits of columns.py; itself where it is.

    Cut are a description, the oldest notes and time entries, and `left_out` says so; of the files the oldest. The
    source's own record is left out whole when it is too large: nobody reads it here.
    """
    if ticket.attachments is not None and len(ticket.attachments) > MOST_NOTES:
        newest = sorted(ticket.attachments, key=lambda file: file.added_at)[-MOST_NOTES:]
        ticket = replace(ticket, attachments=tuple(newest))
    most = max(len(ticket.notes or ()), len(ticket.time_entries or ()))
    if text_size(ticket) > TEXT_LIMIT or most > MOST_NOTES:
        ticket = _shortened(ticket)
    if ticket.raw is not None and len(json.dumps(ticket.raw)) > RAW_LIMIT:
        ticket = replace(ticket, raw=None)
    return replace(ticket, device_external_ids=ticket.device_external_ids[:MOST_DEVICES])


def _shortened(ticket: TicketRecord) -> TicketRecord:
    size = text_size(ticket)
    words = f"This ticket is too large to be kept whole: it holds {mebibytes(size)} of text"
    words += f" and {len(ticket.notes):,} notes" if ticket.notes else ""
    words += f". Here is {mebibytes(TEXT_LIMIT)} of it: read the rest at the source."
    room = TEXT_LIMIT - _ROOM_FOR_WORDS
    subject = _head(ticket.subject, room // 4)
    room -= _bytes(subject)
    noted = sum(_bytes(note.text) for note in ticket.notes or ())
    # a note may matter more than the end of a log file: up to half of the room is theirs
    description = _head(ticket.description, max(room // 2, room - noted))
    room -= _bytes(description)
    if description != ticket.description:
        description = f"{description}…\n\n[Cut off here. {words}]"
    notes = ticket.notes if ticket.notes is None else _newest(ticket.notes, room)
    room -= sum(_bytes(note.text) for note in notes or ())
    times = ticket.time_entries if ticket.time_entries is None else _newest_times(ticket.time_entries, room)
    return replace(
        ticket,
        subject=subject,
        description=description,
        notes=notes,
        time_entries=times,
        left_out=ticket.left_out or words,
    )


def _newest_times(entries: Sequence[TimeRecord], room: int) -> tuple[TimeRecord, ...]:
    """The newest entries, each with its minutes; the texts as far as there is room, those of the newest first."""
    kept: list[TimeRecord] = []
    for entry in sorted(entries, key=lambda entry: entry.started_at, reverse=True)[:MOST_NOTES]:
        kept.append(replace(entry, text=_head(entry.text, room)))
        room -= _bytes(kept[-1].text)
    return tuple(reversed(kept))


def _newest(notes: Sequence[NoteRecord], room: int) -> tuple[NoteRecord, ...]:
    """As many of the newest notes as there is room for, the last one cut; in the order they came."""
    kept: dict[int, NoteRecord] = {}
    newest_first = sorted(range(len(notes)), key=lambda place: notes[place].written_at, reverse=True)
    for place in newest_first[:MOST_NOTES]:
        text = _head(notes[place].text, room)
        if not text and notes[place].text:
            break
        kept[place] = replace(notes[place], text=text)
        room -= _bytes(text)
    return tuple(kept[place] for place in sorted(kept))


def _head(text: str, most: int) -> str:
    """As much of the beginning as `most` bytes of UTF-8 hold."""
    return storable(text).encode()[: max(most, 0)].decode(errors="ignore")


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
