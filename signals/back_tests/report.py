"""What a back-test comes to: how often right, where, what is confused with what, and at which threshold. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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
    """What was said of one ticket (empty = nothing), what was right, and how sure it was.

    `then_said` is what somebody else says of it where that is not sure enough, and is surer; `by_model` = a language
    model. `asked` = the model was asked of it, whatever came of that; `unread` = it answered, and that cannot be read.
    """

    signal: str
    said: str
    was: str
    confidence: float
    board: str
    then_said: str = ""
    then_confidence: float = 0.0
    by_model: bool = False
    asked: bool = False
    unread: bool = False

    @property
    def right(self) -> bool:
        """Capitals aside."""
        return self.said.casefold() == self.was.casefold()

    @property
    def nobody(self) -> bool:
        """Whether nobody says anything, however unsure."""
        return not self.said and not self.then_said

    def first(self) -> Answer:
        """What is said first, as if there were nobody else."""
        return self._replace(then_said="", then_confidence=0.0, by_model=False)

    def then(self) -> Answer:
        """What is said after that, as if it were all."""
        return self._replace(said=self.then_said, confidence=self.then_confidence, then_said="", then_confidence=0.0)

    def at(self, threshold: float) -> Answer | None:
        """What is said of it where it takes so much confidence; None = nothing."""
        return next((one for one in (self.first(), self.then()) if one.said and one.confidence >= threshold), None)


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
    """All of it, at one threshold. `producers`: who costs nothing, then the language model, if it was asked."""

    threshold: float
    whole: Line
    producers: tuple[Line, ...]
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
    wrong = [one for one in _given(answers, threshold) if not one.right]
    return Report(
        threshold=threshold,
        whole=_line("All", answers, threshold),
        producers=_producers(answers, threshold),
        boards=tuple(
            _line(board or "No board", [one for one in answers if one.board == board], threshold) for board in boards
        ),
        thresholds=tuple(_thresholds(answers, threshold)),
        columns=columns,
        matrix=matrix,
        errors=tuple(sorted(wrong, key=lambda one: -one.confidence)[:MOST_ERRORS]),
        plot=_plot(answers, threshold),
    )


def _given(answers: Sequence[Answer], threshold: float) -> list[Answer]:
    return [given for one in answers if (given := one.at(threshold))]


def _line(name: str, answers: Sequence[Answer], threshold: float, *, chosen: bool = False) -> Line:
    return _counted(name, _given(answers, threshold), len(answers), chosen=chosen)


def _counted(name: str, given: Sequence[Answer], of: int, *, chosen: bool = False) -> Line:
    right = sum(one.right for one in given)
    return Line(name, Share(len(given), of), Share(right, len(given)), chosen)


def _producers(answers: Sequence[Answer], threshold: float) -> tuple[Line, ...]:
    """Apart, where a language model was asked; its answers of the tickets that it was asked of."""
    asked = sum(one.asked for one in answers)
    if not asked:
        return ()
    given = _given(answers, threshold)
    model = [one for one in given if one.by_model]
    others = [one for one in given if not one.by_model]
    return _counted("Rules and what was learned", others, len(answers)), _counted("Language model", model, asked)


def _thresholds(answers: Sequence[Answer], threshold: float) -> list[Line]:
    steps = sorted({*(step / 20 for step in range(8, 20)), round(threshold, 2)})
    return [_line(f"{step:.2f}", answers, step, chosen=step == round(threshold, 2)) for step in steps]


def _matrix(answers: Sequence[Answer], threshold: float) -> tuple[tuple[str, ...], tuple[MatrixRow, ...]]:
    said = [given.said if (given := one.at(threshold)) else "" for one in answers]
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
    """A point at each threshold where it answers more, the surest first."""
    total = max(1, len(answers))
    turns = sorted(_turns(answers), reverse=True)
    points: list[str] = []
    given = right = 0
    for number, (confidence, more_given, more_right) in enumerate(turns, start=1):
        given += more_given
        right += more_right
        if number == len(turns) or turns[number][0] < confidence:
            points.append(_at(given / total, right / given))
    whole = _line("", answers, threshold)
    coverage = whole.answered.hits / total
    precision = whole.right.hits / max(1, whole.right.all)
    x, y = _at(coverage, precision).split(",")
    words = (
        f"At {threshold:.2f} it answers {whole.answered.percent} of the tickets, and {whole.right.percent} of these "
        "are right."
    )
    return Plot(points=" ".join(points), x=x, y=y, words=words)


def _turns(answers: Sequence[Answer]) -> Iterator[tuple[float, int, int]]:
    """At which threshold, going down, how many more are answered, and how many more are right."""
    for one in answers:
        first, then = one.first(), one.then()
        early = bool(then.said) and (not first.said or then.confidence > first.confidence)
        if early:
            yield then.confidence, 1, then.right
        if first.said:  # from there on it is the first one's word that counts
            yield first.confidence, int(not early), first.right - (then.right if early else 0)


def _at(coverage: float, precision: float) -> str:
    return f"{LEFT + WIDTH * coverage:.1f},{4 + HEIGHT * (1 - precision):.1f}"
