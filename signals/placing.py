"""Giving a signal its company, contact and device when they become known after the ticket came."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Q

from integrations.models import Connection
from junto.bells import ring
from junto.tenants.scoping import TenantQuerySet
from signals.directory import Directory
from signals.models import Signal


def place(signal: Signal, company_id: uuid.UUID, directory: Directory | None = None) -> None:
    """Write the company of a signal, and its contact and device where they belong to that company."""
    signal.company_id = company_id
    if directory is None and signal.connection is not None:
        directory = Directory.read(signal.connection, [signal])
    if directory is not None:
        signal.contact_id = directory.contact_of(signal.contact_external_id, company_id)
        signal.device_id = directory.device_of(signal.device_external_id, company_id)
    signal.save(update_fields=["company", "contact", "device", "changed_at"])


def unplaced(connection: Connection) -> TenantQuerySet[Signal]:
    """Open signals whose source names a company or contact that we did not know."""
    nameless = Q(company=None) & ~Q(company_external_id="")
    without_contact = Q(contact=None, company__isnull=False) & ~Q(contact_external_id="")
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(connection.organization)
    return rows.filter(nameless | without_contact, connection=connection, state__in=Signal.OPEN)


def place_waiting(connection: Connection) -> int:
    """Place the open signals whose company or contact has become known; returns how many."""
    waiting = list(unplaced(connection).select_related("organization", "connection"))
    directory = Directory.read(connection, waiting)
    return sum(_place_if_known(signal, directory) for signal in waiting)


@transaction.atomic
def _place_if_known(signal: Signal, directory: Directory) -> bool:
    known = signal.company_id
    company_id = known or directory.companies.get(signal.company_external_id)
    if company_id is None:
        return False
    if known is not None and directory.contact_of(signal.contact_external_id, company_id) is None:
        return False
    if known is None:
        to = Signal.State.NEEDS_REVIEW if signal.left_out else Signal.State.NEW
        signal.move(to=to, frm=[Signal.State.NEEDS_REVIEW], reason=signal.left_out)
    place(signal, company_id, directory)
    ring("signal.changed", str(signal.pk))
    return True
