"""The pace of one connection, shared by all processes through its row: throttle, Retry-After, breaker, counts.

The row is the truth; nothing of it lives in memory. Every change repeats what it rests on in its WHERE.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Sum
from django.utils import timezone

from integrations.errors import (
    OutcomeUnknown,
    VendorDown,
    VendorError,
    VendorForbidden,
    VendorThrottled,
    VendorTimeout,
    VendorUnauthorized,
)
from integrations.models import Connection, ConnectionHour, ConnectionPace
from integrations.pace import Headroom, headroom_of
from junto.tenants.scoping import TenantQuerySet

PER_MINUTE = 1200
"""So many requests a minute may leave for a connection in the long run, whatever number of processes ask; fewer where
the vendor's client says so by the same name."""

BURST = timedelta(seconds=30)
"""So much of that may be used at once: 600 requests."""

FAILURES_UNTIL_OPEN = 5
SHORTEST_REST = timedelta(seconds=15)
LONGEST_REST = timedelta(minutes=5)
TRIAL_SECONDS = 70.0
"""So long a single request has to show that the vendor is back, before another one may try."""

LONGEST_HOLD = timedelta(minutes=15)
KEPT_DAYS = 7
_ATTEMPTS = 20


class SharedPace:
    """The pace of a connection. `insists`: a person wants to know now, so rests are passed over and still ended."""

    def __init__(self, connection: Connection, *, insists: bool = False, per_minute: int = PER_MINUTE) -> None:
        self._connection = connection
        self._interval = timedelta(minutes=1) / per_minute
        self._insists = insists
        self._asked = self._failed = self._throttled = 0
        self._headroom: Headroom | None = None
        self._failures = 0

    def wait_turn(self, *, label: str, seconds: float) -> None:
        """See `Pace`."""
        for _ in range(_ATTEMPTS):
            row, now = self._row(), timezone.now()
            self._failures = row.failures
            if not self._insists:
                self._heed_rest(row, now, label)
                self._heed_hold(row, now, label, seconds)
            begin = max(row.next_at or now, now)
            taken = self._rows().filter(next_at=row.next_at).update(next_at=begin + self._interval)
            if not taken:
                continue
            wait = (begin - now - BURST).total_seconds()
            if wait > seconds:
                raise VendorThrottled(f"{label} has too many of our requests waiting.", sent=False, retry_after=wait)
            time.sleep(max(wait, 0.0))
            return

    def answered(self, headers: Mapping[str, str]) -> None:
        """See `Pace`."""
        self._asked += 1
        self._well()
        self._headroom = told = headroom_of(headers) or self._headroom
        if told and told.remaining == 0 and told.reset_seconds:
            self._hold(told.reset_seconds)

    def failed(self, error: VendorError, *, again: bool) -> None:
        """See `Pace`."""
        if not error.sent and not isinstance(error, VendorDown | VendorTimeout):
            return
        self._asked += 1
        if isinstance(error, VendorThrottled):
            self._throttled += 1
            self._well()
            if error.retry_after:
                self._hold(error.retry_after)
        elif isinstance(error, VendorDown | VendorTimeout | OutcomeUnknown):
            self._failed += 1
            if not again:
                self._ill()
        else:
            # Turned away, and yet it answers: a reason to look at the key, none to leave the vendor alone.
            # A record that is not there, or a wish that it finds wrong, is an answer like any other.
            self._failed += isinstance(error, VendorUnauthorized | VendorForbidden)
            self._well()

    def close(self) -> None:
        """Keep what was counted: one row an hour."""
        if self._headroom is not None:
            self._rows().update(limit=self._headroom.limit, remaining=self._headroom.remaining, told_at=timezone.now())
            self._headroom = None
        if self._asked:
            _count(self._connection, asked=self._asked, failed=self._failed, throttled=self._throttled)
            self._asked = self._failed = self._throttled = 0

    def _heed_rest(self, row: ConnectionPace, now: datetime, label: str) -> None:
        """Leave a vendor alone that failed often; when the rest is over, one request may try."""
        if row.rests_until is None:
            return
        if row.rests_until <= now:
            trial = now + timedelta(seconds=TRIAL_SECONDS)
            if self._rows().filter(rests_until=row.rests_until).update(rests_until=trial):
                return
        raise VendorDown(
            f"{label} failed {row.failures} times in a row and is left alone until"
            f" {row.rests_until:%H:%M:%S} UTC, so that it can recover.",
            sent=False,
        )

    def _heed_hold(self, row: ConnectionPace, now: datetime, label: str, seconds: float) -> None:
        """Wait as long as the vendor told any of our processes to wait."""
        wait = (row.held_until - now).total_seconds() if row.held_until else 0.0
        if wait <= 0:
            return
        if wait > seconds:
            raise VendorThrottled(
                f"{label} asked us to slow down; Junto asks again in {wait:.0f} s.", sent=False, retry_after=wait
            )
        time.sleep(wait)

    def _hold(self, seconds: float) -> None:
        until = timezone.now() + min(timedelta(seconds=seconds), LONGEST_HOLD)
        rows = self._rows()
        rows.filter(held_until=None).update(held_until=until)
        rows.filter(held_until__lt=until).update(held_until=until)

    def _well(self) -> None:
        if self._failures or self._insists:
            self._rows().update(failures=0, rests_until=None)
            self._failures = 0

    def _ill(self) -> None:
        self._rows().update(failures=F("failures") + 1)
        row = self._row()
        self._failures = row.failures
        if row.failures >= FAILURES_UNTIL_OPEN:
            rest = min(SHORTEST_REST * 2 ** min(row.failures - FAILURES_UNTIL_OPEN, 8), LONGEST_REST)
            self._rows().update(rests_until=timezone.now() + rest)

    def _row(self) -> ConnectionPace:
        row: ConnectionPace
        row, _ = ConnectionPace.objects.for_organization(self._connection.organization).get_or_create(
            connection=self._connection, defaults={"organization_id": self._connection.organization_id}
        )
        return row

    def _rows(self) -> TenantQuerySet[ConnectionPace]:
        rows: TenantQuerySet[ConnectionPace] = ConnectionPace.objects.for_organization(self._connection.organization)
        return rows.filter(connection=self._connection)


@dataclass(frozen=True, slots=True)
class Traffic:
    """How a connection fared during the last day, and how much its vendor still allows."""

    asked: int
    failed: int
    throttled: int
    limit: int | None
    remaining: int | None
    told_at: datetime | None
    held_until: datetime | None
    rests_until: datetime | None

    @property
    def error_percent(self) -> float:
        """Of 100 requests, how many came to nothing."""
        return round(100 * self.failed / self.asked, 1) if self.asked else 0.0


def traffic_of(connection: Connection) -> Traffic:
    """The last 24 hours of a connection."""
    now = timezone.now()
    hours = ConnectionHour.objects.for_organization(connection.organization).filter(
        connection=connection, hour__gte=now - timedelta(hours=24)
    )
    sums = hours.aggregate(asked=Sum("asked"), failed=Sum("failed"), throttled=Sum("throttled"))
    rows = ConnectionPace.objects.for_organization(connection.organization)
    row = rows.filter(connection=connection).first() or ConnectionPace()
    return Traffic(
        asked=sums["asked"] or 0,
        failed=sums["failed"] or 0,
        throttled=sums["throttled"] or 0,
        limit=row.limit,
        remaining=row.remaining,
        told_at=row.told_at,
        held_until=row.held_until if row.held_until and row.held_until > now else None,
        rests_until=row.rests_until if row.rests_until and row.rests_until > now else None,
    )


def _count(connection: Connection, *, asked: int, failed: int, throttled: int) -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    rows = ConnectionHour.objects.for_organization(connection.organization).filter(connection=connection)
    row, new = rows.get_or_create(
        connection=connection, hour=hour, defaults={"organization_id": connection.organization_id}
    )
    rows.filter(pk=row.pk).update(
        asked=F("asked") + asked, failed=F("failed") + failed, throttled=F("throttled") + throttled
    )
    if new:
        rows.filter(hour__lt=hour - timedelta(days=KEPT_DAYS)).delete()
