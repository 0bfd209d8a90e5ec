"""From what several classifiers say to one probability for each label, and to the label that is answered.

All of it is fitted on tickets that the classifiers had not seen (training.py): what they say of others is too sure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from junto.learned.features import Numbers

#: Which label each ticket has, by its place.
Places = NDArray[numpy.intp]

#: Pulls every fitted number softly to where it does nothing; matters for labels of a few dozen rows only.
_PULL: Final = 1e-3
#: How freely the weighing of everything that was said may follow the tickets (C).
_FREEDOM: Final = 0.1
_MOST_STEPS: Final = 500
#: Less likely than this is not told apart: a label's logarithm would else decide by itself.
_LEAST_LOGARITHM: Final = -8.0
#: No classifier is trusted more than this.
_MOST_TRUST: Final = 4.0
#: How far rare labels may be preferred: 0 = the likeliest label, 1 = as if all labels were equally common.
_LEANINGS: Final = numpy.linspace(0.0, 1.0, 11)


@dataclass(frozen=True)
class Blend:
    """How the classifiers are put together.

    Shapes: `trust` by classifier, `shifts`, `offsets` and `shares` by label, `weights` labels x (classifiers x labels).
    """

    trust: Numbers
    shifts: Numbers
    weights: Numbers
    offsets: Numbers
    shares: Numbers
    leaning: float

    @classmethod
    def fitted(cls, said: Numbers, truth: Places) -> Blend:
        """From logarithms of probabilities (classifiers x tickets x labels) of unseen tickets, and their labels.

        Two ways, of which the mean is taken as they err differently. One has a single trust for each classifier, fitted
        with all labels counting alike, since what tells rare labels apart would else be drowned by the common ones;
        then a factor and a shift for each label make probabilities of it. The other weighs everything that was said.
        """
        counts = numpy.bincount(truth, minlength=said.shape[2])
        alike = (len(truth) / (len(counts) * counts))[truth]
        trust, _ = _fit(said, truth, alike)
        factor, shifts = _fit(numpy.tensordot(trust, said, axes=1)[None], truth, numpy.ones(len(truth)))
        weighed = LogisticRegression(C=_FREEDOM, max_iter=_MOST_STEPS).fit(_side_by_side(said), truth)
        weights, offsets = label_rows(weighed.coef_, weighed.intercept_)
        blend = cls(trust * factor[0], shifts, weights, offsets, counts / len(truth), leaning=0.0)
        return replace(blend, leaning=_leaning(blend, said, truth))

    def probabilities(self, said: Numbers) -> Numbers:
        """Tickets x labels; each row sums to 1."""
        trusting = log_softmax(numpy.tensordot(self.trust, said, axes=1) + self.shifts, axis=1)
        weighing = log_softmax(_side_by_side(said) @ self.weights.T + self.offsets, axis=1)
        found: Numbers = softmax((trusting + weighing) / 2, axis=1)
        return found

    def answers(self, probabilities: Numbers) -> Places:
        """The place of the label that is answered for each ticket.

        Not always the likeliest: where common labels are a hundred times as common as rare ones, the likeliest is
        never a rare one. The probability that belongs to the answer is still its own.
        """
        return _answers(probabilities, self.shares, self.leaning)


def label_rows(weights: Numbers, offsets: Numbers) -> tuple[Numbers, Numbers]:
    """One row of weights a label, also where of two labels only the second has them."""
    if len(weights) > 1:
        return weights, offsets
    return numpy.vstack([0 * weights, weights]), numpy.concatenate([0 * offsets, offsets])


def _side_by_side(said: Numbers) -> Numbers:
    """Tickets x (classifiers x labels)."""
    return numpy.concatenate(list(said.clip(_LEAST_LOGARITHM, 0)), axis=1)


def _answers(probabilities: Numbers, shares: Numbers, leaning: float) -> Places:
    found: Places = (numpy.log(probabilities + 1e-12) - leaning * numpy.log(shares)).argmax(axis=1)
    return found


def _leaning(blend: Blend, said: Numbers, truth: Places) -> float:
    """Where macro-F1 is best, each judged together with its neighbours: a single best one may be luck."""
    probabilities = blend.probabilities(said)
    scores = [f1_score(truth, _answers(probabilities, blend.shares, leaning), average="macro") for leaning in _LEANINGS]
    padded = numpy.pad(scores, 1, mode="edge")
    smooth = numpy.convolve(padded, [0.25, 0.5, 0.25], mode="valid")
    return float(_LEANINGS[int(smooth.argmax())])


def _fit(said: Numbers, truth: Places, weights: Numbers) -> tuple[Numbers, Numbers]:
    """The factor of each classifier and the shift of each label with the least cross-entropy."""
    classifiers, _, labels = said.shape
    wanted = numpy.eye(labels)[truth]
    share = (weights / weights.sum())[:, None]
    still = numpy.concatenate([numpy.full(classifiers, 1 / classifiers), numpy.zeros(labels)])

    def loss(numbers: Numbers) -> tuple[float, Numbers]:
        logs = log_softmax(numpy.tensordot(numbers[:classifiers], said, axes=1) + numbers[classifiers:], axis=1)
        slope = share * (numpy.exp(logs) - wanted)
        slopes = numpy.concatenate([(said * slope).sum(axis=(1, 2)), slope.sum(axis=0)])
        away = numbers - still
        return float(-(share * wanted * logs).sum() + _PULL * away @ away), slopes + 2 * _PULL * away

    bounds = [(0.0, _MOST_TRUST)] * classifiers + [(None, None)] * labels
    found: Numbers = minimize(loss, still, jac=True, method="L-BFGS-B", bounds=bounds).x
    return found[:classifiers], found[classifiers:]
