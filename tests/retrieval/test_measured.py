"""How well procedures are found on the public sets, by words alone: the goals, not the last thousandth."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from junto.retrieval.evaluation import Benchmark, measure, read_folder
from junto.retrieval.index import DocumentIndex, Query

#: From here on a runbook counts as fitting (runbooks/matching.py).
LINE = 0.5


def ndcg(benchmark: Benchmark) -> float:
    """Over all queries, by words."""
    names = list(benchmark.documents)
    index = DocumentIndex.of(dict(enumerate(benchmark.documents.values())))
    rankings = {
        query: [(names[hit.place], hit.score) for hit in index.rank(Query.of(benchmark.queries[query]), limit=10)]
        for query in benchmark.relevant
    }
    return measure(benchmark.relevant, rankings).ndcg


def test_operations_runbooks_are_found(eval_dir: Path) -> None:
    assert ndcg(read_folder(eval_dir / "ops-runbook-retrieval")) >= 0.80


@pytest.mark.deep
def test_support_articles_are_found(eval_dir: Path) -> None:
    assert ndcg(read_folder(eval_dir / "ms-support-retrieval")) >= 0.80


@pytest.mark.slow
def test_what_is_above_the_line_among_thirty_is_mostly_right(eval_dir: Path) -> None:
    """Half of the queries have no answer on their shelf."""
    benchmark = read_folder(eval_dir / "ops-runbook-retrieval")
    chance = random.Random(3)
    above = right = 0
    for number, (query, wanted) in enumerate(list(benchmark.relevant.items())[:160]):
        others = chance.sample([name for name in benchmark.documents if name not in wanted], 30 - number % 2)
        shelf = [*others, *(sorted(wanted) if number % 2 else [])]
        index = DocumentIndex.of({place: benchmark.documents[name] for place, name in enumerate(shelf)})
        for hit in index.rank(Query.of(benchmark.queries[query]), limit=1):
            above += hit.confidence >= LINE
            right += hit.confidence >= LINE and shelf[hit.place] in wanted
    assert above >= 45
    assert right / above >= 0.8
