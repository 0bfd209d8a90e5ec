"""Which column of a file says what of a ticket, and the ticket that a row tells of. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, field_validator

from integrations.contracts import TicketRecord
from junto.zones import zone_names
from signals.files.tables import Row, Table, plain
from signals.intake.cleaning import TicketRefused
from signals.intake.columns import ID_LENGTH, clean_ticket, line

Order = Literal["day", "month"]


@dataclass(frozen=True)
class Field:
    """Something that a file may tell of a ticket. `names` = what programs call such a column, best first."""

    slug: str
    label: str
    names: tuple[str, ...]
    required: bool = False
    help: str = ""


FIELDS: tuple[Field, ...] = (
    Field(
        "external_id",
        "Ticket number",
        (
            *("ticket number", "ticket no", "ticket id", "ticket"),
            *("case number", "case no", "case id", "case", "request number", "request id", "incident id"),
            *("number", "id", "key"),
        ),
        required=True,
        help="Tells one ticket from another: a row with a number that was read in before changes that ticket.",
    ),
    Field("subject", "Subject", ("subject", "summary", "title", "short description", "issue"), required=True),
    Field("description", "Description", ("description", "initial description", "details", "body", "text", "notes")),
    Field("company", "Company", ("company", "company name", "client", "customer", "account", "organization", "site")),
    Field(
        "contact",
        "Contact",
        ("contact email", "requester email", "email", "contact", "requester", "contact name", "caller", "from"),
        help="A mail address, or a name as the directory has it.",
    ),
    Field("device", "Device", ("device", "configuration", "asset", "computer", "hostname", "machine")),
    Field("board", "Board", ("board", "service board", "board name", "queue")),
    Field("status", "Status", ("status", "ticket status", "state")),
    Field("closed", "Closed", ("closed", "is closed", "date closed", "closed at", "resolved at", "date resolved")),
    Field("priority", "Priority", ("priority", "priority name", "urgency")),
    Field("type", "Type", ("type", "ticket type", "category")),
    Field("subtype", "Subtype", ("subtype", "sub type", "subcategory")),
    Field("item", "Item", ("item",)),
    Field("assignee", "Assigned to", ("assigned to", "assignee", "owner", "resource", "technician", "agent")),
    Field("created_at", "Created", ("created at", "created", "date entered", "date created", "opened", "entered")),
    Field(
        "updated_at",
        "Last changed",
        ("updated at", "last updated", "updated", "last modified", "modified", "last update", "changed at"),
        help="A row that is older than what is here changes nothing. Without it, the file read in last counts.",
    ),
)
_BY_SLUG = {field.slug: field for field in FIELDS}
#: The same columns in German and French, by the field's slug.
_ABROAD: dict[str, tuple[str, ...]] = {
    "external_id": ("ticketnummer", "ticket nr", "vorgang", "vorgangsnummer", "numéro du ticket", "numéro"),
    "subject": ("betreff", "titel", "objet", "titre", "sujet"),
    "description": ("beschreibung",),
    "company": ("firma", "kunde", "unternehmen", "société", "entreprise"),
    "contact": ("ansprechpartner", "kontakt", "melder", "demandeur"),
    "device": ("gerät", "appareil", "poste"),
    "closed": ("geschlossen", "geschlossen am", "fermé", "fermé le"),
    "priority": ("priorität", "priorité"),
    "type": ("typ", "kategorie", "catégorie"),
    "assignee": ("zugewiesen an", "bearbeiter", "assigné à"),
    "created_at": ("erstellt", "erstellt am", "créé le"),
    "updated_at": ("geändert", "geändert am", "aktualisiert", "modifié le"),
}
#: Statuses that close a ticket, unless the person who reads a file in says others.
CLOSED_WORDS = ("Closed", "Resolved", "Completed", "Done", "Cancelled", "Canceled")
#: Rows that the order of day and month is guessed from.
_LOOKED_AT = 500
_YES = frozenset({"yes", "y", "true", "1", "x", "closed"})
_NO = frozenset({"", "no", "n", "false", "0", "open", "null", "none"})
_CLOCK = r"[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:\s*([AaPp])\.?[Mm]\.?)?"
_DATE = re.compile(rf"(\d{{1,4}})[./-](\d{{1,2}})[./-](\d{{1,4}})(?:{_CLOCK})?")


class Reading(BaseModel):
    """How a file is to be read: which column says what (by its place, from 0), and how dates are written."""

    model_config = ConfigDict(frozen=True)

    columns: dict[str, int] = {}
    dates: Order = "month"
    zone: str = "UTC"
    closed_words: tuple[str, ...] = CLOSED_WORDS

    @field_validator("columns")
    @classmethod
    def _known_fields(cls, columns: dict[str, int]) -> dict[str, int]:
        return {slug: place for slug, place in columns.items() if slug in _BY_SLUG and place >= 0}

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in zone_names():
            raise ValueError("there is no such time zone")
        return zone

    @property
    def missing(self) -> list[Field]:
        """What a file must tell and no column says."""
        return [field for field in FIELDS if field.required and field.slug not in self.columns]


@dataclass(frozen=True)
class Problem:
    """What is wrong with one cell: the row below the head, the line in the file, and the column's name."""

    row: int
    line: int
    column: str
    words: str


class RowRefused(ValueError):
    """A row that tells of no ticket; every problem in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.column}: {problem.words}" for problem in self.problems))


def guess_reading(table: Table) -> Reading:
    """Columns by their names, and the order of day and month by the dates there are."""
    called = [" ".join(re.findall(r"[^\W_]+", name.casefold())) for name in table.head]
    columns: dict[str, int] = {}
    for field in FIELDS:
        names = (*field.names, *_ABROAD.get(field.slug, ()))
        place = next((called.index(name) for name in names if name in called), None)
        if place is not None and place not in columns.values():
            columns[field.slug] = place
    dates = [columns[slug] for slug in ("created_at", "updated_at", "closed") if slug in columns]
    cells = [row.cells[place] for row in islice(table.rows(), _LOOKED_AT) for place in dates if place < len(row.cells)]
    return Reading(columns=columns, dates=guess_order(cells))


def guess_order(cells: Iterable[str]) -> Order:
    """Whether the day or the month stands first; where no date tells, dots mean the day and the rest the month."""
    dotted = False
    for cell in cells:
        found = _DATE.fullmatch(cell.strip())
        if found is None or len(found[1]) > 2:
            continue
        if int(found[1]) > 12:
            return "day"
        if int(found[2]) > 12:
            return "month"
        dotted = dotted or "." in cell[:6]
    return "day" if dotted else "month"


@dataclass(frozen=True)
class RowReader:
    """Reads rows of one table; `moment` stands where a row does not say when its ticket last changed."""

    head: tuple[str, ...]
    reading: Reading
    moment: datetime

    def ticket(self, row: Row) -> TicketRecord:
        """The ticket that a row tells of. Raises RowRefused."""
        if len(row.cells) > len(self.head):
            words = f"The row has {len(row.cells)} cells for {len(self.head)} columns: a quote may be missing."
            raise RowRefused([Problem(row.number, row.line, self.head[-1], words)])
        cells = {slug: self._cell(row, slug) for slug in _BY_SLUG}
        problems = [self._problem(row, slug, words) for slug, words in _lacking(cells)]
        moments: dict[str, datetime | None] = {}
        for slug in ("created_at", "updated_at"):
            try:
                moments[slug] = self._moment(cells[slug])
            except ValueError as error:
                problems.append(self._problem(row, slug, str(error)))
        closed = self._closed(cells)
        if closed is None:
            problems.append(self._problem(row, "closed", "This is neither yes or no nor a date."))
        if problems:
            raise RowRefused(problems)
        updated_at = moments["updated_at"] or self.moment
        ticket = TicketRecord(
            external_id=line(cells["external_id"], None),
            subject=cells["subject"],
            created_at=moments["created_at"] or updated_at,
            updated_at=updated_at,
            company_external_id=line(cells["company"], ID_LENGTH),
            contact_external_id=line(cells["contact"], ID_LENGTH),
            device_external_ids=tuple(filter(None, [line(cells["device"], ID_LENGTH)])),
            description=cells["description"],
            status=cells["status"],
            closed=bool(closed),
            priority=cells["priority"],
            board_external_id=line(cells["board"], ID_LENGTH),
            board_name=cells["board"],
            type=cells["type"],
            subtype=cells["subtype"],
            item=cells["item"],
            assignee=cells["assignee"],
            raw=dict(zip(self.head, (plain(cell) for cell in row.cells), strict=False)),
        )
        self._check(row, ticket)
        return ticket

    def _check(self, row: Row, ticket: TicketRecord) -> None:
        """What else would be refused on the way in. Raises RowRefused."""
        try:
            clean_ticket(ticket, now=self.moment)
        except TicketRefused as refusal:
            slug = next((slug for slug in _BY_SLUG if str(refusal).startswith(slug)), "description")
            raise RowRefused([self._problem(row, slug, str(refusal))]) from refusal

    def says(self, slug: str, row: Row) -> bool:
        """Whether the row holds anything for that field."""
        return bool(self._cell(row, slug).strip())

    def _cell(self, row: Row, slug: str) -> str:
        place = self.reading.columns.get(slug)
        return plain(row.cells[place]) if place is not None and place < len(row.cells) else ""

    def _problem(self, row: Row, slug: str, words: str) -> Problem:
        place = self.reading.columns.get(slug)
        named = self.head[place] if place is not None and place < len(self.head) else _BY_SLUG[slug].label
        return Problem(row.number, row.line, named, words)

    def _moment(self, cell: str) -> datetime | None:
        return read_moment(cell, order=self.reading.dates, zone=ZoneInfo(self.reading.zone)) if cell.strip() else None

    def _closed(self, cells: Mapping[str, str]) -> bool | None:
        """None where the cell says nothing that can be understood."""
        by_status = line(cells["status"], None).lower() in {word.lower() for word in self.reading.closed_words}
        if "closed" not in self.reading.columns:
            return by_status
        said = cells["closed"].strip().lower()
        if said in _YES | _NO:
            return said in _YES or by_status
        try:
            return self._moment(said.upper()) is not None
        except ValueError:
            return None


def _lacking(cells: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What a ticket cannot be without: the field, and what is wrong."""
    number = line(cells["external_id"], None)
    if not number:
        yield "external_id", "There is no ticket number."
    elif len(number) > ID_LENGTH:
        yield "external_id", f"It is longer than {ID_LENGTH} characters."
    if not line(cells["subject"], None):
        yield "subject", "There is no subject."


def read_moment(cell: str, *, order: Order, zone: tzinfo) -> datetime:
    """A moment in UTC, as people and programs write it. Raises ValueError in words for a person."""
    text = cell.strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = _written_moment(text, order, zone)
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise ValueError("This moment is outside the calendar.") from None


def _written_moment(text: str, order: Order, zone: tzinfo) -> datetime:
    shown = text if len(text) <= 40 else f"{text[:39]}…"
    parts = _DATE.fullmatch(text)
    if parts is None:
        raise ValueError(f"“{shown}” is no date that can be read: write it as 2026-11-21 14:05.")
    first, middle, last = parts[1], parts[2], parts[3]
    if len(first) > 2:
        year, month, day = first, middle, last
    elif order == "day":
        day, month, year = first, middle, last
    else:
        month, day, year = first, middle, last
    hour = int(parts[4] or 0)
    if parts[7]:
        hour = hour % 12 + (12 if parts[7] in "pP" else 0)
    try:
        full = int(year) + (2000 if len(year) <= 2 else 0)
        minute, second = int(parts[5] or 0), int(parts[6] or 0)
        return datetime(full, int(month), int(day), hour, minute, second, tzinfo=zone)
    except ValueError:
        first_is = "day" if order == "day" else "month"
        raise ValueError(f"“{shown}” is no day of the calendar when the {first_is} stands first.") from None
