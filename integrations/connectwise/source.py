"""ConnectWise as a source of tickets, companies, contacts and devices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from integrations.connectwise import conditions as where
from integrations.connectwise import endpoints, schemas
from integrations.connectwise.client import LABEL, ConnectWiseClient
from integrations.contracts import (
    AttachmentRecord,
    BoardChoices,
    BoardRecord,
    Choice,
    CompanyRecord,
    ContactRecord,
    DeviceRecord,
    NoteRecord,
    StatusChoice,
    TicketRecord,
    TimeRecord,
)
from integrations.errors import VendorForbidden, VendorGarbled, VendorNotFound, VendorTooMuch
from integrations.http import MOST_PAGES

BATCH = 100
_UNKNOWN_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


class ConnectWiseSource:
    """A `TicketSource` on a client, which it closes."""

    def __init__(self, client: ConnectWiseClient) -> None:
        self._client = client
        self._reads_files = True

    def changed_since(self, moment: datetime | None) -> Iterator[TicketRecord]:
        """See `TicketSource`.

        Goes by moments and not by page numbers: a ticket that changes meanwhile moves to the end, all behind it move up
        by one, and by page numbers one of them would be missed.
        """
        page, given = 1, set[tuple[int, datetime | None]]()
        for _ in range(MOST_PAGES):
            wanted = where.since("lastUpdated", moment) if moment else where.equals("recordType", "ServiceTicket")
            asked = datetime.now(UTC)
            batch = self._client.tickets(conditions=wanted, order_by="lastUpdated asc", limit=BATCH, page=page)
            for ticket in batch:
                if (ticket.id, ticket.updated_at) not in given:
                    given.add((ticket.id, ticket.updated_at))
                    yield self._record(ticket, asked)
            if len(batch) < BATCH:
                return
            last = batch[-1].updated_at
            if last is None or (moment is not None and last.replace(microsecond=0) <= moment):
                page += 1
            else:
                moment, page = last.replace(microsecond=0), 1
        raise VendorGarbled(f"{LABEL} has more changed tickets than fit into one run; the next goes on.", sent=True)

    def ticket(self, external_id: str) -> TicketRecord:
        """See `TicketSource`."""
        asked = datetime.now(UTC)
        found = (
            self._client.tickets(conditions=where.equals("id", int(external_id)), limit=1)
            if external_id.isascii() and external_id.isdigit()
            else []
        )
        if not found:
            raise VendorNotFound(f"{LABEL} has no ticket {external_id[:40]}.", sent=True, status=404)
        return self._record(found[0], asked)

    def outline(self) -> Iterator[tuple[str, datetime]]:
        """See `TicketSource`."""
        for ticket in self._client.ticket_stamps(conditions=where.equals("recordType", "ServiceTicket")):
            yield str(ticket.id), ticket.updated_at or _UNKNOWN_MOMENT

    def companies(self) -> Iterator[CompanyRecord]:
        """See `TicketSource`."""
        for company in self._client.companies():
            yield CompanyRecord(
                external_id=str(company.id),
                name=company.name,
                identifier=company.identifier,
                active=not company.deleted and company.status.name.lower() != "inactive",
            )

    def contacts(self) -> Iterator[ContactRecord]:
        """See `TicketSource`. Contacts without a company are left out."""
        for contact in self._client.contacts(conditions=where.equals("inactiveFlag", False)):
            if contact.company.id:
                yield ContactRecord(
                    external_id=str(contact.id),
                    company_external_id=contact.company.external_id,
                    name=contact.name,
                    email=contact.email,
                    phone=contact.phone,
                    title=contact.title,
                )

    def devices(self) -> Iterator[DeviceRecord]:
        """See `TicketSource`. Inactive ones and those without a company are left out."""
        for device in self._client.configurations(conditions=where.equals("activeFlag", True)):
            if device.company.id:
                yield DeviceRecord(
                    external_id=str(device.id),
                    company_external_id=device.company.external_id,
                    name=device.name,
                    kind=device.type.name,
                    operating_system=device.operating_system,
                    serial_number=device.serial_number,
                )

    def boards(self) -> Iterator[BoardRecord]:
        """See `TicketSource`."""
        for board in self._client.boards():
            if not board.inactive:
                yield BoardRecord(external_id=str(board.id), name=board.name)

    def board_choices(self, board_external_id: str) -> BoardChoices:
        """See `TicketSource`."""
        board = _board_number(board_external_id)
        types, subtypes, items = (
            [one for one in self._client.board_choices(endpoint, board) if not one.inactive and one.name]
            for endpoint in (endpoints.BOARD_TYPES, endpoints.BOARD_SUBTYPES, endpoints.BOARD_ITEMS)
        )
        chains: dict[int, set[tuple[str, ...]]] = {}
        for each in self._client.associations(board):
            chains.setdefault(each.item.id, set()).add((each.type.external_id, each.sub_type.external_id))
        return BoardChoices(
            types=tuple(Choice(str(one.id), one.name) for one in types),
            subtypes=tuple(
                Choice(str(one.id), one.name, frozenset((str(each),) for each in one.type_ids)) for one in subtypes
            ),
            # an item that goes with nothing is never offered
            items=tuple(Choice(str(one.id), one.name, frozenset(chains[one.id])) for one in items if one.id in chains),
        )

    def statuses(self, board_external_id: str) -> tuple[StatusChoice, ...]:
        """See `TicketSource`."""
        found = self._client.statuses(_board_number(board_external_id))
        return tuple(
            StatusChoice(str(one.id), one.name, closes=one.closed, first=one.default)
            for one in found
            if one.name and not one.inactive
        )

    def priorities(self) -> tuple[Choice, ...]:
        """See `TicketSource`."""
        return tuple(Choice(str(one.id), one.name) for one in self._client.priorities() if one.name)

    def close(self) -> None:
        """See `TicketSource`."""
        self._client.close()

    def _record(self, ticket: schemas.Ticket, asked: datetime) -> TicketRecord:
        notes, left_out = self._notes(ticket)
        opening = next((note for note in notes if note.issue), None)
        opening = opening or next((note for note in notes if note.discussion and note.kind == "TicketNote"), None)
        updated_at = ticket.updated_at or _UNKNOWN_MOMENT
        return TicketRecord(
            external_id=str(ticket.id),
            subject=ticket.summary,
            created_at=ticket.date_entered or ticket.info.date_entered or updated_at,
            updated_at=updated_at,
            company_external_id=ticket.company.external_id,
            company_name=ticket.company.name,
            contact_external_id=ticket.contact.external_id,
            contact_name=ticket.contact.name or ticket.contact_name,
            device_external_ids=tuple(str(one.id) for one in self._client.ticket_configurations(ticket.id)),
            description=opening.text if opening else left_out,
            status=ticket.status.name,
            closed=ticket.closed,
            priority=ticket.priority.name,
            board_external_id=ticket.board.external_id,
            board_name=ticket.board.name,
            type=ticket.type.name,
            subtype=ticket.sub_type.name,
            item=ticket.item.name,
            assignee=ticket.owner.name,
            notes=None
            if left_out
            else tuple(_note(note, updated_at) for note in notes if note is not opening and note.text),
            merged_into=str(ticket.merged_into.id) if ticket.merged_into.id else "",
            time_entries=self._time(ticket, updated_at),
            attachments=self._files(ticket, updated_at),
            left_out=left_out,
            opened_by=ticket.info.entered_by,
            changed_by=ticket.info.updated_by,
            read_at=asked,
            raw=ticket.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        )

    def _time(self, ticket: schemas.Ticket, otherwise: datetime) -> tuple[TimeRecord, ...] | None:
        """The time booked on it; None where the key may not read time."""
        if not ticket.hours:
            return ()
        try:
            return tuple(_time_record(entry, otherwise) for entry in self._client.time_entries(ticket.id))
        except VendorForbidden:
            return None

    def _files(self, ticket: schemas.Ticket, otherwise: datetime) -> tuple[AttachmentRecord, ...] | None:
        """The names of its files; None where the key may not read them, which is asked once a run."""
        if not self._reads_files:
            return None
        try:
            return tuple(_attachment(document, otherwise) for document in self._client.documents(ticket.id))
        except VendorForbidden:
            self._reads_files = False
            return None

    def _notes(self, ticket: schemas.Ticket) -> tuple[list[schemas.Note], str]:
        """The ticket's texts; or none, and words that say so, so that one huge ticket does not hold up all others."""
        try:
            return self._client.notes(ticket.id), ""
        except VendorTooMuch as problem:
            return [], f"The text of this ticket was not read: {problem} Open it in {LABEL}."


def open_source(client: ConnectWiseClient) -> ConnectWiseSource:
    """The client as a source of tickets."""
    return ConnectWiseSource(client)


def _board_number(external_id: str) -> int:
    if not (external_id.isascii() and external_id.isdigit()):
        raise VendorNotFound(f"{LABEL} has no board {external_id[:40]}.", sent=False, status=404)
    return int(external_id)


def _time_record(entry: schemas.TimeEntry, otherwise: datetime) -> TimeRecord:
    return TimeRecord(
        external_id=str(entry.id),
        member=entry.member.name or entry.member.identifier,
        minutes=max(round(entry.hours * 60), 0),
        billable=entry.billable == "Billable",
        text=entry.notes,
        started_at=entry.start or otherwise,
    )


def _attachment(document: schemas.Document, otherwise: datetime) -> AttachmentRecord:
    return AttachmentRecord(
        external_id=str(document.id),
        name=document.file_name or document.title,
        content_type="",
        size=document.size or None,
        added_at=document.info.date_entered or document.info.last_updated or otherwise,
    )


def _note(note: schemas.Note, otherwise: datetime) -> NoteRecord:
    return NoteRecord(
        external_id=note.external_id,
        author=note.author,
        text=note.text,
        internal=note.internal,
        written_at=note.written_at or otherwise,
        by_client=note.by_client,
    )
