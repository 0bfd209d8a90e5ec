"""Which stretches of one sequence of lines or words became which of another. Pure, and bounded in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from diff_match_patch import diff_match_patch

#: Seconds after which a comparison stays coarse: right, but with longer stretches than needed.
PATIENCE: Final = 0.5

#: Code points that stand for pieces begin behind the surrogates, so that every one of them is a character.
_FIRST_SIGN: Final = 0xE000


@dataclass(frozen=True)
class Change:
    """`before[start:end]` became `after[new_start:new_end]`; one of the two may be empty, never both."""

    start: int
    end: int
    new_start: int
    new_end: int


def changes(before: Sequence[str], after: Sequence[str]) -> tuple[Change, ...]:
    """What has to change to turn `before` into `after`, in order; between two changes something is the same."""
    signs: dict[str, str] = {}
    pieces = [_as_signs(before, signs), _as_signs(after, signs)]
    machine = diff_match_patch()
    machine.Diff_Timeout = PATIENCE
    return tuple(_joined(machine.diff_main(*pieces, checklines=False)))


def _as_signs(pieces: Sequence[str], signs: dict[str, str]) -> str:
    """One character for each piece, the same for equal pieces."""
    return "".join(signs.setdefault(piece, chr(_FIRST_SIGN + len(signs))) for piece in pieces)


def _joined(steps: Sequence[tuple[int, str]]) -> Iterator[Change]:
    """Removals and insertions that follow each other are one change."""
    start = new_start = place = new_place = 0
    for kind, text in [*steps, (0, "")]:
        if kind < 0:
            place += len(text)
        elif kind > 0:
            new_place += len(text)
        else:
            if (start, new_start) != (place, new_place):
                yield Change(start, place, new_start, new_place)
            start = place = place + len(text)
            new_start = new_place = new_place + len(text)
