"""One failing call made again and again (T16): the model is told once, then the session waits for a person. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from agent.events import ModelReplied, RequestedCall
from integrations.llm.fencing import show_escaped

#: Replies in a row with the same failing call after which a person is waited for; one before it the model is told.
MOST_SAME_FAILURES = 3
#: Characters of a tool's name and of a reason that people are told.
MOST_NAME, MOST_REASON = 120, 300


def same_failure(replies: Sequence[ModelReplied], failures: Mapping[str, str], *, times: int) -> RequestedCall | None:
    """The call that the last `times` of `replies` (oldest first) all made with the same arguments, and that failed
    each time; None while there is none. `failures` maps the ids of failed calls to their reasons.
    """
    if len(replies) < times:
        return None
    failed = [{_same(call): call for call in reply.calls if call.call_id in failures} for reply in replies[-times:]]
    lasting = set(failed[-1]).intersection(*failed)
    return next((call for same, call in failed[-1].items() if same in lasting), None)


def told_model(call: RequestedCall) -> str:
    """What the model reads when it made the call again that had failed."""
    return (
        f"You made the call {show_escaped(call.name[:MOST_NAME])} twice with the same arguments, and it failed both "
        "times. Do not make it again as it is: change the arguments, take another way, or say what keeps you."
    )


def told_people(call: RequestedCall, reason: str) -> str:
    """Why the agent waits for a person after the third time."""
    return (
        f"The agent made the same call of {show_escaped(call.name[:MOST_NAME])} {MOST_SAME_FAILURES} times running, "
        f"with the same arguments, and it failed each time: {show_escaped(reason[:MOST_REASON]).rstrip('.')}. It waits "
        "for you: write a message to let it go on."
    )


def _same(call: RequestedCall) -> tuple[str, str]:
    """Equal for calls that ask for the same thing, however their JSON is written."""
    try:
        arguments = json.dumps(json.loads(call.arguments_text), sort_keys=True)
    except (ValueError, RecursionError):
        arguments = call.arguments_text
    return call.name, arguments
