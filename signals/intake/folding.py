"""Alerts that repeat fold into one signal, and are kept quiet during maintenance; what cleared closes by itself.

The same condition on the same device of the same company is one problem, however often it is told: the first signal
that is still open stands for all. Repeats stay rows of their own, MERGED, so that the count is what the sources said
and a delivery that comes again counts nothing twice. What belongs together is decided under a lock on the companies.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from integrations.models import Connection
from integrations.sources import is_ticket_source
from junto.bells import ring, ring_all
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Organization
from junto.tenants.scoping import TenantQuerySet
from signals.intake.clearing import all_cleared, open_tickets
from signals.intake.heads import Condition, Heads
from signals.intake.joining import find_joint
from signals.intake.standing import tell_origins
from signals.intake.touched import touched_by_a_person
from signals.intake.unfolding import linked_with, strays_of, unfold
from signals.models import MaintenanceWindow, Signal
from signals.service.hours import hours_of, zone_of
from signals.write_back.clearings import unwish_closing, wish_closing

State = Signal.State

CLEARED = "The alert cleared at the source."
CLEARED_BUT_KEPT = "The alert cleared at the source. It stays open, as somebody has worked on it."
CLEARED_AND_OPEN = "The alert cleared at the source. Its ticket is open still."
CLEARED_CLOSING = "The alert cleared at the source. Its ticket is to be closed."


def closes_by_itself(connection: Connection, alert_type: str) -> bool:
    """Whether "closed" is only the monitoring's word that a condition cleared. A PSA's status is a person's word."""
    return bool(alert_type) and not is_ticket_source(connection)


def keeps_device(signal: Signal, connection: Connection) -> bool:
    """Whether a monitoring told the device; the ticket at `connection` that was opened since need not name it."""
    return bool(signal.alert_type) and signal.device is not None and signal.device.connection_id != connection.pk


def settle_alerts(organization: Organization, written: Iterable[Signal]) -> set[uuid.UUID]:
    """Fold, quieten and close what was just written, in the transaction that wrote it.

    Returns the signals that are no news to anybody: repeats, and what maintenance keeps quiet. `written` shows the
    states given here.
    """
    given = list(written)
    strays = strays_of(organization, linked_with(given))
    if not strays and all(Condition.of(signal) is None for signal in given):
        return set()
    companies = sorted(
        {one.company_id for one in (*given, *(each.signal for each in strays)) if one.company_id is not None}
    )
    locked = Company.objects.for_organization(organization).filter(pk__in=companies).order_by("pk")
    list(locked.select_for_update(no_key=True).values_list("pk", flat=True))
    freed = unfold(organization, strays_of(organization, linked_with(given)), shown=given) if strays else []
    each = {signal.pk: signal for signal in (*given, *freed) if Condition.of(signal) is not None}
    quiet = _Settling(organization, companies, set(each)).settle(list(each.values()))
    ring_all("signal.changed", map(str, sorted({signal.pk for signal in freed} - quiet)))
    return quiet


@transaction.atomic
def settle_strays(organization: Organization) -> None:
    """Free what stands under a signal that no longer stands for it, and that no delivery told of since: it may be from
    before that was looked at. Safe to repeat.
    """
    ids = [stray.signal.pk for stray in strays_of(organization, None)]
    if ids:
        rows: TenantQuerySet[Signal] = Signal.objects.for_organization(organization).filter(pk__in=ids)
        settle_alerts(organization, rows.order_by("external_id").select_for_update())


class _Settling:
    """One batch, under the lock."""

    def __init__(
        self, organization: Organization, companies: Collection[uuid.UUID], new: Collection[uuid.UUID]
    ) -> None:
        self._organization = organization
        self._now = timezone.now()
        self._windows = list(MaintenanceWindow.at(organization, self._now).filter(company__in=companies))
        self._zone = zone_of(hours_of(organization).time_zone) if self._windows else None
        self._heads = Heads(self._rows(), companies=companies, new=new)

    def settle(self, alerts: Sequence[Signal]) -> set[uuid.UUID]:
        quiet: set[uuid.UUID] = set()
        repeats: dict[uuid.UUID, list[Signal]] = defaultdict(list)
        for signal in sorted(alerts, key=lambda one: (one.source_created_at, one.external_id)):
            head = self._head_of(signal)
            window = self._window(signal)
            if signal.state == State.NEW and signal.folded_into_id is None and window is not None:
                self._quieten(signal, window)
                quiet.add(signal.pk)
            elif signal.state == State.NEW and head is not None:
                repeats[head.pk].append(signal)
            if signal.state in (State.MERGED, State.DISMISSED):
                quiet.add(signal.pk)
        for head_id, found in repeats.items():
            self._fold(head_id, found)
            quiet |= {signal.pk for signal in found}
        for head_id in sorted({signal.folded_into_id or signal.ticket_id or signal.pk for signal in alerts}):
            self._close_if_clear(head_id, alerts)
            self._close_tickets(head_id)
        return quiet

    def _head_of(self, signal: Signal) -> Signal | None:
        """The open signal that this one repeats, or tells of from the other side: PSA or monitoring."""
        if Condition.of(signal) is None or signal.parted or signal.state != State.NEW:
            return None
        head = self._heads.of(signal)
        if head is None or head.pk == signal.pk:
            head = find_joint(signal, self._heads.besides(signal))
            if head is not None:
                self._heads.stands(head, for_alert=signal)
        return head

    def _window(self, signal: Signal) -> MaintenanceWindow | None:
        """The maintenance that a standing alert was raised in."""
        if signal.closed_at_source:
            return None
        return next((window for window in self._windows if window.covers(signal)), None)

    def _quieten(self, signal: Signal, window: MaintenanceWindow) -> None:
        ends_at = window.ends_at.astimezone(self._zone)
        reason = f"Kept quiet by maintenance until {ends_at:%Y-%m-%d %H:%M %Z}: {window.reason}"[:300]
        signal.state, signal.state_reason, signal.quiet_by = State.DISMISSED, reason, window
        self._write([signal.pk], state=State.DISMISSED, state_reason=reason, quiet_by=window)

    def _fold(self, head_id: uuid.UUID, repeats: Sequence[Signal]) -> None:
        """Put repeats under the head, with what stood under them."""
        ids = [signal.pk for signal in repeats]
        head = self._rows().only("external_id", "subject", "connection").get(pk=head_id)
        for signal in repeats:
            signal.state, signal.folded_into_id = State.MERGED, head_id
            signal.state_reason = _why_folded(signal, head)
            self._write([signal.pk], state=State.MERGED, state_reason=signal.state_reason, folded_into=head_id)
        self._rows().filter(folded_into__in=ids).update(folded_into=head_id, changed_at=self._now)
        self._write([head_id])
        if any(signal.connection is not None and is_ticket_source(signal.connection) for signal in repeats):
            self._tell(head_id)
        ring("signal.processed", str(head_id))  # its page shows the count

    def _close_if_clear(self, head_id: uuid.UUID, alerts: Sequence[Signal]) -> None:
        """Resolve the head once everything under it has cleared, unless a person worked on it."""
        head = self._rows().select_related("connection").filter(pk=head_id).first()
        if head is None or head.connection is None or not closes_by_itself(head.connection, head.alert_type):
            return
        if head.state not in Signal.OPEN or not head.closed_at_source:
            return
        if self._rows().filter(folded_into=head, closed_at_source=False).exists():
            return
        kept = touched_by_a_person(head)
        state = head.state if kept else State.RESOLVED
        reason = CLEARED_BUT_KEPT if kept else CLEARED
        self._write([head_id], state=state, state_reason=reason)
        for signal in alerts:
            if signal.pk == head_id:
                signal.state, signal.state_reason = state, reason
        self._tell(head_id)
        ring("signal.changed", str(head_id))

    def _close_tickets(self, head_id: uuid.UUID) -> None:
        """Wish the tickets of an alert closed that stands nowhere any more, where no person touched them."""
        cleared = all_cleared(self._organization, head_id)
        for ticket in open_tickets(self._organization, head_id):
            if not cleared:
                unwish_closing(ticket, "The alert stands again.")
                continue
            kept = touched_by_a_person(ticket)
            if kept:
                unwish_closing(ticket, CLEARED_BUT_KEPT)
            wished = not kept and wish_closing(ticket)
            reason = CLEARED_BUT_KEPT if kept else CLEARED_CLOSING if wished else CLEARED_AND_OPEN
            shown = ticket.folded_into or ticket  # its page says so
            if shown.state in Signal.OPEN and shown.state_reason != reason:
                self._write([shown.pk], state_reason=reason)
                ring("signal.processed", str(shown.pk))

    def _tell(self, head_id: uuid.UUID) -> None:
        """Have what waits for a decision on it looked at again: a ticket to be opened rests on this, too."""
        head = self._rows().select_related("organization", "company").filter(pk=head_id).first()
        if head is not None:
            tell_origins([head], actor=Actor.system("monitoring", self._organization))

    def _write(self, ids: Collection[uuid.UUID], **columns: object) -> None:
        self._rows().filter(pk__in=ids).update(**columns, changed_at=self._now)

    def _rows(self) -> TenantQuerySet[Signal]:
        rows: TenantQuerySet[Signal] = Signal.objects.for_organization(self._organization)
        return rows


def _why_folded(signal: Signal, head: Signal) -> str:
    which = f"signal {head.number or f'“{head.subject[:200]}”'}"
    one_side = signal.connection_id == head.connection_id
    return f"It repeats {which}." if one_side else f"It tells of the same problem as {which}."


def end_of_maintenance(window: MaintenanceWindow) -> list[uuid.UUID]:
    """What a window kept quiet and did not clear is news now: it is due like any other alert. Call in a transaction."""
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(window.organization)
    held = list(
        rows.filter(quiet_by=window, state=State.DISMISSED, closed_at_source=False)
        .select_for_update()
        .order_by("external_id")
    )
    ids = [signal.pk for signal in held]
    rows.filter(pk__in=ids).update(state=State.NEW, state_reason="", awaits_processors=True, changed_at=timezone.now())
    for signal in held:
        signal.state, signal.state_reason = State.NEW, ""
    quiet = settle_alerts(window.organization, held)
    ring_all("signal.changed", map(str, sorted(set(ids) - quiet)))
    return ids


def how_often(signals: Sequence[Signal]) -> dict[uuid.UUID, int]:
    """How often the condition was told, for those of these signals that others repeat."""
    if not signals:
        return {}
    rows = Signal.objects.for_organization(signals[0].organization).filter(folded_into__in=signals).order_by()
    return {head: number + 1 for head, number in rows.values_list("folded_into").annotate(Count("pk"))}


class Occurrence(NamedTuple):
    """One time that the condition was told: when it was raised, and when it cleared, if it has.

    `source` = the label of the system that told it, where that is not the one that told the first.
    """

    signal_id: uuid.UUID
    number: str
    source: str
    raised_at: datetime
    cleared_at: datetime | None


def occurrences(signal: Signal, *, most: int) -> tuple[int, list[Occurrence]]:
    """How often the condition of a signal was told, and the newest of these times; 1 for what never repeated."""
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(signal.organization)
    every = rows.filter(Q(folded_into=signal) | Q(pk=signal.pk))
    newest = every.order_by("-source_created_at", "-pk").select_related("connection")
    told = [
        Occurrence(
            one.pk,
            one.number,
            one.connection.label if one.connection and one.connection_id != signal.connection_id else "",
            one.source_created_at,
            one.source_updated_at if one.closed_at_source else None,
        )
        for one in newest.defer("raw", "description", "words")[:most]
    ]
    return every.count(), told
