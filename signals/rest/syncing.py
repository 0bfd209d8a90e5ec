"""A delivery of tickets by a sync job: each item checked by itself, the good ones stored, all answered for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.db import transaction
from rest_framework.exceptions import ValidationError

from integrations.contracts import TicketRecord
from integrations.deliveries import remember_delivery
from integrations.models import Connection
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from signals.intake.cleaning import TicketRefused, clean_json, storable
from signals.intake.columns import ID_LENGTH, MOST_NOTES, PARTS
from signals.intake.outcomes import Outcome, UpsertResult
from signals.intake.upsert import BATCH, upsert_signals
from signals.models import Signal
from signals.rest.serializers import TicketInput, first_problem, ticket_record

#: Notes, time entries and attachments of all tickets of one delivery together: each costs time, and somebody waits.
MOST_PARTS_AT_ONCE = 10 * MOST_NOTES


def take_delivery(
    *, connection: Connection, items: Sequence[object], actor: Actor, dry_run: bool = False
) -> list[UpsertResult]:
    """Store what the items say; one result per item, in the given order.

    Written in batches, each with its audit entry in one transaction; an item that cannot be used is refused alone.
    A dry run goes the same way and takes all of it back: nothing is stored, audited or rung, and signals that would
    be new have no id.

    Raises:
        PermissionDenied: `actor` may not write signals of the connection's organization.
    """
    require(actor, Permission.WRITE_SIGNALS, connection.organization)
    delivery = _Delivery(connection=connection, actor=actor)
    if not dry_run:
        return delivery.take(items)
    with transaction.atomic():
        results = delivery.take(items)
        transaction.set_rollback(True)
    real = set(
        Signal.objects.for_organization(connection.organization)
        .filter(pk__in=[result.signal_id for result in results if result.signal_id])
        .values_list("pk", flat=True)
    )
    return [result if result.signal_id in real else replace(result, signal_id=None) for result in results]


@dataclass
class _Delivery:
    connection: Connection
    actor: Actor
    parts: int = field(default=0, init=False)
    # one for all items: to make it costs six times what it takes to check a ticket
    shape: TicketInput = field(default_factory=TicketInput, init=False)

    def take(self, items: Sequence[object]) -> list[UpsertResult]:
        results: list[UpsertResult] = []
        for start in range(0, len(items), BATCH):
            results += self._take_batch(items[start : start + BATCH])
        return results

    def _take_batch(self, items: Sequence[object]) -> list[UpsertResult]:
        read = [self._read(item) for item in items]
        tickets = [each for each in read if isinstance(each, TicketRecord)]
        with transaction.atomic():
            stored = iter(upsert_signals(connection=self.connection, tickets=tickets, actor=self.actor))
            results = [each if isinstance(each, UpsertResult) else next(stored) for each in read]
            counts = Counter(result.outcome.value for result in results)
            remember_delivery(self.connection, "signals", [ticket.updated_at for ticket in tickets])
            record(self.actor, "signals.synced", self.connection, counts)
        return results

    def _read(self, item: object) -> TicketRecord | UpsertResult:
        """The ticket that the item tells of, or its refusal."""
        try:
            cleaned = clean_json(item)
            self._count_parts(cleaned)
            return ticket_record(self.shape.run_validation(cleaned))
        except TicketRefused as refusal:
            return _refused(item, str(refusal))
        except ValidationError as error:
            return _refused(item, first_problem(error.detail))

    def _count_parts(self, item: object) -> None:
        for name in PARTS:
            parts = item.get(name) if isinstance(item, dict) else None
            if not isinstance(parts, list) or len(parts) > MOST_NOTES:
                continue  # the check of the item itself says what is wrong
            if self.parts + len(parts) > MOST_PARTS_AT_ONCE:
                raise TicketRefused(
                    f"This delivery holds more than {MOST_PARTS_AT_ONCE:,} notes, time entries and attachments: "
                    "send this ticket in another one."
                )
            self.parts += len(parts)


def _refused(item: object, reason: str) -> UpsertResult:
    return UpsertResult(external_id=sent_id(item), outcome=Outcome.REFUSED, reason=reason)


def sent_id(item: object) -> str:
    """What the sender can recognise a refused item by; cleaned, as no answer could hold it otherwise."""
    sent = item.get("external_id") if isinstance(item, dict) else None
    return storable(str(sent))[:ID_LENGTH] if isinstance(sent, str | int) else ""
