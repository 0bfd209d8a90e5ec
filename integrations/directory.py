"""Companies, contacts and devices as the source knows them, in rows of ours; and the links between companies."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

from django.db import transaction

from integrations.connections import normal_company_id, vendor_of
from integrations.contracts import CompanyRecord, ContactRecord, DeviceRecord
from integrations.models import CompanyLink, Connection, Contact, Device, DirectoryRecord
from integrations.sources import open_ticket_source
from junto.audit.services import record
from junto.bells import ring
from junto.team.organizations import create_companies, rename_companies
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet

NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class DirectoryReport:
    """How many there are here after a sync, and how many companies were new."""

    companies: int
    new_companies: int
    contacts: int
    devices: int


class AlreadyLinked(ValueError):
    """The company, or the company at the vendor, is linked already: a link is one to one."""


def sync_directory(connection: Connection) -> DirectoryReport:
    """Read companies, contacts and devices from the source and bring our rows in step; safe to repeat.

    A company is known by its link. A new one gets a Company of its name, and the next of the same name one with the
    source's identifier behind it: names may collide, links may not. What is gone at the source stays here, as signals
    point to it.

    Raises:
        IntegrationError: the source could not be read; nothing was changed then.
    """
    with closing(open_ticket_source(connection)) as source:
        companies = [company for company in source.companies() if company.active]
        contacts, devices = list(source.contacts()), list(source.devices())
    with transaction.atomic():
        lock_directory(connection)
        new = store_companies(connection, companies, actor=Actor.system("sync", connection.organization))
        owners = owners_of(connection)
        store_contacts(connection, contacts, owners)
        store_devices(connection, devices, owners)
    return DirectoryReport(len(owners), len(new), len(contacts), len(devices))


def lock_directory(connection: Connection) -> None:
    """Let no other transaction write this connection's companies, contacts and devices before this one ends."""
    Connection.objects.for_organization(connection.organization).select_for_update(no_key=True).get(pk=connection.pk)


def owners_of(connection: Connection) -> dict[str, uuid.UUID]:
    """The source's id of each linked company -> ours."""
    return dict(_links(connection).values_list("external_id", "company_id"))


@transaction.atomic
def link_company(
    *, actor: Actor, connection: Connection, company: Company, external_id: str, external_name: str = ""
) -> CompanyLink:
    """Say which company at the vendor is this one, and ring so that what waited for it is read.

    The id is kept in the vendor's one form. That it is one of the vendor's is for the caller to know (`link_by_id`).

    Raises:
        PermissionDenied: the actor may not manage integrations.
        NotACompany: it is no id of a company there.
        AlreadyLinked: one of the two is linked already.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    require(actor, Permission.VIEW_WORK, company)
    external_id = normal_company_id(vendor_of(connection), external_id)
    links = CompanyLink.objects.for_organization(actor.organization).filter(connection=connection)
    if links.filter(company=company).exists() or links.filter(external_id__iexact=external_id).exists():
        raise AlreadyLinked("The company or its counterpart is linked already: unlink it first.")
    link = CompanyLink.unscoped.create(
        organization=actor.organization,
        connection=connection,
        company=company,
        external_id=external_id,
        external_name=external_name[:NAME_LENGTH],
    )
    settle_waiting(connection, [external_id])
    record(actor, "company.linked", company, {"connection": connection.label, "external_id": external_id})
    ring("connection.poll", str(connection.pk))
    ring("directory.changed", str(connection.pk))
    return link


@transaction.atomic
def unlink_company(*, actor: Actor, link: CompanyLink) -> None:
    """Take a link away: the vendor's tools are no longer offered for the company. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    record(actor, "company.unlinked", link.company, {"external_id": link.external_id})
    CompanyLink.objects.for_organization(actor.organization).filter(pk=link.pk).delete()


def store_companies(connection: Connection, companies: Sequence[CompanyRecord], *, actor: Actor) -> set[str]:
    """Make companies and links for those that have none, follow the source's names; the source's ids of new ones.

    Our company is renamed with the source's while it bears the source's name, and no other company bears the new one.
    Ids that differ in case alone are one: of two such the second stays out.
    """
    known = {link.external_id: link for link in _links(connection).select_related("company")}
    _follow_names([(known[each.external_id], each) for each in companies if each.external_id in known], actor=actor)
    new = _of_new_ids(companies, known)
    if not new:
        return set()
    rows = create_companies(actor=actor, names=_free_names(connection, new))
    CompanyLink.unscoped.bulk_create(
        CompanyLink(
            organization=connection.organization,
            connection=connection,
            company=row,
            external_id=company.external_id,
            external_name=company.name[:NAME_LENGTH],
        )
        for company, row in zip(new, rows, strict=True)
    )
    return {company.external_id for company in new}


def _of_new_ids(companies: Sequence[CompanyRecord], known: Iterable[str]) -> list[CompanyRecord]:
    """Those whose id no link bears, and none before it in the list, in whatever case."""
    taken, new = {one.lower() for one in known}, []
    for company in companies:
        if company.external_id.lower() not in taken:
            taken.add(company.external_id.lower())
            new.append(company)
    return new


def _follow_names(told: Sequence[tuple[CompanyLink, CompanyRecord]], *, actor: Actor) -> None:
    """Write the names of the source on the links, and that the companies are there (again)."""
    changed, renamed = [], {}
    for link, company in told:
        name = company.name.strip()[:NAME_LENGTH] or link.external_name
        if link.external_name == name and link.gone_at is None:
            continue
        if link.external_name != name and link.company.name == link.external_name:
            renamed[link.company] = name
        link.external_name, link.gone_at = name, None
        changed.append(link)
    if renamed:
        rename_companies(actor=actor, names=renamed)
    if changed:
        CompanyLink.objects.for_organization(actor.organization).bulk_update(changed, ["external_name", "gone_at"])


def _free_names(connection: Connection, companies: Iterable[CompanyRecord]) -> list[str]:
    """A name for each that no linked company bears, nor one before it in the list, in whatever case."""
    taken = {name.casefold() for name in _links(connection).values_list("company__name", flat=True)}
    names: list[str] = []
    for company in companies:
        plain = company.name.strip()[: NAME_LENGTH - 50] or f"Company {company.external_id}"
        marks = [mark.strip() for mark in (company.identifier, company.external_id) if mark.strip()]
        for name in (plain, *(f"{plain} ({mark})" for mark in marks)):
            if name.casefold() not in taken:
                break
        taken.add(name.casefold())
        names.append(name)
    return names


def store_contacts(connection: Connection, contacts: Iterable[ContactRecord], owners: dict[str, uuid.UUID]) -> None:
    """Write those whose company is known over what is known of them; the others are left out."""
    Contact.unscoped.bulk_create(
        (
            Contact(
                organization=connection.organization,
                connection=connection,
                company_id=owners[contact.company_external_id],
                external_id=contact.external_id,
                name=(contact.name or contact.email or contact.external_id)[:NAME_LENGTH],
                email=contact.email[:254],
                phone=contact.phone[:60],
                title=contact.title[:120],
            )
            for contact in contacts
            if contact.company_external_id in owners
        ),
        update_conflicts=True,
        unique_fields=["connection", "external_id"],
        update_fields=["company", "name", "email", "phone", "title", "gone_at"],
        batch_size=500,
    )


def store_devices(connection: Connection, devices: Iterable[DeviceRecord], owners: dict[str, uuid.UUID]) -> None:
    """Write those whose company is known over what is known of them; the others are left out."""
    Device.unscoped.bulk_create(
        (
            Device(
                organization=connection.organization,
                connection=connection,
                company_id=owners[device.company_external_id],
                external_id=device.external_id,
                name=device.name[:NAME_LENGTH] or device.external_id,
                kind=device.kind[:120],
                operating_system=device.operating_system[:120],
                serial_number=device.serial_number[:120],
            )
            for device in devices
            if device.company_external_id in owners
        ),
        update_conflicts=True,
        unique_fields=["connection", "external_id"],
        update_fields=["company", "name", "kind", "operating_system", "serial_number", "gone_at"],
        batch_size=500,
    )


def keep_devices(connection: Connection, devices: Sequence[DeviceRecord]) -> bool:
    """Bring the rows of these devices in step, of those whose company is known; whether there was anything to write."""
    owners = owners_of(connection)
    rows = Device.objects.for_organization(connection.organization).filter(
        connection=connection, external_id__in={device.external_id for device in devices}
    )
    known = {each.external_id: (each.company_id, each.name, each.kind, each.gone_at) for each in rows}
    news = {
        device.external_id: device
        for device in devices
        if (owner := owners.get(device.company_external_id)) is not None
        and known.get(device.external_id) != (owner, device.name[:NAME_LENGTH], device.kind[:120], None)
    }
    if news:
        with transaction.atomic():
            lock_directory(connection)
            store_devices(connection, news.values(), owners)
    return bool(news)


def _links(connection: Connection) -> TenantQuerySet[CompanyLink]:
    rows: TenantQuerySet[CompanyLink] = CompanyLink.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)


def directory_records(connection: Connection) -> TenantQuerySet[DirectoryRecord]:
    """What sync jobs said last of this connection's companies, contacts and devices."""
    rows: TenantQuerySet[DirectoryRecord] = DirectoryRecord.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)


def settle_waiting(connection: Connection, company_external_ids: Collection[str]) -> None:
    """The companies have become known: what sync jobs said of their contacts and devices takes its place."""
    rows = directory_records(connection).filter(company_external_id__in=company_external_ids, deleted=False)
    owners = owners_of(connection)
    for kind in (DirectoryRecord.Kind.CONTACT, DirectoryRecord.Kind.DEVICE):
        store_records(connection, kind, list(rows.filter(kind=kind)), owners)


def store_records(
    connection: Connection, kind: str, records: Iterable[DirectoryRecord], owners: dict[str, uuid.UUID]
) -> None:
    """Contacts or devices that a sync job told of, those whose company is known."""
    if kind == DirectoryRecord.Kind.CONTACT:
        store_contacts(connection, [ContactRecord(*_ids(row), **row.told) for row in records], owners)
    else:
        store_devices(connection, [DeviceRecord(*_ids(row), **row.told) for row in records], owners)


def _ids(record: DirectoryRecord) -> tuple[str, str]:
    return record.external_id, record.company_external_id
