"""How the steps of a runbook are called, and where an answer of a decision leads: to a later step or to the end. Pure.

A step is called by the number that its readers see before it: that of its item in a numbered list or, in a text
without lists, of its heading. One without a number takes the last number before it and a letter (2a, 2b). Where no
step has a number they are counted. A list that begins anew at 1 gives a number twice; no answer can lead there.

An answer stops the run by the words “stop here” and by no others: “stop”, “escalate” or “change nothing” may be a part
of the work, and nobody guesses which.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Target", "called", "follow", "heading_number"]

_HEADING: Final = re.compile(r"(?:step\s+(\d{1,4})(?:[.):]|\s*[-–—:]\s|$)|(\d{1,4})[.):](?=\s))\s*", re.IGNORECASE)
# “step 3” alone may be a mere word about it: what leads on says so, or stands behind a colon or an arrow
_LEADS: Final = re.compile(
    r"(?:\b(?:go(?:es)?(?:\s+on)?\s+(?:to|with|at)|goto|(?:jump|skip)s?\s+to|(?:continue|proceed)s?\s+(?:to|with|at))\s+"
    r"|[:→>]\s*)(?:the\s+)?step\s+#?(\d{1,9}[a-z]{0,3})\b",
    re.IGNORECASE,
)

_STOPS: Final = re.compile(r"\bstop\s+here\b", re.IGNORECASE)
_STOPS_NOT: Final = re.compile(r"(?:\b(?:not|never)|n['’]t)\s+stop\s+here\b", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """Where an answer leads: the place of a later step, counted from 1 (0 = on to the next), or what is wrong.

    One that `stops` leads to the place behind the last step.
    """

    place: int = 0
    problem: str = ""
    stops: bool = False


def heading_number(text: str) -> tuple[int | None, str]:
    """The number that a heading begins with (“2. Act”, “Step 2: Act”), and the heading without it."""
    found = _HEADING.match(text)
    return (int(found[1] or found[2]), text[found.end() :] or text) if found else (None, text)


def called(numbers: Sequence[int | None]) -> list[str]:
    """What each step is called, given the number that stands before it."""
    if not any(number is not None for number in numbers):
        return [str(place) for place, _ in enumerate(numbers, start=1)]
    names: list[str] = []
    last, unnumbered = "", 0
    for number in numbers:
        if number is None:
            unnumbered += 1
            names.append(f"{last}{_letters(unnumbered)}")
        else:
            last, unnumbered = str(number), 0
            names.append(last)
    return names


def follow(answer: str, *, at: int, names: Sequence[str]) -> Target:
    """Where `answer` leads from the step at place `at` (from 1) among those called `names`."""
    wanted = list(dict.fromkeys(name.lower() for name in _LEADS.findall(answer)))
    if _STOPS_NOT.search(answer):
        return Target(problem="says not to stop here, and “stop here” ends the run: put it in other words.")
    if _STOPS.search(answer):
        if wanted:
            return Target(problem=f"says to stop here and leads to step {' and to step '.join(wanted)}: name one.")
        return Target(place=len(names) + 1, stops=True)
    if not wanted:
        return Target()
    if len(wanted) > 1:
        return Target(problem=f"leads to step {' and to step '.join(wanted)}: name one.")
    [name] = wanted
    places = [place for place, each in enumerate(names, start=1) if each == name]
    if not places:
        return Target(problem=f"leads to step {name}, and there is none.")
    if len(places) > 1:
        return Target(problem=f"leads to step {name}, of which there are {len(places)}: number the steps through.")
    if places[0] <= at:
        return Target(problem=f"leads to step {name}, which is not behind it: an answer leads to a later step.")
    return Target(place=places[0])


def _letters(count: int) -> str:
    """1 = a, 26 = z, 27 = aa."""
    letters = ""
    while count:
        count, rest = divmod(count - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters
