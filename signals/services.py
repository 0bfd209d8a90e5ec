"""What people, the agent and the sources do with signals. Every state moves by compare-and-set (HOUSE 3)."""

from __future__ import annotations

import uuid

from django.db import transaction
from django.utils import timezone

from approvals.models import StaleState
from approvals.services import move_subject
from integrations.models import Connection
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.permissions import Permission, require
from signals.intake.clearing import open_tickets
from signals.intake.folding import settle_alerts
from signals.intake.outcomes import Outcome, UpsertResult
from signals.intake.placing import place
from signals.intake.standing import end_requests
from signals.intake.upsert import upsert_signals
from signals.models import Board, Signal
from signals.models.tickets import words_of
from signals.sync.polling import poll_connection
from signals.write_back.clearings import unwish_closing

__all__ = [
    "Outcome",
    "SignalNotClaimable",
    "UpsertResult",
    "adopt_ticket",
    "claim_signal",
    "dismiss_signal",
    "joined_ticket",
    "map_company",
    "open_own_signal",
    "part_signal",
    "poll_connection",
    "release_signal",
    "resolve_signal",
    "upsert_signals",
]

State = Signal.State

CLAIMABLE = (State.NEW, State.NEEDS_REVIEW, State.IN_REVIEW)
CLOSABLE = (State.NEW, State.NEEDS_REVIEW, State.IN_REVIEW)


class SignalNotClaimable(ValueError):
    """Nobody may start on this signal now; the message says why and what to do."""


def claim_signal(signal: Signal, *, actor: Actor, from_states: tuple[State, ...] = CLAIMABLE) -> Signal:
    """Take the signal for a session: NEW, NEEDS_REVIEW or IN_REVIEW becomes TRIAGING, once among all who try.

    The start rule looks at NEW ones only: what needs review is begun by a person.

    Raises:
        SignalNotClaimable: it has no company, or is in none of `from_states` any more.
        PermissionDenied: `actor` may not run sessions for its company.
    """
    _require_on(signal, actor)
    if signal.company_id is None:
        raise SignalNotClaimable("This signal belongs to no known company yet: choose its company first.")
    try:
        with transaction.atomic():
            _work_of_a_person(signal, actor)
            return signal.move(to=State.TRIAGING, frm=from_states)
    except StaleState as stale:
        signal.refresh_from_db(fields=["state"])
        raise SignalNotClaimable(
            f"Signal {signal.external_id} cannot be started: its state is “{signal.get_state_display()}”. "
            "Reload the page to see what happened."
        ) from stale


@transaction.atomic
def release_signal(signal: Signal, *, actor: Actor, state: State = State.IN_REVIEW) -> None:
    """Let go of a claimed signal, to IN_REVIEW, NEW, or RESOLVED where a runbook resolves on success.

    Does nothing when the source closed, deleted or moved it in the meantime: that word stands.
    """
    try:
        signal.move(to=state, frm=[State.TRIAGING])
    except StaleState:
        return
    if state == State.RESOLVED:
        record(actor, "signal.resolved", signal, {})
    ring("signal.changed", str(signal.pk))


@transaction.atomic
def open_own_signal(
    *, organization: Organization, company: Company, subject: str, description: str, board: Board | None
) -> Signal:
    """A signal of our own, of which no source has a ticket: what a scheduled run stands on. Claimed from birth."""
    now = timezone.now()
    signal = Signal(
        organization=organization,
        company=company,
        board=board,
        subject=subject[:300],
        description=description,
        source_created_at=now,
        source_updated_at=now,
        revision=0,
        state=State.TRIAGING,
    )
    signal.external_id = signal.own_id
    signal.save(force_insert=True)
    ring("signal.changed", str(signal.pk))
    return signal


@transaction.atomic
def adopt_ticket(*, signal: Signal, connection: Connection, external_id: str) -> None:
    """Make a signal that had no ticket the one of the ticket that was opened for it.

    If the source told of that ticket before we knew it for ours, that other signal is merged away and what runs on it
    stops. Safe to repeat.
    """
    rows = Signal.objects.for_organization(signal.organization)
    held = rows.select_for_update().values_list("connection_id", "external_id").get(pk=signal.pk)
    if held == (connection.pk, external_id):
        return
    for other in rows.filter(connection=connection, external_id=external_id).exclude(pk=signal.pk):
        rows.filter(pk=other.pk).update(
            connection=None,
            state=State.MERGED,
            state_reason=f"It is the ticket of signal {signal.external_id}.",
            changed_at=timezone.now(),
        )
        move_subject(
            organization=signal.organization, subject=other.origin_subject, company=None, revision=other.revision
        )
        ring("signal.changed", str(other.pk))
    # the former source's clock says nothing of the new one's revisions: its first word counts
    words = words_of(external_id, signal.subject, signal.description)
    taken = {"connection": connection, "external_id": external_id, "words": words, "revision": 0, "digest": ""}
    rows.filter(pk=signal.pk).update(**taken, changed_at=timezone.now())
    if signal.connection is not None:
        _leave_behind(signal, f"It is ticket {external_id} of {connection.label} now.")
    ring("signal.changed", str(signal.pk))


def joined_ticket(signal: Signal) -> Signal | None:
    """The open ticket of the PSA that tells of the same problem as this alert: folded into it, or the other way."""
    found = open_tickets(signal.organization, signal.folded_into_id or signal.pk)
    return next((each for each in found if each.pk != signal.pk), None)


def _leave_behind(signal: Signal, reason: str) -> None:
    """A merged signal under the id that a file or monitoring gave it: told of it again, it brings no second one."""
    left = Signal.objects.for_organization(signal.organization).get(pk=signal.pk)
    left.pk, left.connection, left.external_id = uuid.uuid4(), signal.connection, signal.external_id
    left.state, left.state_reason, left.awaits_processors = State.MERGED, reason, False
    left.ticket = signal
    left.save(force_insert=True)


def resolve_signal(*, signal: Signal, actor: Actor) -> Signal:
    """A person says it is done, whatever the PSA's status.

    Raises:
        StaleState: a session is working on it, or it is closed already.
        PermissionDenied: `actor` may not work for its company.
    """
    return _close(signal, actor=actor, to=State.RESOLVED, reason="")


def dismiss_signal(*, signal: Signal, actor: Actor, reason: str = "") -> Signal:
    """A person says that nothing is to be done. Raises as `resolve_signal`."""
    return _close(signal, actor=actor, to=State.DISMISSED, reason=reason)


@transaction.atomic
def _close(signal: Signal, *, actor: Actor, to: State, reason: str) -> Signal:
    _require_on(signal, actor)
    _work_of_a_person(signal, actor)
    signal.move(to=to, frm=CLOSABLE, reason=reason[:300])
    end_requests(signal, actor=actor)
    record(actor, f"signal.{to.value}", signal, {"reason": reason} if reason else {})
    ring("signal.changed", str(signal.pk))
    return signal


@transaction.atomic
def part_signal(*, signal: Signal, actor: Actor) -> Signal:
    """A person says that it is not what it was folded into: it is a signal of its own, and never folds by itself again.

    Raises:
        StaleState: it repeats nothing (any more).
        PermissionDenied: `actor` may not work for its company.
    """
    _require_on(signal, actor)
    head = signal.folded_into
    if head is None or signal.connection is None:
        raise StaleState(f"Signal {signal.external_id} repeats nothing.")
    unwish_closing(signal, f"{actor.label} works on it.")
    begins = State.NEEDS_REVIEW if signal.left_out else State.NEW
    signal.move(to=State.RESOLVED if signal.closed_at_source else begins, frm=[State.MERGED])
    rows = Signal.objects.for_organization(signal.organization).filter(pk=signal.pk)
    rows.update(folded_into=None, parted=True, awaits_processors=True)
    record(actor, "signal.parted", signal, {"head": str(head.pk)})
    ring("signal.changed", str(signal.pk))
    ring("signal.processed", str(head.pk))
    return signal


@transaction.atomic
def map_company(*, signal: Signal, company: Company, actor: Actor) -> Signal:
    """Give a signal the company that its source does not tell, or another one; work on it starts over.

    The contact and device are taken over where they belong to that company. What a session had under way for the
    former company is stopped.

    Raises:
        PermissionDenied: `actor` may not work for `company`, or not for the company the signal has.
        StaleState: the signal is closed.
    """
    _require_on(signal, actor)
    require(actor, Permission.RUN_SESSIONS, company)
    former = signal.company_id
    if former == company.pk:
        return signal
    signal.move(to=State.NEW, frm=Signal.OPEN)
    signal.refresh_from_db(fields=["revision"])  # locked by now: a revision older than the origin's would stop nothing
    place(signal, company.pk)
    if former is not None:
        move_subject(
            organization=signal.organization, subject=signal.origin_subject, company=company, revision=signal.revision
        )
    record(actor, "signal.company_mapped", signal, {"company": str(company.pk), "former": str(former or "")})
    if signal.pk not in settle_alerts(signal.organization, [signal]):  # what it stood for stays where it is
        ring("signal.changed", str(signal.pk))
    return signal


def _work_of_a_person(signal: Signal, actor: Actor) -> None:
    """What a person begins on is not closed by itself, though its alert cleared. Call it inside the transaction."""
    if actor.kind == "person":
        for each in (signal, *open_tickets(signal.organization, signal.pk)):
            unwish_closing(each, f"{actor.label} works on it.")


def _require_on(signal: Signal, actor: Actor) -> None:
    """Working on a signal without a company needs the right for all companies."""
    require(actor, Permission.RUN_SESSIONS, signal.company or signal.organization)
