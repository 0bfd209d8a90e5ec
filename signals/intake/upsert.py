"""The one way in: tickets of a source become signals, whatever the order and however often they are delivered.

The newer revision wins, by the WHERE of the statement that writes. Rows are read under a lock before that, because the
state that follows depends on what was there; unknown ones are inserted even before, so that two deliveries at once
meet.

Sources stamp whole seconds, so two changes may bear the same revision. Then what arrives later wins where it says
something else, and a deletion wins over all. A late echo of the first change can so stand for a while: the poll, which
reads again what changed in the last minutes, puts it right.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import DataError, IntegrityError, OperationalError, transaction
from django.utils import timezone

from integrations.contracts import TicketRecord
from integrations.models import Connection
from junto.bells import ring, ring_all
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.intake.alert_tickets import AlertTickets
from signals.intake.cleaning import TicketRefused, storable
from signals.intake.columns import ID_LENGTH, CleanTicket, clean_ticket
from signals.intake.directory import Directory, boards_by_external_id
from signals.intake.echoes import Echoes
from signals.intake.folding import closes_by_itself, keeps_device, settle_alerts
from signals.intake.held import Held
from signals.intake.inserting import insert_signals
from signals.intake.merges import without_loops
from signals.intake.notes import texts_of_new, write_parts
from signals.intake.outcomes import Outcome, UpsertResult, passed_over, result_of
from signals.intake.reasons import why
from signals.intake.refused import forget_refused
from signals.intake.set_by_people import WATCHED, keep_what_people_set, set_by_others
from signals.intake.standing import tell_origins
from signals.intake.states import Known, Told, first_state, left_company, next_state
from signals.models import Signal, SignalAttachment, SignalNote, SignalTime
from signals.models.tickets import words_of

log = structlog.get_logger(__name__)

#: Tickets written in one transaction: enough to need few queries, few enough not to hold SQLite's one write lock long.
BATCH = 500

#: What PostgreSQL calls it when two transactions wait for each other and it ends one of them, and how often we try:
#: a ticket and an alert of two systems lock the rows of one problem in either order.
_DEADLOCK = "40P01"
_TRIES = 3

#: Columns that differ whenever the source touched the ticket, our own writes included.
_ALWAYS_NEW = frozenset({"revision", "source_updated_at", "digest", "raw"})

#: States that a person or a merge has given, with a reason that a change at the source does not take away.
_DECIDED = (Signal.State.DISMISSED, Signal.State.MERGED)

Columns = dict[str, object]


def upsert_signals(*, connection: Connection, tickets: Sequence[TicketRecord], actor: Actor) -> list[UpsertResult]:
    """Make our signals say what the newest delivered revisions say; one result per ticket, in the given order.

    Idempotent and independent of order: an older revision changes nothing, nor does the same content again. Of two
    different contents with one revision the later wins. A ticket that cannot be stored is refused alone, with the
    reason. A move to another company stops what was running for the signal (PRODUCT 2).

    Raises:
        PermissionDenied: `actor` may not write signals of the connection's organization.
    """
    require(actor, Permission.WRITE_SIGNALS, connection.organization)
    now = timezone.now()
    results: list[UpsertResult] = []
    for start in range(0, len(tickets), BATCH):
        results += _take(connection, tickets[start : start + BATCH], actor=actor, now=now)
    forget_refused(connection, [result.external_id for result in results if result.outcome != Outcome.REFUSED])
    return results


def _take(
    connection: Connection, tickets: Sequence[TicketRecord], *, actor: Actor, now: datetime
) -> list[UpsertResult]:
    """One batch: clean each, write the newest of each id, answer for all."""
    cleaned = [_clean(ticket, now) for ticket in tickets]
    newest: dict[str, CleanTicket] = {}
    for ticket in cleaned:
        if isinstance(ticket, CleanTicket):
            held = newest.get(ticket.external_id)
            if held is None or (ticket.revision, ticket.deleted) >= (held.revision, held.deleted):
                newest[ticket.external_id] = ticket
    # sorted: two deliveries at once take their locks in the same order
    stored = _store(connection, sorted(newest.values(), key=lambda ticket: ticket.external_id), actor=actor)
    return [
        ticket if isinstance(ticket, UpsertResult) else _answer(ticket, newest[ticket.external_id], stored)
        for ticket in cleaned
    ]


def _clean(ticket: TicketRecord, now: datetime) -> CleanTicket | UpsertResult:
    try:
        return clean_ticket(ticket, now=now)
    except TicketRefused as refusal:
        shown = storable(ticket.external_id)[:ID_LENGTH]
        return UpsertResult(external_id=shown, outcome=Outcome.REFUSED, reason=str(refusal))


def _answer(ticket: CleanTicket, winner: CleanTicket, stored: Mapping[str, UpsertResult]) -> UpsertResult:
    """The stored result, or for one that a newer delivery of the same batch made needless, that it was passed over."""
    result = stored[ticket.external_id]
    if ticket is winner or result.outcome == Outcome.REFUSED:
        return result
    same = ticket.digest == winner.digest
    later = "A newer revision" if ticket.revision < winner.revision else "A later word of the same second"
    return UpsertResult(
        external_id=ticket.external_id,
        outcome=Outcome.UNCHANGED if same else Outcome.STALE,
        signal_id=result.signal_id,
        reason="" if same else f"{later} came in the same delivery.",
    )


def _store(connection: Connection, tickets: Sequence[CleanTicket], *, actor: Actor) -> dict[str, UpsertResult]:
    """Write them in one transaction; when the database refuses, halve until the one at fault stands alone."""
    if not tickets:
        return {}
    try:
        return _write(connection, tickets, actor=actor)
    except (DataError, IntegrityError) as error:
        if len(tickets) > 1:
            middle = len(tickets) // 2
            first = _store(connection, tickets[:middle], actor=actor)
            return first | _store(connection, tickets[middle:], actor=actor)
        external_id = tickets[0].external_id
        log.error("signal refused by the database", external_id=external_id, error=type(error).__name__)
        return {
            external_id: UpsertResult(
                external_id=external_id,
                outcome=Outcome.REFUSED,
                reason="The database did not take this ticket. Send it again; if it stays so, tell the administrator.",
            )
        }


def _write(connection: Connection, tickets: Sequence[CleanTicket], *, actor: Actor) -> dict[str, UpsertResult]:
    """Write them in one transaction, anew where the database ended it because another one waited for its rows."""
    for left in reversed(range(_TRIES)):
        try:
            with transaction.atomic():
                return _Writer.prepare(connection, tickets, actor=actor).write(tickets)
        except OperationalError as error:
            if not left or getattr(error.__cause__, "sqlstate", None) != _DEADLOCK:
                raise
    raise AssertionError("The last try returns or raises.")


@dataclass(frozen=True)
class _Writer:
    """Writes one batch inside a transaction, with everything it needs to know read beforehand."""

    connection: Connection
    actor: Actor
    directory: Directory
    boards: Mapping[str, uuid.UUID]
    alerts: AlertTickets
    #: Signals of which people set what processors give, and what they set.
    set_by_people: list[tuple[Signal, Mapping[str, str]]] = field(default_factory=list)

    @classmethod
    def prepare(cls, connection: Connection, tickets: Sequence[CleanTicket], *, actor: Actor) -> _Writer:
        directory = Directory.read(connection, tickets)
        boards = boards_by_external_id(connection, [(one.board_external_id, one.board_name) for one in tickets])
        return cls(
            connection=connection,
            actor=actor,
            directory=directory,
            boards=boards,
            alerts=AlertTickets.read(connection, boards.values(), directory.companies.values()),
        )

    def write(self, tickets: Sequence[CleanTicket]) -> dict[str, UpsertResult]:
        tickets = without_loops(self.connection, tickets)
        fresh = self._insert_unknown(tickets)
        held = {row.external_id: row for row in self._locked(tickets)}
        if len(held) < len(tickets):
            # SQLite's INSERT OR IGNORE passes over any row it cannot take, not only over known ones
            raise IntegrityError("A ticket was not taken.")
        behind = [row.pk for one in tickets if (row := held[one.external_id]).is_behind(one)]
        whole = self._whole(behind)
        echoes = Echoes.read(self.connection, [signal.origin_subject for signal in whole.values()])
        results: dict[str, UpsertResult] = {}
        written: list[tuple[Signal, CleanTicket]] = []
        touched: set[uuid.UUID] = set()
        for ticket in tickets:
            row = held[ticket.external_id]
            if row.pk in fresh:
                signal = fresh[row.pk]
                results[ticket.external_id] = result_of(signal, Outcome.GONE if ticket.deleted else Outcome.CREATED)
                touched.add(signal.pk)
            elif row.pk in whole and self._overwrite(ticket, whole[row.pk], touched, echoes):
                signal = whole[row.pk]
                results[ticket.external_id] = result_of(signal, Outcome.GONE if ticket.deleted else Outcome.UPDATED)
            else:
                results[ticket.external_id] = passed_over(ticket, row)
                continue
            written.append((signal, ticket))
        self._finish(written, touched, echoes, new=fresh)
        return results

    def _insert_unknown(self, tickets: Sequence[CleanTicket]) -> dict[uuid.UUID, Signal]:
        """Insert what is not there yet; by id, of which those are in the table that no other delivery forestalled."""
        known = set(self._rows(tickets).values_list("external_id", flat=True))
        fresh = [self._new_signal(ticket) for ticket in tickets if ticket.external_id not in known]
        insert_signals(fresh)
        return {signal.pk: signal for signal in fresh}

    def _new_signal(self, ticket: CleanTicket) -> Signal:
        company_id = self.directory.companies.get(ticket.company_external_id)
        state = first_state(self._told(ticket, company_id))
        new: Columns = {
            "organization_id": self.connection.organization_id,
            "connection_id": self.connection.pk,
            "external_id": ticket.external_id,
            "source_created_at": ticket.source_created_at,
        }
        return Signal.with_columns(new | self._columns(ticket, company_id, state))

    def _overwrite(self, ticket: CleanTicket, signal: Signal, touched: set[uuid.UUID], echoes: Echoes) -> bool:
        """Write what is news over the locked row and into `signal`; False when the row holds a newer revision.

        Remembers the id in `touched` where more changed than the source's own bookkeeping and what we wrote ourselves.
        """
        company_id = self._company_after(ticket, signal)
        state = next_state(
            Known(
                state=signal.state,
                company_id=signal.company_id,
                closed=signal.closed_at_source,
                left_out=bool(signal.left_out),
            ),
            self._told(ticket, company_id, signal),
        )
        columns = self._tombstone(ticket) if ticket.deleted else self._columns(ticket, company_id, state, signal)
        columns |= left_company(signal.company_id, columns.get("company_id", signal.company_id))
        if columns["state"] == Signal.State.NEEDS_REVIEW or (state == signal.state and state in _DECIDED):
            # what is in doubt is so still, as is why somebody dismissed it or what it was merged with
            columns["state_reason"] = columns["state_reason"] or signal.state_reason
            columns["merged_into"] = columns["merged_into"] or signal.merged_into
        if not ticket.device_external_id and company_id == signal.company_id and keeps_device(signal, self.connection):
            columns = {name: each for name, each in columns.items() if name not in ("device_id", "device_external_id")}
        rows = self._rows([ticket]).filter(revision__lte=ticket.revision)
        words = {} if ticket.deleted else {"words": words_of(ticket.external_id, ticket.subject, ticket.description)}
        if not rows.update(**columns, **words, changed_at=timezone.now()):
            return False
        news = columns.keys() - _ALWAYS_NEW
        changed = {name: columns[name] for name in news if getattr(signal, name) != columns[name]}
        read_at = ticket.read_at if echoes.wrote(signal.origin_subject) else None
        others = set_by_others(signal, columns, read_at=read_at)
        if others:
            self.set_by_people.append((signal, others))
        changed = {name: value for name, value in changed.items() if name not in WATCHED or name in others}
        if changed and echoes.is_field(signal.origin_subject, changed, since=signal.source_updated_at):
            ring("signal.processed", str(signal.pk))  # no news, but who looks at it sees it
        elif changed:
            touched.add(signal.pk)
        for name, value in columns.items():
            setattr(signal, name, value)
        return True

    def _told(self, ticket: CleanTicket, company_id: uuid.UUID | None, signal: Signal | None = None) -> Told:
        """An alert that cleared is closed with all that repeats it, in folding.py, and not by its own word."""
        alert = ticket.alert_type or (signal.alert_type if signal else "")
        resolved = signal is not None and signal.state == Signal.State.RESOLVED
        waits = company_id is not None and not resolved and closes_by_itself(self.connection, alert)
        return Told(
            company_id=company_id,
            closed=ticket.closed and not waits,
            deleted=ticket.deleted,
            merged=bool(ticket.merged_into),
            left_out=bool(ticket.left_out),
        )

    def _company_after(self, ticket: CleanTicket, signal: Signal) -> uuid.UUID | None:
        """The linked company; where none is, the one a person gave this signal, while the source names the same."""
        linked = self.directory.companies.get(ticket.company_external_id)
        if linked is None and ticket.company_external_id == signal.company_external_id:
            return signal.company_id
        return linked

    def _alert(
        self, ticket: CleanTicket, company_id: uuid.UUID | None, device_id: uuid.UUID | None, signal: Signal | None
    ) -> Columns:
        """One source posts the alert; another, that knows no alerts, may tell of the same ticket later."""
        if ticket.alert_type:
            return {"alert_type": ticket.alert_type}
        return self.alerts.columns(
            subject=ticket.subject,
            company_id=company_id,
            board_id=self.boards.get(ticket.board_external_id),
            device_id=device_id,
            known=signal,
        )

    def _columns(
        self, ticket: CleanTicket, company_id: uuid.UUID | None, state: Signal.State, signal: Signal | None = None
    ) -> Columns:
        device_id = self.directory.device_of(ticket.device_external_id, company_id)
        return {
            "company_id": company_id,
            "company_external_id": ticket.company_external_id,
            "contact_id": self.directory.contact_of(ticket.contact_external_id, company_id),
            "contact_external_id": ticket.contact_external_id,
            "device_id": device_id,
            "device_external_id": ticket.device_external_id,
            "board_id": self.boards.get(ticket.board_external_id),
            "assignee": ticket.assignee,
            "subject": ticket.subject,
            "description": ticket.description,
            "source_status": ticket.source_status,
            "closed_at_source": ticket.closed,
            "priority": ticket.priority,
            "type": ticket.type,
            "subtype": ticket.subtype,
            "item": ticket.item,
            "source_updated_at": ticket.source_updated_at,
            "revision": ticket.revision,
            "digest": ticket.digest,
            "raw": ticket.raw,
            "state": state,
            "left_out": ticket.left_out,
            "state_reason": why(ticket, company_id, state),
            "merged_into": ticket.merged_into if state == Signal.State.MERGED else "",
            **self._alert(ticket, company_id, device_id, signal),
        }

    def _tombstone(self, ticket: CleanTicket) -> Columns:
        """A deletion carries no content: what was known stays readable."""
        return {
            "revision": ticket.revision,
            "digest": ticket.digest,
            "source_updated_at": ticket.source_updated_at,
            "state": Signal.State.GONE,
            "state_reason": "",
            "merged_into": "",
        }

    def _finish(
        self,
        written: Sequence[tuple[Signal, CleanTicket]],
        touched: set[uuid.UUID],
        echoes: Echoes,
        *,
        new: Collection[uuid.UUID],
    ) -> None:
        """What hangs on the signals, what stands on them in approvals, and the bell; what we wrote rings nothing."""
        noted = [(one, told.notes) for one, told in written if told.notes is not None]
        new_notes = write_parts(SignalNote, noted)
        times = [(one, told.time_entries) for one, told in written if told.time_entries is not None]
        files = [(one, told.attachments) for one, told in written if told.attachments is not None]
        write_parts(SignalTime, times)
        write_parts(SignalAttachment, files)
        strange = echoes.others(texts_of_new([each for each in noted if each[0].pk not in touched], new_notes))
        touched |= {signal.pk for signal, _ in written if signal.origin_subject in strange}
        keep_what_people_set(self.set_by_people)
        touched -= settle_alerts(self.connection.organization, [signal for signal, _ in written])
        tell_origins([signal for signal, _ in written if signal.pk not in new], actor=self.actor)
        read = [signal.pk for signal, _ in written if signal.pk in touched and not signal.awaits_processors]
        if read:
            rows = Signal.objects.for_organization(self.connection.organization)
            rows.filter(pk__in=read).update(awaits_processors=True)
        ring_all("signal.changed", map(str, sorted(touched)))

    def _locked(self, tickets: Sequence[CleanTicket]) -> list[Held]:
        """The rows of these tickets, locked until the transaction ends."""
        rows = self._rows(tickets).select_for_update()
        return [Held(*values) for values in rows.values_list(*Held._fields)]

    def _whole(self, signal_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Signal]:
        """The whole rows of signals that are locked already."""
        if not signal_ids:
            return {}
        rows: TenantQuerySet[Signal] = Signal.objects.for_organization(self.connection.organization)
        return {signal.pk: signal for signal in rows.filter(pk__in=signal_ids).defer("raw", "words")}

    def _rows(self, tickets: Sequence[CleanTicket]) -> TenantQuerySet[Signal]:
        rows: TenantQuerySet[Signal] = Signal.objects.for_organization(self.connection.organization)
        told = rows.filter(connection=self.connection, external_id__in=[ticket.external_id for ticket in tickets])
        # the order has SQLite, which keeps no statistics, look for the ids; else it reads all of the organization's
        return told.order_by("external_id")
