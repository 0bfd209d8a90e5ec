"""What a back-test comes to: how often right, where, what is confused with what, and at which threshold. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt
from typing import Final, NamedTuple

from signals.shares import whole_percent

#: Standard deviations of a 95 % interval.
_Z: Final = 1.96
#: Labels that the matrix names; the others are one row and one column.
MOST_LABELS: Final = 10
MOST_ERRORS: Final = 12
OTHER: Final = "Other"
NOTHING: Final = "Nothing said"
#: Size of the drawing, in its own units, and the room for its axes.
WIDTH, HEIGHT, LEFT, FOOT = 420, 220, 44, 36


class Answer(NamedTuple):
    """What was said of one ticket (empty = nothing), what was right, and how sure it was."""

    signal: str
    said: str
    was: str
    confidence: float
    board: str

    @property
    def right(self) -> bool:
        """Capitals aside."""
        return self.said.casefold() == self.was.casefold()


@dataclass(frozen=True)
class Share:
    """`hits` of `all`, with its 95 % interval (Wilson)."""

    hits: int
    all: int

    @property
    def percent(self) -> str:
        """In words; a dash of nothing. Only all of them are 100 %."""
        return f"{whole_percent(self.hits / self.all)} %" if self.all else "–"

    @property
    def interval(self) -> str:
        """From and to, in whole percent, which hold all of it."""
        low, high = self.bounds
        return f"{floor(100 * low)} to {ceil(100 * high)} %" if self.all else ""

    @property
    def bounds(self) -> tuple[float, float]:
        """The interval as shares; of nothing, everything is possible."""
        if not self.all:
            return 0.0, 1.0
        share, n = self.hits / self.all, self.all
        middle = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
        reach = _Z * sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n)) / (1 + _Z * _Z / n)
        return max(0.0, middle - reach), min(1.0, middle + reach)


@dataclass(frozen=True)
class Line:
    """One board, or one threshold: how many it answers, and how many of these are right."""

    name: str
    answered: Share
    right: Share
    chosen: bool = False


@dataclass(frozen=True)
class MatrixRow:
    """The tickets that were `name`: how many were said to be what, in the order of the columns."""

    name: str
    cells: tuple[tuple[int, bool], ...]


@dataclass(frozen=True)
class Plot:
    """Precision over coverage, as SVG writes it. `words` say the same in a sentence."""

    points: str
    x: str
    y: str
    words: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    whole_width: int = WIDTH + LEFT + 8
    whole_height: int = HEIGHT + FOOT + 8


@dataclass(frozen=True)
class Report:
    """All of it, at one threshold."""

    threshold: float
    whole: Line
    boards: tuple[Line, ...]
    thresholds: tuple[Line, ...]
    columns: tuple[str, ...]
    matrix: tuple[MatrixRow, ...]
    errors: tuple[Answer, ...]
    plot: Plot


def report(answers: Sequence[Answer], threshold: float) -> Report:
    """What these answers come to where those below the threshold are not given."""
    boards = sorted({answer.board for answer in answers})
    columns, matrix = _matrix(answers, threshold)
    wrong = sorted(
        (one for one in answers if _given(one, threshold) and not one.right), key=lambda one: -one.confidence
    )
    return Report(
        threshold=threshold,
        whole=_line("All", answers, threshold),
        boards=tuple(
            _line(board or "No board", [one for one in answers if one.board == board], threshold) for board in boards
        ),
        thresholds=tuple(_thresholds(answers, threshold)),
        columns=columns,
        matrix=matrix,
        errors=tuple(wrong[:MOST_ERRORS]),
        plot=_plot(answers, threshold),
    )


def _given(answer: Answer, threshold: float) -> bool:
    return bool(answer.said) and answer.confidence >= threshold


def _line(name: str, answers: Sequence[Answer], threshold: float, *, chosen: bool = False) -> Line:
    given = [one for one in answers if _given(one, threshold)]
    right = sum(one.right for one in given)
    return Line(name, Share(len(given), len(answers)), Share(right, len(given)), chosen)


def _thresholds(answers: Sequence[Answer], threshold: float) -> list[Line]:
    steps = sorted({*(step / 20 for step in range(8, 20)), round(threshold, 2)})
    return [_line(f"{step:.2f}", answers, step, chosen=step == round(threshold, 2)) for step in steps]


def _matrix(answers: Sequence[Answer], threshold: float) -> tuple[tuple[str, ...], tuple[MatrixRow, ...]]:
    said = [one.said if _given(one, threshold) else "" for one in answers]
    common = Counter([one.was for one in answers] + [each for each in said if each]).most_common(MOST_LABELS)
    names = [name for name, _ in common]
    counts = Counter(
        (one.was if one.was in names else OTHER, (each if each in names else OTHER) if each else NOTHING)
        for one, each in zip(answers, said, strict=True)
    )
    rows = [*names, *([OTHER] if any(was == OTHER for was, _ in counts) else [])]
    columns = [*names, *([OTHER] if any(each == OTHER for _, each in counts) else []), NOTHING]
    return tuple(columns), tuple(
        MatrixRow(row, tuple((counts[row, column], row == column) for column in columns)) for row in rows
    )


def _plot(answers: Sequence[Answer], threshold: float) -> Plot:
    """A point after each answer, the surest first."""
    total = max(1, len(answers))
    given = sorted((one for one in answers if one.said), key=lambda one: -one.confidence)
    points: list[str] = []
    right = 0
    for number, one in enumerate(given, start=1):
        right += one.right
        last = number == len(given) or given[number].confidence < one.confidence
        if last:
            points.append(_at(number / total, right / number))
    whole = _line("", answers, threshold)
    coverage = whole.answered.hits / total
    precision = whole.right.hits / max(1, whole.right.all)
    x, y = _at(coverage, precision).split(",")
    words = (
        f"At {threshold:.2f} it answers {whole.answered.percent} of the tickets, and {whole.right.percent} of these "
        "are right."
    )
    return Plot(points=" ".join(points), x=x, y=y, words=words)


def _at(coverage: float, precision: float) -> str:
    return f"{LEFT + WIDTH * coverage:.1f},{4 + HEIGHT * (1 - precision):.1f}"
