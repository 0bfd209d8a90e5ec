"""The figures, on answers of which they can be worked out by hand."""

from __future__ import annotations

import pytest

from junto.learned.evaluation import measure
from junto.learned.model import Scored


def test_figures_are_those_worked_out_by_hand() -> None:
    truth = ["a"] * 6 + ["b"] * 4
    answers = [Scored("a", 0.9)] * 5 + [Scored("b", 0.6)] + [Scored("b", 0.6)] * 3 + [Scored("a", 0.5)]
    figures = measure(truth, answers)
    # a: 5 of 6 found, 5 of 6 right; b: 3 of 4 found, 3 of 4 right
    assert figures.macro_f1 == pytest.approx((5 / 6 + 3 / 4) / 2)
    assert figures.accuracy == pytest.approx(0.8)
    assert figures.ece == pytest.approx(0.5 * (1 - 0.9) + 0.4 * (0.75 - 0.6) + 0.1 * 0.5)
    assert figures.coverage == pytest.approx(0.5)


def test_certain_answers_have_a_bin_too() -> None:
    assert measure(["a", "b"], [Scored("a", 1.0), Scored("a", 1.0)]).ece == pytest.approx(0.5)


def test_rows_that_are_equally_sure_are_covered_together_or_not_at_all() -> None:
    assert measure(["a", "b"], [Scored("a", 0.7), Scored("a", 0.7)]).coverage == 0
