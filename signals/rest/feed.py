"""What changed here, in the order in which it changed: for whoever follows Junto from outside.

A row is told only when no change that will bear an earlier moment can still come. A change is stamped inside its
transaction. SQLite has one writer, who stamps while holding the lock; on PostgreSQL several write at once, so the feed
stays behind the oldest of them, and a second behind the clock.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection as database
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from signals.models import Signal

#: Between the stamp of a change and the start of its transaction, and between the clocks of our processes.
MARGIN = timedelta(seconds=1)
_OLDEST_WRITER = (
    "SELECT least(clock_timestamp(), min(xact_start)) FROM pg_stat_activity "
    "WHERE datname = current_database() AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
)


class BadCursor(ValueError):
    """This is neither a moment nor a cursor of the feed."""


@dataclass(frozen=True)
class Cursor:
    """Where a reader of the feed stands: behind the row `last`, or, without one, at a moment."""

    moment: datetime
    last: uuid.UUID | None = None

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """From `changed_since`. Raises BadCursor."""
        moment, mark, last = text.partition("~")
        try:
            found = parse_datetime(moment.strip().replace(" ", "+"))
            key = uuid.UUID(last) if mark else None
            if found is None:
                raise BadCursor(text)
            return cls(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC), key)
        except (ValueError, OverflowError) as error:
            raise BadCursor(text) from error

    def __str__(self) -> str:
        moment = self.moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
        return f"{moment}~{self.last}" if self.last else moment

    def of(self, signals: QuerySet[Signal]) -> QuerySet[Signal]:
        """Those that changed behind it and may be told, the longest unchanged first."""
        until = _settled_until()
        found = signals if until is None else signals.filter(changed_at__lt=until)
        behind = Q(changed_at__gte=self.moment)
        if self.last is not None:
            behind = Q(changed_at__gt=self.moment) | Q(changed_at=self.moment, id__gt=self.last)
        # the first condition alone lets the index be used
        return found.filter(changed_at__gte=self.moment).filter(behind).order_by("changed_at", "id")


def _settled_until() -> datetime | None:
    """All changes before this moment are there to be read; None = all that can be read are."""
    if database.vendor != "postgresql":
        return None
    with database.cursor() as cursor:
        cursor.execute(_OLDEST_WRITER)
        [oldest] = cursor.fetchone()
    return min(oldest or timezone.now(), timezone.now()) - MARGIN
