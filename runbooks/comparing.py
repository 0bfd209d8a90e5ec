"""The versions of a runbook, and what changed between two of them: fields, steps, tools, and the text itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from junto.tenants.actors import Actor
from runbooks.contents import LABELS, Content
from runbooks.differences import changes, pair_up
from runbooks.document import RunbookDocument, Step, parse
from runbooks.guards import may_read
from runbooks.models import Runbook
from runbooks.versions import NoSuchVersion
from runbooks.wording import Piece, Row, compare_lines, compare_words


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

    @property
    def name(self) -> str:
        """What it is called on the page."""
        return f"version {self.number}" if self.number else f"the draft of {self.at:%-d %b %Y %H:%M}"


@dataclass(frozen=True)
class FieldChange:
    """A field beside the text, word by word."""

    label: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class StepChange:
    """A step that is not as it was; `old` and `new` are what the two texts call it."""

    kind: Literal["added", "removed", "changed"]
    old: str
    new: str
    title: str


@dataclass(frozen=True)
class Differences:
    """All that is different between two contents; empty in every part where they are the same."""

    fields: tuple[FieldChange, ...]
    steps: tuple[StepChange, ...]
    tools_added: tuple[str, ...]
    tools_removed: tuple[str, ...]
    rows: tuple[Row, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.fields or self.rows)


@dataclass(frozen=True)
class Comparison:
    """Two versions of one runbook and what lies between them."""

    older: Version
    newer: Version
    differences: Differences


def versions(runbook: Runbook, actor: Actor) -> list[Version]:
    """Every save that `actor` may read, newest first."""
    rows = list(runbook.history.select_related("history_user").order_by("-history_id"))
    # rows come newest first, so the oldest record of each number is the one that stays: the publish itself
    first_of = {row.published_number: row.history_id for row in rows if row.published_number}
    published = set(first_of.values())
    readable = [row for row in rows if may_read(actor, row.company_id)]
    older = [*readable[1:], None]
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
        for row, before in zip(readable, older, strict=False)
    ]


def compare(runbook: Runbook, actor: Actor, older: int, newer: int) -> Comparison:
    """What changed from one record to the other.

    Raises:
        NoSuchVersion: one of them is no version of this runbook, or none that `actor` may read.
    """
    listed = {version.record: version for version in versions(runbook, actor)}
    rows = {row.history_id: row for row in runbook.history.filter(history_id__in=[older, newer])}
    if not {older, newer} <= listed.keys():
        raise NoSuchVersion("This runbook has no such version.")
    between = compare_contents(Content.of(rows[older]), Content.of(rows[newer]))
    return Comparison(listed[older], listed[newer], between)


def compare_contents(before: Content, after: Content) -> Differences:
    """What changed from one content to the other."""
    fields = tuple(
        FieldChange(label, compare_words(before.words(name), after.words(name)))
        for name, label in LABELS.items()
        if getattr(before, name) != getattr(after, name)
    )
    old, new = parse(before.body), parse(after.body)
    return Differences(
        fields=fields,
        steps=tuple(_step_changes(old, new)),
        tools_added=tuple(name for name in new.tools if name not in old.tools),
        tools_removed=tuple(name for name in old.tools if name not in new.tools),
        rows=compare_lines(before.body, after.body),
    )


def _step_changes(before: RunbookDocument, after: RunbookDocument) -> Iterator[StepChange]:
    old, new = [_step_text(step) for step in before.steps], [_step_text(step) for step in after.steps]
    for change in changes(old, new):
        removed, added = before.steps[change.start : change.end], after.steps[change.new_start : change.new_end]
        for left, right in pair_up(old[change.start : change.end], new[change.new_start : change.new_end]):
            yield _step_change(removed[left] if left is not None else None, added[right] if right is not None else None)


def _step_change(old: Step | None, new: Step | None) -> StepChange:
    kind: Literal["added", "removed", "changed"] = "changed" if old and new else "added" if new else "removed"
    named = new or old
    return StepChange(kind, old.label if old else "", new.label if new else "", named.title if named else "")


def _step_text(step: Step) -> str:
    """All that a step says, without the number it happens to have."""
    return "\n".join([step.kind, step.title, step.text, *step.options])
