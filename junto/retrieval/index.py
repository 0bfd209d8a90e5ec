"""The documents that fit a query, best first: words, and meaning where vectors are at hand, in one score.

Both parts have a scale of their own, so that they can be added and compared between queries: the words' score as a
share of what the query's words could reach, and a cosine. `confidence` is the probability that the document answers
the query, when half of all queries have no answer at all; bench/matching_threshold.py fits it and docs/matching.md
shows what it is worth.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy
from numpy.typing import NDArray

from junto.retrieval.documents import Document
from junto.retrieval.encoder import Encoder, Vectors
from junto.retrieval.lexical import LexicalIndex
from junto.retrieval.semantic import SemanticIndex
from junto.retrieval.words import Reading, read

#: What nearness in meaning counts beside the words.
MEANING_WEIGHT: Final = 1.4
#: How many words of the query are named as the reason for a hit.
REASON_WORDS: Final = 4


@dataclass(frozen=True)
class Query:
    """A text to find documents for; `vector` when meaning is compared."""

    reading: Reading
    vector: Vectors | None = None

    @classmethod
    def of(cls, text: str, encoder: Encoder | None = None) -> Query:
        """Read the words of a text, and its meaning when there is an encoder."""
        return cls(read(text), encoder.encode([text])[0] if encoder else None)


@dataclass(frozen=True)
class Evidence:
    """What speaks for a document. `lead` = how far the best is above the second, 0 for others; `among` = how many."""

    score: float
    lead: float
    among: int


@dataclass(frozen=True)
class Calibration:
    """A logistic regression from `Evidence` to the probability that the document answers the query."""

    base: float
    score: float
    lead: float
    log_among: float

    def confidence(self, evidence: Evidence) -> float:
        """The probability, 0-1."""
        among = math.log(evidence.among)
        odds = self.base + self.score * evidence.score + self.lead * evidence.lead + self.log_among * among
        return 1 / (1 + math.exp(-odds))


#: Fitted by bench/matching_threshold.py.
BY_WORDS: Final = Calibration(base=-2.09, score=3.27, lead=6.65, log_among=-0.14)
BY_MEANING: Final = Calibration(base=-3.97, score=3.13, lead=3.48, log_among=-0.24)


@dataclass(frozen=True)
class Hit:
    """A document by its place, with its score, the confidence 0-1, and the words of the query that count."""

    place: int
    score: float
    confidence: float
    evidence: Evidence
    words: tuple[str, ...]


@dataclass(frozen=True)
class DocumentIndex:
    """Documents at numbered places; a place may be empty. Never changed, so several threads may use it.

    Meaning is compared once every document has its vectors, those of its `semantic.passages`.
    """

    lexical: LexicalIndex
    semantic: SemanticIndex
    without_vectors: frozenset[int]

    @classmethod
    def of(cls, documents: Mapping[int, Document]) -> Self:
        """An index over these documents, yet without vectors."""
        return cls(LexicalIndex(documents), SemanticIndex({}), frozenset(documents))

    def replaced(self, documents: Mapping[int, Document], *, without: Collection[int] = ()) -> Self:
        """A new index with these at their places, yet without vectors, and nothing at the places of `without`."""
        stale = self.semantic.places & (frozenset(without) | frozenset(documents))
        return replace(
            self,
            lexical=self.lexical.replaced(documents, without=without),
            semantic=self.semantic.replaced({}, without=stale),
            without_vectors=(self.without_vectors - frozenset(without)) | frozenset(documents),
        )

    def with_vectors(self, vectors: Mapping[int, Vectors]) -> Self:
        """A new index in which these documents have their vectors."""
        left = self.without_vectors - frozenset(vectors)
        return replace(self, semantic=self.semantic.replaced(vectors), without_vectors=left)

    def __len__(self) -> int:
        return len(self.lexical)

    @property
    def compares_meaning(self) -> bool:
        """Whether a query's vector is used."""
        return bool(len(self)) and not self.without_vectors

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, in bytes."""
        return self.lexical.nbytes + self.semantic.nbytes

    def rank(
        self, query: Query, *, limit: int, among: Collection[int] | None = None, always: Collection[int] = ()
    ) -> list[Hit]:
        """The documents that fit best, at most `limit`, and behind them those at the places of `always`.

        Only places in `among` are ranked, all when None.
        """
        scores = self._scores(query)
        scores[~self._open(len(scores), among)] = 0
        order = numpy.argsort(-scores, kind="stable")[: max(limit, 2)]
        order = order[scores[order] > 0]
        best = [int(place) for place in order[:limit]]
        lead = float(scores[order[0]] - (scores[order[1]] if len(order) > 1 else 0)) if best else 0.0
        count = len(self) if among is None else len(among)
        calibration = BY_MEANING if self._uses_meaning(query) else BY_WORDS
        hits = []
        for rank, place in enumerate([*best, *sorted(set(always) - set(best))]):
            evidence = Evidence(float(scores[place]), lead if best and rank == 0 else 0.0, max(count, 1))
            words = self.lexical.telling_words(query.reading, place, limit=REASON_WORDS)
            hits.append(Hit(place, evidence.score, calibration.confidence(evidence), evidence, words))
        return hits

    def _scores(self, query: Query) -> NDArray[numpy.float32]:
        found = self.lexical.score(query.reading)
        scores = found.scores / max(found.reachable, 1e-6)
        if query.vector is not None and self._uses_meaning(query):
            scores += MEANING_WEIGHT * self.semantic.near(query.vector)
        return scores.astype(numpy.float32)

    def _uses_meaning(self, query: Query) -> bool:
        return query.vector is not None and self.compares_meaning

    def _open(self, size: int, among: Collection[int] | None) -> NDArray[numpy.bool_]:
        if among is None:
            return numpy.ones(size, numpy.bool_)
        places = numpy.zeros(size, numpy.bool_)
        places[list(among)] = True
        return places
