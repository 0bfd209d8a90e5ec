"""Which boards hold nothing but tickets that a monitoring opened: an Admin says so."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from integrations.vendors import VENDORS
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.intake.alert_tickets import read_alert
from signals.intake.folding import settle_alerts
from signals.intake.standing import tell_origins
from signals.models import Board, Signal

#: Open tickets of a board that are looked at when it is chosen, the newest first. Later ones come by themselves.
MOST_OPEN: Final = 1000


def ticket_boards(organization: Organization) -> TenantQuerySet[Board]:
    """The boards of the systems that give tickets."""
    sources = [vendor.slug for vendor in VENDORS.values() if vendor.gives_tickets]
    rows: TenantQuerySet[Board] = Board.objects.for_organization(organization).filter(connection__vendor__in=sources)
    return rows.select_related("connection").order_by("connection__label", "name", "pk")


@transaction.atomic
def choose_alert_boards(*, actor: Actor, chosen: Collection[UUID]) -> int:
    """Say of all boards whether their tickets are alerts; returns how many open tickets now repeat another.

    What is open on a board that becomes one is read as alerts at once, and folds where nobody has begun on it. Tickets
    of a board that is one no longer keep what they are.

    Raises:
        PermissionDenied: `actor` may not manage integrations.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    boards = list(ticket_boards(actor.organization).select_for_update(of=("self",)))
    begun = [board for board in boards if board.pk in chosen and not board.holds_alerts]
    for board in boards:
        board.holds_alerts = board.pk in chosen
        board.save(update_fields=["holds_alerts"])
    names = sorted(board.name for board in boards if board.holds_alerts)
    record(actor, "alerts.boards_set", actor.organization, {"boards": [*names]})
    return sum(_begin(board, actor) for board in begun)


def _begin(board: Board, actor: Actor) -> int:
    """Read the board's open tickets as alerts."""
    rows = Signal.objects.for_organization(board.organization).filter(board=board, state__in=Signal.OPEN)
    rows = rows.exclude(company=None).select_for_update(of=("self",)).defer("raw", "words")
    tickets = list(rows.select_related("organization", "connection", "company")[:MOST_OPEN])
    read = [signal for signal in tickets if _written(signal)]
    quiet = settle_alerts(board.organization, read)
    tell_origins([signal for signal in read if signal.pk in quiet], actor=actor)
    return len(quiet)


def _written(signal: Signal) -> bool:
    columns = read_alert(signal)
    if columns:
        values = {name: getattr(signal, name) for name in columns}
        Signal.objects.for_organization(signal.organization).filter(pk=signal.pk).update(
            **values, changed_at=timezone.now()
        )
    return bool(columns)
