"""What changes something in a tenant. A computer that is online follows at once, an offline one when it comes back."""

from __future__ import annotations

import re
import uuid
from copy import deepcopy
from datetime import UTC, datetime

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.sophos import filters
from integrations.sandbox.sophos.problems import Problem, bad_request
from integrations.sandbox.sophos.routes import Call, Route, shown_of
from integrations.sandbox.sophos.seeding import event, stamp
from integrations.sandbox.wire import Answer, Effect, json_answer

ACTIONS_KNOWN = {
    "acknowledge",
    "cleanPua",
    "cleanVirus",
    "authPua",
    "clearThreat",
    "clearHmpa",
    "sendMsgPua",
    "sendMsgThreat",
}
_SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_CLEANED = {"cleanPua": "Event::Endpoint::CorePuaClean", "cleanVirus": "Event::Endpoint::Threat::CleanedUp"}


def _set_isolation(call: Call) -> Answer:
    record = deepcopy(call.stored("computer", "Endpoint"))
    body = _body(call, {"enabled", "comment"})
    enabled = body.get("enabled")
    if not isinstance(enabled, bool):
        raise bad_request("enabled must be true or false")
    asked, shown = _part(record, "isolation"), shown_of(record)
    now = _part(shown, "isolation")
    if asked["enabled"] is not now["adminIsolated"]:
        raise Problem(409, "conflict", "Isolation or removal from isolation in progress.")
    name = "Enabled" if enabled else "Disabled"
    by: Record = {"id": call.credential.id, "type": "service", "name": call.credential.label}
    by |= {"accountType": call.credential.kind, "accountId": call.credential.id}
    asked |= {"enabled": enabled, f"last{name}At": _now(), f"last{name}By": by}
    asked["comment"] = str(body.get("comment") or "")
    if shown["online"]:
        now |= {"status": "isolated" if enabled or now["selfIsolated"] else "notIsolated", "adminIsolated": enabled}
        kind = "Event::Endpoint::Isolation" if enabled else "Event::Endpoint::UnIsolation"
        text = f"{shown['hostname']} {'isolated' if enabled else 'removed from isolation'} by an admin"
        _tell(call, record, kind, text)
    call.world.save("computer", record)
    return json_answer(200, asked, effect=_effect("isolated" if enabled else "released", "computer", record))


def _scan(call: Call) -> Answer:
    record = call.stored("computer", "Endpoint")
    _body(call, set())
    if shown_of(record)["online"]:
        _tell(call, record, "Event::Endpoint::SavScanComplete", "Scan 'Scan my computer' completed")
    return _ordered(record, "scanned")


def _check_update(call: Call) -> Answer:
    record = call.stored("computer", "Endpoint")
    _body(call, set())
    if shown_of(record)["online"]:
        _tell(call, record, "Event::Endpoint::UpdateSuccess", "Update succeeded")
    return _ordered(record, "updated")


def _act_on_alert(call: Call) -> Answer:
    alert = call.stored("alert", "Alert")
    body, shown = _body(call, {"action", "message"}), shown_of(alert)
    action, allowed = body.get("action"), shown["allowedActions"]
    if action not in ACTIONS_KNOWN:
        raise bad_request("Invalid action")
    if not isinstance(allowed, list) or action not in allowed:
        raise bad_request(f"Action {action} is not allowed for this alert")
    computer = next(
        (one for one in call.world.all("computer") if shown_of(one)["id"] == filters.part(shown, "managedAgent", "id")),
        None,
    )
    if computer is not None and str(action) in _CLEANED:
        _tell(call, computer, _CLEANED[str(action)], f"Cleaned up: {shown['description']}")
    number = alert["id"]
    call.world.remove("alert", number if isinstance(number, int) else 0)
    if computer is not None:
        _recover(call, computer)
    answer: Record = {
        "id": str(uuid.uuid4()),
        "alertId": shown["id"],
        "action": action,
        "status": "completed",
        "requestedAt": _now(),
        "startedAt": _now(),
        "completedAt": _now(),
        "result": "success",
    }
    return json_answer(201, answer, effect=_effect("settled", "alert", alert))


def _recover(call: Call, computer: Record) -> None:
    """A computer on which nothing stands any more is well again."""
    number = shown_of(computer)["id"]
    if any(filters.part(shown_of(one), "managedAgent", "id") == number for one in call.world.all("alert")):
        return
    well = deepcopy(computer)
    health = _part(shown_of(well), "health")
    health |= {"overall": "good", "threats": {"status": "good"}}
    call.world.save("computer", well)


def _block(call: Call) -> Answer:
    body = _body(call, {"type", "properties", "comment"})
    properties = body.get("properties")
    sha256 = properties.get("sha256") if isinstance(properties, dict) else None
    if body.get("type") != "sha256" or not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise bad_request("Only items of the type sha256 are blocked here, by 64 hexadecimal digits")
    if any(filters.part(row, "properties", "sha256") == sha256 for row in call.rows("blocked")):
        raise Problem(409, "conflict", "The item already exists")
    shown: Record = {
        "id": str(uuid.uuid4()),
        "createdAt": _now(),
        "updatedAt": _now(),
        "properties": properties,
        "comment": str(body.get("comment") or ""),
        "type": "sha256",
        "createdBy": {"id": call.credential.id, "name": call.credential.label},
    }
    record: Record = {"tenant": call.tenant, "shown": shown}
    call.world.save("blocked", record)
    return json_answer(201, shown, effect=_effect("blocked", "blocked_item", record))


def _body(call: Call, known: set[str]) -> Record:
    """The body, which every write has, be it empty. Raises Problem for none, and for names that are not known."""
    try:
        body = call.request.json()
    except ValueError as error:
        raise bad_request("The body is not JSON") from error
    if not isinstance(body, dict) or not set(body) <= known:
        raise bad_request("Unknown property in the body")
    call.no_query()
    return body


def _tell(call: Call, computer: Record, kind: str, text: str) -> None:
    call.world.save("event", event(computer, kind, text, "none", datetime.now(tz=UTC)))


def _ordered(record: Record, verb: str) -> Answer:
    answer: Record = {"id": str(uuid.uuid4()), "status": "requested", "requestedAt": _now()}
    return json_answer(201, answer, effect=_effect(verb, "computer", record))


def _part(record: Record, name: str) -> Record:
    part: Json = record[name]
    if not isinstance(part, dict):
        raise TypeError(f"{name} is a record")
    return part


def _now() -> str:
    return stamp(datetime.now(tz=UTC))


def _effect(verb: str, kind: str, record: Record) -> Effect:
    number = record.get("id")
    return Effect(verb, kind, number if isinstance(number, int) else 0)


ACTIONS = [
    Route("PATCH", "/endpoint/v1/endpoints/{endpointId}/isolation", _set_isolation),
    Route("POST", "/endpoint/v1/endpoints/{endpointId}/scans", _scan),
    Route("POST", "/endpoint/v1/endpoints/{endpointId}/update-checks", _check_update),
    Route("POST", "/common/v1/alerts/{alertId}/actions", _act_on_alert),
    Route("POST", "/endpoint/v1/settings/blocked-items", _block),
]
