"""From which confidence on a runbook fits: fits the calibrations of junto/retrieval/index.py, and shows their worth.

    python -m bench.matching_threshold FOLDER [FOLDER ...] [--lexical] [--vectors FOLDER]

Shelves of several sizes are drawn from each folder in BEIR format; half of the queries put to a shelf have their
document on it, the other half's was left out. A logistic regression learns from the best hit's evidence whether it is
the right one. It learns on one half of the queries and is shown on the other; then both change places. The constants
to write down come from all of them, every folder counting alike.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zlib import crc32

import numpy
from numpy.typing import NDArray

from junto.retrieval.encoder import Encoder, Vectors, load_encoder
from junto.retrieval.evaluation import Benchmark, read_folder
from junto.retrieval.index import Calibration, DocumentIndex, Evidence, Query
from junto.retrieval.semantic import passages
from junto.retrieval.words import read

Floats = NDArray[numpy.float64]

#: Documents on a shelf, and how many shelves of that size are drawn; beside them one shelf holds the whole folder.
SHELVES: Final = {3: 60, 10: 60, 30: 40, 100: 20, 300: 8}
#: Queries put to a small shelf: no more than it has documents.
QUERIES: Final = 40
SEED: Final = 7
LINES: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
#: Keeps the regression finite where it could tell everything apart.
PENALTY: Final = 1e-3
STEPS: Final = 50


@dataclass(frozen=True)
class Answer:
    """The best hit for a query that `document` answers: whether it is that one, and whether that was there at all."""

    document: str
    evidence: Evidence
    right: bool
    answerable: bool


@dataclass(frozen=True)
class Folder:
    """A benchmark with all that was computed of it once. Every query has one right document."""

    name: str
    benchmark: Benchmark
    queries: dict[str, Query]
    vectors: dict[str, Vectors]

    def right(self, query: str) -> str:
        """The document that answers it."""
        return next(iter(self.benchmark.relevant[query]))


def main() -> None:
    """Fit and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.matching_threshold", allow_abbrev=False)
    parser.add_argument("folders", type=Path, nargs="+", help="folders in BEIR format")
    parser.add_argument("--lexical", action="store_true", help="compare words only")
    parser.add_argument("--vectors", type=Path, help="keep vectors in this folder, and take those that are there")
    given = parser.parse_args()
    encoder = None if given.lexical else load_encoder()
    answers = {}
    for path in given.folders:
        folder = _read(path, encoder, given.vectors)
        answers[folder.name] = list(_ask(folder, random.Random(SEED)))
    print(*_table(answers), sep="\n")
    print("to write down:", fit(answers))


def fit(answers: dict[str, list[Answer]]) -> Calibration:
    """The calibration by logistic regression (Newton's steps); every folder and every size of shelf counts alike."""
    rows, right, weights = [], [], []
    for found in answers.values():
        sizes = [answer.evidence.among for answer in found]
        for answer in found:
            evidence = answer.evidence
            rows.append((1.0, math.log1p(evidence.words), evidence.nearness, evidence.lead, math.log(evidence.among)))
            right.append(answer.right)
            weights.append(1 / sizes.count(evidence.among) / len(set(sizes)) / len(answers))
    factors = _newton(numpy.array(rows), numpy.array(right, float), numpy.array(weights))
    return Calibration(*(round(float(factor), 2) for factor in factors))


def _newton(rows: Floats, right: Floats, weights: Floats) -> Floats:
    factors = numpy.zeros(rows.shape[1])
    for _ in range(STEPS):
        sure = 1 / (1 + numpy.exp(-(rows @ factors)))
        slope = rows.T @ (weights * (sure - right)) + PENALTY * factors
        curve = (rows * (weights * sure * (1 - sure))[:, None]).T @ rows + PENALTY * numpy.eye(len(factors))
        factors -= numpy.linalg.solve(curve, slope)
    return factors


def _read(path: Path, encoder: Encoder | None, kept: Path | None) -> Folder:
    benchmark = read_folder(path)
    if encoder is None:
        return Folder(
            path.name, benchmark, {name: Query.of(benchmark.queries[name]) for name in benchmark.relevant}, {}
        )
    file = kept / f"{path.name}.npz" if kept else None
    if file and file.exists():
        held = numpy.load(file)
        documents, asked = held["documents"], held["queries"]
    else:
        documents = _encoded(benchmark, encoder)
        asked = numpy.vstack([encoder.encode([benchmark.queries[name]]) for name in benchmark.relevant])
        if file:
            numpy.savez(file, documents=documents, queries=asked)
    queries = {
        name: Query(read(benchmark.queries[name]), vector)
        for name, vector in zip(benchmark.relevant, asked, strict=True)
    }
    return Folder(path.name, benchmark, queries, dict(zip(benchmark.documents, documents, strict=True)))


def _encoded(benchmark: Benchmark, encoder: Encoder) -> list[Vectors]:
    return [encoder.encode(passages(document)) for document in benchmark.documents.values()]


def _ask(folder: Folder, chance: random.Random) -> Iterator[Answer]:
    """Put queries to shelves of every size, each query to one of each size at most."""
    for size, many in SHELVES.items():
        waiting = chance.sample(list(folder.queries), len(folder.queries))
        most = min(size, QUERIES)
        for _ in range(min(many, len(waiting) // most)):
            yield from _ask_shelf(folder, [waiting.pop() for _ in range(most)], size, chance)
    yield from _ask_shelf(folder, list(folder.queries), len(folder.benchmark.documents), chance)


def _ask_shelf(folder: Folder, asked: Sequence[str], size: int, chance: random.Random) -> Iterator[Answer]:
    """A shelf on which every second wanted document stands, and the others do not."""
    wanted = sorted({folder.right(query) for query in asked})
    there, missing = set(wanted[::2]), set(wanted[1::2])
    others = [name for name in folder.benchmark.documents if name not in there | missing]
    names = [*sorted(there), *chance.sample(others, min(len(others), size - len(there)))]
    index = DocumentIndex.of({place: folder.benchmark.documents[name] for place, name in enumerate(names)})
    if folder.vectors:
        index = index.with_vectors({place: folder.vectors[name] for place, name in enumerate(names)})
    for query in asked:
        hits = index.rank(folder.queries[query], limit=1)
        if hits:
            right, best = folder.right(query), names[hits[0].place]
            yield Answer(right, hits[0].evidence, right=best == right, answerable=right in there)


def _table(answers: dict[str, list[Answer]]) -> Iterator[str]:
    """Precision and coverage by line, each half of the queries as the calibration of the other half has it."""
    told: dict[tuple[str, str], list[tuple[Answer, float]]] = {}
    for half in (0, 1):
        calibration = fit(_half(answers, half))
        for name, rows in _half(answers, 1 - half).items():
            for row in rows:
                sure = calibration.confidence(row.evidence)
                for size in ("all", str(row.evidence.among)):
                    told.setdefault((name, size), []).append((row, sure))
    for (name, size), rows in told.items():
        yield f"\n{name}, {size if size == 'all' else f'{size} documents'}: {len(rows)} queries"
        yield "line  precision  coverage  false alarms"
        for line in LINES:
            above = [row for row, sure in rows if sure >= line]
            right = sum(row.right for row in above)
            answerable = sum(row.answerable for row, _ in rows)
            wrong = sum(not row.answerable for row in above) / max(len(rows) - answerable, 1)
            yield f"{line:.1f}   {right / max(len(above), 1):8.3f}  {right / answerable:8.3f}  {wrong:8.3f}"


def _half(answers: dict[str, list[Answer]], half: int) -> dict[str, list[Answer]]:
    """Queries by a number of their document's name, so that both queries of a document stay together."""
    return {name: [row for row in rows if crc32(row.document.encode()) % 2 == half] for name, rows in answers.items()}


if __name__ == "__main__":
    main()
