"""Companies, contacts and devices as the source knows them, kept in rows of ours; and the links between companies."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass

from django.db import transaction

from integrations.contracts import CompanyRecord, ContactRecord, DeviceRecord
from integrations.models import CompanyLink, Connection, Contact, Device
from integrations.sources import open_ticket_source
from junto.audit.services import record
from junto.bells import ring
from junto.team.organizations import create_companies
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
        new = _link_new(connection, companies)
        owners = {link.external_id: link.company_id for link in _links(connection)}
        _store_contacts(connection, contacts, owners)
        _store_devices(connection, devices, owners)
    return DirectoryReport(len(owners), new, len(contacts), len(devices))


@transaction.atomic
def link_company(
    *, actor: Actor, connection: Connection, company: Company, external_id: str, external_name: str = ""
) -> CompanyLink:
    """Say which company at the vendor is this one, and ring so that what waited for it is read.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        AlreadyLinked: one of the two is linked already.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    require(actor, Permission.VIEW_WORK, company)
    links = CompanyLink.objects.for_organization(actor.organization).filter(connection=connection)
    if links.filter(company=company).exists() or links.filter(external_id=external_id).exists():
        raise AlreadyLinked("The company or its counterpart is linked already: unlink it first.")
    link = CompanyLink.unscoped.create(
        organization=actor.organization,
        connection=connection,
        company=company,
        external_id=external_id,
        external_name=external_name[:NAME_LENGTH],
    )
    record(actor, "company.linked", company, {"connection": connection.label, "external_id": external_id})
    ring("connection.poll", str(connection.pk))
    return link


@transaction.atomic
def unlink_company(*, actor: Actor, link: CompanyLink) -> None:
    """Take a link away: the vendor's tools are no longer offered for the company. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    record(actor, "company.unlinked", link.company, {"external_id": link.external_id})
    CompanyLink.objects.for_organization(actor.organization).filter(pk=link.pk).delete()


def _link_new(connection: Connection, companies: Sequence[CompanyRecord]) -> int:
    """Make companies and links for those that have none, and follow renames on the links; returns how many are new."""
    known = {link.external_id: link for link in _links(connection)}
    for company in companies:
        link = known.get(company.external_id)
        if link is not None and link.external_name != company.name[:NAME_LENGTH]:
            link.external_name = company.name[:NAME_LENGTH]
            link.save(update_fields=["external_name"])
    new = [company for company in companies if company.external_id not in known]
    names = _free_names(connection, new)
    rows = create_companies(actor=Actor.system("sync", connection.organization), names=names)
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
    return len(new)


def _free_names(connection: Connection, companies: Iterable[CompanyRecord]) -> list[str]:
    """A name for each that no linked company bears, nor one before it in the list."""
    taken = set(_links(connection).values_list("company__name", flat=True))
    names: list[str] = []
    for company in companies:
        plain = company.name.strip()[: NAME_LENGTH - 50] or f"Company {company.external_id}"
        for name in (plain, f"{plain} ({company.identifier})", f"{plain} ({company.external_id})"):
            if name not in taken:
                break
        taken.add(name)
        names.append(name)
    return names


def _store_contacts(connection: Connection, contacts: Iterable[ContactRecord], owners: dict[str, uuid.UUID]) -> None:
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
        update_fields=["company", "name", "email", "phone", "title"],
        batch_size=500,
    )


def _store_devices(connection: Connection, devices: Iterable[DeviceRecord], owners: dict[str, uuid.UUID]) -> None:
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
        update_fields=["company", "name", "kind", "operating_system", "serial_number"],
        batch_size=500,
    )


def _links(connection: Connection) -> TenantQuerySet[CompanyLink]:
    rows: TenantQuerySet[CompanyLink] = CompanyLink.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)
