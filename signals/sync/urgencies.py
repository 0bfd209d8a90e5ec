"""What alerts of a monitoring are called by how urgent they are: in the words of the PSA that tickets come from.

So alerts and tickets are filtered, ordered and promised by one list of priorities.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from integrations.errors import IntegrationError
from integrations.models import Connection
from integrations.services import is_ticket_source
from junto.tenants.models import Organization
from signals.models import Signal
from signals.processors.base import Lists
from signals.sync.live_lists import live_lists
from signals.words import USUAL_PRIORITIES

#: Priorities of tickets that are looked at where the PSA cannot be asked.
_MOST_KNOWN = 50


def alert_priorities(organization: Organization) -> tuple[str, ...]:
    """The name for each urgency, 1 (most urgent) to 4.

    The PSA's priority that bears the figure; of a PSA whose names bear none, the one at that place of its list, the
    last for what lies beyond. The usual names where no PSA is connected, or none bears the figure.
    """
    names = _names(organization)
    figures = [re.search(r"[1-4]", name) for name in names]
    if names and not any(figures):
        return tuple(names[min(place, len(names) - 1)] for place in range(len(USUAL_PRIORITIES)))
    by_figure: dict[str, str] = {}
    for name, figure in zip(names, figures, strict=True):
        if figure:
            by_figure.setdefault(figure[0], name)
    return tuple(by_figure.get(str(place), usual) for place, usual in enumerate(USUAL_PRIORITIES, start=1))


def _names(organization: Organization) -> Sequence[str]:
    """The priorities of the PSA, the most urgent first."""
    for connection in Connection.objects.for_organization(organization).exclude(state=Connection.State.PAUSED):
        if not is_ticket_source(connection):
            continue
        try:
            found = [each.name for each in live_lists(connection, None, Lists.PRIORITIES).priorities]
        except IntegrationError:
            rows = Signal.objects.for_organization(organization).filter(connection=connection)
            found = rows.words_of("priority", most=_MOST_KNOWN)
        if found:
            return found
    return ()
