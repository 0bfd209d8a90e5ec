"""Which stretches of one sequence of lines or words became which of another. Pure, and bounded in time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from diff_match_patch import diff_match_patch

#: Seconds after which a comparison stays coarse: right, but with longer stretches than needed.
PATIENCE: Final = 0.5
#: Two lines with this share of words in common are the same line, changed.
ALIKE: Final = 0.4
#: Stretches with more pairs of lines than this are taken as removed and added, whole.
MOST_PAIRS: Final = 10_000

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


def pair_up(before: Sequence[str], after: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Which text became which, in order; None where one was removed or added. Each place comes up once."""
    if len(before) * len(after) > MOST_PAIRS:
        return [*((place, None) for place in range(len(before))), *((None, place) for place in range(len(after)))]
    alike = _alike(before, after)
    worth = _worth(alike, len(before), len(after))
    pairs: list[tuple[int | None, int | None]] = []
    i = j = 0
    while i < len(before) or j < len(after):
        here = alike[i][j] if i < len(before) and j < len(after) else 0.0
        if here and worth[i][j] == here + worth[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif i < len(before) and (j == len(after) or worth[i][j] == worth[i + 1][j]):
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    return pairs


def line_by_line(found: Iterable[Change], before: Sequence[str], after: Sequence[str]) -> Iterator[Change]:
    """The same changes, cut so that each line which became another one is a change of its own."""
    for change in found:
        at, new_at = change.start, change.new_start
        for left, right in pair_up(before[at : change.end], after[new_at : change.new_end]):
            if left is None or right is None:
                continue
            place, new_place = change.start + left, change.new_start + right
            if (at, new_at) != (place, new_place):
                yield Change(at, place, new_at, new_place)
            at, new_at = place + 1, new_place + 1
            yield Change(place, at, new_place, new_at)
        if (at, new_at) != (change.end, change.new_end):
            yield Change(at, change.end, new_at, change.new_end)


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


def _alike(before: Sequence[str], after: Sequence[str]) -> list[list[float]]:
    """The share of words that each two texts have in common, up to 1; 0 for those that are not alike."""
    left, right = [Counter(text.split()) for text in before], [Counter(text.split()) for text in after]
    shares = [[_share(one, other) for other in right] for one in left]
    return [[share if share >= ALIKE else 0.0 for share in row] for row in shares]


def _share(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 0.0


def _worth(alike: list[list[float]], height: int, width: int) -> list[list[float]]:
    """`[i][j]` = the most likeness that pairing what is left from `i` and `j` on, in order, can reach."""
    worth = [[0.0] * (width + 1) for _ in range(height + 1)]
    for i in reversed(range(height)):
        for j in reversed(range(width)):
            paired = alike[i][j] + worth[i + 1][j + 1] if alike[i][j] else 0.0
            worth[i][j] = max(paired, worth[i + 1][j], worth[i][j + 1])
    return worth
