"""Names of statuses that an Admin chooses or writes, held against those that the tickets' source has now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from integrations.errors import IntegrationError
from integrations.services import is_ticket_source
from junto.tenants.models import Organization
from signals.models import Board, Signal
from signals.sync.live_lists import for_a_page, live_statuses

#: Boards whose statuses are looked at; beyond them nothing is held against a name.
MOST_BOARDS: Final = 20
#: Statuses that a refusal names.
_NAMED: Final = 12
#: Statuses of tickets that are offered besides those of the boards.
_MOST_BORNE: Final = 100


@dataclass(frozen=True)
class Offered:
    """Statuses to choose from, by name: those of the boards now, and others that open tickets have.

    `closing` = those that close a ticket on every board that has them: nothing waits in one, and none is among `names`.
    `read` = the boards told.
    """

    names: Sequence[str] = ()
    closing: Sequence[str] = ()
    read: bool = False


def offered_statuses(organization: Organization) -> Offered:
    """For a page: a source that is slow to answer is not waited for."""
    with for_a_page():
        there = _live(organization)
    waiting = Signal.objects.for_organization(organization).filter(closed_at_source=False)
    borne = waiting.words_of("source_status", most=_MOST_BORNE)
    closing = there.closing if there else []
    over = {name.casefold() for name in closing}
    names = [name for name in _once([*(there.names if there else ()), *borne]) if name.casefold() not in over]
    return Offered(sorted(names, key=str.casefold), closing, read=there is not None)


def status_problem(organization: Organization, names: Sequence[str], *, held: Sequence[str] = ()) -> str:
    """Why these cannot be: no ticket has such a status, and none can get it. Empty where all can, or nobody knows.

    Those of `held` were chosen before and may stay.
    """
    before = {name.casefold() for name in held}
    names = [name for name in names if name.casefold() not in before]
    if not names:
        return ""
    with for_a_page():
        there = _live(organization)
    if there is None:
        return ""
    borne = Signal.objects.for_organization(organization).filter(source_status__in=names)
    known = {name.casefold() for name in (*there.names, *borne.values_list("source_status", flat=True).distinct())}
    missing = [name for name in names if name.casefold() not in known]
    if not missing:
        return ""
    gone = ", ".join(f"“{name[:80]}”" for name in missing)
    open_ones = sorted(set(there.names) - set(there.closing), key=str.casefold)
    more = ", and more" if len(open_ones) > _NAMED else ""
    named = ", ".join(open_ones[:_NAMED])
    return f"The PSA has no status {gone}, so no clock would stand still for it. It has: {named}{more}."


@dataclass(frozen=True)
class _Live:
    """What the boards have now, each once; `closing` of them close a ticket wherever they are."""

    names: Sequence[str]
    closing: Sequence[str]


def _live(organization: Organization) -> _Live | None:
    """None where one cannot be asked, or there are too many."""
    rows = Board.objects.for_organization(organization).filter(connection__removed_at=None)
    boards = rows.select_related("connection")[: MOST_BOARDS + 1]
    if not boards or len(boards) > MOST_BOARDS or not all(is_ticket_source(board.connection) for board in boards):
        return None
    try:
        told = [status for board in boards for status in live_statuses(board.connection, board)]
    except IntegrationError:
        return None
    names = _once(status.name for status in told)
    open_ones = {status.name.casefold() for status in told if not status.closes}
    return _Live(names, [name for name in names if name.casefold() not in open_ones])


def _once(names: Iterable[str]) -> list[str]:
    found: dict[str, str] = {}
    for name in names:
        found.setdefault(name.casefold(), name)
    return list(found.values())
