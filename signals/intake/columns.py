"""From a vendor's ticket to the columns of a Signal: cleaned, cut to size, or refused with a reason. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import cached_property

from pydantic import JsonValue

from integrations.contracts import AttachmentRecord, NoteRecord, TicketRecord, TimeRecord
from signals.intake.cleaning import TicketRefused, clean_json, storable

#: Most text one ticket may hold: subject, description, all notes and time together, in bytes of UTF-8.
TEXT_LIMIT = 1024 * 1024
#: Most the source's own record may take as JSON, in bytes; it repeats the text, so it may be larger.
RAW_LIMIT = 2 * 1024 * 1024
#: How far the source's clock may be ahead of ours. A revision from the far future would shut out all later ones.
CLOCK_LEEWAY = timedelta(days=1)

#: Most notes of one ticket, as many time entries and attachments, and most devices it may name.
MOST_NOTES = 1000
MOST_DEVICES = 100

SUBJECT_LENGTH = 300
ID_LENGTH = 80
WORD_LENGTH = 80
NAME_LENGTH = 120
AUTHOR_LENGTH = 200
REASON_LENGTH = 300

#: What hangs on a ticket in lists of its own.
PARTS = ("notes", "time_entries", "attachments")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class CleanNote:
    """A note as SignalNote stores it."""

    external_id: str
    author: str
    text: str
    internal: bool
    written_at: datetime
    by_client: bool | None = None

    def as_said(self) -> tuple[object, ...]:
        """What its ticket's digest is made of: where nobody tells whose it is, the same as before sources told."""
        said = astuple(self)
        return said[:-1] if self.by_client is None else said


@dataclass(frozen=True, kw_only=True)
class CleanTime:
    """A time entry as SignalTime stores it."""

    external_id: str
    member: str
    minutes: int
    billable: bool
    text: str
    started_at: datetime


@dataclass(frozen=True, kw_only=True)
class CleanAttachment:
    """A file's name and size as SignalAttachment stores them."""

    external_id: str
    name: str
    content_type: str
    size: int | None
    added_at: datetime


@dataclass(frozen=True, kw_only=True)
class CleanTicket:
    """A ticket as Signal stores it; ids are still the source's own.

    `notes`, `time_entries` or `attachments` None = the source did not send them. `read_at` = when it was asked.
    """

    external_id: str
    company_name: str
    revision: int
    deleted: bool
    merged_into: str
    closed: bool
    company_external_id: str
    contact_external_id: str
    device_external_id: str
    board_external_id: str
    board_name: str
    subject: str
    description: str
    source_status: str
    priority: str
    type: str
    subtype: str
    item: str
    alert_type: str
    assignee: str
    source_created_at: datetime
    source_updated_at: datetime
    notes: tuple[CleanNote, ...] | None
    time_entries: tuple[CleanTime, ...] | None
    attachments: tuple[CleanAttachment, ...] | None
    left_out: str
    read_at: datetime | None
    raw: JsonValue

    @cached_property
    def digest(self) -> str:
        """SHA-256 of all the source said: tells two deliveries of the same revision apart."""
        said = {name: getattr(self, name) for name in _SAID}
        if not self.merged_into:  # most tickets: they keep the digest they had before sources told of this
            del said["merged_into"]
        for name in PARTS:
            parts = getattr(self, name)
            if parts is not None:
                said[name] = [_as_said(part) for part in sorted(parts, key=lambda part: part.external_id)]
        return hashlib.sha256(_AS_SAID.encode(said).encode()).hexdigest()


def _as_said(part: CleanNote | CleanTime | CleanAttachment) -> tuple[object, ...]:
    return part.as_said() if isinstance(part, CleanNote) else astuple(part)


_SAID = tuple(each.name for each in fields(CleanTicket) if each.name not in (*PARTS, "read_at"))
_AS_SAID = json.JSONEncoder(sort_keys=True, default=str)


def revision_of(moment: datetime) -> int:
    """Microseconds since 1970: what revisions are compared by."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(revision: int) -> datetime:
    """The moment that a revision stands for."""
    return _EPOCH + revision * _MICROSECOND


def clean_ticket(ticket: TicketRecord, *, now: datetime) -> CleanTicket:
    """The ticket's columns.

    NUL and half surrogates, which no database holds, are taken out; every other character stays as it came. A subject
    that is too long is cut, and then stands whole at the head of the description.

    Raises:
        TicketRefused: no usable id, no usable time of change, too much text, or a record nested too deeply.
    """
    _refuse_oversize(ticket)
    updated_at = past_moment(ticket.updated_at, now=now)
    subject, description = _subject_and_description(ticket)
    external_id, merged_into = (
        identifier(ticket.external_id, "external_id"),
        optional_identifier(ticket.merged_into, "merged_into"),
    )
    if merged_into == external_id:
        raise TicketRefused("merged_into names the ticket itself.")
    return CleanTicket(
        external_id=external_id,
        company_name=line(ticket.company_name, NAME_LENGTH),
        revision=revision_of(updated_at),
        deleted=ticket.deleted,
        merged_into=merged_into,
        closed=ticket.closed,
        company_external_id=optional_identifier(ticket.company_external_id, "company"),
        contact_external_id=optional_identifier(ticket.contact_external_id, "contact"),
        device_external_id=optional_identifier(next(iter(ticket.device_external_ids), ""), "devices"),
        board_external_id=optional_identifier(ticket.board_external_id, "board"),
        board_name=line(ticket.board_name, NAME_LENGTH),
        subject=subject,
        description=description,
        source_status=line(ticket.status, WORD_LENGTH),
        priority=line(ticket.priority, WORD_LENGTH),
        type=line(ticket.type, WORD_LENGTH),
        subtype=line(ticket.subtype, WORD_LENGTH),
        item=line(ticket.item, WORD_LENGTH),
        alert_type=line(ticket.alert_type, NAME_LENGTH),
        assignee=line(ticket.assignee, NAME_LENGTH),
        source_created_at=_moment(ticket.created_at or updated_at, "created_at"),
        source_updated_at=updated_at,
        notes=None if ticket.notes is None else _notes(ticket.notes),
        time_entries=None if ticket.time_entries is None else _times(ticket.time_entries),
        attachments=None if ticket.attachments is None else _attachments(ticket.attachments),
        left_out=line(ticket.left_out, REASON_LENGTH),
        read_at=ticket.read_at,
        raw=_storable_raw(ticket.raw),
    )


def past_moment(updated_at: datetime, *, now: datetime) -> datetime:
    """When the source last changed something, in UTC. Raises TicketRefused where that lies in the future."""
    found = _moment(updated_at, "updated_at")
    if found > now + CLOCK_LEEWAY:
        raise TicketRefused(f"updated_at is {found:%Y-%m-%d %H:%M} UTC, in the future: check the clock of the source.")
    return found


def text_size(ticket: TicketRecord) -> int:
    """How much text the ticket holds, subject, description, notes and time together, in bytes of UTF-8."""
    texts = [ticket.subject, ticket.description, *(note.text for note in ticket.notes or ())]
    texts += [entry.text for entry in ticket.time_entries or ()]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def mebibytes(size: int) -> str:
    """A number of bytes as people read it."""
    return f"{size / 1024 / 1024:.1f} MiB"


def _refuse_oversize(ticket: TicketRecord) -> None:
    for what, found, most in (
        ("notes", len(ticket.notes or ()), MOST_NOTES),
        ("time entries", len(ticket.time_entries or ()), MOST_NOTES),
        ("attachments", len(ticket.attachments or ()), MOST_NOTES),
        ("devices", len(ticket.device_external_ids), MOST_DEVICES),
    ):
        if found > most:
            raise TicketRefused(f"The ticket has {found:,} {what}, the limit is {most:,}.")
    size = text_size(ticket)
    if size > TEXT_LIMIT:
        raise TicketRefused(
            f"The ticket holds {mebibytes(size)} of text, the limit is {mebibytes(TEXT_LIMIT)}: "
            "shorten it at the source or attach the long part as a file."
        )


def _subject_and_description(ticket: TicketRecord) -> tuple[str, str]:
    whole = line(ticket.subject, None)
    description = storable(ticket.description)
    subject = _cut(whole, SUBJECT_LENGTH)
    if subject != whole:
        description = f"{whole}\n\n{description}".rstrip()
    if not subject:
        subject = "Deleted at the source" if ticket.deleted else "No subject"
    return subject, description


def _notes(notes: Sequence[NoteRecord]) -> tuple[CleanNote, ...]:
    """The notes; where the source names one id twice, the later one counts."""
    found = {note.external_id: note for note in _clean_notes(notes)}
    return tuple(found.values())


def _clean_notes(notes: Sequence[NoteRecord]) -> Iterator[CleanNote]:
    for note in notes:
        yield CleanNote(
            external_id=identifier(note.external_id, "notes.external_id"),
            author=line(note.author, AUTHOR_LENGTH),
            text=storable(note.text),
            internal=note.internal,
            written_at=_moment(note.written_at, "notes.written_at"),
            by_client=note.by_client,
        )


def _times(entries: Sequence[TimeRecord]) -> tuple[CleanTime, ...]:
    found = {
        entry.external_id: CleanTime(
            external_id=identifier(entry.external_id, "time_entries.external_id"),
            member=line(entry.member, AUTHOR_LENGTH),
            minutes=entry.minutes,
            billable=entry.billable,
            text=storable(entry.text),
            started_at=_moment(entry.started_at, "time_entries.started_at"),
        )
        for entry in entries
    }
    return tuple(found.values())


def _attachments(files: Sequence[AttachmentRecord]) -> tuple[CleanAttachment, ...]:
    found = {
        file.external_id: CleanAttachment(
            external_id=identifier(file.external_id, "attachments.external_id"),
            name=line(file.name, AUTHOR_LENGTH) or "Without a name",
            content_type=line(file.content_type, NAME_LENGTH),
            size=file.size,
            added_at=_moment(file.added_at, "attachments.added_at"),
        )
        for file in files
    }
    return tuple(found.values())


def _storable_raw(raw: JsonValue) -> JsonValue:
    if raw is None or raw == {}:
        return {}
    cleaned = clean_json(raw)
    size = len(json.dumps(cleaned))
    if size > RAW_LIMIT:
        raise TicketRefused(
            f"The source's record takes {mebibytes(size)}, the limit is {mebibytes(RAW_LIMIT)}: "
            "shorten the ticket at the source."
        )
    return cleaned


def identifier(value: str, field: str) -> str:
    """An id of the source. Raises TicketRefused where it is empty or too long."""
    found = optional_identifier(value, field)
    if not found:
        raise TicketRefused(f"{field} is empty: send the source's own id.")
    return found


def optional_identifier(value: str, field: str) -> str:
    """An id of the source, or nothing. Raises TicketRefused where it is too long."""
    found = line(value, None)
    if len(found) > ID_LENGTH:
        raise TicketRefused(f"{field} has {len(found)} characters, an id has at most {ID_LENGTH}.")
    return found


def _moment(value: datetime, field: str) -> datetime:
    if value.tzinfo is None:
        raise TicketRefused(f"{field} names no time zone: send it as 2026-11-21T14:05:00Z.")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise TicketRefused(f"{field} is a moment outside the calendar.") from None


def line(value: str, limit: int | None) -> str:
    """One line without surrounding blanks, cut to `limit` characters."""
    found = " ".join(storable(value).split())
    return found if limit is None else _cut(found, limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
