"""The reconciling poll: what the source changed since the high-water mark, read batch by batch and upserted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TypeVar

import structlog
from django.db import transaction
from django.utils import timezone

from integrations.contracts import TicketRecord, TicketSource
from integrations.errors import IntegrationError, VendorNotFound
from integrations.models import Connection
from integrations.services import open_ticket_source, sync_directory
from junto.tenants.actors import Actor
from signals.intake.fitting import fitted
from signals.intake.outcomes import Outcome, UpsertResult
from signals.intake.placing import place_waiting, unplaced
from signals.intake.refused import due_again, forget_refused, remember_refused
from signals.intake.upsert import upsert_signals
from signals.sync.leases import Lease, Overtaken

log = structlog.get_logger(__name__)

T = TypeVar("T")

STREAM = "tickets"
#: Tickets read before they are stored: with their notes, which a slow source gives one ticket at a time.
BATCH = 50
#: Read again this far before the mark: a source shows a change some seconds after the time it stamps on it.
OVERLAP = timedelta(minutes=2)
#: How many refused tickets the cursor names; the rest are only counted.
NAMED_REFUSALS = 5


@dataclass(frozen=True, kw_only=True)
class PollReport:
    """What one poll did. `error` is the vendor's failure in plain words, empty when all was read."""

    read: int = 0
    changed: int = 0
    refused: int = 0
    error: str = ""


def poll_connection(connection: Connection) -> PollReport | None:
    """Read what changed at the source and upsert it; None when another poll of this connection is running.

    The mark moves in the transaction that stores a batch, so an interrupted poll goes on where it stopped. A failure
    of the vendor is kept on the cursor and the connection, and the next poll tries again from the same mark.
    """
    return polled(connection, _read_tickets)


def polled(connection: Connection, read: Callable[[Connection, Lease], PollReport]) -> PollReport | None:
    """What `read` reports while it owns the connection's poll; None when another one owns it.

    A failure of the vendor is kept on the cursor and the connection.
    """
    lease = Lease.take(connection, STREAM)
    if lease is None:
        return None
    try:
        report = read(connection, lease)
    except IntegrationError as failure:
        report = PollReport(error=str(failure))
        lease.release(error=report.error)
    except Overtaken:
        log.warning("poll overtaken", connection=str(connection.pk))
        return None
    else:
        lease.release()
    _tell_connection(connection, report)
    return report


def _read_tickets(connection: Connection, lease: Lease) -> PollReport:
    started = timezone.now()
    if lease.cursor.high_water is None:
        sync_directory(connection)
        # a sync job may have delivered tickets by REST before the first poll
        place_waiting(connection)
    source = open_ticket_source(connection)
    try:
        results = _store_all(connection, source, lease)
        _try_refused_again(connection, source)
    finally:
        source.close()
    # asked once for each unknown name: a signal that stays unplaced is not asked for again before it changes
    if unplaced(connection).filter(changed_at__gte=started).exists():
        sync_directory(connection)
        place_waiting(connection)
    refused = [result for result in results if result.outcome == Outcome.REFUSED]
    lease.keep(error=in_words(refused))
    return report_of(results)


def report_of(results: Sequence[UpsertResult]) -> PollReport:
    """What became of all that was read."""
    quiet = (Outcome.UNCHANGED, Outcome.STALE, Outcome.REFUSED)
    return PollReport(
        read=len(results),
        changed=sum(result.outcome not in quiet for result in results),
        refused=sum(result.outcome == Outcome.REFUSED for result in results),
    )


def _store_all(connection: Connection, source: TicketSource, lease: Lease) -> list[UpsertResult]:
    mark = lease.cursor.high_water
    results: list[UpsertResult] = []
    # the source gives the longest unchanged first, so everything up to a stored batch's last change is here
    for batch in batches(source.changed_since(None if mark is None else mark - OVERLAP)):
        # a stamp from the future is refused below, and must not carry the mark beyond what was read
        newest = min(batch[-1].updated_at, timezone.now())
        mark = newest if mark is None else max(mark, newest)
        with transaction.atomic():
            results += store_read(connection, batch)
            lease.keep(high_water=mark)
    return results


def store_read(connection: Connection, tickets: list[TicketRecord]) -> list[UpsertResult]:
    """Take them in, those too large as far as they go; a refused one is remembered, as the mark moves past it."""
    actor = Actor.system("sync", connection.organization)
    results = upsert_signals(connection=connection, tickets=[fitted(ticket) for ticket in tickets], actor=actor)
    refused = {result.external_id: result.reason for result in results if result.outcome == Outcome.REFUSED}
    remember_refused(connection, refused)
    return results


def _try_refused_again(connection: Connection, source: TicketSource) -> None:
    """Read some of those that could not be stored; one that is gone at the source is forgotten."""
    for external_id in due_again(connection):
        try:
            ticket = source.ticket(external_id)
        except VendorNotFound:
            forget_refused(connection, [external_id])
        else:
            with transaction.atomic():
                store_read(connection, [ticket])


def batches(read: Iterable[T]) -> Iterator[list[T]]:
    """Read from the network in lists, so that no transaction is open meanwhile."""
    every = iter(read)
    while batch := list(islice(every, BATCH)):
        yield batch


def in_words(refused: list[UpsertResult]) -> str:
    """Which tickets could not be stored and why, for the connection's page."""
    lines = [f"Ticket {result.external_id}: {result.reason}" for result in refused[:NAMED_REFUSALS]]
    if len(refused) > NAMED_REFUSALS:
        lines.append(f"And {len(refused) - NAMED_REFUSALS} more.")
    return "\n".join(lines)


def _tell_connection(connection: Connection, report: PollReport) -> None:
    """The connection's health as this poll found it; a paused connection stays paused."""
    now = timezone.now()
    rows = Connection.objects.for_organization(connection.organization).filter(pk=connection.pk)
    live = rows.exclude(state=Connection.State.PAUSED)
    if report.error:
        live.update(state=Connection.State.FAILING, state_detail=report.error, checked_at=now)
    else:
        live.update(state=Connection.State.OK, state_detail="", checked_at=now, succeeded_at=now)
