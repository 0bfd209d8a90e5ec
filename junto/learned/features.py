"""From tickets to numbers: which words, pairs of words and pieces of words they hold, title and text apart.

A title says in five words what a text says in fifty, so its terms are counted for themselves as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, NamedTuple

import numpy
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

#: What stands behind so many characters is not read: quoted mails and logs, which would cost time and tell little.
MOST_CHARACTERS: Final = 4000
#: A term of a single ticket says nothing about others.
FEWEST_TICKETS: Final = 2
#: Of more terms than this the rarer are left out.
MOST_TERMS: Final = 60_000

Numbers = NDArray[numpy.float64]
#: Rows of terms; scipy's own types are not stated by it.
Matrix = Any


@dataclass(frozen=True)
class TicketText:
    """What a person wrote. The title may be empty, and so may the text."""

    title: str
    text: str


class Part(StrEnum):
    """Which part of a ticket is read."""

    WHOLE = "whole"
    TITLE = "title"


class View(StrEnum):
    """A way to read a ticket; each has a classifier of its own (training.py)."""

    WORDS = "words"  # single words, common and rare alike: the best of few tickets
    PHRASES = "phrases"  # words and pairs of neighbours, rare ones count more
    PIECES = "pieces"  # pieces of 2 to 5 characters: endings, compounds, misspellings


class _Reading(NamedTuple):
    analyzer: str
    lengths: tuple[int, int]
    rare_count_more: bool


_READINGS: Final = {
    View.WORDS: _Reading("word", (1, 1), False),
    View.PHRASES: _Reading("word", (1, 2), True),
    View.PIECES: _Reading("char_wb", (2, 5), True),
}


class NoTerms(Exception):
    """No two of the tickets have a term in common."""


class Terms:
    """The terms of one part of a ticket: a column each, and what it counts (the rarer the more, or all the same)."""

    def __init__(self, view: View, part: Part, words: Sequence[str], rarities: Numbers) -> None:
        self.view = view
        self.part = part
        self.words = words
        self.rarities = rarities
        self._column_of = {word: column for column, word in enumerate(words)}
        self._taken_apart: Callable[[str], list[str]] = _vectorizer(view).build_analyzer()

    @classmethod
    def learned(cls, view: View, part: Part, tickets: Sequence[TicketText]) -> tuple[Terms, Matrix]:
        """The terms that these tickets have, and `matrix` of the tickets, which is to be had with them.

        Raises:
            NoTerms: no two of them have one in common.
        """
        vectorizer = _vectorizer(view, max_features=MOST_TERMS, min_df=FEWEST_TICKETS)
        try:
            rows = vectorizer.fit_transform([_read(part, ticket) for ticket in tickets])
        except ValueError as nothing:  # all it raises for text; it has no name of its own
            raise NoTerms from nothing
        words: list[str] = vectorizer.get_feature_names_out().tolist()
        rarities: Numbers = vectorizer.idf_ if _READINGS[view].rare_count_more else numpy.ones(len(words))
        return cls(view, part, words, rarities), rows

    def matrix(self, tickets: Sequence[TicketText]) -> Matrix:
        """One row a ticket, of length 1, as scikit-learn's vectorizer has it.

        For a single ticket that takes ten times as long, most of it to check what it was given.
        """
        ends, columns, counted = [0], [numpy.zeros(0, numpy.intp)], [numpy.zeros(0)]
        for ticket in tickets:
            counts = Counter(map(self._column_of.get, self._taken_apart(_read(self.part, ticket))))
            counts.pop(None, None)
            found = numpy.array(list(counts), dtype=numpy.intp)
            numbers = (1 + numpy.log(list(counts.values()))) * self.rarities[found]
            columns.append(found)
            counted.append(numbers / max(float(numpy.linalg.norm(numbers)), 1e-12))
            ends.append(ends[-1] + len(found))
        parts = numpy.concatenate(counted), numpy.concatenate(columns), ends
        return sparse.csr_matrix(parts, shape=(len(tickets), len(self.words)))


def learn_terms(tickets: Sequence[TicketText]) -> tuple[dict[View, list[Terms]], dict[View, Matrix]]:
    """The terms of each view, and what it sees of these tickets, one row a ticket.

    A part without any terms (no ticket has a title) is left out, and so is a view without any.

    Raises:
        NoTerms: no two of the tickets have a term in common.
    """
    found: dict[View, list[Terms]] = {}
    seen: dict[View, list[Matrix]] = {}
    for view in View:
        for part in Part:
            try:
                terms, rows = Terms.learned(view, part, tickets)
            except NoTerms:
                continue
            found.setdefault(view, []).append(terms)
            seen.setdefault(view, []).append(rows)
    if not found:
        raise NoTerms
    return found, {view: sparse.hstack(rows, format="csr") for view, rows in seen.items()}


def matrices(terms: Mapping[View, Sequence[Terms]], tickets: Sequence[TicketText]) -> dict[View, Matrix]:
    """What each view sees of the tickets, one row a ticket."""
    return {
        view: sparse.hstack([each.matrix(tickets) for each in parts], format="csr") for view, parts in terms.items()
    }


def _read(part: Part, ticket: TicketText) -> str:
    whole = ticket.title if part is Part.TITLE else f"{ticket.title}\n{ticket.text}"
    return whole[:MOST_CHARACTERS]


def _vectorizer(view: View, **options: Any) -> TfidfVectorizer:
    reading = _READINGS[view]
    chosen = {"use_idf": reading.rare_count_more} | options
    return TfidfVectorizer(analyzer=reading.analyzer, ngram_range=reading.lengths, sublinear_tf=True, **chosen)
