"""What the server knows for certain about a signal: for prompts, runbook arguments and pages.

Ids and directory records only count when they belong to the signal's own company (I7). Text that strangers wrote (the
subject, the description, notes) is here for reading and never for arguments.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from integrations.models import CompanyLink
from integrations.vendors import VENDORS
from signals.models import Signal


@dataclass(frozen=True, kw_only=True)
class PersonFacts:
    """A contact of the directory, by the source's id."""

    external_id: str
    name: str
    email: str
    phone: str
    title: str


@dataclass(frozen=True, kw_only=True)
class DeviceFacts:
    """A device of the directory, by the source's id."""

    external_id: str
    name: str
    kind: str
    operating_system: str
    serial_number: str


@dataclass(frozen=True, kw_only=True)
class SignalFacts:
    """One signal as the server sees it. `company_external_ids`: vendor slug -> the company's id there.

    `vendor` is empty where no connected system has a ticket of it.
    """

    id: str
    organization: str
    vendor: str
    vendor_label: str
    external_id: str
    subject: str
    description: str
    status: str
    closed: bool
    priority: str
    priority_number: int | None
    board_id: str
    board: str
    type: str
    subtype: str
    item: str
    assignee: str
    created_at: datetime
    updated_at: datetime
    revision: int
    company_id: str
    company: str
    company_external_ids: dict[str, str]
    contact: PersonFacts | None
    device: DeviceFacts | None

    def company_as_dict(self) -> dict[str, JsonValue]:
        """The company for the prompt's facts."""
        ids: dict[str, JsonValue] = {vendor: vendor_id(each) for vendor, each in self.company_external_ids.items()}
        return {"id": self.company_id, "name": self.company, "external_ids": ids}

    def ticket_as_dict(self) -> dict[str, JsonValue]:
        """The ticket for the prompt's facts; its longer texts are given to the model apart from these, fenced."""
        contact, device = self.contact, self.device
        return {
            "connection": self.vendor,
            "id": vendor_id(self.external_id) if self.vendor else None,
            "subject": self.subject,
            "board": self.board or None,
            "board_id": vendor_id(self.board_id) if self.board_id else None,
            "status": self.status or None,
            "priority": self.priority or None,
            "type": self.type or None,
            "subtype": self.subtype or None,
            "item": self.item or None,
            "contact": {"id": vendor_id(contact.external_id), "name": contact.name, "email": contact.email or None}
            if contact
            else None,
            "devices": [{"id": vendor_id(device.external_id), "name": device.name}] if device else [],
            "assignee": self.assignee or None,
            "created_at": self.created_at.isoformat(),
            "updated_at": self.updated_at.isoformat(),
        }


def vendor_id(external_id: str) -> int | str:
    """A vendor's id in the shape the vendor's own API uses: a number where it is one."""
    is_number = external_id.isascii() and external_id.isdecimal() and str(int(external_id)) == external_id
    return int(external_id) if is_number else external_id


def signal_facts(signal: Signal) -> SignalFacts:
    """The facts of a signal, read now: at most seven queries, none where relations are already loaded."""
    connection, company, board = signal.connection, signal.company, signal.board
    vendor = connection.vendor if connection and signal.has_ticket else ""
    return SignalFacts(
        id=str(signal.pk),
        organization=signal.organization.name,
        vendor=vendor,
        vendor_label=VENDORS[vendor].label if vendor in VENDORS else vendor,
        external_id=signal.external_id,
        subject=signal.subject,
        description=signal.description,
        status=signal.source_status,
        closed=signal.closed_at_source,
        priority=signal.priority,
        priority_number=signal.priority_number,
        board_id=board.external_id if board else "",
        board=board.name if board else "",
        type=signal.type,
        subtype=signal.subtype,
        item=signal.item,
        assignee=signal.assignee,
        created_at=signal.source_created_at,
        updated_at=signal.source_updated_at,
        revision=signal.revision,
        company_id=str(company.pk) if company else "",
        company=company.name if company else "",
        company_external_ids=_links(signal),
        contact=_person(signal),
        device=_device(signal),
    )


def _links(signal: Signal) -> dict[str, str]:
    if signal.company_id is None:
        return {}
    links = CompanyLink.objects.for_organization(signal.organization).filter(company_id=signal.company_id)
    return dict(links.order_by("connection__vendor").values_list("connection__vendor", "external_id"))


def _person(signal: Signal) -> PersonFacts | None:
    contact = signal.contact
    if contact is None or contact.company_id != signal.company_id:
        return None
    return PersonFacts(
        external_id=contact.external_id,
        name=contact.name,
        email=contact.email,
        phone=contact.phone,
        title=contact.title,
    )


def _device(signal: Signal) -> DeviceFacts | None:
    device = signal.device
    if device is None or device.company_id != signal.company_id:
        return None
    return DeviceFacts(
        external_id=device.external_id,
        name=device.name,
        kind=device.kind,
        operating_system=device.operating_system,
        serial_number=device.serial_number,
    )
