"""The figures, on answers of which they can be worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from junto.learned.evaluation import FileRefused, measure, read_file
from junto.learned.model import Prediction, Scored


def said(label: str, probability: float, *others: tuple[str, float]) -> Prediction:
    """An answer, and the labels after it."""
    return Prediction((Scored(label, probability), *(Scored(*other) for other in others)))


def test_figures_are_those_worked_out_by_hand() -> None:
    truth = ["a"] * 6 + ["b"] * 4
    answers = [said("a", 0.9)] * 5 + [said("b", 0.6)] + [said("b", 0.6)] * 3 + [said("a", 0.5)]
    figures = measure(truth, answers)
    # a: 5 of 6 found, 5 of 6 right; b: 3 of 4 found, 3 of 4 right
    assert figures.macro_f1 == pytest.approx((5 / 6 + 3 / 4) / 2)
    assert figures.accuracy == pytest.approx(0.8)
    assert figures.ece == pytest.approx(0.5 * (1 - 0.9) + 0.4 * (0.75 - 0.6) + 0.1 * 0.5)
    assert figures.coverage == pytest.approx(0.5)


def test_calibration_is_that_of_the_top_probability_and_that_of_the_answers_own_stands_beside_it() -> None:
    preferred = said("rare", 0.4, ("common", 0.55), ("other", 0.05))
    figures = measure(["rare", "common"], [preferred, said("common", 0.95, ("rare", 0.05))])
    assert figures.ece == pytest.approx((0.45 + 0.05) / 2)
    assert figures.ece_of_answers == pytest.approx((0.6 + 0.05) / 2)


def test_certain_answers_have_a_bin_too() -> None:
    assert measure(["a", "b"], [said("a", 1.0), said("a", 1.0)]).ece == pytest.approx(0.5)


def test_rows_that_are_equally_sure_are_covered_together_or_not_at_all() -> None:
    assert measure(["a", "b"], [said("a", 0.7), said("a", 0.7)]).coverage == 0


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_of_a_file_in_other_characters_it_is_said_which_are_meant(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text('{"title": "Drucker läuft nicht", "category": "x"}\n', encoding=encoding)
    with pytest.raises(FileRefused, match=r"train\.jsonl is not written in UTF-8 \(byte \d+\): save it as UTF-8"):
        read_file(file, "category")
