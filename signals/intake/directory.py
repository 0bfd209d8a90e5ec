"""Our own rows behind the source's ids: company, contact, device and board of many tickets, in a few queries."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from integrations.models import CompanyLink, Connection, Contact, Device
from integrations.vendors import FILES
from signals.files.names import Owned, boards_named, companies_named, contacts_named, devices_named
from signals.models import Board


class NamesRecords(Protocol):
    """What names a company, contact and device by the source's ids: a ticket that comes in, or a stored signal."""

    @property
    def company_external_id(self) -> str: ...
    @property
    def contact_external_id(self) -> str: ...
    @property
    def device_external_id(self) -> str: ...


@dataclass(frozen=True)
class Directory:
    """The source's ids -> ours, for one connection. A contact or device counts only for its own company (I7).

    A file names records by what people call them, so there a name may stand for several, of different companies.
    """

    companies: Mapping[str, uuid.UUID]
    contacts: Mapping[str, Sequence[Owned]]
    devices: Mapping[str, Sequence[Owned]]

    @classmethod
    def read(cls, connection: Connection, named: Iterable[NamesRecords]) -> Directory:
        """What is known of the records that `named` speak of: three queries, a few more for a file."""
        wanted = list(named)
        if connection.vendor == FILES:
            return cls._of_file(connection, wanted)
        links = CompanyLink.objects.for_organization(connection.organization).filter(
            connection=connection, external_id__in={each.company_external_id for each in wanted}
        )
        contacts = Contact.objects.for_organization(connection.organization).filter(
            connection=connection, external_id__in={each.contact_external_id for each in wanted}
        )
        devices = Device.objects.for_organization(connection.organization).filter(
            connection=connection, external_id__in={each.device_external_id for each in wanted}
        )
        return cls(
            companies=dict(links.values_list("external_id", "company_id")),
            contacts={ext: [Owned(*ids)] for ext, *ids in contacts.values_list("external_id", "id", "company_id")},
            devices={ext: [Owned(*ids)] for ext, *ids in devices.values_list("external_id", "id", "company_id")},
        )

    @classmethod
    def _of_file(cls, connection: Connection, wanted: Sequence[NamesRecords]) -> Directory:
        organization = connection.organization
        return cls(
            companies=companies_named(organization, {each.company_external_id for each in wanted}),
            contacts=contacts_named(organization, {each.contact_external_id for each in wanted}),
            devices=devices_named(organization, {each.device_external_id for each in wanted}),
        )

    def contact_of(self, external_id: str, company_id: uuid.UUID | None) -> uuid.UUID | None:
        """Our contact, when it belongs to that company."""
        return _owned_by(self.contacts.get(external_id, ()), company_id)

    def device_of(self, external_id: str, company_id: uuid.UUID | None) -> uuid.UUID | None:
        """Our device, when it belongs to that company."""
        return _owned_by(self.devices.get(external_id, ()), company_id)


def _owned_by(found: Sequence[Owned], company_id: uuid.UUID | None) -> uuid.UUID | None:
    """The one row that belongs to the company; none where two of it bear the same name."""
    owned = [each.id for each in found if company_id and each.company_id == company_id]
    return owned[0] if len(owned) == 1 else None


def review_reason(company_external_id: str, company_name: str = "") -> str:
    """Why a ticket without a company of ours waits for a person."""
    if not company_external_id:
        return "The ticket names no company."
    named = f"{company_name} ({company_external_id})" if company_name else company_external_id
    return f"Company {named} of the source is not linked to a company here."


def name_in_reason(reason: str, company_external_id: str) -> str:
    """The company's name that `review_reason` told; empty where it told none."""
    found = re.match(rf"Company (.+) \({re.escape(company_external_id)}\) of the source is not linked", reason)
    return found[1] if found and company_external_id else ""


def boards_by_external_id(connection: Connection, named: Sequence[tuple[str, str]]) -> dict[str, uuid.UUID]:
    """Our boards for (id, name) pairs of the source; new ones are added, renamed ones follow; no id = no board.

    A file adds none: what it calls a board is one only where a source has a board of that name.
    """
    if connection.vendor == FILES:
        return boards_named(connection.organization, {external_id for external_id, _ in named})
    names = {external_id: name for external_id, name in named if external_id}
    if not names:
        return {}
    known = {
        board.external_id: board
        for board in Board.objects.for_organization(connection.organization).filter(
            connection=connection, external_id__in=names
        )
    }
    changed = [
        Board(
            organization_id=connection.organization_id,
            connection=connection,
            external_id=external_id,
            name=name or external_id,
        )
        for external_id, name in names.items()
        if external_id not in known or (name and known[external_id].name != name)
    ]
    if changed:
        Board.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["connection", "external_id"], update_fields=["name"]
        )
        # a conflict keeps the stored row's id, so ids are read again rather than taken from `changed`
        return dict(
            Board.objects.for_organization(connection.organization)
            .filter(connection=connection, external_id__in=names)
            .values_list("external_id", "id")
        )
    return {external_id: board.id for external_id, board in known.items()}
