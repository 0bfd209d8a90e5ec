"""What sync jobs delivered last, for each connection and kind: how far they have come."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from integrations.models import Connection, SyncCursor

#: What is delivered -> the cursor's stream. Those that Junto reads by itself have other streams.
DELIVERY_STREAMS = {
    "signals": "rest.signals",
    "companies": "rest.companies",
    "contacts": "rest.contacts",
    "devices": "rest.devices",
}


def remember_delivery(connection: Connection, what: str, updates: Iterable[datetime]) -> None:
    """Note that a delivery came, and its newest `updated_at`, in the caller's transaction.

    One from the future does not count: it was refused, or its clock is ahead.
    """
    now = timezone.now()
    rows = SyncCursor.objects.for_organization(connection.organization)
    cursor, _ = rows.get_or_create(
        connection=connection, stream=DELIVERY_STREAMS[what], defaults={"organization": connection.organization}
    )
    own = rows.filter(pk=cursor.pk)
    own.update(ran_at=now)
    newest = max((moment for moment in updates if moment <= now), default=None)
    if newest is not None:
        own.filter(Q(high_water=None) | Q(high_water__lt=newest)).update(high_water=newest)
