"""What all tools share that do something on a device.

NinjaOne answers that it has taken an order, not that it was carried out; what happened stands in the device's log.
There is no key against doing twice, so nothing is ever sent again by itself.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import JsonValue

from integrations.ninjaone import schemas
from integrations.ninjaone.targets import client_of, moment
from integrations.tools import Outcome, ToolContext, ToolResult

LOG_SECONDS = 120.0
"""How long NinjaOne's log of a device may lag behind an order."""

Such = Callable[[schemas.Activity], bool]
"""Whether a line of a device's log is of the kind looked for."""


def last_in_log(context: ToolContext, device_id: int, is_such: Such) -> int:
    """The number of the newest line of this kind in the device's log; 0 where there is none."""
    return max((one.id for one in client_of(context).activities(device_id) if is_such(one)), default=0)


def seen_in_log(context: ToolContext, device_id: int, is_such: Such, before: JsonValue) -> Outcome:
    """Whether the device's log has a line of this kind that was not there before."""
    known = before.get("last_in_log") if isinstance(before, dict) else None
    if not isinstance(known, int):
        return Outcome("unclear", "What stood in the device's log before is not known.")
    for one in client_of(context).activities(device_id):
        if one.id > known and is_such(one):
            return Outcome("found", f"NinjaOne's log shows at {moment(one.at)}: {one.message or one.subject}")
    return Outcome("absent", "NinjaOne's log of the device shows no such order.")


def ordered(device: schemas.Device, summary: str, **more: JsonValue) -> ToolResult:
    """What a tool answers whose order NinjaOne has taken."""
    return ToolResult(content={"device_id": device.id, "device": device.name, **more}, summary=summary)
