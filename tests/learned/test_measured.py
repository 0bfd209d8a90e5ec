"""How well labels of real tickets are learned: the goals of docs/classification.md, on the public set."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from sklearn.model_selection import StratifiedKFold

from junto.learned.evaluation import Figures, measure, read_file
from junto.learned.model import Prediction
from junto.learned.training import frequent_labels, train


def five_fold(path: Path, label: str) -> Figures:
    """Every ticket answered by a model learned from four fifths of the others."""
    labelled = read_file(path, label)
    rows = labelled.only(frequent_labels(labelled.labels)[0])
    answers: dict[int, Prediction] = {}
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    for others, part in folds.split(numpy.zeros(len(rows.labels)), rows.labels):
        model = train([rows.tickets[place] for place in others], [rows.labels[place] for place in others])
        found = model.predict_many([rows.tickets[place] for place in part])
        answers |= {int(place): prediction for place, prediction in zip(part, found, strict=True)}
    return measure(rows.labels, [answers[place] for place in range(len(rows.labels))])


@pytest.mark.deep
@pytest.mark.parametrize(("label", "macro_f1"), [("category", 0.74), ("urgency", 0.72)])
def test_labels_of_real_tickets_are_learned(eval_dir: Path, label: str, macro_f1: float) -> None:
    figures = five_fold(eval_dir / "tickets-endava" / "tickets.jsonl", label)
    assert figures.macro_f1 >= macro_f1
    assert figures.ece <= 0.05
