"""`bin/junto evaluate textwork --values FILE --tickets FILE [--json]`: how far a person agrees with it.

Summary, sentiment, entities, automation potential, and issue or request, as Junto tells them without a language model.
Several files of values are reported apart. tests/signals/values/README.md says what such a file holds.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from junto.datadir import Refusal
from junto.evaluate.options import Parser
from junto.textwork.evaluation import FileRefused, Report, compare, read_tickets, read_values


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    values: Sequence[Path]
    tickets: Sequence[Path]
    json: bool


def run(arguments: Sequence[str]) -> int:
    """Read, compare, print.

    Raises:
        Refusal: a file cannot be used.
    """
    options = _parse(arguments)
    try:
        tickets = read_tickets(options.tickets)
        reports = {path.stem: compare(read_values(path), tickets) for path in options.values}
    except FileRefused as refused:
        raise Refusal(str(refused)) from refused
    told = {name: _as_json(report) for name, report in reports.items()}
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print("\n\n".join(_as_text(name, report) for name, report in reports.items()))
    return 0


def _parse(arguments: Sequence[str]) -> Options:
    parser = Parser("textwork", "Compare what is told of tickets without a model with what a person wrote down.")
    parser.add_argument(
        "--values", type=Path, action="append", required=True, help="YAML, one row a ticket; repeatable"
    )
    parser.add_argument(
        "--tickets", type=Path, action="append", required=True, help="JSON lines with id, title and text; repeatable"
    )
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    given = parser.parse_args(arguments)
    return Options(values=given.values, tickets=given.tickets, json=given.json)


def _as_json(report: Report) -> Mapping[str, object]:
    told = asdict(report)
    for kind, found in report.entities.items():
        told["entities"][kind] |= {"precision": found.precision, "recall": found.recall}
    return told


def _as_text(name: str, report: Report) -> str:
    lines = [f"{name}: {report.tickets} tickets"]
    for field, one in report.fields.items():
        kappa = "-" if one.kappa is None else f"{one.kappa:.2f}"
        lines.append(
            f"  {field:<12} agreed {one.agreed:.2f}  kappa {kappa:>5}  answered {one.answered:.2f}  "
            f"always the commonest {one.commonest:.2f}"
        )
    for kind, found in report.entities.items():
        lines.append(f"  {kind:<12} written {found.written:>3}  found {found.found:>3}  others {found.others:>3}")
    lines.append(
        f"  summary      facts {report.summary.facts:.2f}  whole {report.summary.whole:.2f}  "
        f"{report.summary.characters:.0f} characters; the text's beginning: "
        f"facts {report.beginning.facts:.2f}  whole {report.beginning.whole:.2f}"
    )
    lines.append(
        f"  CPU          {report.milliseconds_median:.1f} ms a ticket, at most {report.milliseconds_most:.1f} ms"
    )
    return "\n".join(lines)
