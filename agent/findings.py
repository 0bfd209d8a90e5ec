"""What the agent read, in a few lines for people: from the receipts of look-ups, never from the model's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from approvals.cards import system_label
from approvals.models import Action
from integrations.llm.fencing import show_escaped
from integrations.marks import without_marks

#: Lines told of one look-up, and characters of one line.
LINES_SHOWN = 3
LINE_LIMIT = 160
#: An answer of more lists than this is a vocabulary to choose from, and tells nothing about the ticket.
MOST_LISTS = 2
#: What a record is called, and what is worth knowing of it beside that: the first two that it has.
_NAMES = ("summary", "subject", "name", "text", "description", "title")
_DETAILS = ("title", "author", "status", "operating_system", "email", "phone", "hours", "type")


@dataclass(frozen=True)
class Finding:
    """One look-up: what came of it in words, and the first of what it found."""

    title: str
    lines: tuple[str, ...]
    more: int
    source: str
    at: datetime | None


def findings_of(rows: Sequence[Action], *, ticket: str = "") -> list[Finding]:
    """The look-ups that succeeded, the same one only as it was answered last.

    `ticket` = the source's id of the ticket they are about: where tickets were searched, it is none of those found.
    """
    answered = {(row.tool, row.digest): row for row in rows if not row.is_write and row.state == Action.State.SUCCEEDED}
    return [_finding(row, ticket) for row in answered.values()]


def _finding(row: Action, ticket: str) -> Finding:
    title, result = show_escaped(row.summary or row.title), row.result
    others = _other_tickets(result, ticket)
    if others is not None:
        title, result = f"{len(others)} other ticket{'' if len(others) == 1 else 's'}", {"tickets": others}
    # a record that the title names already tells only what more is known of it
    told = (line.removeprefix(title).removeprefix(", ") for line in _lines(result))
    lines = list(dict.fromkeys(filter(None, told)))
    return Finding(
        title=title,
        lines=tuple(lines[:LINES_SHOWN]),
        more=max(0, len(lines) - LINES_SHOWN),
        source=f"{show_escaped(row.title)}, {system_label(row.tool)}",
        at=row.finished_at,
    )


def _other_tickets(result: JsonValue, ticket: str) -> list[JsonValue] | None:
    """The tickets of an answer but the one it is about; None for an answer that does not hold that one."""
    found = result.get("tickets") if isinstance(result, Mapping) else None
    if not isinstance(found, list):
        return None
    others = [each for each in found if not (isinstance(each, Mapping) and str(each.get("id")) == ticket)]
    return others if len(others) < len(found) else None


def _lines(result: JsonValue) -> Iterator[str]:
    """One line for each record of an answer; an answer that is one record tells its own text and its newest notes."""
    if not isinstance(result, Mapping):
        return
    if isinstance(result.get("description"), str) and result["description"]:
        yield _cut(str(result["description"]))
    lists = [part for part in result.values() if isinstance(part, list)]
    for record in (each for part in lists[: MOST_LISTS + 1] for each in part if len(lists) <= MOST_LISTS):
        if isinstance(record, Mapping):
            name = next((str(record[key]) for key in _NAMES if record.get(key)), "")
            about = [str(record[key]) for key in _DETAILS if record.get(key) and str(record[key]) != name][:2]
            yield _cut(", ".join(filter(None, [name, *about])))


def _cut(text: str) -> str:
    line = show_escaped(" ".join(without_marks(text).split()))
    return line if len(line) <= LINE_LIMIT else f"{line[:LINE_LIMIT].rstrip()}…"
