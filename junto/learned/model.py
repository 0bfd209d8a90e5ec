"""A trained classifier: what it answers, and how it is kept.

Kept as an npz archive of plain arrays with a JSON header. Nothing of it is run when it is read, as a pickle would be;
docs/adr/0010 compares the ways.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, NamedTuple

import numpy
from scipy.special import log_softmax

from junto.learned.calibration import Blend
from junto.learned.features import Matrix, Numbers, Part, Terms, TicketText, View, matrices

#: Grows when older code could not read a model, or would read it wrongly.
VERSION: Final = 1


class ModelRefused(Exception):
    """The bytes are not a model of this version; the message says what is wrong."""


class Scored(NamedTuple):
    """A label and the probability, 0 to 1, that it is the right one."""

    label: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """Every label with its probability: the answer first, then the others, likeliest first."""

    ranked: tuple[Scored, ...]

    @property
    def answer(self) -> Scored:
        """What is answered if anything is. Now and then a rare label of which another is likelier (calibration.py)."""
        return self.ranked[0]

    def sure(self, threshold: float) -> Scored | None:
        """The answer, or nothing if it is right with less than this probability."""
        return self.answer if self.answer.probability >= threshold else None


@dataclass(frozen=True)
class Classifier:
    """Linear over the terms of one view. `weights`: terms x labels, in C order, or each prediction would copy them."""

    view: View
    weights: Numbers
    offsets: Numbers

    def said(self, rows: Matrix) -> Numbers:
        """Logarithms of probabilities, tickets x labels."""
        found: Numbers = log_softmax(numpy.asarray(rows @ self.weights) + self.offsets, axis=1)
        return found


@dataclass(frozen=True)
class LabelModel:
    """Trained by training.train. May be used by several threads.

    `left_out` = labels with too few rows, and how many they had.
    """

    labels: tuple[str, ...]
    rows: int
    left_out: Mapping[str, int]
    terms: Mapping[View, Sequence[Terms]]
    classifiers: Sequence[Classifier]
    blend: Blend

    def predict(self, ticket: TicketText) -> Prediction:
        """Its labels; a ticket of which no word is known gets the labels' shares."""
        return self.predict_many([ticket])[0]

    def predict_many(self, tickets: Sequence[TicketText]) -> list[Prediction]:
        """The same as `predict` for each, quicker."""
        if not tickets:
            return []
        seen = matrices(self.terms, tickets)
        said = numpy.stack([classifier.said(seen[classifier.view]) for classifier in self.classifiers])
        probabilities = self.blend.probabilities(said)
        answers = self.blend.answers(probabilities)
        return [self._ranked(row, int(first)) for row, first in zip(probabilities, answers, strict=True)]

    def _ranked(self, probabilities: Numbers, first: int) -> Prediction:
        order = [first, *(int(place) for place in numpy.argsort(-probabilities, kind="stable") if place != first)]
        return Prediction(tuple(Scored(self.labels[place], float(probabilities[place])) for place in order))

    def to_bytes(self) -> bytes:
        """All of it; the same model gives the same bytes."""
        arrays = {
            "trust": self.blend.trust,
            "shifts": self.blend.shifts,
            "weights": self.blend.weights,
            "offsets": self.blend.offsets,
            "shares": self.blend.shares,
        }
        for place, classifier in enumerate(self.classifiers):
            arrays[f"{place}-weights"] = classifier.weights.astype(numpy.float32)
            arrays[f"{place}-offsets"] = classifier.offsets
        for view, parts in self.terms.items():
            for terms in parts:
                arrays[f"{view}-{terms.part}-rarities"] = terms.rarities
                arrays[f"{view}-{terms.part}-words"] = _text_array("\n".join(terms.words))
        header = {
            "version": VERSION,
            "labels": self.labels,
            "rows": self.rows,
            "left_out": dict(self.left_out),
            "leaning": self.blend.leaning,
            "classifiers": [classifier.view for classifier in self.classifiers],
            "views": {view: [terms.part for terms in parts] for view, parts in self.terms.items()},
        }
        kept = io.BytesIO()
        numpy.savez_compressed(kept, header=_text_array(json.dumps(header)), **arrays)  # type: ignore[arg-type]
        return kept.getvalue()

    @property
    def digest(self) -> str:
        """SHA-256 of `to_bytes`, in hexadecimal."""
        return sha256(self.to_bytes()).hexdigest()

    @classmethod
    def from_bytes(cls, kept: bytes) -> LabelModel:
        """What `to_bytes` gave.

        Raises:
            ModelRefused: it is something else, or of another version.
        """
        try:
            with numpy.load(io.BytesIO(kept), allow_pickle=False) as archive:
                return cls._read({name: archive[name] for name in archive.files})
        except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ModelRefused(f"These bytes are not a trained model ({error}).") from error

    @classmethod
    def _read(cls, arrays: Mapping[str, Numbers]) -> LabelModel:
        header = json.loads(_array_text(arrays["header"]))
        if header["version"] != VERSION:
            raise ModelRefused(f"The model is of version {header['version']}, not {VERSION}: train it again.")
        terms: dict[View, list[Terms]] = {}
        for view, parts in ((View(name), map(Part, parts)) for name, parts in header["views"].items()):
            for part in parts:
                words = _array_text(arrays[f"{view}-{part}-words"]).split("\n")
                terms.setdefault(view, []).append(Terms(view, part, words, arrays[f"{view}-{part}-rarities"]))
        return cls(
            labels=tuple(header["labels"]),
            rows=header["rows"],
            left_out=header["left_out"],
            terms=terms,
            classifiers=[
                Classifier(View(view), arrays[f"{place}-weights"].astype(numpy.float64), arrays[f"{place}-offsets"])
                for place, view in enumerate(header["classifiers"])
            ],
            blend=Blend(
                trust=arrays["trust"],
                shifts=arrays["shifts"],
                weights=arrays["weights"],
                offsets=arrays["offsets"],
                shares=arrays["shares"],
                leaning=header["leaning"],
            ),
        )


def _text_array(text: str) -> Numbers:
    return numpy.frombuffer(text.encode(), dtype=numpy.uint8)


def _array_text(array: Numbers) -> str:
    return array.tobytes().decode()
