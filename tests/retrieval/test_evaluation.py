"""Folders in BEIR format, figures and run files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from junto.retrieval.evaluation import FolderRefused, measure, read_folder, write_run


def write_folder(folder: Path, *, answers: str = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\n") -> Path:
    """Two documents, two queries and their answers."""
    rows = {
        "corpus.jsonl": [
            {"_id": "d1", "title": "Disk full", "text": "Make room.", "metadata": {}},
            {"_id": "d2", "title": "", "text": "The printer prints nothing."},
        ],
        "queries.jsonl": [{"_id": "q1", "text": "the disk is full"}, {"_id": "q2", "text": "printer"}],
    }
    (folder / "qrels").mkdir(parents=True)
    for name, lines in rows.items():
        (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(answers, encoding="utf-8")
    return folder


class TestFolders:
    def test_documents_queries_and_answers_are_read(self, tmp_path: Path) -> None:
        found = read_folder(write_folder(tmp_path / "set"))
        assert found.documents["d1"].title == "Disk full"
        assert found.queries == {"q1": "the disk is full", "q2": "printer"}
        assert found.relevant == {"q1": {"d1"}, "q2": {"d2"}}

    def test_answers_of_worth_nothing_and_a_missing_heading_are_understood(self, tmp_path: Path) -> None:
        found = read_folder(write_folder(tmp_path / "set", answers="q1\td1\t2\nq1\td2\t0\n"))
        assert found.relevant == {"q1": {"d1"}}

    @pytest.mark.parametrize(
        ("file", "text", "told"),
        [
            ("corpus.jsonl", "no json\n", "corpus.jsonl, line 1"),
            ("queries.jsonl", '{"_id": "q1"}\n', "queries.jsonl, line 1"),
            ("queries.jsonl", "[]\n", "queries.jsonl, line 1"),
            ("qrels/test.tsv", "q1 d1 1\n", "no query has an answer"),
            ("qrels/test.tsv", "q1\td1\t1\nq2\td2\n", "test.tsv, line 2"),
            ("qrels/test.tsv", "q1\td9\t1\n", "d9"),
        ],
    )
    def test_what_is_wrong_is_told_with_its_place(self, tmp_path: Path, file: str, text: str, told: str) -> None:
        folder = write_folder(tmp_path / "set")
        (folder / file).write_text(text, encoding="utf-8")
        with pytest.raises(FolderRefused, match=told):
            read_folder(folder)

    def test_a_folder_that_is_not_there_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(FolderRefused, match=r"corpus\.jsonl"):
            read_folder(tmp_path)


class TestFigures:
    def test_the_first_place_counts_most(self) -> None:
        figures = measure(
            {"q1": frozenset({"a"}), "q2": frozenset({"a"}), "q3": frozenset({"a"})},
            {"q1": [("a", 2.0), ("b", 1.0)], "q2": [("b", 2.0), ("a", 1.0)], "q3": []},
        )
        assert figures.queries == 3
        assert figures.ndcg == pytest.approx((1 + 0.63093) / 3, abs=1e-4)
        assert figures.mrr == pytest.approx((1 + 0.5) / 3)
        assert figures.recall == {1: pytest.approx(1 / 3), 5: pytest.approx(2 / 3), 10: pytest.approx(2 / 3)}

    def test_behind_the_tenth_place_nothing_is_gained(self) -> None:
        ranking = [(f"d{place}", 20.0 - place) for place in range(11)]
        assert measure({"q": frozenset({"d9"})}, {"q": ranking}).ndcg > 0
        assert measure({"q": frozenset({"d10"})}, {"q": ranking}).ndcg == 0

    def test_a_run_is_written_as_its_readers_expect(self, tmp_path: Path) -> None:
        write_run(tmp_path / "run", {"q1": [("d1", 1.5), ("d2", 0.25)]}, tag="junto")
        assert (tmp_path / "run").read_text() == "q1 Q0 d1 1 1.500000 junto\nq1 Q0 d2 2 0.250000 junto\n"
