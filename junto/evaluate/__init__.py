"""`bin/junto evaluate WHAT`: how good something is that Junto guesses, on anybody's files. One room for each.

None of them needs a database or secrets.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from junto.datadir import Refusal

#: What can be measured, and by which module. Imported only when asked for: each brings seconds of libraries.
ROOMS = {
    "matching": "how well procedures are found in a folder in BEIR format",
    "classification": "how well the labels of tickets are learned from others",
    "textwork": "how far a person agrees with what is told of tickets without a language model",
}
HELP_WORDS = frozenset({"help", "--help", "-h"})


class _Room(Protocol):
    def run(self, arguments: Sequence[str]) -> int:
        """Measure and print; the exit code."""


def run(arguments: Sequence[str]) -> int:
    """Measure what the first word names; returns the exit code.

    Raises:
        Refusal: there is no such thing, or what is given cannot be used.
    """
    word = arguments[0] if arguments else "nothing"
    if word in HELP_WORDS:
        print("\n".join(f"bin/junto evaluate {name} --help: {what}" for name, what in ROOMS.items()))
        return 0
    if word not in ROOMS:
        raise Refusal(f"{word} cannot be measured: bin/junto evaluate {' or '.join(ROOMS)}.")
    return cast(_Room, import_module(f"{__name__}.{word}")).run(arguments[1:])
