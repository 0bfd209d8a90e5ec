"""What changes something on a device: each leaves an activity, as the vendor's own log would show it."""

from __future__ import annotations

import re
import time
import uuid
from copy import deepcopy

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.ninjaone.problems import Problem, not_found
from integrations.sandbox.ninjaone.routes import Call, Route, find_device, inside_of
from integrations.sandbox.ninjaone.seeding import ROLES
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Effect

NO_USER = "Access key does not have user context which is required for this request"
FEATURES = {"ALERTS", "PATCHING", "AVSCANS", "TASKS"}
_STATES = {"START": "RUNNING", "RESTART": "RUNNING", "STOP": "STOPPED", "PAUSE": "PAUSED"}
_SHELL = re.compile(r"[;&|<>`$\n\r]")


def _run_script(call: Call) -> Answer:
    device, body = call.device(), _body(call, {"type", "id", "uid", "parameters", "runAs"})
    if not call.user_context:
        raise Problem(403, NO_USER)
    script = call.world.get("script", body.get("id"))
    if body.get("type") != "SCRIPT" or script is None:
        raise Problem(400, "Script not found")
    if _SHELL.search(str(body.get("parameters") or "")):
        raise Problem(400, "Parameters contain characters that are not allowed")
    if body.get("runAs", ROLES[0]) not in ROLES:
        raise Problem(400, "Unknown credential role")
    name, words = str(script["name"]), str(body.get("parameters") or "")
    series = str(uuid.uuid4())
    _log(call.world, device, "ACTION", "START_REQUESTED", name, f"{name} {words}".strip(), series=series)
    _log(call.world, device, "ACTION", "COMPLETED", name, f"{name}: completed with exit code 0.", series=series)
    return _done("ran", device)


def _reboot(call: Call) -> Answer:
    device, body = call.device(), _body(call, {"reason"})
    if call.parts[1] not in ("NORMAL", "FORCED"):
        raise Problem(400, "Unknown reboot mode")
    changed = deepcopy(device)
    system = inside_of(changed)["os"]
    if isinstance(system, dict):
        system |= {"lastBootTime": time.time(), "needsReboot": False}
    call.world.save("device", changed)
    reason = str(body.get("reason") or "no reason given")
    _log(call.world, device, "SYSTEM", "SYSTEM_REBOOTED", "System rebooted", f"Reboot ({call.parts[1]}): {reason}")
    return _done("rebooted", device)


def _control_service(call: Call) -> Answer:
    device, body = deepcopy(call.device()), _body(call, {"action"})
    action = str(body.get("action"))
    rows = inside_of(device)["services"]
    service = next(
        (
            one
            for one in (rows if isinstance(rows, list) else [])
            if isinstance(one, dict) and one["name"] == call.parts[1]
        ),
        None,
    )
    if service is None:
        raise not_found("windows service")
    if action not in _STATES:
        raise Problem(400, "Unknown action")
    service["state"] = _STATES[action]
    call.world.save("device", device)
    code = {"STOP": "REMOTE_TOOLS_STOP_SERVICE_SUCCESS", "RESTART": "REMOTE_TOOLS_RESTART_SERVICE_SUCCESS"}
    words = f"{service['displayName']}: {action}"
    _log(call.world, device, "REMOTE_TOOLS", code.get(action, "REMOTE_TOOLS_START_SERVICE_SUCCESS"), "Service", words)
    return _done("controlled", device)


def _scan(call: Call) -> Answer:
    device = _windows(call.device())
    words = "Patch scan completed."
    _log(call.world, device, "PATCH_MANAGEMENT", "PATCH_MANAGEMENT_SCAN_COMPLETED", "OS patch scan", words)
    return _done("scanned", device)


def _apply(call: Call) -> Answer:
    """Install what is approved or waits for a hand; what failed before is tried again and done."""
    device = deepcopy(_windows(call.device()))
    inside = inside_of(device)
    patches = inside["patches"]
    rejected: list[Json] = [
        one
        for one in (patches if isinstance(patches, list) else [])
        if isinstance(one, dict) and one["status"] == "REJECTED"
    ]
    number = len(patches) - len(rejected) if isinstance(patches, list) else 0
    inside["patches"] = rejected
    system = inside["os"]
    if isinstance(system, dict) and number:
        system["needsReboot"] = True
    call.world.save("device", device)
    code, words = "PATCH_MANAGEMENT_APPLY_PATCH_COMPLETED", f"{number} updates installed."
    _log(call.world, device, "PATCH_MANAGEMENT", code, "OS patch apply", words)
    return _done("patched", device)


def _set_maintenance(call: Call) -> Answer:
    device = deepcopy(call.device())
    body = _body(call, {"disabledFeatures", "start", "end", "reasonMessage"})
    features, end = body.get("disabledFeatures"), body.get("end")
    if not isinstance(features, list) or not features or not set(map(str, features)) <= FEATURES:
        raise Problem(400, "disabledFeatures is missing or unknown")
    if isinstance(end, bool) or not isinstance(end, int | float) or end / 1000 <= time.time():
        raise Problem(400, "end must be in the future, in milliseconds")
    device["maintenance"] = {
        "status": "IN_MAINTENANCE",
        "start": time.time(),
        "end": end / 1000,
        "reasonMessage": str(body.get("reasonMessage") or ""),
    }
    call.world.save("device", device)
    _log(call.world, device, "SYSTEM", "NODE_UPDATED", "Maintenance", "Maintenance mode was switched on.")
    return _done("changed", device)


def _end_maintenance(call: Call) -> Answer:
    device = deepcopy(call.device())
    device.pop("maintenance", None)
    call.world.save("device", device)
    return _done("changed", device)


def _reset_alert(call: Call) -> Answer:
    alert = next((one for one in call.world.all("alert") if one["uid"] == call.parts[0]), None)
    if alert is None:
        raise not_found("alert")
    number = alert["id"]
    call.world.remove("alert", number if isinstance(number, int) else 0)
    note_condition(call.world, alert, "RESET")
    return Answer(204, effect=Effect("reset", "alert", number if isinstance(number, int) else 0))


def note_condition(world: World, alert: Record, code: str) -> None:
    """The line in a device's log when a condition is raised (TRIGGERED) or cleared (RESET)."""
    device = find_device(world, str(alert["deviceId"]))
    words = str(alert.get("message", "")) if code == "TRIGGERED" else "Reset."
    _log(world, device, "CONDITION", code, str(alert["subject"]), words, series=str(alert["uid"]))


def _body(call: Call, known: set[str]) -> Record:
    """The body. A name that is not in the contract is refused. Raises Problem."""
    try:
        body = call.request.json() if call.request.body else {}
    except ValueError as error:
        raise Problem(400, "The body is not JSON") from error
    if not isinstance(body, dict) or not set(body) <= known:
        raise Problem(400, "Unrecognized field in the body")
    return body


def _windows(device: Record) -> Record:
    if not str(device["nodeClass"]).startswith("WINDOWS"):
        raise Problem(400, "Device is not applicable for os patches.")
    return device


def _log(  # noqa: PLR0917  # one line of a log, in the order of its columns
    world: World, device: Record, kind: str, code: str, subject: str, words: str, *, series: str = ""
) -> None:
    record: Record = {
        "activityTime": time.time(),
        "deviceId": device["id"],
        "severity": "NONE",
        "priority": "NONE",
        "activityType": kind,
        "statusCode": code,
        "status": code.replace("_", " ").capitalize(),
        "activityResult": "SUCCESS",
        "sourceName": subject,
        "subject": subject,
        "message": words,
        "type": kind.replace("_", " ").capitalize(),
    }
    if series:
        record["seriesUid"] = series
    world.save("activity", record)


def _done(verb: str, device: Record) -> Answer:
    number = device["id"]
    return Answer(204, effect=Effect(verb, "device", number if isinstance(number, int) else 0))


ACTIONS = [
    Route("POST", "/v2/device/{id}/script/run", "control", _run_script),
    Route("POST", "/v2/device/{id}/reboot/{mode}", "control", _reboot),
    Route("POST", "/v2/device/{id}/windows-service/{serviceId}/control", "control", _control_service),
    Route("POST", "/v2/device/{id}/patch/os/scan", "control", _scan),
    Route("POST", "/v2/device/{id}/patch/os/apply", "control", _apply),
    Route("PUT", "/v2/device/{id}/maintenance", "management", _set_maintenance),
    Route("DELETE", "/v2/device/{id}/maintenance", "management", _end_maintenance),
    Route("POST", "/v2/alert/{uid}/reset", "management", _reset_alert),
    Route("DELETE", "/v2/alert/{uid}", "management", _reset_alert),
]
