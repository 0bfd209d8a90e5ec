"""How each connection stands: what is here, how far it has been read, and what waits."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from integrations.deliveries import DELIVERY_STREAMS
from integrations.models import (
    CompanyLink,
    Connection,
    Contact,
    Device,
    DirectoryRecord,
    RefusedTicket,
    SyncCursor,
)
from integrations.vendors import FILES
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.models import Signal
from signals.sync.polling import STREAM


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """The last delivery of one kind by REST: when, and the newest `updated_at` ever delivered."""

    what: str
    at: datetime | None
    newest: datetime | None


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """What is not in its place yet."""

    refused_tickets: int
    signals_without_company: int
    waiting_records: int


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What is here of the connection."""

    signals: int
    open_signals: int
    companies: int
    contacts: int
    devices: int


@dataclass(frozen=True, kw_only=True)
class SyncState:
    """One connection. `lag_seconds` = since Junto last had read all there was; None = never, or nothing is read."""

    connection: str
    label: str
    state: str
    detail: str
    read_up_to: datetime | None
    last_read_at: datetime | None
    last_success_at: datetime | None
    lag_seconds: int | None
    reading: bool
    deliveries: Sequence[Delivered]
    backlog: Backlog
    counts: Counts


def sync_states(*, actor: Actor) -> list[SyncState]:
    """Every connection of the actor's organization, by its vendor; a fixed number of queries.

    Raises:
        PermissionDenied: `actor` does not see all companies.
    """
    require(actor, Permission.VIEW_WORK)
    organization = actor.organization
    known = _Known.read(organization)
    connections = Connection.objects.for_organization(organization).exclude(vendor=FILES).order_by("vendor")
    return [known.state_of(connection) for connection in connections]


@dataclass(frozen=True)
class _Known:
    """Everything that is counted, by the connection's id."""

    cursors: dict[uuid.UUID, dict[str, SyncCursor]]
    signals: dict[uuid.UUID, dict[str, int]]
    companies: dict[uuid.UUID, int]
    contacts: dict[uuid.UUID, int]
    devices: dict[uuid.UUID, int]
    refused: dict[uuid.UUID, int]
    waiting: dict[uuid.UUID, int]

    @classmethod
    def read(cls, organization: Organization) -> _Known:
        cursors: dict[uuid.UUID, dict[str, SyncCursor]] = defaultdict(dict)
        for cursor in SyncCursor.objects.for_organization(organization):
            cursors[cursor.connection_id][cursor.stream] = cursor
        signals = (
            Signal.objects.for_organization(organization)
            .order_by()
            .values("connection_id")
            .annotate(
                all=Count("pk"),
                open=Count("pk", filter=Q(state__in=Signal.OPEN)),
                placeless=Count("pk", filter=Q(state__in=Signal.OPEN, company=None)),
            )
        )
        links = CompanyLink.objects.for_organization(organization).filter(gone_at=None)
        linked = CompanyLink.objects.for_organization(organization).filter(
            connection=OuterRef("connection"), external_id=OuterRef("company_external_id")
        )
        records = DirectoryRecord.objects.for_organization(organization).exclude(kind=DirectoryRecord.Kind.COMPANY)
        return cls(
            cursors=cursors,
            signals={row["connection_id"]: row for row in signals},
            companies=_count(links),
            contacts=_count(Contact.objects.for_organization(organization).filter(gone_at=None)),
            devices=_count(Device.objects.for_organization(organization).filter(gone_at=None)),
            refused=_count(RefusedTicket.objects.for_organization(organization)),
            waiting=_count(records.filter(~Exists(linked), deleted=False)),
        )

    def state_of(self, connection: Connection) -> SyncState:
        key, now = connection.pk, timezone.now()
        cursors = self.cursors.get(key, {})
        poll = cursors.get(STREAM)
        success = connection.succeeded_at
        signals = self.signals.get(key, {})
        return SyncState(
            connection=connection.vendor,
            label=connection.label,
            state=connection.state,
            detail=connection.state_detail,
            read_up_to=poll.high_water if poll else None,
            last_read_at=poll.ran_at if poll else None,
            last_success_at=success,
            lag_seconds=max(int((now - success).total_seconds()), 0) if success and poll else None,
            reading=bool(poll and poll.running_until and poll.running_until > now),
            deliveries=[
                Delivered(what=what, at=cursors[stream].ran_at, newest=cursors[stream].high_water)
                for what, stream in DELIVERY_STREAMS.items()
                if stream in cursors
            ],
            backlog=Backlog(
                refused_tickets=self.refused.get(key, 0),
                signals_without_company=signals.get("placeless", 0),
                waiting_records=self.waiting.get(key, 0),
            ),
            counts=Counts(
                signals=signals.get("all", 0),
                open_signals=signals.get("open", 0),
                companies=self.companies.get(key, 0),
                contacts=self.contacts.get(key, 0),
                devices=self.devices.get(key, 0),
            ),
        )


def _count(rows: TenantQuerySet[Any]) -> dict[uuid.UUID, int]:
    return dict(rows.order_by().values_list("connection_id").annotate(Count("pk")))
