"""Alerts of a monitoring become signals: what stands there is delivered as tickets, what stands no longer has cleared.

A monitoring tells what stands now and nothing of what was: every poll reads the whole list, and what is here and not
in it any more is taken for cleared at the moment of asking. Folding, maintenance and closing are in
signals/intake/folding.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from integrations.contracts import AlertRecord, AlertSource, DeviceRecord, TicketRecord
from integrations.errors import VendorNotFound
from integrations.models import Connection, RefusedTicket
from integrations.services import keep_devices, open_alert_source
from junto.tenants.scoping import TenantQuerySet
from signals.intake.columns import revision_of
from signals.intake.outcomes import Outcome, UpsertResult
from signals.intake.placing import place_waiting
from signals.intake.refused import forget_refused
from signals.models import Signal
from signals.sync.leases import Lease
from signals.sync.polling import PollReport, batches, in_words, polled, report_of, store_read
from signals.sync.urgencies import alert_priorities
from signals.words import USUAL_PRIORITIES

#: Devices that one poll asks for, where the list does not say whose they are; alerts of others come with the next.
MOST_ASKED = 100
STANDS, CLEARED = "Active", "Cleared"


def poll_alerts(connection: Connection) -> PollReport | None:
    """Bring signals in step with the alerts that stand; None when another poll of this connection is running.

    A failure of the vendor is kept on the cursor and the connection, and nothing is taken for cleared then.
    """
    return polled(connection, _read)


def _read(connection: Connection, lease: Lease) -> PollReport:
    asked_at = timezone.now()
    with closing(open_alert_source(connection)) as source:
        alerts = source.alerts()
        reading = _Reading(connection, source, asked_at, alert_priorities(connection.organization))
        results: list[UpsertResult] = []
        for batch in batches(alerts):
            tickets = reading.tickets(batch)
            results += _store(connection, lease, tickets)
    _rename(connection, reading.priorities)
    listed = {alert.external_id for alert in alerts}
    for gone in batches(_standing(connection) - listed):
        results += _store(connection, lease, [_cleared(signal, asked_at) for signal in _rows(connection, gone)])
    refused = RefusedTicket.objects.for_organization(connection.organization).filter(connection=connection)
    forget_refused(connection, set(refused.values_list("external_id", flat=True)) - listed)
    if reading.new_devices:
        place_waiting(connection)
    problems = [result for result in results if result.outcome == Outcome.REFUSED]
    lease.keep(high_water=asked_at, error=in_words(problems))
    return report_of(results)


@dataclass
class _Reading:
    """The alerts of one poll on their way to tickets. `new_devices` = some became known that were not."""

    connection: Connection
    source: AlertSource
    asked_at: datetime
    priorities: Sequence[str]
    new_devices: bool = field(default=False, init=False)
    _devices: dict[str, DeviceRecord | None] = field(default_factory=dict, init=False)

    def tickets(self, alerts: Sequence[AlertRecord]) -> list[TicketRecord]:
        """Those that there is something to say of, with their devices known here. Raises VendorError."""
        held = {one.external_id: one for one in _rows(self.connection, [alert.external_id for alert in alerts])}
        placed = [(alert, self._device(alert)) for alert in alerts if self._may_be_news(alert, held)]
        devices = [device for _, device in placed if device is not None and device.company_external_id]
        self.new_devices = keep_devices(self.connection, devices) or self.new_devices
        return [
            _ticket(alert, device, self._changed_at(alert, held.get(alert.external_id)), self.priorities)
            for alert, device in placed
            if device is not None
        ]

    def _may_be_news(self, alert: AlertRecord, held: dict[str, Signal]) -> bool:
        """Whether it must be asked whose device it is: not for an alert that is here as it stands there."""
        known = held.get(alert.external_id)
        same = known is not None and not known.closed_at_source and revision_of(alert.changed_at) <= known.revision
        return alert.device is not None or not same

    def _changed_at(self, alert: AlertRecord, known: Signal | None) -> datetime:
        """One that cleared and stands again, as if nothing had been, has changed since we found it cleared."""
        again = known is not None and known.closed_at_source and alert.changed_at <= known.source_updated_at
        return self.asked_at if again else alert.changed_at

    def _device(self, alert: AlertRecord) -> DeviceRecord | None:
        """The alert's device, without a company where nobody knows it; None where it was not asked for any more."""
        number = alert.device_external_id
        if alert.device is not None or not number:
            return alert.device or _unknown(number)
        if number not in self._devices and len(self._devices) < MOST_ASKED:
            try:
                self._devices[number] = self.source.device(number)
            except VendorNotFound:
                self._devices[number] = _unknown(number)
        return self._devices.get(number)


def _rename(connection: Connection, priorities: Sequence[str]) -> None:
    """Call alerts that came before the PSA was known, or before this was so, as those that come now."""
    for usual, name in zip(USUAL_PRIORITIES, priorities, strict=True):
        if usual != name:
            rows = _signals(connection).filter(state__in=Signal.OPEN, priority=usual)
            rows.update(priority=name, changed_at=timezone.now())


def _unknown(number: str) -> DeviceRecord:
    return DeviceRecord(external_id=number, company_external_id="", name="")


def _ticket(alert: AlertRecord, device: DeviceRecord, changed_at: datetime, priorities: Sequence[str]) -> TicketRecord:
    return TicketRecord(
        external_id=alert.external_id,
        subject=f"{alert.subject} on {device.name}" if device.name else alert.subject,
        created_at=alert.raised_at,
        updated_at=changed_at,
        company_external_id=device.company_external_id,
        device_external_ids=(device.external_id,) if device.external_id else (),
        description=alert.text,
        status=STANDS,
        priority=priorities[alert.urgency - 1] if alert.urgency else "",
        alert_type=alert.condition,
        raw=alert.raw,
    )


def _cleared(signal: Signal, asked_at: datetime) -> TicketRecord:
    """What is known of it, closed: the monitoring says no more of what does not stand."""
    return TicketRecord(
        external_id=signal.external_id,
        subject=signal.subject,
        created_at=signal.source_created_at,
        updated_at=max(asked_at, signal.source_updated_at),
        company_external_id=signal.company_external_id,
        contact_external_id=signal.contact_external_id,
        device_external_ids=(signal.device_external_id,) if signal.device_external_id else (),
        description=signal.description,
        status=CLEARED,
        closed=True,
        priority=signal.priority,
        type=signal.type,
        subtype=signal.subtype,
        item=signal.item,
        alert_type=signal.alert_type,
        assignee=signal.assignee,
        raw=signal.raw,
    )


def _store(connection: Connection, lease: Lease, tickets: list[TicketRecord]) -> list[UpsertResult]:
    with transaction.atomic():
        results = store_read(connection, tickets)
        lease.keep()
    return results


def _standing(connection: Connection) -> set[str]:
    """The alerts that stand as far as we know, by the source's ids."""
    rows = _signals(connection).filter(closed_at_source=False).exclude(alert_type="").exclude(state=Signal.State.GONE)
    return set(rows.order_by().values_list("external_id", flat=True))


def _rows(connection: Connection, external_ids: Sequence[str]) -> Iterator[Signal]:
    return _signals(connection).filter(external_id__in=external_ids).order_by("external_id").iterator()


def _signals(connection: Connection) -> TenantQuerySet[Signal]:
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)
