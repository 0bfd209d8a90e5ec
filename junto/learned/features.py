"""From tickets to numbers: which words, pairs of words and pieces of words they hold, title and text apart.

A title says in five words what a text says in fifty, so its terms are counted for themselves as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    """The terms of one part of a ticket, in the order of their columns."""

    def __init__(self, view: View, part: Part, vectorizer: TfidfVectorizer) -> None:
        self.view = view
        self.part = part
        self._vectorizer = vectorizer

    @classmethod
    def learned(cls, view: View, part: Part, tickets: Sequence[TicketText]) -> Terms:
        """The terms that these tickets have.

        Raises:
            NoTerms: no two of them have one in common.
        """
        vectorizer = _vectorizer(view, max_features=MOST_TERMS, min_df=FEWEST_TICKETS)
        try:
            vectorizer.fit([_read(part, ticket) for ticket in tickets])
        except ValueError as nothing:  # all it raises for text; it has no name of its own
            raise NoTerms from nothing
        return cls(view, part, vectorizer)

    @classmethod
    def restored(cls, view: View, part: Part, words: Sequence[str], rarities: Numbers) -> Terms:
        """Terms that were kept; as many rarities as words."""
        # rarities that are all 1 are the same as none, and spare it the asking whether it was ever fitted
        vectorizer = _vectorizer(view, vocabulary=list(words), use_idf=True)
        vectorizer.idf_ = rarities
        return cls(view, part, vectorizer)

    @property
    def words(self) -> list[str]:
        """In the order of the columns."""
        found: list[str] = self._vectorizer.get_feature_names_out().tolist()
        return found

    @property
    def rarities(self) -> Numbers:
        """What each word counts, in the order of the columns."""
        if not _READINGS[self.view].rare_count_more:
            return numpy.ones(len(self._vectorizer.vocabulary_))
        found: Numbers = self._vectorizer.idf_
        return found

    def matrix(self, tickets: Sequence[TicketText]) -> Matrix:
        """One row a ticket."""
        return self._vectorizer.transform([_read(self.part, ticket) for ticket in tickets])


def learn_terms(tickets: Sequence[TicketText]) -> dict[View, list[Terms]]:
    """The terms of each view; a part without any (no ticket has a title) is left out, and so is a view without any.

    Raises:
        NoTerms: no two of the tickets have a term in common.
    """
    found: dict[View, list[Terms]] = {}
    for view in View:
        for part in Part:
            try:
                terms = Terms.learned(view, part, tickets)
            except NoTerms:
                continue
            found.setdefault(view, []).append(terms)
    if not found:
        raise NoTerms
    return found


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
