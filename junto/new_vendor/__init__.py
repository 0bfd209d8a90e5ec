"""`bin/junto new_vendor NAME`: the skeleton of a new vendor, in a checkout of Junto's sources. All of it, or nothing.

What it writes is a vendor that works, of an invented API: its client, tools, sandbox, contract and tests pass at once.
What the author has to put in place of the invention is marked, and one test tells what is left
(docs/adding-a-vendor.md).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from junto.datadir import Refusal
from junto.env import ROOT
from junto.new_vendor.naming import Naming, named
from junto.new_vendor.planning import Plan, drawn
from junto.new_vendor.writing import write


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Refusal(f"{message}: bin/junto new_vendor --help lists the options.")


def run(arguments: Sequence[str], *, root: Path = ROOT) -> int:
    """Write the skeleton below `root`, or tell what would be written; returns the exit code.

    Raises:
        Refusal: the name cannot be used, something stands in the way, or it could not be written. Then nothing was.
    """
    options = _parse(arguments)
    naming = named(options.name, options.label, root=root)
    plan = drawn(naming, root=root)
    if options.dry_run:
        print("\n".join(_outline(plan, "would be")))
        return 0
    write(plan, root=root)
    print("\n".join([*_outline(plan, "was"), "", *_next_steps(naming)]))
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _Parser(prog="bin/junto new_vendor", description="Write the skeleton of a new vendor.")
    parser.add_argument("name", help="small letters and digits: its folder, and the first half of its tools' names")
    parser.add_argument("--label", default="", help="what people call it, as in 'Autotask PSA' (else: the name)")
    parser.add_argument("--dry-run", action="store_true", help="tell what would be written, and write nothing")
    return parser.parse_args(list(arguments))


def _outline(plan: Plan, was: str) -> list[str]:
    return [
        *(f"  {path}  {was} written ({text.count(chr(10))} lines)" for path, text in plan.added.items()),
        *(f"  {path}  {was} added to" for path in plan.changed),
    ]


def _next_steps(naming: Naming) -> list[str]:
    slug = naming.slug
    return [
        "It works as it stands, with an invented API:",
        f"  bin/test tests/integrations/test_{slug}.py tests/contract/test_{slug}.py",
        "  bin/test tests/integrations/test_conformance.py tests/architecture",
        "  bin/junto tools --write  # renews docs/tools.md",
        "One test fails, and names file and line of everything that is still the invention's:",
        "  bin/test tests/integrations/test_conformance.py -k fill_in",
        "docs/adding-a-vendor.md goes through it, and tells how to take it back.",
    ]


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
