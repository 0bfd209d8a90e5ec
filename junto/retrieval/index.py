"""The documents that fit a query, best first: words, and meaning where vectors are at hand, in one score.

Ranked is by the sum of two shares: the words' score as a share of what all words of the query could reach, and a
cosine. `confidence` is the probability that the document answers the query, when half of all queries have none at all.
It does not look at shares, as a ticket says more than its matter: greetings, haste and a story around it would
make every document improbable. bench/matching_threshold.py fits it and docs/matching.md shows what it is worth.
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
    """What speaks for a document.

    `words` = what the words in common weigh, whatever else the query says; `nearness` = the cosine, 0 where meaning is
    not compared; `lead` = how far the best is above the second, as a share of its score, 0 for others; `among` = how
    many there were.
    """

    words: float
    nearness: float
    lead: float
    among: int


@dataclass(frozen=True)
class Calibration:
    """A logistic regression from `Evidence` to the probability that the document answers the query."""

    base: float
    log_words: float
    nearness: float
    lead: float
    log_among: float

    def confidence(self, evidence: Evidence) -> float:
        """The probability, 0-1."""
        odds = (
            self.base
            + self.log_words * math.log1p(evidence.words)
            + self.nearness * evidence.nearness
            + self.lead * evidence.lead
            + self.log_among * math.log(evidence.among)
        )
        return 1 / (1 + math.exp(-odds))


#: Fitted by bench/matching_threshold.py.
BY_WORDS: Final = Calibration(base=-5.29, log_words=1.35, nearness=0.0, lead=4.45, log_among=-0.07)
BY_MEANING: Final = Calibration(base=-5.54, log_words=0.96, nearness=4.76, lead=4.1, log_among=-0.21)


@dataclass(frozen=True)
class Hit:
    """A document by its place, with its score, the confidence 0-1, and the words of the query that count."""

    place: int
    score: float
    confidence: float
    evidence: Evidence
    words: tuple[str, ...]


@dataclass(frozen=True)
class _Scores:
    """By place: what the words weigh, how near the meaning is, and both in one."""

    words: NDArray[numpy.float32]
    nearness: NDArray[numpy.float32]
    sums: NDArray[numpy.float32]


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
        found = self._scores(query)
        scores = numpy.where(self._open(len(found.sums), among), found.sums, 0)
        order = numpy.argsort(-scores, kind="stable")[: max(limit, 2)]
        order = order[scores[order] > 0]
        best = [int(place) for place in order[:limit]]
        lead = 1 - float(scores[order[1]] / scores[order[0]]) if len(order) > 1 else 1.0
        count = max(len(self) if among is None else len(among), 1)
        calibration = BY_MEANING if self._uses_meaning(query) else BY_WORDS
        places = [*best, *sorted(set(always) - set(best))]
        words = self.lexical.telling_words(query.reading, places, limit=REASON_WORDS)
        hits = []
        for rank, place in enumerate(places):
            evidence = Evidence(
                words=float(found.words[place]),
                nearness=float(found.nearness[place]),
                lead=lead if best and rank == 0 else 0.0,
                among=count,
            )
            hits.append(Hit(place, float(scores[place]), calibration.confidence(evidence), evidence, words[rank]))
        return hits

    def _scores(self, query: Query) -> _Scores:
        """Words as a share of what the query's words could reach, and meaning beside them."""
        words = self.lexical.score(query.reading)
        sums = words.scores / max(words.reachable, 1e-6)
        nearness = numpy.zeros_like(sums)
        if query.vector is not None and self._uses_meaning(query):
            nearness[:] = self.semantic.near(query.vector)
            sums = sums + MEANING_WEIGHT * nearness
        return _Scores(words.scores, nearness, sums)

    def _uses_meaning(self, query: Query) -> bool:
        return query.vector is not None and self.compares_meaning

    def _open(self, size: int, among: Collection[int] | None) -> NDArray[numpy.bool_]:
        if among is None:
            return numpy.ones(size, numpy.bool_)
        places = numpy.zeros(size, numpy.bool_)
        places[list(among)] = True
        return places
