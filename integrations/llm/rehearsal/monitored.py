"""What a runbook means by the tools of the monitoring: the device found there, a short reason, a window of an hour."""

from datetime import timedelta

from pydantic import JsonValue

from .case import Case, Mention, Step
from .loose import fields, rows, text
from .time_entries import moment_of

FIND_DEVICE = "ninjaone.find_device"
WINDOW = timedelta(hours=1)
_LONGEST_REASON = 180


def monitored_meanings(case: Case, step: Step, mention: Mention) -> dict[str, JsonValue]:
    """What a tool of the monitoring may ask for; empty for the tools of other systems.

    Devices have other numbers there than in the PSA: only what a look-up found there counts, and only one device.
    """
    if not mention.tool.startswith("ninjaone."):
        return {}
    call = case.conversation.latest(FIND_DEVICE)
    found = rows(call.outcome.result, "devices") if call else []
    now = moment_of(case.conversation.facts.get("now"))
    return {
        "device": fields(found[0]).get("id") if len(found) == 1 else None,
        "ended": (now + WINDOW).strftime("%Y-%m-%dT%H:%M:%SZ") if now else None,
        "note": text(case.reason_for(step), _LONGEST_REASON),
    }
