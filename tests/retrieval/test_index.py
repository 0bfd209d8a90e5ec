"""Ranking by words and meaning."""

from __future__ import annotations

import pytest

from junto.retrieval.documents import Document
from junto.retrieval.index import DocumentIndex, Query
from junto.retrieval.semantic import passages
from tests.retrieval.shelf import SHELF, TopicEncoder

ENCODER = TopicEncoder()


def with_meaning() -> DocumentIndex:
    """The shelf with its vectors."""
    return DocumentIndex.of(SHELF).with_vectors(
        {place: ENCODER.encode(passages(document)) for place, document in SHELF.items()}
    )


class TestRankingByWords:
    def test_the_document_that_shares_the_telling_words_comes_first_with_them_as_the_reason(self) -> None:
        hit = DocumentIndex.of(SHELF).rank(Query.of("My VPN client is not connecting to the gateway"), limit=3)[0]
        assert SHELF[hit.place].title == "VPN does not connect"
        assert {"vpn", "gateway", "connecting"} <= set(hit.words)
        assert hit.confidence > 0.5

    @pytest.mark.parametrize("text", ["", "the", "quarterly invoices", "invoices"])
    def test_nothing_in_common_is_no_hit(self, text: str) -> None:
        assert DocumentIndex.of(SHELF).rank(Query.of(text), limit=3) == []

    @pytest.mark.parametrize("text", ["", "disk", "disk full"])
    def test_an_empty_index_has_no_hits(self, text: str) -> None:
        assert DocumentIndex.of({}).rank(Query.of(text), limit=3) == []
        assert DocumentIndex.of({}).rank(Query.of(text), limit=3, among=frozenset()) == []

    def test_one_word_is_enough(self) -> None:
        assert [hit.place for hit in DocumentIndex.of(SHELF).rank(Query.of("printer"), limit=3)] == [3]

    def test_a_word_in_passing_stays_below_the_line(self) -> None:
        text = (
            "We would like a quote for twenty new office chairs, please tell us by Friday what they cost and the time"
        )
        assert all(hit.confidence < 0.5 for hit in DocumentIndex.of(SHELF).rank(Query.of(text), limit=1))

    def test_of_two_that_fit_alike_neither_is_sure(self) -> None:
        twins = {place: Document("Disk full", "Make room on the disk.") for place in range(2)} | {2: SHELF[2]}
        alone = DocumentIndex.of({0: twins[0], 2: SHELF[2]}).rank(Query.of("the disk is full"), limit=1)[0]
        first = DocumentIndex.of(twins).rank(Query.of("the disk is full"), limit=1)[0]
        assert first.confidence < alone.confidence
        assert first.evidence.lead == 0

    def test_only_the_places_asked_for_are_ranked(self) -> None:
        hits = DocumentIndex.of(SHELF).rank(Query.of("reset the vpn password"), limit=3, among={2})
        assert [hit.place for hit in hits] == [2]

    def test_places_that_are_always_wanted_come_last_when_they_have_nothing_in_common(self) -> None:
        hits = DocumentIndex.of(SHELF).rank(Query.of("vpn"), limit=3, always={0, 2})
        assert [hit.place for hit in hits] == [2, 0]
        assert hits[1].words == ()
        assert hits[1].confidence < hits[0].confidence


class TestRankingByMeaning:
    def test_a_document_is_found_without_a_word_in_common(self) -> None:
        query = Query.of("my credentials are unknown", ENCODER)
        assert DocumentIndex.of(SHELF).rank(query, limit=1) == []
        hit = with_meaning().rank(query, limit=1)[0]
        assert (hit.place, hit.words) == (0, ())

    def test_meaning_waits_until_every_document_has_its_vectors(self) -> None:
        index = with_meaning().replaced({4: Document("Tunnel down", "Restart the tunnel.")})
        assert not index.compares_meaning
        assert index.rank(Query.of("my credentials are unknown", ENCODER), limit=1) == []
        whole = index.with_vectors({4: ENCODER.encode(passages(Document("Tunnel down", "Restart the tunnel.")))})
        assert whole.compares_meaning
        assert whole.rank(Query.of("my credentials are unknown", ENCODER), limit=1)[0].place == 0

    def test_what_was_taken_away_is_near_to_nothing(self) -> None:
        index = with_meaning().replaced({}, without={0})
        assert index.compares_meaning
        places = [hit.place for hit in index.rank(Query.of("my credentials are unknown", ENCODER), limit=4)]
        assert 0 not in places

    def test_a_replaced_document_loses_the_vectors_of_its_old_text(self) -> None:
        index = with_meaning().replaced({0: Document("Water the plants", "Not the plastic ones.")})
        assert index.without_vectors == {0}
        index = index.with_vectors({0: ENCODER.encode(passages(Document("Water the plants", "Not the plastic ones.")))})
        found = {hit.place: hit.score for hit in index.rank(Query.of("credentials", ENCODER), limit=4)}
        assert 0 not in found


class TestPassages:
    def test_a_title_stands_alone_and_over_each_opening_passage(self) -> None:
        text = " ".join(f"Sentence {number} has a few words to fill the passage." for number in range(60))
        title, first, second = passages(Document("DiskFull", text))
        assert title == "Disk Full"
        assert first.startswith("Disk Full. Sentence 0 ")
        assert second.startswith("Disk Full. Sentence 1")
        assert max(len(first.split()), len(second.split())) <= 103

    def test_a_short_text_has_fewer(self) -> None:
        assert passages(Document("Disk", "Make room.")) == ["Disk", "Disk. Make room."]
        assert passages(Document("Disk", "")) == ["Disk"]

    def test_one_endless_sentence_is_cut(self) -> None:
        assert len(passages(Document("Disk", "word " * 5000))) == 3
