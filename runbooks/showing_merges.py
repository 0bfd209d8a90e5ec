"""A three-way merge as a page shows it: each stretch of the text with where it comes from, each open one to decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from runbooks.merging import Conflict, Settled
from runbooks.reconciling import ContentMerge, FieldMerge
from runbooks.wording import Piece, compare_words

#: Longer unchanged stretches are folded.
FOLD: Final = 6


@dataclass(frozen=True)
class ShownHunk:
    """A stretch of the text. `text` is what it becomes; an open one has a number, both sides and what was chosen."""

    taken: Literal["both", "ours", "theirs", "open"]
    text: str
    lines: int
    folded: bool = False
    number: int = 0
    ours: tuple[Piece, ...] = ()
    theirs: tuple[Piece, ...] = ()
    answer: str = ""
    missing: bool = False


@dataclass(frozen=True)
class ShownField:
    """A field that a side changed; `answer` is what was chosen so far."""

    field: FieldMerge
    answer: str
    missing: bool


@dataclass(frozen=True)
class ShownMerge:
    """The whole merge; `ours` and `theirs` are what the sides are called."""

    ours: str
    theirs: str
    fields: tuple[ShownField, ...]
    hunks: tuple[ShownHunk, ...]
    open_count: int


def show_merge(
    merge: ContentMerge, *, ours: str, theirs: str, form: Mapping[str, str], missing: Sequence[str]
) -> ShownMerge:
    """The merge with the answers in `form`, those in `missing` marked."""
    hunks: list[ShownHunk] = []
    for hunk in merge.body.hunks:
        if isinstance(hunk, Settled):
            folded = hunk.taken == "both" and len(hunk.lines) > FOLD
            hunks.append(ShownHunk(hunk.taken, "\n".join(hunk.lines), len(hunk.lines), folded=folded))
        else:
            number = 1 + sum(each.taken == "open" for each in hunks)
            hunks.append(_open(hunk, number, form, missing))
    fields = tuple(ShownField(field, form.get(field.name, ""), field.name in missing) for field in merge.fields)
    open_count = len(merge.open_fields) + len(merge.body.conflicts)
    return ShownMerge(ours, theirs, fields, tuple(hunks), open_count)


def _open(conflict: Conflict, number: int, form: Mapping[str, str], missing: Sequence[str]) -> ShownHunk:
    base, ours, theirs = ("\n".join(lines) for lines in (conflict.base, conflict.ours, conflict.theirs))
    return ShownHunk(
        taken="open",
        text=form.get(f"text-{number}", "\n".join([*conflict.ours, *conflict.theirs])),
        lines=len(conflict.base),
        number=number,
        ours=compare_words(base, ours),
        theirs=compare_words(base, theirs),
        answer=form.get(f"hunk-{number}", ""),
        missing=f"hunk-{number}" in missing,
    )
