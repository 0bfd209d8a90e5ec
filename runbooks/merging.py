"""Three-way merge of texts, line by line. Pure.

Lines of a runbook are steps, so two sides that changed lines next to each other do not disagree; they do where both
changed the same line, or put something new in the same place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from runbooks.differences import Change, changes, line_by_line

Side = Literal["ours", "theirs"]


@dataclass(frozen=True)
class Settled:
    """Lines that are the same on both sides, or that only one of them changed (`taken`)."""

    lines: tuple[str, ...]
    taken: Literal["both", "ours", "theirs"]


@dataclass(frozen=True)
class Conflict:
    """Lines that each side changed in its own way; what they were is `base`."""

    base: tuple[str, ...]
    ours: tuple[str, ...]
    theirs: tuple[str, ...]


@dataclass(frozen=True)
class MergeResult:
    """The merged text as hunks in order."""

    hunks: tuple[Settled | Conflict, ...]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What a person has to decide, in the order of the text."""
        return tuple(hunk for hunk in self.hunks if isinstance(hunk, Conflict))

    @property
    def clean(self) -> bool:
        """Whether nothing has to be decided."""
        return not self.conflicts

    @property
    def text(self) -> str:
        """The merged text; a conflict still open stands in it between marks, ours first."""
        return self.resolved([marked(conflict) for conflict in self.conflicts])

    def resolved(self, answers: Sequence[Sequence[str]]) -> str:
        """The merged text with the lines of each answer in the place of its conflict.

        Raises:
            ValueError: there are more or fewer answers than conflicts.
        """
        if len(answers) != len(self.conflicts):
            raise ValueError(f"{len(self.conflicts)} conflicts need as many answers, not {len(answers)}.")
        given = iter(answers)
        parts = [hunk.lines if isinstance(hunk, Settled) else next(given) for hunk in self.hunks]
        return "\n".join(line for part in parts for line in part)


def merge_texts(base: str, ours: str, theirs: str) -> MergeResult:
    """What `ours` becomes when all that changed from `base` to `theirs` is taken over. Line ends become \\n."""
    lines, mine, other = as_lines(base), as_lines(ours), as_lines(theirs)
    by_side: dict[Side, list[Change]] = {
        "ours": list(line_by_line(changes(lines, mine), lines, mine)),
        "theirs": list(line_by_line(changes(lines, other), lines, other)),
    }
    hunks: list[Settled | Conflict] = []
    done = 0
    for start, end, involved in _clusters(by_side):
        if start > done:
            hunks.append(Settled(tuple(lines[done:start]), "both"))
        was = tuple(lines[start:end])
        hunks.append(
            _hunk(was, _part(mine, involved["ours"], was, start), _part(other, involved["theirs"], was, start))
        )
        done = end
    if done < len(lines):
        hunks.append(Settled(tuple(lines[done:]), "both"))
    return MergeResult(tuple(hunks))


def as_lines(text: str) -> list[str]:
    """The lines of a text, whatever system ended them; joined by \\n they are the text again."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def marked(conflict: Conflict) -> tuple[str, ...]:
    """The conflict as lines of text between the usual marks."""
    return ("<<<<<<< ours", *conflict.ours, "=======", *conflict.theirs, ">>>>>>> theirs")


def _clusters(by_side: dict[Side, list[Change]]) -> Iterator[tuple[int, int, dict[Side, list[Change]]]]:
    """Stretches of the base that changed, with the changes of each side that overlap there."""
    sides: tuple[Side, Side] = ("ours", "theirs")
    waiting = sorted(((change, side) for side in sides for change in by_side[side]), key=_place)
    position = 0
    while position < len(waiting):
        first, _ = waiting[position]
        start, end = first.start, first.end
        involved: dict[Side, list[Change]] = {"ours": [], "theirs": []}
        while position < len(waiting) and _meets(waiting[position][0], start, end):
            change, side = waiting[position]
            involved[side].append(change)
            end = max(end, change.end)
            position += 1
        yield start, end, involved


def _place(waiting: tuple[Change, Side]) -> tuple[int, int, Side]:
    change, side = waiting
    return change.start, change.end, side


def _meets(change: Change, start: int, end: int) -> bool:
    """Whether it touches the stretch: shares a line with it, or is or meets something that was only put in there."""
    return change.start < end or (change.start == end and (start == end or change.start == change.end))


def _part(side: Sequence[str], involved: Sequence[Change], was: tuple[str, ...], start: int) -> tuple[str, ...]:
    """What one side made of the stretch of the base that begins at `start`."""
    if not involved:
        return was
    before = involved[0].start - start
    after = start + len(was) - involved[-1].end
    return tuple(side[involved[0].new_start - before : involved[-1].new_end + after])


def _hunk(was: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]) -> Settled | Conflict:
    if ours == theirs:
        return Settled(ours, "both")
    if theirs == was:
        return Settled(ours, "ours")
    if ours == was:
        return Settled(theirs, "theirs")
    return Conflict(was, ours, theirs)
