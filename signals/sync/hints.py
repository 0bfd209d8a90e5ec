"""Reading back what webhooks hint at: each record once, however often and in whatever order it was hinted at."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from integrations.contracts import TicketRecord, TicketSource
from integrations.errors import IntegrationError, VendorGarbled, VendorNotFound, VendorTooMuch
from integrations.models import Connection, WebhookHint
from integrations.services import is_ticket_source, open_ticket_source, sync_directory
from junto.bells import ring
from junto.tenants.scoping import TenantQuerySet
from signals.intake.placing import place_waiting, unplaced
from signals.models import Signal
from signals.sync.leases import Lease, Overtaken
from signals.sync.polling import store_read

log = structlog.get_logger(__name__)

STREAM = "hints"
#: Tickets read back before they are stored.
BATCH = 20
#: A ticket of which the vendor keeps telling is read this often at the most.
AGAIN_SECONDS = 2.0


def read_hints(connection: Connection) -> int | None:
    """Read back what was hinted at since; how many records, or None while somebody else does.

    What comes in meanwhile is read too. A failure of the vendor leaves the hints for the next time.
    """
    lease = Lease.take(connection, STREAM)
    if lease is None:
        return None
    try:
        number = _read_tickets(connection, lease) if is_ticket_source(connection) else _wake_poll(connection)
    except IntegrationError as failure:
        lease.release(error=str(failure))
        return 0
    except Overtaken:
        log.warning("reading of hints overtaken", connection=str(connection.pk))
        return None
    lease.release(error="")
    if unread(connection).exists():  # one that came between the last look and the release rang in vain
        ring("webhook.hint", str(connection.pk))
    return number


def unread(connection: Connection) -> TenantQuerySet[WebhookHint]:
    """Hints whose record was not read back yet, the oldest first."""
    rows: TenantQuerySet[WebhookHint] = WebhookHint.objects.for_organization(connection.organization)
    return rows.filter(connection=connection, read_at=None).order_by("received_at", "id")


def read_back(connection: Connection, source: TicketSource, numbers: Collection[str]) -> list[TicketRecord]:
    """These tickets as the source has them now; one that is gone there as deleted, if we ever knew it.

    Raises:
        IntegrationError: the source cannot be read at all.
    """
    found: list[TicketRecord] = []
    for number in numbers:
        try:
            found.append(source.ticket(number))
        except VendorNotFound:
            found += _gone(connection, number)
        except (VendorTooMuch, VendorGarbled) as problem:  # this one alone cannot be read; the poll tells of it
            log.warning("ticket not read back", connection=str(connection.pk), ticket=number, reason=str(problem))
    return found


def _read_tickets(connection: Connection, lease: Lease) -> int:
    number, started = 0, timezone.now()
    source = open_ticket_source(connection)
    try:
        for hints in _rounds(connection):
            tickets = read_back(connection, source, list(dict.fromkeys(hints.values())))
            with transaction.atomic():
                store_read(connection, tickets)
                _done(connection, hints)
                lease.keep()
            number += len(tickets)
    finally:
        source.close()
    if unplaced(connection).filter(changed_at__gte=started).exists():
        sync_directory(connection)
        place_waiting(connection)
    return number


def _rounds(connection: Connection) -> Iterator[dict[UUID, str]]:
    """What to read back, round by round until nothing is unread: the oldest hints with their tickets, and all others of
    the same tickets that are there already. One that was read a moment ago waits, and its hints gather meanwhile.
    """
    read: dict[str, float] = {}
    while unread(connection).exists():
        now = time.monotonic()
        read = {number: moment for number, moment in read.items() if moment > now - AGAIN_SECONDS}
        waiting = unread(connection).exclude(external_id__in=read)
        first = set(waiting.values_list("external_id", flat=True)[:BATCH])
        if first:
            yield dict(unread(connection).filter(external_id__in=first).values_list("pk", "external_id"))
            read |= dict.fromkeys(first, time.monotonic())
        else:
            time.sleep(max(0.0, min(read.values(), default=now - AGAIN_SECONDS) + AGAIN_SECONDS - now))


def _done(connection: Connection, hints: Collection[UUID]) -> None:
    unread(connection).filter(pk__in=hints).update(read_at=timezone.now())


@transaction.atomic
def _wake_poll(connection: Connection) -> int:
    """What gives no tickets is read as a whole: one reading answers every hint."""
    hints = list(unread(connection).values_list("pk", flat=True))
    _done(connection, hints)
    if hints:
        ring("connection.poll", str(connection.pk))
    return len(hints)


def _gone(connection: Connection, number: str) -> list[TicketRecord]:
    """The word that a ticket was deleted, of the revision that we hold: in the same second it is the last one."""
    rows = Signal.objects.for_organization(connection.organization).exclude(state=Signal.State.GONE)
    signal = rows.filter(connection=connection, external_id=number).only("source_updated_at", "subject").first()
    if signal is None:
        return []
    moment = signal.source_updated_at
    return [TicketRecord(number, signal.subject, created_at=moment, updated_at=moment, deleted=True)]
