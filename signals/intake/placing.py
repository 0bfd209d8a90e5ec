"""Giving a signal its company, contact and device when they become known after the ticket came."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from approvals.models import StaleState
from integrations.models import Connection
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.scoping import TenantQuerySet
from signals.intake.alert_tickets import read_alert
from signals.intake.directory import Directory
from signals.intake.folding import settle_alerts
from signals.models import Signal


def place(signal: Signal, company_id: uuid.UUID, directory: Directory | None = None) -> None:
    """Write the company of a signal, and its contact and device where they belong to that company."""
    same = signal.company_id == company_id
    if signal.company_id is not None and not same:
        signal.company_since = timezone.now()
    signal.company_id = company_id
    if directory is None and signal.connection is not None:
        directory = Directory.read(signal.connection, [signal])
    if directory is not None:
        contact_id = directory.contact_of(signal.contact_external_id, company_id)
        device_id = directory.device_of(signal.device_external_id, company_id)
        signal.contact_id = contact_id or (signal.contact_id if same else None)
        signal.device_id = device_id or (signal.device_id if same else None)
    signal.awaits_processors = True
    alert = [name for name in read_alert(signal) if name == "alert_type"]
    columns = ["company", "company_since", "contact", "device", "awaits_processors", "changed_at", *alert]
    signal.save(update_fields=columns)


def unplaced(connection: Connection) -> TenantQuerySet[Signal]:
    """Open signals whose source names a company, contact or device that we did not know."""
    nameless = Q(company=None) & ~Q(company_external_id="")
    without_contact = Q(contact=None, company__isnull=False) & ~Q(contact_external_id="")
    without_device = Q(device=None, company__isnull=False) & ~Q(device_external_id="")
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(connection.organization)
    return rows.filter(nameless | without_contact | without_device, connection=connection, state__in=Signal.OPEN)


def waiting_by_company(actor: Actor, connection: Connection) -> dict[str, int]:
    """The source's id of each company that is linked to none of ours -> how many signals wait for it, of those that
    the actor may see.
    """
    rows: TenantQuerySet[Signal] = Signal.objects.visible_to(actor)
    waiting = rows.filter(connection=connection, company=None, state=Signal.State.NEEDS_REVIEW)
    named = waiting.exclude(company_external_id="").order_by()
    return dict(named.values_list("company_external_id").annotate(Count("pk")))


def place_waiting(connection: Connection) -> int:
    """Place the open signals whose company, contact or device has become known; returns how many."""
    waiting = list(unplaced(connection).select_related("organization", "connection"))
    directory = Directory.read(connection, waiting)
    return sum(_place_if_known(signal, directory) for signal in waiting)


def _place_if_known(signal: Signal, directory: Directory) -> bool:
    """Whether there was something to write, and the signal still where it was."""
    company_id = signal.company_id or directory.companies.get(signal.company_external_id)
    contact_id = directory.contact_of(signal.contact_external_id, company_id)
    device_id = directory.device_of(signal.device_external_id, company_id)
    was = (signal.company_id, signal.contact_id, signal.device_id)
    if company_id is None or (company_id, contact_id or was[1], device_id or was[2]) == was:
        return False
    try:
        _place_waiting(signal, company_id, directory)
    except StaleState:  # somebody closed it meanwhile
        return False
    return True


@transaction.atomic
def _place_waiting(signal: Signal, company_id: uuid.UUID, directory: Directory) -> None:
    nameless = signal.company_id is None
    if nameless:
        to = Signal.State.NEEDS_REVIEW if signal.left_out else Signal.State.NEW
        signal.move(to=to, frm=[Signal.State.NEEDS_REVIEW], reason=signal.left_out)
    place(signal, company_id, directory)
    # an alert may repeat another one of the company or device that it has now
    if signal.pk not in settle_alerts(signal.organization, [signal]):
        ring("signal.changed", str(signal.pk))
