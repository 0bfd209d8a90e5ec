"""Tickets that the poll could not store: told to people until they are stored, or gone at the source."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from django.utils import timezone

from integrations.models import Connection, RefusedTicket
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission
from junto.tenants.scoping import TenantQuerySet

#: How often one is read again, and how many of them by one poll.
TRIED_EVERY = timedelta(minutes=10)
TRIED_AT_ONCE = 5
#: How many the signals list names; the rest are counted.
NAMED = 5


def remember_refused(connection: Connection, reasons: Mapping[str, str]) -> None:
    """Keep that these tickets of the source were just refused, and why, by the source's id."""
    now = timezone.now()
    RefusedTicket.objects.bulk_create(
        [
            RefusedTicket(
                organization_id=connection.organization_id,
                connection=connection,
                external_id=external_id,
                reason=reason,
                tried_at=now,
            )
            for external_id, reason in reasons.items()
        ],
        update_conflicts=True,
        unique_fields=["connection", "external_id"],
        update_fields=["reason", "tried_at"],
    )


def forget_refused(connection: Connection, external_ids: Collection[str]) -> None:
    """They are stored, or gone at the source."""
    # most often there is none, and a repeated delivery is to write nothing
    found = set(_rows(connection).values_list("external_id", flat=True)) & set(external_ids)
    if found:
        _rows(connection).filter(external_id__in=found).delete()


def due_again(connection: Connection) -> list[str]:
    """The source's ids of those that are to be read again, the longest untried first."""
    due = _rows(connection).filter(tried_at__lt=timezone.now() - TRIED_EVERY).order_by("tried_at")
    return list(due.values_list("external_id", flat=True)[:TRIED_AT_ONCE])


def refused_line(actor: Actor) -> str:
    """Which tickets are missing in the list of signals, for who sees all companies: nobody knows whose they are."""
    if not actor.can(Permission.VIEW_WORK):
        return ""
    rows = RefusedTicket.objects.for_organization(actor.organization)
    count = rows.count()
    if not count:
        return ""
    named = ", ".join(rows.values_list("external_id", flat=True)[:NAMED])
    more = f" and {count - NAMED} more" if count > NAMED else ""
    are = "ticket could not be taken in and is" if count == 1 else "tickets could not be taken in and are"
    return f"{count} {are} missing here: {named}{more}. Junto goes on trying; Integrations says why."


def _rows(connection: Connection) -> TenantQuerySet[RefusedTicket]:
    rows: TenantQuerySet[RefusedTicket] = RefusedTicket.objects.for_organization(connection.organization)
    return rows.filter(connection=connection)
