"""Who reads a stream of a connection right now: one at a time, and another when that one died."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from integrations.models import Connection, SyncCursor
from junto.tenants.scoping import TenantQuerySet

#: How long a reader owns its cursor without a sign of life; a crashed one is followed by another after that.
LEASE = timedelta(minutes=5)


class Overtaken(RuntimeError):
    """Another reader took the cursor, as this one gave no sign of life for too long; nothing more is written."""


@dataclass
class Lease:
    """The cursor while this reader owns it; `until` is both deadline and proof, renewed with every batch."""

    cursor: SyncCursor
    until: datetime

    @classmethod
    def take(cls, connection: Connection, stream: str) -> Lease | None:
        """Own the cursor of a stream, made when it is first read; None while another reader owns it."""
        cursor, _ = SyncCursor.objects.for_organization(connection.organization).get_or_create(
            connection=connection, stream=stream, defaults={"organization": connection.organization}
        )
        now = timezone.now()
        free = Q(running_until=None) | Q(running_until__lt=now)
        lease = cls(cursor=cursor, until=now + LEASE)
        if not lease._rows().filter(free).update(running_until=lease.until, ran_at=now):
            return None
        cursor.refresh_from_db()
        return lease

    def keep(self, **changes: object) -> None:
        """Write to the cursor and renew. Raises Overtaken when it is no longer ours."""
        until = timezone.now() + LEASE
        if not self._rows().filter(running_until=self.until).update(running_until=until, **changes):
            raise Overtaken
        self.until = until

    def release(self, **changes: object) -> None:
        """Let the next one read."""
        self._rows().filter(running_until=self.until).update(running_until=None, **changes)

    def _rows(self) -> TenantQuerySet[SyncCursor]:
        rows: TenantQuerySet[SyncCursor] = SyncCursor.objects.for_organization(self.cursor.organization)
        return rows.filter(pk=self.cursor.pk)
