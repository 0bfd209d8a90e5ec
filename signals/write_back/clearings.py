"""The wish to close a ticket because its alert cleared: an Origin that ends when somebody touches the ticket.

It is opened in the transaction in which the last alert is found cleared, and stopped in the one in which an alert
stands again or a person begins on the ticket: a claim asks for that in its one statement, so nothing leaves after it.
"""

from __future__ import annotations

from typing import Final

from approvals.models import Origin
from approvals.services import open_origin, stop_origin
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.scoping import TenantQuerySet
from signals.models import Signal

#: How the keys of these origins begin.
CLEARED: Final = "cleared:"
#: The step by which the Admin's grant knows them.
STEP: Final = "cleared-alert"


def wish_closing(ticket: Signal) -> bool:
    """Write the wish down and ring, where the ticket's board has a status for it; whether it has. In a transaction."""
    if ticket.company is None or ticket.board is None or not ticket.board.cleared_status_id:
        return False
    if closing_wish(ticket) is None:
        number = _origins(ticket).count()  # an alert may clear, stand again, and clear again
        open_origin(
            organization=ticket.organization,
            kind=Origin.Kind.PROCESSOR,
            key=f"{CLEARED}{ticket.pk}:{number}",
            subject=ticket.origin_subject,
            mode=Origin.Mode.PROCESSOR,
            company=ticket.company,
            revision=ticket.revision,
        )
        ring("alert.cleared", str(ticket.pk))
    return True


def unwish_closing(ticket: Signal, reason: str) -> None:
    """Let nothing close the ticket any more by itself; what has left stays as it ended."""
    origin = closing_wish(ticket)
    if origin is not None:
        stop_origin(origin=origin, actor=Actor.system("monitoring", ticket.organization), reason=reason)


def closing_wish(ticket: Signal) -> Origin | None:
    """The wish that stands, with what an action needs of it."""
    found: Origin | None = _origins(ticket).filter(stopped_at=None, closed_at=None).first()
    return found


def _origins(ticket: Signal) -> TenantQuerySet[Origin]:
    rows: TenantQuerySet[Origin] = Origin.objects.for_organization(ticket.organization)
    mine = rows.filter(kind=Origin.Kind.PROCESSOR, subject=ticket.origin_subject, key__startswith=CLEARED)
    return mine.select_related("organization", "company")
