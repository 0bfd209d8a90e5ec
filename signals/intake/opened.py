"""A ticket that somebody opened by Junto for a signal without one is that signal's ticket."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.db import transaction

from approvals.models import Action
from integrations.models import TICKET_KIND, ExternalRef
from signals.models import Signal
from signals.services import adopt_ticket

#: A sweep looks for those of lost bells so far back.
LOOKED_BACK: Final = timedelta(days=1)


def take_ticket(record: ExternalRef) -> None:
    """The ticket of this record, which an action opened, becomes that of the signal it was opened for. Safe to repeat.

    Only where that signal is open, of the action's company, and has no ticket: a second one is another piece of work.
    """
    actions = Action.objects.for_organization(record.organization).filter(pk=record.action_id)
    action = actions.filter(state=Action.State.SUCCEEDED).select_related("origin").first()
    if record.kind != TICKET_KIND or action is None or not action.origin.subject.startswith("signal:"):
        return
    key = action.origin.subject.split(":")[1]
    with transaction.atomic():
        rows = Signal.objects.for_organization(record.organization).select_for_update(of=("self",))
        found = rows.filter(pk=key, company=action.company_id, state__in=Signal.OPEN, folded_into=None)
        signal = found.select_related("organization", "connection").first()
        if signal is not None and not signal.has_ticket:
            adopt_ticket(signal=signal, connection=record.connection, external_id=record.external_id)
