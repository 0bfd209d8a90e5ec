"""When a ticket of the PSA and an alert of the monitoring tell of one problem. What cannot be decided is two."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from django.db.models import Count

from integrations.models import Device
from integrations.sources import is_ticket_source
from signals.intake.alert_words import names_in, stands_in
from signals.models import Signal

#: So far apart the alert and its ticket may be raised: an RMM opens its ticket within minutes.
TOGETHER: Final = timedelta(hours=2)
#: A title of one word, as in "Offline", stands in too many tickets.
_FEWEST_WORDS: Final = 2


def find_joint(signal: Signal, others: Iterable[Signal]) -> Signal | None:
    """The one among `others` that tells of the same problem as an alert or ticket, from the other side."""
    found = [other for other in others if _fits(signal, other)]
    return found[0] if len(found) == 1 and _device_is_unique(signal) else None


def _fits(one: Signal, other: Signal) -> bool:
    if one.connection is None or other.connection is None or one.company_id != other.company_id:
        return False
    if is_ticket_source(one.connection) == is_ticket_source(other.connection):
        return False
    if abs(one.source_created_at - other.source_created_at) > TOGETHER or not _is_one_device(one, other):
        return False
    ticket, alert = (one, other) if is_ticket_source(one.connection) else (other, one)
    return ticket.board is not None and ticket.board.holds_alerts and agrees(ticket, alert)


def agrees(ticket: Signal, alert: Signal) -> bool:
    """Whether the ticket repeats the alert's title word for word, and each name and figure of its first paragraph.

    So the disks C: and K: of a server stay two, and so do two of its services, though each is called “Service stopped”.
    """
    device = alert.device.name if alert.device else ""
    title = " ".join(alert.subject.removesuffix(f" on {device}").split())
    told = " ".join(f"{ticket.subject} {ticket.description}".split())
    if len(title.split()) < _FEWEST_WORDS or not stands_in(title, told):
        return False
    message = alert.description.partition("\n\n")[0]
    return all(stands_in(name, told) for name in names_in(message, device))


def _is_one_device(one: Signal, other: Signal) -> bool:
    """PSA and monitoring each have a row of the same machine: its name tells."""
    if one.device is None or other.device is None:
        return False
    owned = one.device.company_id == other.device.company_id == one.company_id
    return owned and one.device.name.casefold() == other.device.name.casefold()


def _device_is_unique(signal: Signal) -> bool:
    """Whether no system knows two devices of that name at the company."""
    if signal.device is None:
        return False
    rows = Device.objects.for_organization(signal.organization).filter(
        company=signal.company_id, name__iexact=signal.device.name, gone_at=None
    )
    return not rows.order_by().values("connection").annotate(number=Count("pk")).filter(number__gt=1).exists()
