"""Ranking by words."""

from __future__ import annotations

import csv
import json
import math
import random
from pathlib import Path

from junto.retrieval.lexical import Document, LexicalIndex

SHELF = [
    Document("Reset a password", "Verify the caller, then reset the password and tell them by phone."),
    Document("Disk full on a server", "Find what fills the volume and make room: logs, temp files, old backups."),
    Document("VPN does not connect", "Check the client version, the certificate and the gateway."),
    Document("Printer prints nothing", "Look at the queue and the driver, then the toner."),
]


class TestRanking:
    def test_the_document_that_shares_the_telling_words_comes_first_with_them_as_the_reason(self) -> None:
        hit = LexicalIndex(SHELF).rank("My VPN client is not connecting to the gateway", limit=3)[0]
        assert SHELF[hit.position].title == "VPN does not connect"
        assert {"vpn", "gateway", "connecting"} <= set(hit.words)
        assert hit.confidence > 0.5

    def test_words_of_the_title_weigh_more(self) -> None:
        index = LexicalIndex([Document("Queue", "The printer is slow."), Document("Printer", "The queue is slow.")])
        assert index.rank("printer", limit=1)[0].position == 1

    def test_nothing_in_common_is_no_hit(self) -> None:
        assert LexicalIndex(SHELF).rank("quarterly invoices", limit=3) == []
        assert LexicalIndex([]).rank("anything", limit=3) == []
        assert LexicalIndex(SHELF).rank("", limit=3) == []

    def test_a_word_in_passing_stays_below_the_line(self) -> None:
        hits = LexicalIndex(SHELF).rank(
            "We would like a quote for twenty new office chairs, please tell us by Friday what they cost and the time",
            limit=1,
        )
        assert all(hit.confidence < 0.5 for hit in hits)

    def test_only_the_places_asked_for_are_ranked(self) -> None:
        hits = LexicalIndex(SHELF).rank("reset the vpn password", limit=3, among={2})
        assert [hit.position for hit in hits] == [2]


class TestMeasured:
    """What the module's docstring promises, on the operations set, with room for noise."""

    def test_ndcg_and_the_line_hold(self, eval_dir: Path) -> None:
        folder = eval_dir / "ops-runbook-retrieval"
        corpus = _rows(folder / "corpus.jsonl")
        queries = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
        with (folder / "qrels" / "test.tsv").open() as rows:
            wanted = {row[0]: row[1] for row in list(csv.reader(rows, delimiter="\t"))[1:]}
        documents = [Document(row["title"], row["text"]) for row in corpus]
        places = {row["_id"]: place for place, row in enumerate(corpus)}
        index = LexicalIndex(documents)
        gains = []
        for query, document in wanted.items():
            found = [hit.position for hit in index.rank(queries[query], limit=10)]
            gains.append(1 / math.log2(found.index(places[document]) + 2) if places[document] in found else 0.0)
        assert sum(gains) / len(gains) >= 0.74
        assert _right_above_the_line(documents, queries, wanted, places) >= 0.9


def _right_above_the_line(
    documents: list[Document], queries: dict[str, str], wanted: dict[str, str], places: dict[str, int]
) -> float:
    """With 31 documents: the share of the answers above the line that are the right ones."""
    chance = random.Random(3)
    above = right = 0
    for query, document in list(wanted.items())[:150]:
        others = chance.sample([place for place in range(len(documents)) if place != places[document]], 30)
        shelf = [*others, places[document]]
        hits = LexicalIndex([documents[place] for place in shelf]).rank(queries[query], limit=1)
        if hits and hits[0].confidence >= 0.5:
            above += 1
            right += shelf[hits[0].position] == places[document]
    assert above > 80
    return right / above


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]
