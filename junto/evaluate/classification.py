"""`bin/junto evaluate classification --train FILE --test FILE --label FIELD [--json]`: how well labels are learned.

Trains on one file, answers every row of the other, and keeps nothing. junto/learned/evaluation.py says which fields of
a row are read.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from junto.datadir import Refusal
from junto.evaluate.options import Parser
from junto.learned.evaluation import Figures, FileRefused, Labelled, measure, read_file
from junto.learned.training import FEWEST_ROWS, Untrainable, frequent_labels, train


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    train: Path
    test: Path
    label: str
    json: bool


@dataclass(frozen=True)
class Report:
    """`left_out` = labels that are too rare in the file trained on, with the rows of both files that have them."""

    label: str
    labels: Mapping[str, int]
    left_out: Mapping[str, Mapping[str, int]]
    unlabelled: Mapping[str, int]
    train_rows: int
    test_rows: int
    figures: Figures
    train_seconds: float
    milliseconds_per_prediction: float

    def as_json(self) -> str:
        """The figures first."""
        told = asdict(self)
        figures = told.pop("figures")
        figures["coverage_at_95_accuracy"] = figures.pop("coverage")
        return json.dumps(figures | told, indent=2, ensure_ascii=False)

    def as_text(self) -> str:
        """For people."""
        left_out = ", ".join(f"{label} ({rows['train']} + {rows['test']})" for label, rows in self.left_out.items())
        return "\n".join(
            [
                f"{self.label}: {len(self.labels)} labels from {self.train_rows} rows, {self.test_rows} answered",
                f"left out, fewer than {FEWEST_ROWS} rows to learn from: {left_out or 'none'}",
                f"macro-F1 {self.figures.macro_f1:.4f}  accuracy {self.figures.accuracy:.4f}  "
                f"ECE {self.figures.ece:.4f}  coverage at 95 % accuracy {self.figures.coverage:.4f}",
                f"trained in {self.train_seconds:.1f} s; {self.milliseconds_per_prediction:.2f} ms a prediction",
            ]
        )


def run(arguments: Sequence[str]) -> int:
    """Train, answer, print the figures.

    Raises:
        Refusal: a file cannot be used, or nothing can be learned from it.
    """
    options = _parse(arguments)
    try:
        report = _evaluate(read_file(options.train, options.label), read_file(options.test, options.label), options)
    except FileRefused as refused:
        raise Refusal(str(refused)) from refused
    except Untrainable as nothing:
        raise Refusal(f"{options.train}: nothing can be learned for {options.label}, {nothing}.") from nothing
    print(report.as_json() if options.json else report.as_text())
    return 0


def _parse(arguments: Sequence[str]) -> Options:
    parser = Parser("classification", "Learn a label from the tickets of one file and answer those of another.")
    parser.add_argument("--train", type=Path, required=True, help="JSON lines to learn from")
    parser.add_argument("--test", type=Path, required=True, help="JSON lines to answer")
    parser.add_argument("--label", required=True, help="the field that holds the label")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(arguments)
    return Options(given.train, given.test, given.label, given.json)


def _evaluate(learn_from: Labelled, asked: Labelled, options: Options) -> Report:
    kept, rare = frequent_labels(learn_from.labels)
    in_test = Counter(asked.labels)
    rare |= {label: 0 for label in in_test if label not in kept | rare}
    rows = asked.only(kept)
    begun = perf_counter()
    model = train(learn_from.tickets, learn_from.labels)
    trained = perf_counter()
    if not rows.labels:
        raise FileRefused(f"{options.test}: no row has one of the labels that were learned.")
    predictions = [model.predict(ticket) for ticket in rows.tickets]
    answered = perf_counter()
    return Report(
        label=options.label,
        labels=kept,
        left_out={label: {"train": count, "test": in_test[label]} for label, count in rare.items()},
        unlabelled={"train": learn_from.unlabelled, "test": asked.unlabelled},
        train_rows=model.rows,
        test_rows=len(rows.labels),
        figures=measure(rows.labels, predictions),
        train_seconds=trained - begun,
        milliseconds_per_prediction=1000 * (answered - trained) / len(predictions),
    )
