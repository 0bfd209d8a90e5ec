"""Training: linear classifiers on three views of a ticket, and what puts them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import ComplementNB

from junto.learned.calibration import Blend, Places, label_rows
from junto.learned.features import Matrix, NoTerms, Numbers, TicketText, View, learn_terms
from junto.learned.model import Classifier, LabelModel

#: A label with fewer rows is neither learned nor answered.
FEWEST_ROWS: Final = 20
#: The tickets are cut into so many parts; what the classifiers say of a part is learned from the other parts.
_PARTS: Final = 5
#: How freely the regression on each view may follow its tickets (C): the fewer terms it has, the freer.
_FREEDOM: Final[Mapping[View, float]] = {View.WORDS: 10.0, View.PHRASES: 3.0, View.PIECES: 1.0}
#: How many tickets more than it was seen in a term counts as seen, for the one that only counts.
_SMOOTHING: Final = 0.3
_MOST_STEPS: Final = 300
_NEAR_ENOUGH: Final = 1e-3


class Untrainable(Exception):
    """Nothing can be learned from these tickets; the message says why."""


def frequent_labels(labels: Sequence[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Which labels have enough rows to be learned, and which have not; each with its rows, most first."""
    counts = Counter(labels).most_common()
    return {label: n for label, n in counts if n >= FEWEST_ROWS}, {label: n for label, n in counts if n < FEWEST_ROWS}


def train(tickets: Sequence[TicketText], labels: Sequence[str], *, seed: int = 0) -> LabelModel:
    """Learn to tell the labels from the tickets, one label a ticket. The same input and seed give the same model.

    Raises:
        Untrainable: fewer than two labels have enough rows, or the tickets have no word in common.
    """
    kept, left_out = frequent_labels(labels)
    if len(kept) < 2:
        raise Untrainable(f"fewer than two labels have {FEWEST_ROWS} rows or more")
    names = tuple(sorted(kept))
    place_of = {name: place for place, name in enumerate(names)}
    learned = [(ticket, place_of[label]) for ticket, label in zip(tickets, labels, strict=True) if label in kept]
    texts = [ticket for ticket, _ in learned]
    truth = numpy.array([place for _, place in learned], dtype=numpy.intp)
    try:
        terms, seen = learn_terms(texts)
    except NoTerms as nothing:
        raise Untrainable("no two tickets have a word in common") from nothing
    return LabelModel(
        labels=names,
        rows=len(texts),
        left_out=left_out,
        terms=terms,
        classifiers=_classifiers(seen, truth),
        blend=Blend.fitted(_said_of_unseen(seen, truth, seed), truth),
    )


def _said_of_unseen(seen: Mapping[View, Matrix], truth: Places, seed: int) -> Numbers:
    """What each classifier says of each ticket, learned from others. Classifiers x tickets x labels.

    How rare a term is was counted over all tickets, which tells nothing about labels.
    """
    said: list[Numbers] = []
    order: list[Places] = []
    folds = StratifiedKFold(_PARTS, shuffle=True, random_state=seed)
    for others, part in folds.split(numpy.zeros(len(truth)), truth):
        classifiers = _classifiers({view: rows[others] for view, rows in seen.items()}, truth[others])
        said.append(numpy.stack([each.said(seen[each.view][part]) for each in classifiers]))
        order.append(part)
    back = numpy.argsort(numpy.concatenate(order), kind="stable")
    return numpy.concatenate(said, axis=1)[:, back]


def _classifiers(seen: Mapping[View, Matrix], truth: Places) -> list[Classifier]:
    """A regression on each view, and one that counts terms without weighing them against each other."""
    found = [_regression(view, rows, truth) for view, rows in seen.items()]
    if View.PHRASES in seen:
        found.append(_counting(View.PHRASES, seen[View.PHRASES], truth))
    return found


def _regression(view: View, rows: Matrix, truth: Places) -> Classifier:
    """Logistic regression in which all labels weigh alike, however many rows each has."""
    fitted = LogisticRegression(C=_FREEDOM[view], class_weight="balanced", max_iter=_MOST_STEPS, tol=_NEAR_ENOUGH)
    fitted.fit(rows, truth)
    return _small(view, *label_rows(fitted.coef_, fitted.intercept_))


def _counting(view: View, rows: Matrix, truth: Places) -> Classifier:
    """Complement naive Bayes: what a term says of a label is learned from all tickets without that label."""
    weights: Numbers = ComplementNB(alpha=_SMOOTHING).fit(rows, truth).feature_log_prob_
    return _small(view, weights, numpy.zeros(len(weights)))


def _small(view: View, weights: Numbers, offsets: Numbers) -> Classifier:
    """Kept with half the digits, so answer with half the digits from the beginning."""
    return Classifier(view, weights.T.astype(numpy.float32).astype(numpy.float64, order="C"), offsets)
