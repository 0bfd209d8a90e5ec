"""Scores by words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from junto.retrieval.documents import Document
from junto.retrieval.lexical import LexicalIndex
from junto.retrieval.words import read
from tests.retrieval.shelf import SHELF

WORDS = ["disk", "full", "server", "backup", "failed", "mail", "queue", "printer"]
TEXTS = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)
DOCUMENTS = st.builds(Document, TEXTS, TEXTS)


@dataclass(frozen=True)
class Change:
    """What the next index holds anew, and what no longer."""

    documents: dict[int, Document]
    without: frozenset[int]


CHANGES = st.builds(
    Change, st.dictionaries(st.integers(0, 6), DOCUMENTS, max_size=3), st.frozensets(st.integers(0, 6), max_size=3)
)


def scores(index: LexicalIndex, query: str) -> list[float]:
    """By place."""
    return index.score(read(query)).scores.tolist()


class TestScores:
    def test_words_of_the_title_weigh_more(self) -> None:
        index = LexicalIndex(
            {0: Document("Queue", "The printer is slow."), 1: Document("Printer", "The queue is slow.")}
        )
        queue, printer = scores(index, "printer")
        assert printer > queue > 0

    def test_neighbours_count_as_a_pair(self) -> None:
        index = LexicalIndex({0: Document("Notes", "Disk full, server."), 1: Document("Notes", "Server full, disk.")})
        first, second = scores(index, "disk full")
        assert first > second

    def test_a_name_run_together_is_found_by_its_parts_and_by_itself(self) -> None:
        index = LexicalIndex({0: Document("KubePodNotReady", "Look at events."), 1: Document("Kube", "Nothing more.")})
        assert scores(index, "the pod is not ready")[0] > 0
        assert scores(index, "KubePodNotReady")[0] > scores(index, "KubePodNotReady")[1]

    def test_the_telling_words_are_named_as_they_stand_in_the_query(self) -> None:
        query = read("My VPN client is not connecting to the gateway")
        nothing, words = LexicalIndex(SHELF).telling_words(query, [3, 2], limit=4)
        assert nothing == ()
        assert {"vpn", "gateway", "connecting"} <= set(words)

    @pytest.mark.parametrize("query", ["", "the and of", "quarterly invoices", "invoices"])
    def test_nothing_in_common_scores_nothing(self, query: str) -> None:
        assert scores(LexicalIndex(SHELF), query) == [0, 0, 0, 0]

    @pytest.mark.parametrize("query", ["", "disk", "disk full on the server"])
    def test_an_empty_index_has_no_scores(self, query: str) -> None:
        assert scores(LexicalIndex({}), query) == []

    def test_documents_without_words_are_no_trouble(self) -> None:
        assert scores(LexicalIndex({0: Document("", ""), 1: Document("", "!")}), "disk full") == [0, 0]

    def test_a_title_or_a_text_alone_is_found(self) -> None:
        title, text, neither = scores(
            LexicalIndex({0: Document("Disk full", ""), 1: Document("", "Disk full"), 2: Document("Mail", "Queue")}),
            "disk",
        )
        assert title > 0
        assert text > 0
        assert neither == 0


class TestReplacing:
    @settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.dictionaries(st.integers(0, 6), DOCUMENTS, max_size=5), st.lists(CHANGES, max_size=3), TEXTS)
    def test_an_index_changed_bit_by_bit_scores_as_one_built_anew(
        self, documents: dict[int, Document], changes: list[Change], query: str
    ) -> None:
        index = LexicalIndex(documents)
        for change in changes:
            index = index.replaced(change.documents, without=change.without)
            kept = {place: each for place, each in documents.items() if place not in change.without}
            documents = kept | change.documents
        anew = scores(LexicalIndex(documents), query)
        changed = scores(index, query)
        numpy.testing.assert_allclose(changed[: len(anew)], anew, rtol=1e-5)
        assert not any(changed[len(anew) :])
        assert len(index) == len(documents)

    def test_the_index_before_stays_as_it_was(self) -> None:
        index = LexicalIndex(SHELF)
        before = scores(index, "printer queue")
        index.replaced({3: Document("Scanner", "Scans nothing."), 4: Document("Printer", "Queue.")}, without={0})
        assert scores(index, "printer queue") == before
