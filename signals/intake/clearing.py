"""Which signals tell of one problem, and whether it stands anywhere still.

A ticket that stands for an alert is either the alert's own signal, which took the ticket's number when Junto opened it
(the alert is then left behind as a row of its own, `Signal.ticket`), or one that another system opened in the PSA and
that repeats the alert or is repeated by it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from django.db.models import F, Q

from integrations.vendors import VENDORS
from junto.tenants.models import Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import Signal

#: Systems whose "closed" is a person's word.
PSA: Final = tuple(slug for slug, vendor in VENDORS.items() if vendor.gives_tickets)


def all_cleared(organization: Organization, head_id: uuid.UUID) -> bool:
    """Whether a monitoring told of this problem, and says of none of its alerts that it stands."""
    alerts = _told(organization, head_id).exclude(connection__vendor__in=PSA).exclude(state=Signal.State.GONE)
    alerts = alerts.exclude(connection=None)  # the row that a ticket left when its alert took its number
    return alerts.exists() and not alerts.filter(closed_at_source=False).exists()


def open_tickets(organization: Organization, head_id: uuid.UUID) -> list[Signal]:
    """The PSA's tickets of this problem that are open there."""
    rows = _told(organization, head_id).filter(connection__vendor__in=PSA, closed_at_source=False)
    rows = rows.exclude(state=Signal.State.GONE).exclude(company=None).defer("raw", "description", "words")
    return list(
        rows.select_related("organization", "company", "board", "connection", "folded_into").order_by("external_id")
    )


def joined_numbers(signals: Sequence[Signal]) -> dict[uuid.UUID, str]:
    """The number of the ticket that another system opened for the same problem, of those that have none."""
    without = [signal for signal in signals if signal.alert_type and not signal.number]
    if not without:
        return {}
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(without[0].organization)
    rows = rows.filter(folded_into__in=without, folded_into__company=F("company"), closed_at_source=False)
    rows = rows.filter(connection__vendor__in=PSA).exclude(alert_type="").exclude(state=Signal.State.GONE)
    # of several that which `open_tickets` has first
    found = rows.order_by("-external_id").values_list("folded_into", "external_id")
    return {head: number for head, number in found if head is not None}


def _told(organization: Organization, head_id: uuid.UUID) -> TenantQuerySet[Signal]:
    rows: TenantQuerySet[Signal] = Signal.objects.for_organization(organization).exclude(alert_type="")
    heads = Q(pk=head_id) | Q(folded_into=head_id, folded_into__company=F("company"))
    further = Q(ticket__folded_into=head_id, ticket__folded_into__company=F("ticket__company"))
    left = Q(ticket=head_id, ticket__company=F("company"))
    return rows.filter(heads | left | further)
