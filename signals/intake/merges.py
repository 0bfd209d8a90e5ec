"""Merges at the source that would lead round in a circle: one is not followed, so that work goes on somewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import structlog

from integrations.models import Connection
from signals.intake.columns import CleanTicket
from signals.models import Signal

log = structlog.get_logger(__name__)

#: So many tickets that were merged one into the next are looked through.
MOST_HOPS = 20


def without_loops(connection: Connection, tickets: Sequence[CleanTicket]) -> Sequence[CleanTicket]:
    """The tickets; one whose merge leads back to itself, by what is stored or comes beside it, is taken as not merged.

    No query where none of them was merged, which is the rule.
    """
    told = {ticket.external_id: ticket.merged_into for ticket in tickets if ticket.merged_into and not ticket.deleted}
    if not told:
        return tickets
    known = _stored(connection, told) | told
    taken = []
    for ticket in tickets:
        if ticket.external_id in told and _leads_back(ticket, known):
            log.warning("merge not followed, it leads back", ticket=ticket.external_id, into=ticket.merged_into)
            known[ticket.external_id] = ""
            taken.append(replace(ticket, merged_into=""))
        else:
            taken.append(ticket)
    return taken


def _stored(connection: Connection, told: Mapping[str, str]) -> dict[str, str]:
    """What the tickets that they were merged into were merged into themselves, and so on."""
    rows = Signal.objects.for_organization(connection.organization).filter(
        connection=connection, state=Signal.State.MERGED
    )
    known: dict[str, str] = {}
    ahead = set(told.values())
    for _ in range(MOST_HOPS):
        further = rows.filter(external_id__in=ahead).exclude(merged_into="")
        known |= dict(further.values_list("external_id", "merged_into"))
        ahead = {known[each] for each in ahead if each in known} - known.keys()
        if not ahead:
            break
    return known


def _leads_back(ticket: CleanTicket, known: Mapping[str, str]) -> bool:
    at, seen = ticket.merged_into, set[str]()
    while at and at not in seen:
        if at == ticket.external_id:
            return True
        seen.add(at)
        at = known.get(at, "")
    return False
