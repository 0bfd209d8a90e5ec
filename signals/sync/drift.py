"""Comparing what is here with what the source has, and reading anew what differs.

The poll goes by the moment of the last change: what was deleted at the source, or missed for whatever reason, it never
sees again. A comparison lists every ticket of the source with its last change, and nothing else of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.utils import timezone

from integrations.errors import IntegrationError
from integrations.models import Connection
from integrations.services import is_ticket_source, open_ticket_source
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.intake.columns import revision_of
from signals.models import DriftCheck, Signal
from signals.sync.hints import read_back
from signals.sync.polling import store_read

#: What changed so lately is on its way: the poll reads it, and no comparison need tell of it.
ON_ITS_WAY = timedelta(minutes=3)
#: Ids that are kept of each kind; a repair takes these, and the comparison after it finds the rest.
MOST_KEPT = 500
BATCH = 25
#: States of signals that need not be at the source any more.
STAY = (Signal.State.GONE, Signal.State.MERGED)
#: A comparison that says nothing for so long has died.
LOST = timedelta(minutes=30)
EVERY = timedelta(days=1)

State = DriftCheck.State


class Drift(StrEnum):
    """How a ticket can differ."""

    MISSING = "missing"
    BEHIND = "behind"
    AHEAD = "ahead"
    GONE = "gone"


def ask_to_compare(*, actor: Actor, connection: Connection) -> None:
    """Let the connection's tickets be compared with the source. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    _ask(connection, State.WAITING)
    ring("connection.compare", str(connection.pk))


@transaction.atomic
def ask_to_repair(*, actor: Actor, connection: Connection) -> None:
    """Let what the last comparison found be read anew. Raises PermissionDenied."""
    require(actor, Permission.MANAGE_INTEGRATIONS)
    if _rows(connection).filter(state=State.DONE).update(state=State.REPAIRING, asked_at=timezone.now()):
        record(actor, "connection.repaired", connection, {"vendor": connection.vendor})
        ring("connection.repair", str(connection.pk))


def compare(connection: Connection) -> None:
    """Compare, unless somebody just does; a failure of the vendor is kept in words."""
    now = timezone.now()
    row = _ask(connection, State.COMPARING)
    if row is None:
        return
    try:
        there = _outline(connection)
    except IntegrationError as failure:
        _rows(connection).update(state=State.FAILED, problem=str(failure), checked_at=timezone.now())
        return
    here = _known(connection)
    found = differences(there, here, settled=now - ON_ITS_WAY)
    _rows(connection).update(
        state=State.DONE,
        problem="",
        checked_at=timezone.now(),
        at_source=len(there),
        here=sum(each in there or state not in STAY for each, (_, state) in here.items()),
        found={kind: ids[:MOST_KEPT] for kind, ids in found.items()},
        counts={kind: len(ids) for kind, ids in found.items()},
    )


def differences(
    there: Mapping[str, datetime], here: Mapping[str, tuple[int, str]], *, settled: datetime
) -> dict[str, list[str]]:
    """Kind of drift -> ids. `here`: id -> revision and state. What changed there after `settled` is left out."""
    found: dict[str, list[str]] = {kind.value: [] for kind in Drift}
    for external_id, moment in there.items():
        revision, state = here.get(external_id, (None, ""))
        if moment > settled:
            continue
        if revision is None:
            found[Drift.MISSING].append(external_id)
        elif revision < revision_of(moment) or state == Signal.State.GONE:
            found[Drift.BEHIND].append(external_id)
        elif revision > revision_of(moment):
            found[Drift.AHEAD].append(external_id)
    found[Drift.GONE] = [each for each, (_, state) in here.items() if each not in there and state not in STAY]
    return found


def repair(connection: Connection) -> None:
    """Read anew what the last comparison found, then compare again."""
    row = _rows(connection).filter(state=State.REPAIRING).first()
    if row is None:
        return
    repaired = 0
    try:
        source = open_ticket_source(connection)
        try:
            differing = [each for kind in Drift for each in row.found.get(kind, [])]
            for start in range(0, len(differing), BATCH):
                tickets = read_back(connection, source, differing[start : start + BATCH])
                with transaction.atomic():
                    _make_way(connection, {one.external_id: one.updated_at for one in tickets if not one.deleted})
                    store_read(connection, tickets)
                repaired += len(tickets)
        finally:
            source.close()
    except IntegrationError as failure:
        _rows(connection).update(state=State.FAILED, problem=str(failure), repaired=repaired)
        return
    _rows(connection).update(state=State.WAITING, repaired=repaired, repaired_at=timezone.now())
    compare(connection)


def due_for_comparison(connections: Iterable[Connection]) -> list[Connection]:
    """Ticket sources that were not compared for a day, or whose comparison died."""
    now = timezone.now()
    due = []
    for connection in connections:
        if not is_ticket_source(connection) or connection.state != Connection.State.OK:
            continue
        row = _rows(connection).first()
        if row is None or row.asked_at < now - EVERY or (_runs(row) and row.asked_at < now - LOST):
            due.append(connection)
    return due


def _make_way(connection: Connection, moments: Mapping[str, datetime]) -> None:
    """A revision here that is ahead of the source's own would shut it out: in a repair the source is right."""
    rows = Signal.objects.for_organization(connection.organization).filter(connection=connection)
    for external_id, moment in moments.items():
        revision = revision_of(moment)
        rows.filter(external_id=external_id, revision__gt=revision).update(revision=revision - 1)
        rows.filter(external_id=external_id, revision=revision, state=Signal.State.GONE).update(revision=revision - 1)


def _outline(connection: Connection) -> dict[str, datetime]:
    source = open_ticket_source(connection)
    try:
        return dict(source.outline())
    finally:
        source.close()


def _known(connection: Connection) -> dict[str, tuple[int, str]]:
    rows = Signal.objects.for_organization(connection.organization).filter(connection=connection).order_by()
    # one that is folded into another stands at its source all the same, unlike one that was merged there
    told = rows.values_list("external_id", "revision", "state", "folded_into")
    return {each: (revision, "" if folded else state) for each, revision, state, folded in told}


def _ask(connection: Connection, state: DriftCheck.State) -> DriftCheck | None:
    """The connection's row in that state, made where there is none; None while somebody compares or repairs."""
    now = timezone.now()
    row, _ = DriftCheck.objects.for_organization(connection.organization).get_or_create(
        connection=connection,
        defaults={"organization_id": connection.organization_id, "asked_at": now, "id": uuid.uuid4()},
    )
    rows = _rows(connection)
    free = rows.exclude(state__in=(State.COMPARING, State.REPAIRING)) | rows.filter(asked_at__lt=now - LOST)
    return row if free.update(state=state, asked_at=now) else None


def _runs(row: DriftCheck) -> bool:
    return row.state in (State.WAITING, State.COMPARING, State.REPAIRING)


def _rows(connection: Connection) -> TenantQuerySet[DriftCheck]:
    rows: TenantQuerySet[DriftCheck] = DriftCheck.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)
