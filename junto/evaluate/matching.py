"""`bin/junto evaluate matching FOLDER --run FILE [--lexical]`: how well procedures are found, on any folder.

Needs no database and no secrets. Without the extra [semantic] it refuses unless only words are asked for: figures that
are not what they seem would be worse than none.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from junto.datadir import Refusal
from junto.evaluate.options import Parser
from junto.retrieval.documents import Document
from junto.retrieval.encoder import Encoder, SemanticMissing, Vectors, load_encoder
from junto.retrieval.evaluation import DEPTH, Benchmark, FolderRefused, Ranking, measure, read_folder, write_run
from junto.retrieval.index import DocumentIndex, Query
from junto.retrieval.semantic import passages
from junto.retrieval.words import read

#: After so many documents the command says how far it is.
TOLD_EVERY = 500


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    folder: Path
    run: Path
    lexical: bool


def run(arguments: Sequence[str]) -> int:
    """Rank every query of the folder, write the run, print figures.

    Raises:
        Refusal: the folder, the run file or the extra cannot be used.
    """
    options = _parse(arguments)
    try:
        encoder = None if options.lexical else load_encoder()
        benchmark = read_folder(options.folder)
        _evaluate(benchmark, encoder, options.run)
    except SemanticMissing as missing:
        raise Refusal(f"{missing} With --lexical only words are compared.") from missing
    except FolderRefused as refused:
        raise Refusal(str(refused)) from refused
    return 0


def _parse(arguments: Sequence[str]) -> Options:
    parser = Parser(
        "matching", "Rank the queries of a folder in BEIR format as runbooks are matched, and print how well it went."
    )
    parser.add_argument("folder", type=Path, help="holds corpus.jsonl, queries.jsonl and qrels/test.tsv")
    parser.add_argument("--run", type=Path, required=True, help="the TREC run file to write")
    parser.add_argument("--lexical", action="store_true", help="compare words only, without the extra [semantic]")
    given = parser.parse_args(arguments)
    if not given.run.absolute().parent.is_dir() or given.run.is_dir():
        parser.error(f"the run file {given.run} cannot be written there")
    return Options(folder=given.folder, run=given.run, lexical=given.lexical)


def _evaluate(benchmark: Benchmark, encoder: Encoder | None, run_file: Path) -> None:
    names = list(benchmark.documents)
    begun = perf_counter()
    documents = dict(enumerate(benchmark.documents.values()))
    index = DocumentIndex.of(documents)
    if encoder:
        index = index.with_vectors(_vectors(documents, encoder))
    built = perf_counter() - begun
    encoding, ranking = [], []
    rankings: dict[str, Ranking] = {}
    for name in benchmark.relevant:
        text, begun = benchmark.queries[name], perf_counter()
        vector = encoder.encode([text])[0] if encoder else None
        encoded = perf_counter()
        hits = index.rank(Query(read(text), vector), limit=DEPTH)
        ranking.append(perf_counter() - encoded)
        encoding.append(encoded - begun)
        rankings[name] = [(names[hit.place], hit.score) for hit in hits]
    write_run(run_file, rankings, tag=f"junto-{'semantic' if encoder else 'lexical'}")
    _tell(benchmark, rankings, mode="words and meaning" if encoder else "words only")
    spent = f"{1000 * median(ranking):.2f} ms a query (median)"
    if encoder:
        spent += f" beyond the encoder's {1000 * median(encoding):.1f} ms"
    print(f"{len(names)} documents indexed in {built:.1f} s, {index.nbytes / 1e6:.1f} MB; {spent}")


def _vectors(documents: Mapping[int, Document], encoder: Encoder) -> dict[int, Vectors]:
    found = {}
    for place, document in documents.items():
        if place % TOLD_EVERY == 0:
            print(f"encoding document {place} of {len(documents)}", file=sys.stderr)
        found[place] = encoder.encode(passages(document))
    return found


def _tell(benchmark: Benchmark, rankings: Mapping[str, Ranking], *, mode: str) -> None:
    figures = measure(benchmark.relevant, rankings)
    recalls = "  ".join(f"recall@{depth} {share:.4f}" for depth, share in figures.recall.items())
    print(f"{mode}, {figures.queries} queries")
    print(f"nDCG@10 {figures.ndcg:.4f}  MRR {figures.mrr:.4f}  {recalls}")
