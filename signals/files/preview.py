"""What a file would bring, before anything of it is read in: every row is tried, nothing is written.

And some of its rows just as they are read, so that a wrong choice of characters is seen before any column is chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from integrations.contracts import TicketRecord
from integrations.llm.fencing import show_escaped
from signals.files.columns import Problem, RowRefused
from signals.files.importing import row_reader, table_of
from signals.files.names import boards_named, companies_named
from signals.files.tables import PROVEN, Row, plain
from signals.models import Signal, TicketImport

#: How many problems, names and tickets the page shows; the rest are counted.
MOST_PROBLEMS = 100
MOST_NAMES = 20
MOST_TICKETS = 8
#: Rows that are shown as they are read, characters of a cell, and rows among which telling ones are looked for.
MOST_ROWS = 5
_SHOWN = 48
_LOOKED_AT = 5_000
#: Ticket numbers asked for in one query.
_AT_ONCE = 500


@dataclass(frozen=True)
class Repeat:
    """A row that bears the number of a row before it."""

    row: int
    line: int
    external_id: str
    first: int


@dataclass(frozen=True)
class RawRow:
    """The cells of a row as they are read, cut and escaped for a page."""

    number: int
    cells: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What reading a file in would do. `problems` and `repeats` are the first of so many."""

    rows: int
    bad_rows: int
    new: int
    known: int
    closed: int
    problems: Sequence[Problem]
    repeats: Sequence[Repeat]
    repeated: int
    companies: Sequence[tuple[str, int]]
    companyless: int
    boards: Sequence[tuple[str, int]]
    tickets: Sequence[TicketRecord]

    @property
    def good_rows(self) -> int:
        """Rows that will be read in."""
        return self.rows - self.bad_rows


@dataclass
class _Seen:
    """What is gathered row by row."""

    problems: list[Problem] = field(default_factory=list)
    repeats: list[Repeat] = field(default_factory=list)
    tickets: list[TicketRecord] = field(default_factory=list)
    first: dict[str, int] = field(default_factory=dict)
    companies: Counter[str] = field(default_factory=Counter)
    boards: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    bad_rows: int = 0
    repeated: int = 0
    closed: int = 0


def preview_import(ticket_import: TicketImport) -> Preview:
    """Every row tried as it would be read in. Raises TableRefused."""
    seen = _look(ticket_import)
    organization = ticket_import.organization
    companies, boards = (
        companies_named(organization, seen.companies.keys() - {""}),
        boards_named(organization, seen.boards.keys() - {""}),
    )
    known = _known(ticket_import, list(seen.first))
    unknown = Counter({name: count for name, count in seen.companies.items() if name not in companies})
    return Preview(
        rows=seen.rows,
        bad_rows=seen.bad_rows,
        new=len(seen.first) - known,
        known=known,
        closed=seen.closed,
        problems=seen.problems,
        repeats=seen.repeats,
        repeated=seen.repeated,
        companies=[(name, count) for name, count in unknown.most_common() if name][:MOST_NAMES],
        companyless=sum(unknown.values()),
        boards=[(name, count) for name, count in seen.boards.most_common() if name and name not in boards][:MOST_NAMES],
        tickets=seen.tickets,
    )


def first_rows(ticket_import: TicketImport) -> list[RawRow]:
    """The first rows. Where the encoding is guessed, those with letters beyond ASCII, which tell a wrong one, go first.

    Raises TableRefused.
    """
    rows = table_of(ticket_import).rows()
    if ticket_import.encoding in PROVEN:
        return [_raw(row) for row in islice(rows, MOST_ROWS)]
    first, telling = list[Row](), list[Row]()
    for row in islice(rows, _LOOKED_AT):
        (first if all(cell.isascii() for cell in row.cells) else telling).append(row)
        if len(telling) == MOST_ROWS:
            break
    return [_raw(row) for row in sorted([*telling, *first][:MOST_ROWS], key=lambda row: row.number)]


def _raw(row: Row) -> RawRow:
    return RawRow(row.number, [show_escaped(_cut(" ".join(plain(cell).split()))) for cell in row.cells])


def _cut(cell: str) -> str:
    """So much of a long cell as a table has room for, with its first letter beyond ASCII."""
    if len(cell) <= _SHOWN:
        return cell
    place = next((place for place, letter in enumerate(cell) if not letter.isascii()), 0)
    begin = 0 if place < _SHOWN - 8 else min(place - _SHOWN // 2, len(cell) - _SHOWN)
    end = begin + _SHOWN
    return f"{'…' if begin else ''}{cell[begin:end]}{'…' if end < len(cell) else ''}"


def _look(ticket_import: TicketImport) -> _Seen:
    reader, seen = row_reader(ticket_import), _Seen()
    for row in table_of(ticket_import).rows():
        seen.rows += 1
        try:
            ticket = reader.ticket(row)
        except RowRefused as refusal:
            seen.bad_rows += 1
            seen.problems += refusal.problems[: max(MOST_PROBLEMS - len(seen.problems), 0)]
            continue
        if len(seen.tickets) < MOST_TICKETS:
            seen.tickets.append(ticket)
        first = seen.first.setdefault(ticket.external_id, row.number)
        if first != row.number:
            seen.repeated += 1
            if len(seen.repeats) < MOST_NAMES:
                seen.repeats.append(Repeat(row.number, row.line, ticket.external_id, first))
        seen.companies[ticket.company_external_id] += 1
        seen.boards[ticket.board_external_id] += 1
        seen.closed += ticket.closed
    return seen


def _known(ticket_import: TicketImport, external_ids: Sequence[str]) -> int:
    """How many of these tickets were read in from a file before."""
    rows = Signal.objects.for_organization(ticket_import.organization).filter(connection=ticket_import.connection)
    return sum(
        rows.filter(external_id__in=external_ids[start : start + _AT_ONCE]).count()
        for start in range(0, len(external_ids), _AT_ONCE)
    )
