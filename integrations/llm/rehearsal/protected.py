"""What a runbook means by the tools of the endpoint protection: the computer found there, and the alert that is its."""

from pydantic import JsonValue

from .case import Case, Mention, Step
from .loose import Fields, fields, rows, text

LIST_COMPUTERS = "sophos.list_endpoints"
LIST_ALERTS = "sophos.list_alerts"
_LONGEST_COMMENT = 180


def protected_meanings(case: Case, step: Step, mention: Mention) -> dict[str, JsonValue]:
    """What a tool of the protection may ask for; empty for the tools of other systems.

    Only what a look-up found there counts, and only one computer; of its alerts the newest.
    """
    if not mention.tool.startswith("sophos."):
        return {}
    computers = _found(case, LIST_COMPUTERS, "endpoints")
    computer = computers[0].get("id") if len(computers) == 1 else None
    alerts = [each for each in _found(case, LIST_ALERTS, "alerts") if each.get("endpoint_id") == computer]
    allowed = alerts[0].get("allowed_actions") if alerts else None
    return {
        "endpoint_id": computer,
        "alert_id": alerts[0].get("id") if alerts else None,
        "action": allowed[0] if isinstance(allowed, list) and allowed else None,
        "note": text(case.reason_for(step), _LONGEST_COMMENT),
    }


def _found(case: Case, tool: str, name: str) -> list[Fields]:
    call = case.conversation.latest(tool)
    return [fields(row) for row in rows(call.outcome.result, name)] if call else []
