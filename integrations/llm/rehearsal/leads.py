"""The sentence that leads every call of ours, by which we know it again.

The rehearsal keeps nothing and whoever runs the session may give its calls other ids, so what a call was for is read
from our own words in the same message: its sentences of this kind, in order, belong to its calls, in order. All
foreign text we repeat stands behind a prefix on its line, so it cannot pass for one of them.
"""

import re

LOOKING = "I look up"
"""Leads one or more reads; all calls of such a message are reads."""

ASKED = "As you ask, I propose"
CLASSIFY = "I propose to classify the ticket as"
CLASSIFY_AGAIN = "As you say, I propose to classify the ticket as"
FINDINGS_NOTE = "I propose to keep the findings as an internal note"
TIME = "I propose to log"
TIME_AGAIN = "As you say, I propose to log"
CLOSING_NOTE = "I propose to close with a note"

_KEYS = {
    ASKED: "asked",
    CLASSIFY: "classify",
    CLASSIFY_AGAIN: "classify-again",
    FINDINGS_NOTE: "findings-note",
    TIME: "time",
    TIME_AGAIN: "time-again",
    CLOSING_NOTE: "closing-note",
}
_LEAD = re.compile(
    r"^(?:(?P<words>"
    + "|".join(map(re.escape, _KEYS))
    + r")|Step (?P<step>\w{1,12}) of the runbook, call (?P<call>\d{1,3})(?:, attempt (?P<attempt>\d{1,3}))?)\b",
    re.MULTILINE,
)


def step_lead(number: str, order: int, title: str, attempt: int = 1) -> str:
    """The sentence for the call of a runbook's step; `order` counts the step's mentions from 1."""
    again = f", attempt {attempt}" if attempt > 1 else ""
    return f"Step {number} of the runbook, call {order}{again}: {title}"


def step_key(number: str, order: int, attempt: int = 1) -> str:
    """What a step's call is for; a person who asks for another attempt asks for another call."""
    return f"step-{number}-{order}" + (f"-{attempt}" if attempt > 1 else "")


def keys_in(words: str, calls: int) -> list[str]:
    """What each of the `calls` of a message with these words was for; empty where the words do not tell."""
    found = [
        _KEYS[lead["words"]] if lead["words"] else step_key(lead["step"], int(lead["call"]), int(lead["attempt"] or 1))
        for lead in _LEAD.finditer(words)
    ]
    if not found and re.search(rf"^{LOOKING}\b", words, re.MULTILINE):
        found = ["read"] * calls
    return [*found, *[""] * calls][:calls]
