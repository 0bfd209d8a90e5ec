"""Small plots as plain numbers for a template to draw: no script, no style, and a table that says the same. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

#: Size of the drawing, in its own units; the rows below it hold the dates.
WIDTH, HEIGHT, FOOT = 480, 120, 18
_GAP: Final = 0.25


@dataclass(frozen=True)
class Bar:
    """A rectangle of one series; figures as SVG writes them, in whatever language the page is."""

    series: int
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Column:
    """One place on the axis: its label, its values by series, and where its middle is."""

    label: str
    values: tuple[int, ...]
    middle: str
    labelled: bool


@dataclass(frozen=True)
class Plot:
    """A plot of columns, each stacked from its series."""

    title: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    columns: tuple[Column, ...]
    most: int
    width: int = WIDTH
    height: int = HEIGHT
    whole: int = HEIGHT + FOOT

    @property
    def words(self) -> str:
        """What the plot shows, in one sentence."""
        sums = [sum(column.values[place] for column in self.columns) for place in range(len(self.series))]
        told = ", ".join(f"{name.lower()}: {total}" for name, total in zip(self.series, sums, strict=True))
        return f"{self.title}, the last {len(self.columns)} weeks. In all {told}."

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(any(column.values) for column in self.columns)


def columns(
    weeks: Sequence[date], values: Mapping[date, tuple[int, ...]], *, title: str, series: tuple[str, ...]
) -> Plot:
    """A column for each week, stacked from its values; a week without any is empty."""
    nothing = (0,) * len(series)
    most = max((sum(values.get(week, nothing)) for week in weeks), default=0)
    step = WIDTH / max(1, len(weeks))
    bars: list[Bar] = []
    places: list[Column] = []
    for place, week in enumerate(weeks):
        told, top = values.get(week, nothing), float(HEIGHT)
        for number, value in enumerate(told):
            height = HEIGHT * value / most if most else 0.0
            top -= height
            if value:
                left = place * step + step * _GAP / 2
                bars.append(Bar(number, *(f"{each:.1f}" for each in (left, top, step * (1 - _GAP), height))))
        labelled = (len(weeks) - 1 - place) % 3 == 0
        places.append(Column(f"{week.day} {week:%b}", told, f"{(place + 0.5) * step:.1f}", labelled))
    return Plot(title, series, tuple(bars), tuple(places), most)
