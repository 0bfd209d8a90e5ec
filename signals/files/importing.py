"""Tickets out of a file: kept first, looked at, then read in beside everything else, as far as its rows can be used.

Every row goes the way of a delivery by REST (`upsert_signals`). What cannot be used is kept with the reason; nothing of
a file is lost by a crash, a stop, or a row that nobody can read.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import structlog
from django.db import OperationalError, transaction
from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now
from django.utils import timezone

from approvals.models import StaleState
from integrations.contracts import TicketRecord
from integrations.models import Connection
from integrations.vendors import FILES
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, PermissionDenied, require
from junto.tenants.scoping import TenantQuerySet
from signals.files.columns import Reading, RowReader, RowRefused, guess_reading
from signals.files.tables import Row, Table, TableRefused, guess_encoding, read_table
from signals.intake.columns import clean_ticket
from signals.intake.outcomes import Outcome, UpsertResult
from signals.intake.placing import place_waiting
from signals.intake.upsert import BATCH, upsert_signals
from signals.models import RefusedRow, Signal, TicketImport

log = structlog.get_logger(__name__)

State = TicketImport.State
#: Seconds a worker reads before others get their turn, and a lease lasts; it is renewed with every batch.
SLICE_SECONDS = 10.0
LEASE_SECONDS = 120
_COUNTED = {
    Outcome.CREATED: "created",
    Outcome.UPDATED: "changed",
    Outcome.GONE: "changed",
    Outcome.UNCHANGED: "unchanged",
    Outcome.STALE: "older",
    Outcome.REFUSED: "refused",
}


class ImportLost(RuntimeError):
    """The import was stopped, or another worker has it: nothing more is written."""


@transaction.atomic
def keep_file(*, actor: Actor, name: str, content: bytes, encoding: str = "") -> TicketImport:
    """Keep an uploaded file, with a first guess of how to read it. Nothing is read in yet.

    `encoding` = one of ENCODINGS; empty = the file tells, or it is guessed.

    Raises:
        PermissionDenied: `actor` may not write signals.
        TableRefused: it is too large, empty, not written so, or no table at all.
    """
    require(actor, Permission.WRITE_SIGNALS)
    if actor.membership is None:
        raise TableRefused("Only a person reads in a file.")
    encoding = encoding or guess_encoding(content)
    table = read_table(content, encoding=encoding)
    row = TicketImport(
        organization=actor.organization,
        connection=_files_of(actor.organization),
        asked_by=actor.membership,
        file_name=" ".join(name.split())[:200] or "Without a name",
        content=content,
        encoding=encoding,
    )
    _lay_out(row, table, guess_reading(table))
    row.save(force_insert=True)
    record(actor, "import.kept", row, {"file": row.file_name, "rows": row.rows})
    return row


def read_otherwise(*, actor: Actor, ticket_import: TicketImport, encoding: str, delimiter: str) -> None:
    """Read the file in another encoding, or with another delimiter; columns that nobody chose are guessed anew.

    What was chosen stays where the file has as many columns as before.

    Raises:
        PermissionDenied: `actor` may not write signals.
        TableRefused: the file cannot be read so; it stays as it was.
        StaleState: it has begun.
    """
    require(actor, Permission.WRITE_SIGNALS)
    table = read_table(bytes(ticket_import.content), encoding=encoding, delimiter=delimiter)
    guessed, held = guess_reading(table), reading_of(ticket_import)
    if len(table.head) == len(ticket_import.head):
        free = {slug: place for slug, place in guessed.columns.items() if place not in held.columns.values()}
        guessed = held.model_copy(update={"columns": free | held.columns})
    ticket_import.encoding = encoding
    _lay_out(ticket_import, table, guessed)
    _save_draft(ticket_import, "encoding", "delimiter", "head", "reading", "rows")


def set_reading(*, actor: Actor, ticket_import: TicketImport, reading: Reading) -> None:
    """Say which column says what. Raises PermissionDenied, or StaleState where it has begun."""
    require(actor, Permission.WRITE_SIGNALS)
    ticket_import.reading = reading.model_dump(mode="json")
    _save_draft(ticket_import, "reading")


@transaction.atomic
def start_import(*, actor: Actor, ticket_import: TicketImport) -> None:
    """Begin to read a file in, in the name of whoever starts it.

    Raises:
        PermissionDenied: `actor` may not write signals.
        TableRefused: no column says the ticket's number or subject.
        StaleState: it has begun already.
    """
    require(actor, Permission.WRITE_SIGNALS)
    missing = reading_of(ticket_import).missing
    if missing:
        raise TableRefused(f"Choose the column for: {', '.join(field.label.lower() for field in missing)}.")
    _move(ticket_import, frm=(State.DRAFT,), to=State.RUNNING, asked_by=actor.membership, started_at=timezone.now())
    record(actor, "import.started", ticket_import, {"file": ticket_import.file_name, "rows": ticket_import.rows})
    ring("import.ready", str(ticket_import.pk))


@transaction.atomic
def stop_import(*, actor: Actor, ticket_import: TicketImport) -> None:
    """Stop after the rows under way; what was read in stays. Raises PermissionDenied, or StaleState if it has ended."""
    require(actor, Permission.WRITE_SIGNALS)
    _move(ticket_import, frm=(State.RUNNING,), to=State.STOPPED, detail=f"Stopped by {actor.label}.", lease_until=None)
    record(actor, "import.stopped", ticket_import, {"file": ticket_import.file_name})


@transaction.atomic
def resume_import(*, actor: Actor, ticket_import: TicketImport) -> None:
    """Go on behind the last row that was done, in the name of `actor`. Raises PermissionDenied or StaleState."""
    require(actor, Permission.WRITE_SIGNALS)
    _move(ticket_import, frm=TicketImport.PAUSED, to=State.RUNNING, detail="", asked_by=actor.membership)
    record(actor, "import.resumed", ticket_import, {"file": ticket_import.file_name})
    ring("import.ready", str(ticket_import.pk))


@transaction.atomic
def discard_import(*, actor: Actor, ticket_import: TicketImport) -> None:
    """Remove the file and its refused rows; tickets that were read in stay.

    Raises:
        PermissionDenied: `actor` may not write signals.
        StaleState: it is being read; stop it first.
    """
    require(actor, Permission.WRITE_SIGNALS)
    if not _rows(ticket_import).exclude(state=State.RUNNING).exists():
        raise StaleState("It is being read in: stop it first.")
    record(actor, "import.discarded", ticket_import, {"file": ticket_import.file_name})
    _rows(ticket_import).delete()


def reading_of(ticket_import: TicketImport) -> Reading:
    """How the file is to be read."""
    return Reading.model_validate(ticket_import.reading)


def table_of(ticket_import: TicketImport) -> Table:
    """The file as a table. Raises TableRefused."""
    return read_table(bytes(ticket_import.content), encoding=ticket_import.encoding, delimiter=ticket_import.delimiter)


def row_reader(ticket_import: TicketImport) -> RowReader:
    """Reads the rows of the file; what bears no date of change counts as of the moment the file came."""
    return RowReader(tuple(ticket_import.head), reading_of(ticket_import), ticket_import.created_at)


def advance_import(ticket_import: TicketImport) -> None:
    """Read on for some seconds, unless another worker does; rings again while rows are left.

    Safe to call at any time, any number of times, from any process.
    """
    if not _take(ticket_import):
        return
    try:
        more = _read_on(ticket_import)
    except ImportLost:
        log.info("import given up", ticket_import=str(ticket_import.pk))
        return
    except OperationalError:
        raise  # the database is away or busy: the sweep takes it up again when the lease is over
    except (PermissionDenied, TableRefused) as refusal:
        _held(ticket_import).update(state=State.STOPPED, detail=str(refusal), lease_until=None)
        return
    except Exception:
        log.exception("import failed", ticket_import=str(ticket_import.pk))
        detail = "Something went wrong inside Junto; the log says what. Let it go on to try again."
        _held(ticket_import).update(state=State.FAILED, detail=detail, lease_until=None)
        return
    if more:
        _held(ticket_import).update(lease_until=None)
        ring("import.ready", str(ticket_import.pk))


def _read_on(ticket_import: TicketImport) -> bool:
    """Batches until the time is over; whether rows are left."""
    actor = Actor.person(ticket_import.asked_by)
    require(actor, Permission.WRITE_SIGNALS)
    reader, until = row_reader(ticket_import), time.monotonic() + SLICE_SECONDS
    for batch in _batches(table_of(ticket_import).rows(after=ticket_import.position)):
        _take_in(ticket_import, reader, batch, actor=actor)
        if time.monotonic() > until:
            return True
    _finish(ticket_import, actor)
    return False


def _take_in(ticket_import: TicketImport, reader: RowReader, batch: Sequence[Row], *, actor: Actor) -> None:
    """Store a batch, what was refused of it, and how far it goes, in one transaction. Raises ImportLost."""
    refused: list[RefusedRow] = []
    tickets: list[tuple[Row, TicketRecord]] = []
    for row in batch:
        try:
            tickets.append((row, reader.ticket(row)))
        except RowRefused as refusal:
            columns = ", ".join(dict.fromkeys(problem.column for problem in refusal.problems))
            one = len(refusal.problems) == 1
            refused.append(_refused(ticket_import, row, columns, refusal.problems[0].words if one else str(refusal)))
    standing = _standing(reader, tickets)
    overtaken, tickets = len(tickets) - len(standing), standing
    with transaction.atomic():
        stamped = _as_known(ticket_import.connection, reader, tickets)
        results = upsert_signals(connection=ticket_import.connection, tickets=stamped, actor=actor)
        refused += [
            _refused(ticket_import, row, "", result.reason)
            for (row, _), result in zip(tickets, results, strict=True)
            if result.outcome == Outcome.REFUSED
        ]
        RefusedRow.objects.bulk_create(refused)
        counts = _counts(results, refused=len(refused), overtaken=overtaken)
        _advance(ticket_import, batch[-1].number, counts)
        record(actor, "signals.imported", ticket_import, {**counts, "up_to_row": batch[-1].number})


def _standing(reader: RowReader, tickets: Sequence[tuple[Row, TicketRecord]]) -> list[tuple[Row, TicketRecord]]:
    """Without those rows that bear no date of change and are followed by another one of the same number."""
    last = {ticket.external_id: row.number for row, ticket in tickets}
    return [
        (row, ticket)
        for row, ticket in tickets
        if row.number == last[ticket.external_id] or reader.says("updated_at", row)
    ]


def _as_known(
    connection: Connection, reader: RowReader, tickets: Sequence[tuple[Row, TicketRecord]]
) -> list[TicketRecord]:
    """The tickets; one that bears no date of change and says what is stored already keeps the stored date.

    So a file that is read in twice changes nothing the second time.
    """
    rows = Signal.objects.for_organization(connection.organization).filter(
        connection=connection, external_id__in=[ticket.external_id for _, ticket in tickets]
    )
    known = {
        external_id: (digest, created_at, updated_at)
        for external_id, digest, created_at, updated_at in rows.values_list(
            "external_id", "digest", "source_created_at", "source_updated_at"
        )
    }
    now = timezone.now()

    def stamped(row: Row, ticket: TicketRecord) -> TicketRecord:
        if ticket.external_id not in known or reader.says("updated_at", row):
            return ticket
        digest, created_at, updated_at = known[ticket.external_id]
        if not reader.says("created_at", row):
            ticket = replace(ticket, created_at=created_at)
        same = replace(ticket, updated_at=updated_at)
        return same if clean_ticket(same, now=now).digest == digest else ticket

    return [stamped(row, ticket) for row, ticket in tickets]


def _refused(ticket_import: TicketImport, row: Row, column: str, words: str) -> RefusedRow:
    return RefusedRow(
        organization=ticket_import.organization,
        ticket_import=ticket_import,
        number=row.number,
        line=row.line,
        column=column[:80],
        words=words,
        cells=list(row.cells),
    )


def _counts(results: Sequence[UpsertResult], *, refused: int, overtaken: int) -> dict[str, int]:
    counts = Counter(_COUNTED[result.outcome] for result in results if result.outcome != Outcome.REFUSED)
    counts.update(refused=refused, older=overtaken)
    return {name: count for name, count in counts.items() if count}


def _advance(ticket_import: TicketImport, position: int, counts: dict[str, int]) -> None:
    """Move on and renew the lease; the commit of the batch depends on it. Raises ImportLost."""
    grown = {name: F(name) + count for name, count in counts.items()}
    if not _held(ticket_import).update(position=position, lease_until=_until(), **grown):
        raise ImportLost


@transaction.atomic
def _finish(ticket_import: TicketImport, actor: Actor) -> None:
    """All rows are done: the file itself is not needed any more."""
    if not _held(ticket_import).update(state=State.DONE, content=b"", lease_until=None, ended_at=timezone.now()):
        raise ImportLost
    place_waiting(ticket_import.connection)
    ticket_import.refresh_from_db(fields=["created", "changed", "unchanged", "older", "refused"])
    names = ("created", "changed", "unchanged", "older", "refused")
    counts = {name: getattr(ticket_import, name) for name in names if getattr(ticket_import, name)}
    record(actor, "import.done", ticket_import, {"file": ticket_import.file_name, **counts})


def _take(ticket_import: TicketImport) -> bool:
    """Own the import; False when it does not run, or another worker has it."""
    free = _rows(ticket_import).filter(state=State.RUNNING).filter(Q(lease_until=None) | Q(lease_until__lte=Now()))
    taken = free.update(fence=F("fence") + 1, lease_until=_until())
    if taken:
        ticket_import.refresh_from_db()
    return bool(taken)


def _held(ticket_import: TicketImport) -> TenantQuerySet[TicketImport]:
    """The row as long as this worker has it."""
    return _rows(ticket_import).filter(fence=ticket_import.fence, state=State.RUNNING)


def _rows(ticket_import: TicketImport) -> TenantQuerySet[TicketImport]:
    rows: TenantQuerySet[TicketImport] = TicketImport.objects.for_organization(ticket_import.organization)
    return rows.filter(pk=ticket_import.pk)


def _until() -> CombinedExpression:
    return Now() + timedelta(seconds=LEASE_SECONDS)


def _move(ticket_import: TicketImport, *, frm: Sequence[str], to: TicketImport.State, **changes: object) -> None:
    """Move the state by compare-and-set. Raises StaleState."""
    if not _rows(ticket_import).filter(state__in=frm).update(state=to, **changes):
        raise StaleState("This import has moved on meanwhile.")
    ticket_import.refresh_from_db(fields=["state", *changes])


def _save_draft(ticket_import: TicketImport, *names: str) -> None:
    """Write these fields while it has not begun. Raises StaleState."""
    changes = {name: getattr(ticket_import, name) for name in names}
    if not _rows(ticket_import).filter(state=State.DRAFT).update(**changes):
        raise StaleState("This import has begun meanwhile.")


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _lay_out(ticket_import: TicketImport, table: Table, reading: Reading) -> None:
    """What is known of the file once it can be read; counting its rows reads all of it. Raises TableRefused."""
    ticket_import.delimiter = table.delimiter
    ticket_import.head = list(table.head)
    ticket_import.reading = reading.model_dump(mode="json")
    ticket_import.rows = sum(1 for _ in table.rows())
    if not ticket_import.rows:
        raise TableRefused("The file names columns, and has no row below them.")


def _files_of(organization: Organization) -> Connection:
    """What stands for all files of an organization, so that their numbers are told from those of its systems."""
    connection, _ = Connection.objects.for_organization(organization).get_or_create(
        organization=organization,
        vendor=FILES,
        defaults={"label": "Files", "base_url": "", "state": Connection.State.PAUSED},
    )
    return connection
