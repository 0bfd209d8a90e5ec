"""The versions of a runbook, and what changed between two of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from runbooks.models import Runbook
from runbooks.versions import NoSuchVersion

#: Unchanged lines shown around each change.
CONTEXT = 3

FIELDS = ("title", "description", "category", "tags", "audience", "inputs", "on_success")


@dataclass(frozen=True)
class Version:
    """One save. `number` is set where it was published, `previous` is the record before it."""

    record: int
    number: int | None
    in_force: bool
    author: str
    at: datetime
    reason: str
    previous: int | None


@dataclass(frozen=True)
class Line:
    """One line of a comparison."""

    kind: Literal["same", "added", "removed", "gap"]
    text: str


@dataclass(frozen=True)
class Comparison:
    """What became of the text between two versions, and of the other fields as (name, before, after)."""

    older: Version
    newer: Version
    fields: tuple[tuple[str, str, str], ...]
    lines: tuple[Line, ...]


def versions(runbook: Runbook) -> list[Version]:
    """Every save, newest first."""
    rows = list(runbook.history.select_related("history_user").order_by("-history_id"))
    older = [*rows[1:], None]
    # rows come newest first, so the oldest record of each number is the one that stays: the publish itself
    first_of = {row.published_number: row.history_id for row in rows if row.published_number}
    published = set(first_of.values())
    return [
        Version(
            record=row.history_id,
            number=row.published_number if row.history_id in published else None,
            in_force=row.history_id == runbook.published_record and runbook.status == Runbook.Status.PUBLISHED,
            author=row.history_user.display_name if row.history_user else "Junto",
            at=row.history_date,
            reason=row.history_change_reason or "",
            previous=before.history_id if before else None,
        )
        for row, before in zip(rows, older, strict=True)
    ]


def compare(runbook: Runbook, older: int, newer: int) -> Comparison:
    """What changed from one record to the other.

    Raises:
        NoSuchVersion: one of them is no version of this runbook.
    """
    listed = {version.record: version for version in versions(runbook)}
    rows = {row.history_id: row for row in runbook.history.filter(history_id__in=[older, newer])}
    if not {older, newer} <= rows.keys():
        raise NoSuchVersion("This runbook has no such version.")
    before, after = rows[older], rows[newer]
    fields = tuple(
        (name.replace("_", " ").capitalize(), _words(before, name), _words(after, name))
        for name in FIELDS
        if getattr(before, name) != getattr(after, name)
    )
    lines = tuple(_lines(before.body.splitlines(), after.body.splitlines()))
    return Comparison(listed[older], listed[newer], fields, lines)


def _words(row: Runbook, name: str) -> str:
    shown = getattr(row, f"get_{name}_display", None)
    return str(shown() if shown else getattr(row, name))


def _lines(before: list[str], after: list[str]) -> Iterator[Line]:
    kinds: dict[str, Literal["same", "added", "removed"]] = {" ": "same", "+": "added", "-": "removed"}
    # the first two lines name the files, and lines with @@ where a stretch begins
    for line in list(difflib.unified_diff(before, after, lineterm="", n=CONTEXT))[2:]:
        if line.startswith("@@"):
            yield Line("gap", "")
        else:
            yield Line(kinds[line[0]], line[1:])
