"""What changed between two texts, line by line and word by word, as rows that people read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from runbooks.differences import Change, changes, pair_up
from runbooks.merging import as_lines

#: Unchanged lines shown around each change.
CONTEXT: Final = 3

_WORD: Final = re.compile(r"\n|[^\S\n]+|@?\w+(?:[._-]\w+)*|.")

Mark = Literal["same", "changed", "added", "removed", "gap"]


@dataclass(frozen=True)
class Piece:
    """Some words of a line."""

    kind: Literal["same", "added", "removed"]
    text: str


@dataclass(frozen=True)
class Row:
    """A line of the comparison with its number in each text; a gap stands for lines left out."""

    mark: Mark
    old: int | None
    new: int | None
    pieces: tuple[Piece, ...] = ()


def compare_lines(before: str, after: str) -> tuple[Row, ...]:
    """The changed lines, with a few unchanged ones around them; nothing where the texts are the same."""
    old, new = as_lines(before), as_lines(after)
    found = changes(old, new)
    rows: list[Row] = []
    at = new_at = 0
    for position, change in enumerate(found):
        rows += _between(new, (at, new_at), change, first=position == 0)
        rows += _changed(old, new, change)
        at, new_at = change.end, change.new_end
    if found:
        shown = min(CONTEXT, len(old) - at)
        rows += [_same(new, at + step, new_at + step) for step in range(shown)]
        if at + shown < len(old):
            rows.append(Row("gap", None, None))
    return tuple(rows)


def compare_words(before: str, after: str) -> tuple[Piece, ...]:
    """The words of both texts in one line of reading."""
    old, new = _WORD.findall(before), _WORD.findall(after)
    pieces: list[Piece] = []
    at = 0
    for change in _without_specks(changes(old, new), old):
        pieces += _piece("same", old[at : change.start])
        pieces += _piece("removed", old[change.start : change.end])
        pieces += _piece("added", new[change.new_start : change.new_end])
        at = change.end
    return (*pieces, *_piece("same", old[at:]))


def written(pieces: Iterable[Piece]) -> str:
    """Words of both texts on one line, where there are no colours: what went and what came between marks."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(marks[piece.kind].format(piece.text) for piece in pieces)


def _between(lines: list[str], begin: tuple[int, int], change: Change, *, first: bool) -> Iterator[Row]:
    """Unchanged lines from `begin` up to a change: those near a change, and a gap for the rest."""
    old, new = begin
    count = change.start - old
    head = 0 if first else min(CONTEXT, count)
    tail = min(CONTEXT, count - head)
    yield from (_same(lines, old + step, new + step) for step in range(head))
    if count > head + tail:
        yield Row("gap", None, None)
    yield from (_same(lines, old + step, new + step) for step in range(count - tail, count))


def _same(lines: list[str], old: int, new: int) -> Row:
    return Row("same", old + 1, new + 1, (Piece("same", lines[new]),))


def _changed(old: list[str], new: list[str], change: Change) -> Iterator[Row]:
    removed, added = old[change.start : change.end], new[change.new_start : change.new_end]
    for left, right in pair_up(removed, added):
        if left is not None and right is not None:
            pieces = compare_words(removed[left], added[right])
            yield Row("changed", change.start + left + 1, change.new_start + right + 1, pieces)
        elif left is not None:
            yield Row("removed", change.start + left + 1, None, (Piece("removed", removed[left]),))
        elif right is not None:
            yield Row("added", None, change.new_start + right + 1, (Piece("added", added[right]),))


def _without_specks(found: Sequence[Change], old: list[str]) -> list[Change]:
    """Changes with nothing but a blank between them are read as one."""
    joined: list[Change] = []
    for change in found:
        last = joined[-1] if joined else None
        if last is not None and "".join(old[last.end : change.start]).isspace():
            joined[-1] = Change(last.start, change.end, last.new_start, change.new_end)
        else:
            joined.append(change)
    return joined


def _piece(kind: Literal["same", "added", "removed"], words: Sequence[str]) -> list[Piece]:
    return [Piece(kind, "".join(words))] if words else []
