"""Ranking by words: BM25 over two fields, the title and the text, for single words and for pairs of neighbours.

An index is never changed. `replaced` makes the next one from it without reading the other documents again, so that a
publish among ten thousand procedures costs tens of milliseconds; docs/adr/0008 says why this is not bm25s.

The constants were chosen on two public sets (docs/matching.md): each is a round number from a plateau where both sets
agree within noise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy
from numpy.typing import NDArray

from junto.retrieval.documents import Document
from junto.retrieval.words import Reading, Terms, read

#: A word of the title counts as so many of the text.
TITLE_WEIGHT: Final = 12.0
#: How fast a repeated word stops adding (BM25's k1), and how much long texts are held back (its b), by field.
SATURATION: Final = 3.0
TEXT_LENGTH_SHARE: Final = 1.0
TITLE_LENGTH_SHARE: Final = 0.3
#: What a pair of neighbouring words counts beside single ones.
PAIR_WEIGHT: Final = 0.5
#: Fewer documents cannot tell rare words from common ones: they are taken for a part of so many.
FEWEST: Final = 30
#: What a word that no document holds counts, as a share of a word that one holds: names and greetings are such words.
UNKNOWN_SHARE: Final = 0.25

Scores = NDArray[numpy.float32]
Places = NDArray[numpy.int32]
_MOST: Final = 255


@dataclass(frozen=True)
class _Postings:
    """Which term stands in which document how often, ordered by term and then by place."""

    terms: Terms
    places: Places
    in_title: NDArray[numpy.uint8]
    in_text: NDArray[numpy.uint8]

    def __len__(self) -> int:
        return len(self.terms)

    def chosen(self, which: NDArray[numpy.intp] | NDArray[numpy.bool_]) -> _Postings:
        return _Postings(self.terms[which], self.places[which], self.in_title[which], self.in_text[which])


@dataclass(frozen=True)
class WordScores:
    """`scores` by place, 0 without a word in common; `reachable` = what all words of the query weigh."""

    scores: Scores
    reachable: float


@dataclass(frozen=True)
class _Found:
    """The postings of the query's terms, each with what it adds to its document's score."""

    places: Places
    shares: Scores
    term: NDArray[numpy.intp]
    weights: Scores
    in_title: NDArray[numpy.uint8]


class LexicalIndex:
    """An index over documents at numbered places; a place may be empty. May be used by several threads."""

    def __init__(self, documents: Mapping[int, Document]) -> None:
        self._postings = _ordered([])
        self._title_lengths = numpy.zeros(0, numpy.float32)
        self._text_lengths = numpy.zeros(0, numpy.float32)
        self._here = numpy.zeros(0, numpy.bool_)
        self._take(documents, without=())

    def replaced(self, documents: Mapping[int, Document], *, without: Collection[int] = ()) -> LexicalIndex:
        """A new index with these documents at their places, and nothing at the places of `without`."""
        found = copy(self)
        found._take(documents, without=without)  # noqa: SLF001  (our own class)
        return found

    def _take(self, documents: Mapping[int, Document], *, without: Collection[int]) -> None:
        """Only while nobody else has this index. Every array is made anew, as another index may hold the old one."""
        size = max(len(self._here), max(documents, default=-1) + 1)
        self._title_lengths = _longer(self._title_lengths, size)
        self._text_lengths = _longer(self._text_lengths, size)
        self._here = _longer(self._here, size)
        gone = numpy.array(sorted(place for place in {*without, *documents} if place < size), dtype=numpy.int32)
        self._here[gone] = False
        stay = self._postings.chosen(~numpy.isin(self._postings.places, gone))
        parts = []
        for place, document in documents.items():
            title, text = read(document.title), read(document.text)
            self._title_lengths[place], self._text_lengths[place] = len(title.singles), len(text.singles)
            self._here[place] = True
            # keywords count as the title's, and do not make it longer
            parts.append(_posted(place, [title, read(document.keywords)], text))
        self._postings = _merged(stay, _ordered(parts))

    def __len__(self) -> int:
        return int(self._here.sum())

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, in bytes."""
        held = self._postings
        arrays = (held.terms, held.places, held.in_title, held.in_text, self._title_lengths, self._text_lengths)
        return sum(array.nbytes for array in arrays)

    def score(self, query: Reading) -> WordScores:
        """How well every document fits the words of the query."""
        singles = self._found(query.singles)
        pairs = self._found(query.pairs)
        size = len(self._here)
        scores = numpy.zeros(size, numpy.float32)
        for found, weight in ((singles, 1.0), (pairs, PAIR_WEIGHT)):
            # counting nothing gives whole numbers, weights or not: the sum is told its type
            scores += (weight * numpy.bincount(found.places, found.shares, size)).astype(numpy.float32)
        return WordScores(scores, float(singles.weights.sum()))

    def telling_words(self, query: Reading, places: Sequence[int], *, limit: int) -> list[tuple[str, ...]]:
        """For each place, the query's words that gave its document most of its score, heaviest first."""
        found = self._found(query.singles)
        unique, first = numpy.unique(query.singles, return_index=True)
        row_of = numpy.full(len(self._here), -1)
        row_of[list(places)] = numpy.arange(len(places))
        here = row_of[found.places] >= 0
        shares = numpy.zeros((len(places), len(unique)), numpy.float32)
        shares[row_of[found.places[here]], found.term[here]] = found.shares[here]
        best = numpy.argsort(-shares, axis=1, kind="stable")[:, :limit]
        return [
            tuple(query.words[first[term]] for term in terms if row[term] > 0)
            for row, terms in zip(shares, best, strict=True)
        ]

    def title_words(self, query: Reading, place: int) -> int:
        """How many different words of the query stand in that document's title or keywords."""
        found = self._found(query.singles)
        return len(numpy.unique(found.term[(found.places == place) & (found.in_title > 0)]))

    def _found(self, query: Terms) -> _Found:
        terms, repeats = numpy.unique(query, return_counts=True)
        starts = numpy.searchsorted(self._postings.terms, terms, "left")
        counts = numpy.searchsorted(self._postings.terms, terms, "right") - starts
        which = numpy.repeat(starts - numpy.cumsum(counts) + counts, counts) + numpy.arange(counts.sum())
        found = self._postings.chosen(which)
        term = numpy.repeat(numpy.arange(len(terms)), counts)
        rarity = numpy.log1p((max(len(self), FEWEST) - counts + 0.5) / (counts + 0.5))
        # a word that the query repeats counts more, but ever less so
        weights = (rarity * numpy.log2(1 + repeats) * numpy.where(counts > 0, 1.0, UNKNOWN_SHARE)).astype(numpy.float32)
        title = found.in_title / self._held_back(self._title_lengths, found.places, TITLE_LENGTH_SHARE)
        text = found.in_text / self._held_back(self._text_lengths, found.places, TEXT_LENGTH_SHARE)
        often = TITLE_WEIGHT * title + text
        shares = weights[term] * often / (often + SATURATION)
        return _Found(found.places, shares.astype(numpy.float32), term, weights, found.in_title)

    def _held_back(self, lengths: Scores, places: Places, share: float) -> Scores:
        mean = float(lengths[self._here].mean()) if len(self) else 0.0
        held_back = 1 - share + share * numpy.maximum(lengths[places], 1) / max(mean, 1.0)
        return held_back.astype(numpy.float32)


def _posted(place: int, titles: Sequence[Reading], text: Reading) -> _Postings:
    counted = [terms for title in titles for terms in (title.singles, title.pairs)]
    terms, where = numpy.unique(numpy.concatenate([*counted, text.singles, text.pairs]), return_inverse=True)
    split = sum(map(len, counted))
    in_title = numpy.bincount(where[:split], minlength=len(terms)).clip(max=_MOST).astype(numpy.uint8)
    in_text = numpy.bincount(where[split:], minlength=len(terms)).clip(max=_MOST).astype(numpy.uint8)
    return _Postings(terms, numpy.full(len(terms), place, numpy.int32), in_title, in_text)


def _ordered(parts: Sequence[_Postings]) -> _Postings:
    empty = numpy.empty(0)
    together = _Postings(
        numpy.concatenate([empty.astype(numpy.uint64), *(part.terms for part in parts)]),
        numpy.concatenate([empty.astype(numpy.int32), *(part.places for part in parts)]),
        numpy.concatenate([empty.astype(numpy.uint8), *(part.in_title for part in parts)]),
        numpy.concatenate([empty.astype(numpy.uint8), *(part.in_text for part in parts)]),
    )
    return together.chosen(numpy.lexsort((together.places, together.terms)))


def _merged(old: _Postings, new: _Postings) -> _Postings:
    """Both in one order, without sorting the large one again."""
    at = numpy.searchsorted(old.terms, new.terms, "right")
    return _Postings(
        numpy.insert(old.terms, at, new.terms),
        numpy.insert(old.places, at, new.places),
        numpy.insert(old.in_title, at, new.in_title),
        numpy.insert(old.in_text, at, new.in_text),
    )


_Scalar = TypeVar("_Scalar", bound=numpy.generic)


def _longer(array: NDArray[_Scalar], size: int) -> NDArray[_Scalar]:
    """A copy, as long as `size`, empty at its end."""
    grown = numpy.zeros(size, array.dtype)
    grown[: len(array)] = array
    return grown
