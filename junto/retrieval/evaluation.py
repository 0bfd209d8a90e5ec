"""Scoring a ranker on a folder in BEIR format: `corpus.jsonl`, `queries.jsonl`, `qrels/test.tsv` (or `qrels.tsv`)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from junto.retrieval.documents import Document

#: How deep a ranking is written and looked at.
DEPTH: Final = 100
NDCG_DEPTH: Final = 10
RECALLS: Final = (1, 5, 10)

#: A query's ranking: names of documents with their scores, best first.
Ranking = Sequence[tuple[str, float]]


class FolderRefused(Exception):
    """The folder is not what was expected; the message names the file and line."""


@dataclass(frozen=True)
class Benchmark:
    """Documents and queries by name, and which documents answer which query."""

    documents: Mapping[str, Document]
    queries: Mapping[str, str]
    relevant: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Figures:
    """Means over the queries that have an answer; 0 to 1, the more the better."""

    queries: int
    ndcg: float
    mrr: float
    recall: Mapping[int, float]


def read_folder(folder: Path) -> Benchmark:
    """The documents, queries and answers of a folder.

    Raises:
        FolderRefused: a file is missing or a line is not as the format has it.
    """
    documents = {name: Document(row.get("title", ""), row["text"]) for name, row in _rows(folder / "corpus.jsonl")}
    queries = {name: row["text"] for name, row in _rows(folder / "queries.jsonl")}
    relevant: dict[str, set[str]] = {}
    for query, document in _answers(folder):
        if query not in queries or document not in documents:
            raise FolderRefused(f"{folder}: the answers name {query} and {document}, which are not both there.")
        relevant.setdefault(query, set()).add(document)
    if not relevant:
        raise FolderRefused(f"{folder}: no query has an answer.")
    return Benchmark(documents, queries, {query: frozenset(found) for query, found in relevant.items()})


def write_run(path: Path, rankings: Mapping[str, Ranking], *, tag: str) -> None:
    """Write a TREC run file: query, Q0, document, rank, score, tag."""
    with path.open("w", encoding="utf-8") as run:
        for query, ranking in rankings.items():
            for rank, (document, score) in enumerate(ranking, start=1):
                run.write(f"{query} Q0 {document} {rank} {score:.6f} {tag}\n")


def measure(relevant: Mapping[str, frozenset[str]], rankings: Mapping[str, Ranking]) -> Figures:
    """Figures over every query that has an answer; one that was not ranked counts 0. `relevant` is not empty."""
    places = {
        query: [rank for rank, (document, _) in enumerate(rankings.get(query, ())) if document in wanted]
        for query, wanted in relevant.items()
    }
    return Figures(
        queries=len(relevant),
        ndcg=fmean(_ndcg(found, len(relevant[query])) for query, found in places.items()),
        mrr=fmean(1 / (found[0] + 1) if found else 0.0 for found in places.values()),
        recall={
            depth: fmean(sum(rank < depth for rank in found) / len(relevant[query]) for query, found in places.items())
            for depth in RECALLS
        },
    )


def _ndcg(found: Sequence[int], wanted: int) -> float:
    gained = sum(1 / math.log2(rank + 2) for rank in found if rank < NDCG_DEPTH)
    return gained / sum(1 / math.log2(rank + 2) for rank in range(min(wanted, NDCG_DEPTH)))


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for number, line in enumerate(_lines(path), start=1):
        try:
            row = json.loads(line)
            yield row["_id"], {"title": str(row.get("title") or ""), "text": str(row["text"])}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise FolderRefused(f"{path}, line {number}: a JSON object with _id and text is expected.") from error


def _answers(folder: Path) -> Iterator[tuple[str, str]]:
    path = next((each for each in (folder / "qrels" / "test.tsv", folder / "qrels.tsv") if each.exists()), None)
    if path is None:
        raise FolderRefused(f"{folder}: there is neither qrels/test.tsv nor qrels.tsv.")
    for number, line in enumerate(_lines(path), start=1):
        fields = line.split("\t")
        if number == 1 and not fields[-1].lstrip("-").isdigit():
            continue
        if len(fields) != 3 or not fields[-1].lstrip("-").isdigit():
            raise FolderRefused(f"{path}, line {number}: query, document and a number are expected, between tabs.")
        if int(fields[-1]) > 0:
            yield fields[0], fields[1]


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise FolderRefused(f"{path} is not written in UTF-8 (byte {error.start}): save it as UTF-8.") from error
    except OSError as error:
        raise FolderRefused(f"{path} cannot be read ({error.__class__.__name__}).") from error
    return [line for line in text.split("\n") if line.strip()]
