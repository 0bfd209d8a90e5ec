"""The words all vendors share: records as they come from a source, before anything of ours is decided about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """A note or mail of a ticket. `internal` = the client does not see it.

    `by_client` = somebody of the client's wrote it, False = one of ours did; None = the source does not tell.
    """

    external_id: str
    author: str
    text: str
    internal: bool
    written_at: datetime
    by_client: bool | None = None


@dataclass(frozen=True, slots=True)
class TimeRecord:
    """Time that somebody booked on a ticket, in whole minutes."""

    external_id: str
    member: str
    minutes: int
    billable: bool
    text: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class AttachmentRecord:
    """A file that hangs on a ticket, without the file. `size` in bytes; None = not told."""

    external_id: str
    name: str
    content_type: str
    added_at: datetime
    size: int | None = None


@dataclass(frozen=True, slots=True)
class TicketRecord:
    """A ticket as its source says. Ids are the source's own; empty = the source has none. Moments are aware.

    `description` is the opening text; the note it comes from at the source is not repeated in `notes`. Of `notes`,
    `time_entries` and `attachments` None = the source did not send them this time. `left_out` tells people what of the
    ticket was too much to be read; empty = all is here. `alert_type` = what the monitoring calls the alert this ticket
    is about. `deleted` = it is gone at the source. `opened_by` and `changed_by` = who opened and who last changed it,
    by whatever name the source knows them; empty = it does not tell. `read_at` = when the source was asked for it, by
    our clock; None = not known. `raw` is the source's own record.
    """

    external_id: str
    subject: str
    created_at: datetime
    updated_at: datetime
    company_external_id: str = ""
    company_name: str = ""
    contact_external_id: str = ""
    contact_name: str = ""
    device_external_ids: tuple[str, ...] = ()
    description: str = ""
    status: str = ""
    closed: bool = False
    priority: str = ""
    board_external_id: str = ""
    board_name: str = ""
    type: str = ""
    subtype: str = ""
    item: str = ""
    alert_type: str = ""
    assignee: str = ""
    notes: tuple[NoteRecord, ...] | None = None
    time_entries: tuple[TimeRecord, ...] | None = None
    attachments: tuple[AttachmentRecord, ...] | None = None
    deleted: bool = False
    merged_into: str = ""
    left_out: str = ""
    opened_by: str = ""
    changed_by: str = ""
    read_at: datetime | None = None
    raw: JsonValue = None


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    """A client company at the source."""

    external_id: str
    name: str
    identifier: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """A person at a client company."""

    external_id: str
    company_external_id: str
    name: str
    email: str = ""
    phone: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device of a client company."""

    external_id: str
    company_external_id: str
    name: str
    kind: str = ""
    operating_system: str = ""
    serial_number: str = ""


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """An alert that stands at a monitoring. `condition` = what makes two alerts of one device the same problem.

    `urgency` 1 (most urgent) to 4, 0 = the source does not say. `device` None = the source did not say more of the
    device than its id. Moments are aware.
    """

    external_id: str
    condition: str
    subject: str
    text: str
    device_external_id: str
    raised_at: datetime
    changed_at: datetime
    device: DeviceRecord | None = None
    urgency: int = 0
    raw: JsonValue = None


@dataclass(frozen=True, slots=True)
class BoardRecord:
    """A service board."""

    external_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a list that a field of a ticket is chosen from, by the source's id.

    `under` = the chains of entries that it goes with: for a subtype the id of its type, for an item those of type and
    subtype; empty = it goes with all.
    """

    id: str
    name: str
    under: frozenset[tuple[str, ...]] = frozenset()


@dataclass(frozen=True, slots=True)
class BoardChoices:
    """What tickets of one board may be typed as, as the source says now; what is inactive is left out."""

    types: tuple[Choice, ...]
    subtypes: tuple[Choice, ...]
    items: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class StatusChoice:
    """A status of one board, by the source's id. `closes` = it closes a ticket. `first` = new tickets have it."""

    id: str
    name: str
    closes: bool = False
    first: bool = False


@dataclass(frozen=True, slots=True)
class Hint:
    """What a webhook is believed: look at this record. `kind` is `ticket`, or `alerts` (of a device)."""

    kind: str
    external_id: str


class TicketSource(Protocol):
    """A system that tickets come from. Every method raises `VendorError`; iterators do so while they are read."""

    def changed_since(self, moment: datetime | None) -> Iterator[TicketRecord]:
        """Tickets updated at or after `moment` (None = all there are), the longest unchanged first."""
        ...

    def ticket(self, external_id: str) -> TicketRecord:
        """One ticket. Raises `VendorNotFound` when the source has none of this id (any more)."""
        ...

    def outline(self) -> Iterator[tuple[str, datetime]]:
        """Every ticket's id and last change, and nothing else of it."""
        ...

    def companies(self) -> Iterator[CompanyRecord]:
        """All client companies."""
        ...

    def contacts(self) -> Iterator[ContactRecord]:
        """All contacts."""
        ...

    def devices(self) -> Iterator[DeviceRecord]:
        """All devices."""
        ...

    def boards(self) -> Iterator[BoardRecord]:
        """All service boards."""
        ...

    def board_choices(self, board_external_id: str) -> BoardChoices:
        """The types, subtypes and items of one board. Raises `VendorNotFound` when there is no such board."""
        ...

    def statuses(self, board_external_id: str) -> tuple[StatusChoice, ...]:
        """The statuses of one board. Raises `VendorNotFound` when there is no such board."""
        ...

    def priorities(self) -> tuple[Choice, ...]:
        """The priorities there are, the most urgent first."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


class AlertSource(Protocol):
    """A monitoring. Every method raises `VendorError`."""

    def alerts(self) -> list[AlertRecord]:
        """All alerts that stand now: what is not among them has cleared."""
        ...

    def device(self, external_id: str) -> DeviceRecord:
        """One device, with the company it belongs to. Raises `VendorNotFound` when there is none of this id."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


@dataclass(frozen=True, slots=True)
class CredentialField:
    """One thing an admin enters to connect a vendor. A `secret` one is masked while typed; none is shown again."""

    name: str
    label: str
    help: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Rights:
    """What to grant at a vendor for something, by the vendor's own names. `acts` = it changes things there."""

    purpose: str
    names: tuple[str, ...]
    acts: bool = False


@dataclass(frozen=True, slots=True)
class CompanyAccess:
    """What a company lets us do, at a vendor that is let in by each company itself.

    `name` = what it calls itself, empty where it does not tell; `lacking` = permissions that requests of ours take and
    it did not give.
    """

    name: str
    lacking: tuple[str, ...]


class VendorClient(Protocol):
    """What this floor asks of every vendor's client."""

    def probe(self) -> str:
        """Try what the connection needs; returns what the server says of itself. Raises `IntegrationError`."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...
