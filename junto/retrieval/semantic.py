"""Ranking by meaning: several vectors a document, of its title and of each of its opening passages under that title.

A document is near a query when the middle of its title and first passage is, and when the nearest of its vectors is;
both count alike. Passages further down are not read: on two public sets the nearest of all passages ranked worse than
the nearest of the opening ones, since every long text has some sentence near to anything. Like the lexical index, this
one is never changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from copy import copy
from typing import Final

import numpy
from numpy.typing import NDArray

from junto.retrieval.documents import Document
from junto.retrieval.encoder import DIMENSIONS, Vectors
from junto.retrieval.words import split_names

#: Words of a passage: about half of what the encoder reads, so that a passage is about one thing.
PASSAGE_WORDS: Final = 100
#: Opening passages of a document that are read.
PASSAGES: Final = 2
_VECTORS: Final = 1 + PASSAGES
_BREAK: Final = re.compile(r"(?<=[.!?:])\s+|\n+")

Similarities = NDArray[numpy.float32]


def passages(document: Document) -> list[str]:
    """The texts whose vectors stand for a document: its title, then its opening passages under that title."""
    title = split_names(document.title)
    return [title, *(f"{title}. {part}" for part in _opening(document.text))]


class SemanticIndex:
    """Vectors of documents at numbered places; a place may be empty. May be used by several threads.

    A document's vectors are those of its `passages`, in that order.
    """

    def __init__(self, vectors: Mapping[int, Vectors]) -> None:
        self._rows = numpy.zeros((0, _VECTORS, DIMENSIONS), numpy.float32)
        self._lengths = numpy.ones(0, numpy.float32)
        self.places: frozenset[int] = frozenset()
        self._take(vectors, without=())

    def replaced(self, vectors: Mapping[int, Vectors], *, without: Collection[int] = ()) -> SemanticIndex:
        """A new index with these vectors at their places, and nothing at the places of `without`."""
        found = copy(self)
        found._take(vectors, without=without)  # noqa: SLF001  (our own class)
        return found

    @property
    def nbytes(self) -> int:
        """Memory of the arrays, in bytes."""
        return self._rows.nbytes + self._lengths.nbytes

    def near(self, query: Vectors) -> Similarities:
        """How near every document is to the query, by place: 1 the same, about 0 nothing in common or not there.

        `query` is one vector.
        """
        cosines = (self._rows.reshape(-1, DIMENSIONS) @ query).reshape(-1, _VECTORS)
        middle = (cosines[:, 0] + cosines[:, 1]) / self._lengths
        found: Similarities = (middle + cosines.max(axis=1)) / 2
        return found

    def _take(self, vectors: Mapping[int, Vectors], *, without: Collection[int]) -> None:
        size = max(len(self._rows), max(vectors, default=-1) + 1)
        rows = numpy.zeros((size, _VECTORS, DIMENSIONS), numpy.float32)
        rows[: len(self._rows)] = self._rows
        rows[[place for place in without if place < size]] = 0
        for place, found in vectors.items():
            rows[place] = 0
            rows[place, : len(found)] = found[:_VECTORS]
        self._rows = rows
        self.places = (self.places - frozenset(without)) | frozenset(vectors)
        self._lengths = numpy.maximum(numpy.linalg.norm(rows[:, 0] + rows[:, 1], axis=1), 1e-6)


def _opening(text: str) -> list[str]:
    """Whole sentences and lines, together until PASSAGE_WORDS are full; what has more words alone is cut."""
    parts: list[str] = []
    words: list[str] = []
    for sentence in _BREAK.split(text):
        added = sentence.split()
        if words and len(words) + len(added) > PASSAGE_WORDS:
            parts.append(" ".join(words))
            words = []
        words += added
        while len(words) > PASSAGE_WORDS:
            parts.append(" ".join(words[:PASSAGE_WORDS]))
            words = words[PASSAGE_WORDS:]
        if len(parts) >= PASSAGES:
            return parts[:PASSAGES]
    return [*parts, " ".join(words)][:PASSAGES] if words else parts
