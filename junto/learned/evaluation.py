"""Labelled tickets from JSON lines, and how well their labels are answered.

One JSON object a line. What a person wrote when the ticket came is read: of TITLE_FIELDS the title, of TEXT_FIELDS the
text. Nothing else is, as an answer, a resolution or another label is not known yet when a ticket is labelled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy
from sklearn.metrics import accuracy_score, f1_score

from junto.learned.features import TicketText
from junto.learned.model import Prediction

TITLE_FIELDS: Final = ("title", "subject", "summary")
TEXT_FIELDS: Final = ("text", "body", "description")
ECE_BINS: Final = 15
ACCURACY_WANTED: Final = 0.95
_WANTED: Final = (
    'Files are read as JSON lines: each line is one object, such as {"title": "Cannot print", "category": "Printing"}. '
    "A CSV file is turned into that by the command in docs/classification.md."
)


class FileRefused(Exception):
    """A file is not what was expected; the message names it, and the line."""


@dataclass(frozen=True)
class Labelled:
    """Tickets with their labels, in step, and how many rows of the file had no label."""

    tickets: Sequence[TicketText]
    labels: Sequence[str]
    unlabelled: int = 0

    def only(self, labels: Mapping[str, int]) -> Labelled:
        """The rows with one of these labels."""
        kept = [row for row in zip(self.tickets, self.labels, strict=True) if row[1] in labels]
        return Labelled([ticket for ticket, _ in kept], [label for _, label in kept], self.unlabelled)


@dataclass(frozen=True)
class Figures:
    """How well every row was answered, each 0 to 1.

    `macro_f1` over the labels that a row has or was answered. `ece` = how far the highest probability of any label is
    from how often the answer is right, in 15 bins of equal width; `ece_of_answers` = the same of the answer's own
    probability, which is the lower one where a rare label is preferred. `coverage` = the largest share of rows, those
    with the surest answers first, of which 95 of 100 are right.
    """

    macro_f1: float
    accuracy: float
    ece: float
    ece_of_answers: float
    coverage: float


def read_file(path: Path, label: str) -> Labelled:
    """The tickets of a file with the label of that field; a row without a value there is counted only.

    Raises:
        FileRefused: the file cannot be read, a line is no JSON object, or no row has the label or a text.
    """
    tickets, labels, unlabelled, read = [], [], 0, 0
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        row = _row(path, number, line)
        read += 1
        value = row.get(label)
        if isinstance(value, list | dict):
            raise FileRefused(f"{path}, line {number}: {label} holds several values; one label a row is expected.")
        if value is None or str(value).strip() == "":
            unlabelled += 1
            continue
        tickets.append(TicketText(_joined(row, TITLE_FIELDS, label), _joined(row, TEXT_FIELDS, label)))
        labels.append(str(value).strip())
    if not read:
        raise FileRefused(f"{path} is empty.")
    if not labels:
        raise FileRefused(f"{path}: no row has a value in the field {label}.")
    if not any(ticket.title or ticket.text for ticket in tickets):
        raise FileRefused(f"{path}: no row has text in one of {', '.join(TITLE_FIELDS + TEXT_FIELDS)}.")
    return Labelled(tickets, labels, unlabelled)


def measure(truth: Sequence[str], predictions: Sequence[Prediction]) -> Figures:
    """The figures of these predictions' answers; in step, not empty."""
    answered = [prediction.answer.label for prediction in predictions]
    right = numpy.array([label == answer for label, answer in zip(truth, answered, strict=True)])
    sure = numpy.array([prediction.answer.probability for prediction in predictions])
    top = numpy.array([max(each.probability for each in prediction.ranked) for prediction in predictions])
    return Figures(
        macro_f1=float(f1_score(truth, answered, average="macro")),
        accuracy=float(accuracy_score(truth, answered)),
        ece=_ece(top, right),
        ece_of_answers=_ece(sure, right),
        coverage=_coverage(sure, right),
    )


def _ece(sure: numpy.ndarray, right: numpy.ndarray) -> float:
    places = numpy.minimum((sure * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = numpy.bincount(places, weights=right - sure, minlength=ECE_BINS)
    return float(numpy.abs(gaps).sum() / len(sure))


def _coverage(sure: numpy.ndarray, right: numpy.ndarray) -> float:
    """Rows that are equally sure are taken together: no threshold parts them."""
    order = numpy.argsort(-sure, kind="stable")
    sure, right = sure[order], right[order]
    shares = numpy.cumsum(right) / numpy.arange(1, len(right) + 1)
    ends = numpy.append(sure[1:] < sure[:-1], True)
    good = numpy.flatnonzero(ends & (shares >= ACCURACY_WANTED))
    return float((good[-1] + 1) / len(right)) if len(good) else 0.0


def _joined(row: Mapping[str, object], fields: Sequence[str], label: str) -> str:
    found = (row.get(field) for field in fields if field != label)
    return "\n".join(value for value in found if isinstance(value, str) and value)


def _row(path: Path, number: int, line: str) -> Mapping[str, object]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise FileRefused(f"{path}, line {number} is not JSON. {_WANTED}") from error
    if not isinstance(row, dict):
        raise FileRefused(f"{path}, line {number}: a JSON object is expected. {_WANTED}")
    return row


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise FileRefused(f"{path} is not written in UTF-8 (byte {error.start}): save it as UTF-8.") from error
    except OSError as error:
        raise FileRefused(f"{path} cannot be read ({error.__class__.__name__}).") from error
