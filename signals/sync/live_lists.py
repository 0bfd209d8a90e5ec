"""The lists that processors choose from, as the ticket's source has them: read from it, and remembered for a while.

A page that a person waits for reads them `for_a_page`: what a slow source did not say by then is not read just now.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from django.core.cache import cache

from integrations.contracts import BoardChoices, BoardRecord, Choice, StatusChoice, TicketSource
from integrations.errors import IntegrationError, ToolUnavailable, VendorNotFound, VendorTimeout
from integrations.models import Connection
from integrations.services import is_ticket_source, open_ticket_source
from signals.models import Board, Signal
from signals.processors.base import Lists, LiveLists
from signals.processors.boards import BoardNow, Boards

log = structlog.get_logger(__name__)

#: So long a list counts as live.
FRESH_SECONDS: Final = 300
#: So long it is used while the source does not answer.
HELD_SECONDS: Final = 24 * 60 * 60
#: So long all reading of lists for one page takes at most, in seconds.
PAGE_SECONDS: Final = 4.0
#: Until when they may be read now (`time.monotonic`); None = as long as it takes.
_until: ContextVar[float | None] = ContextVar("live_lists_until", default=None)

R = TypeVar("R")


@contextmanager
def for_a_page() -> Iterator[None]:
    """All that is read inside takes PAGE_SECONDS at most together; what comes too late counts as not to be asked."""
    token = _until.set(time.monotonic() + PAGE_SECONDS)
    try:
        yield
    finally:
        _until.reset(token)


def lists_of_signal(signal: Signal, wanted: Lists | None) -> LiveLists | None:
    """What this ticket may be; None where the processor chooses from no list. Raises as `live_lists`."""
    if wanted is None:
        return None
    return live_lists(signal.connection, signal.board, wanted)


def live_lists(connection: Connection | None, board: Board | None, wanted: Lists) -> LiveLists:
    """The wanted lists of a board of the source; without a source or a board they are empty.

    Raises:
        IntegrationError: the source cannot be asked, and nothing young enough is remembered.
    """
    if connection is None or not is_ticket_source(connection):
        return LiveLists()
    if wanted is Lists.PRIORITIES:
        priorities: tuple[Choice, ...] = _remembered(connection, "priorities", lambda source: source.priorities())
        return LiveLists(priorities=priorities)
    if wanted is Lists.BOARDS:
        return LiveLists(board=board.name if board else "", boards=live_boards(connection))
    if board is None or board.connection_id != connection.pk:
        return LiveLists()
    external_id = board.external_id
    found: BoardChoices = _remembered(connection, f"b{board.pk}", lambda source: source.board_choices(external_id))
    return LiveLists(types=found.types, subtypes=found.subtypes, items=found.items)


@dataclass(frozen=True)
class _LiveBoards:
    """Asked for one by one, as a processor needs them."""

    connection: Connection

    def names(self) -> Sequence[str]:
        return [board.name for board in self._all()]

    def named(self, name: str) -> BoardNow | None:
        wanted = name.strip().casefold()
        board = next((each for each in self._all() if each.name.casefold() == wanted), None)
        if board is None:
            return None
        try:
            statuses = _statuses(self.connection, board.external_id)
        except VendorNotFound:  # it went while we asked
            return None
        return BoardNow(id=board.external_id, name=board.name, statuses=statuses)

    def _all(self) -> Sequence[BoardRecord]:
        found: tuple[BoardRecord, ...] = _remembered(self.connection, "boards", lambda source: tuple(source.boards()))
        return found


def live_boards(connection: Connection) -> Boards:
    """The boards of a source of tickets, asked when they are needed."""
    return _LiveBoards(connection)


def live_statuses(connection: Connection, board: Board) -> tuple[StatusChoice, ...]:
    """The statuses that tickets of a board may have; none where the board is not of this source. Raises as above."""
    if board.connection_id != connection.pk or not is_ticket_source(connection):
        return ()
    return _statuses(connection, board.external_id)


def _statuses(connection: Connection, external_id: str) -> tuple[StatusChoice, ...]:
    found: tuple[StatusChoice, ...] = _remembered(
        connection, f"statuses:{external_id}", lambda source: source.statuses(external_id)
    )
    return found


def _asked(connection: Connection, read: Callable[[TicketSource], R]) -> R:
    until = _until.get()
    if until is None:
        with closing(open_ticket_source(connection)) as source:
            return read(source)
    left = until - time.monotonic()
    if left <= 0:  # nobody is asked any more, nor is a connection opened
        raise VendorTimeout(f"There was no time left to ask {connection.label}.", sent=False)
    with closing(open_ticket_source(connection, seconds=left)) as source:
        return read(source)


def _remembered(connection: Connection, what: str, read: Callable[[TicketSource], R]) -> R:
    # the organization and the connection are in the key: nothing crosses over (I6)
    key = f"lists:{connection.organization_id}:{connection.pk}:{what}"
    fresh: R | None = cache.get(f"{key}:fresh")
    if fresh is not None:
        return fresh
    try:
        found = _asked(connection, read)
    except (ToolUnavailable, VendorNotFound):  # that is an answer: what is remembered is no longer so
        raise
    except IntegrationError as problem:
        held: R | None = cache.get(key)
        if held is None:
            raise
        log.warning("lists not read, older ones are used", connection=str(connection.pk), problem=str(problem))
        return held
    cache.set(f"{key}:fresh", found, FRESH_SECONDS)
    cache.set(key, found, HELD_SECONDS)
    return found
