"""Letting the processors read chosen tickets again, in the background, one after another.

A worker reads for a while under a lease and rings for the rest, so that other work gets its turn between.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Now
from django.utils import timezone

from approvals.models import StaleState
from integrations.llm.spend import cost_microcents
from integrations.services import known_price, model_info
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.models import ModelQuestion, Rerun, Signal
from signals.processing.asking import ANSWER_SECONDS, SignalAsker
from signals.processing.pipeline import ByPerson, run_processors
from signals.processors import PROCESSORS

log = structlog.get_logger(__name__)

State = Rerun.State
#: Tickets of one reading.
MOST_RERUN: Final = 500
#: Seconds after which one call lets others have their turn; the ticket at hand is read to its end.
_TURN: Final = 20.0
#: Renewed before each processor, so that a reading whose worker died goes on soon; longer than a silent language model
#: can hold one up, which is twice the time for an answer. Where slow answers to several questions of one processor take
#: longer still, the fence lets only one worker go on.
_LEASE: Final = timedelta(seconds=2 * ANSWER_SECONDS + 10)
_RELATIONS: Final = ("organization", "company", "contact", "device", "board", "connection")


class RerunRefused(ValueError):
    """It cannot be begun; the message says why."""


class _Lost(RuntimeError):
    """Another worker has it, or a person stopped it: nothing more is read."""


def read_again(*, actor: Actor, signals: Sequence[Signal], processors: Collection[str], key: UUID) -> Rerun:
    """Let those processors read the open ones of the tickets anew, in the background. `key` twice is one reading.

    Raises:
        PermissionDenied: `actor` may not manage processors.
        RerunRefused: no processor or no open ticket was chosen, or more than MOST_RERUN; or `key` was sent with others.
    """
    require(actor, Permission.MANAGE_PROCESSORS)
    slugs = [processor.slug for processor in PROCESSORS if processor.slug in processors]
    tickets = [str(signal.pk) for signal in signals if signal.state in Signal.OPEN]
    if not slugs or actor.membership is None:
        raise RerunRefused("Choose at least one processor.")
    if not tickets:
        raise RerunRefused("None of the chosen tickets is open: only open ones are read again.")
    if len(tickets) > MOST_RERUN:
        raise RerunRefused(f"At most {MOST_RERUN} tickets are read again at once.")
    rows = Rerun.objects.for_organization(actor.organization)
    row = Rerun(organization=actor.organization, key=key, asked_by=actor.membership, processors=slugs, tickets=tickets)
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            record(actor, "processor.asked_again", row, {"signals": len(tickets), "processors": ", ".join(slugs)})
            ring("rerun.ready", str(row.pk))
    except IntegrityError:  # the button was pressed twice
        row = rows.get(key=key)
        if (row.processors, row.tickets) != (slugs, tickets):
            raise RerunRefused(
                "This form was sent before, for other processors or tickets, and that reading goes on. Press the "
                "button again to begin this one beside it."
            ) from None
    return row


@transaction.atomic
def stop_rerun(*, actor: Actor, rerun: Rerun) -> None:
    """Let no further processor read. The one at work ends, and what was found stays.

    Raises:
        PermissionDenied: `actor` may not manage processors.
        StaleState: it is over already.
    """
    require(actor, Permission.MANAGE_PROCESSORS)
    rows = Rerun.objects.for_organization(actor.organization).filter(pk=rerun.pk)
    ended = {"stopped_by": actor.membership, "ended_at": timezone.now()}
    if not rows.filter(state=State.RUNNING).update(state=State.STOPPED, **ended):
        raise StaleState("It is over already.")
    record(actor, "processor.reading_stopped", rerun, {"read": rows.get().position, "of": len(rerun.tickets)})


def advance_rerun(rerun_id: UUID) -> None:
    """Read on, if nobody else does; safe to repeat. Not to be called inside a transaction."""
    row = Rerun.unscoped.select_related("organization").filter(pk=rerun_id, state=State.RUNNING).first()
    if row is None or not _lease(row):
        return
    until = time.monotonic() + _TURN
    try:
        for ticket in row.tickets[row.position :]:
            if not _goes_on(row):
                raise _Lost
            _keep(row, **_read(row, ticket))
            if time.monotonic() > until:
                break
        row.refresh_from_db(fields=["position"])
        if row.position < len(row.tickets):
            _move(row, lease_until=None)
            ring("rerun.ready", str(row.pk))
        else:
            _move(row, state=State.DONE, lease_until=None, ended_at=timezone.now())
    except _Lost:
        # what was asked while somebody stopped it belongs to it
        _mine(row).filter(state=State.STOPPED).update(lease_until=None, ended_at=timezone.now())


def asked_of(row: Rerun) -> TenantQuerySet[ModelQuestion]:
    """The questions to a language model about its tickets, by its processors, since it began and until it ended."""
    asked = ModelQuestion.objects.for_organization(row.organization).filter(
        signal__in=row.tickets, processor__in=row.processors, created_at__gte=row.created_at
    )
    return asked if row.ended_at is None else asked.filter(created_at__lte=row.ended_at)


def cost_of(row: Rerun) -> int | None:
    """What its questions to a language model have cost so far, in microcents; None where no price is set for one.

    One that was asked before there was a price is counted at today's.
    """
    asked = asked_of(row)
    paid: int = asked.aggregate(paid=Sum("microcents"))["paid"] or 0
    unpaid = asked.filter(microcents=0, tokens_in__gt=0).aggregate(read=Sum("tokens_in"), written=Sum("tokens_out"))
    if unpaid["read"] is None:
        return paid
    price = known_price(model_info(row.organization).model)
    if price is None:
        return None
    return paid + cost_microcents(price, tokens_in=unpaid["read"], tokens_out=unpaid["written"])


def _read(row: Rerun, ticket: str) -> dict[str, object]:
    """Let one ticket be read; what is to be counted. One that cannot be read keeps no other waiting. Raises _Lost.

    One at which a person stopped it is not read: only what was found until then is counted.
    """
    signals = Signal.objects.for_organization(row.organization).select_related(*_RELATIONS)
    signal = signals.filter(pk=ticket, state__in=Signal.OPEN).first()
    if signal is None:
        return {"passed": F("passed") + 1, "position": F("position") + 1}
    unasked: set[str] = set()
    reading = ByPerson(at=row.created_at, goes_on=partial(_goes_on, row), heard=partial(_hear, unasked))
    try:
        written = run_processors(signal, only=row.processors, by_person=reading)
    except _Lost:
        raise
    except Exception:
        log.exception("ticket not read again", signal=ticket)
        return {"failed": F("failed") + 1, "position": F("position") + 1}
    if written:
        ring("signal.processed", ticket)
    for why in unasked:
        row.unasked[why] = row.unasked.get(why, 0) + 1
    read = int(row.state == State.RUNNING)  # PostgreSQL adds no boolean to a number
    return {"found": F("found") + len(written), "unasked": row.unasked, "position": F("position") + read}


def _hear(unasked: set[str], asker: SignalAsker) -> None:
    if asker.held_back:
        unasked.add(asker.why)


def _goes_on(row: Rerun) -> bool:
    """Renew the lease before the next is read; False once a person stopped it. Raises _Lost where another has it."""
    try:
        _move(row, lease_until=Now() + _LEASE)
    except _Lost:
        if not _mine(row).filter(state=State.STOPPED).exists():
            raise
        row.state = State.STOPPED
    return row.state == State.RUNNING


def _lease(row: Rerun) -> bool:
    rows = Rerun.objects.for_organization(row.organization).filter(pk=row.pk, state=State.RUNNING)
    free = rows.filter(Q(lease_until=None) | Q(lease_until__lte=Now()), fence=row.fence, position=row.position)
    taken = free.update(fence=F("fence") + 1, lease_until=Now() + _LEASE)
    row.fence += 1
    return bool(taken)


def _move(row: Rerun, **changes: object) -> None:
    """Write under the lease. Raises _Lost."""
    if not _mine(row).filter(state=State.RUNNING).update(**changes):
        raise _Lost


def _keep(row: Rerun, **counted: object) -> None:
    """Count what was read, also where a person stopped it meanwhile. Raises _Lost."""
    if not _mine(row).update(**counted, lease_until=Now() + _LEASE):
        raise _Lost


def _mine(row: Rerun) -> TenantQuerySet[Rerun]:
    """It, unless another worker has it."""
    return Rerun.objects.for_organization(row.organization).filter(pk=row.pk, fence=row.fence)
