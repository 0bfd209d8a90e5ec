"""The one webhook of an API client: set up, switched off, and fed with activities. Not signed, as in life."""

from __future__ import annotations

import json

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.ninjaone.problems import Problem
from integrations.sandbox.ninjaone.routes import Call, Route
from integrations.sandbox.postman import Change, Letter
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Effect

_KNOWN = {"url", "activities", "expand", "headers", "organizationIds"}
_ONLY = 1


def _configure(call: Call) -> Answer:
    try:
        body = call.request.json()
    except ValueError as error:
        raise Problem(400, "The body is not JSON") from error
    if not isinstance(body, dict) or not set(body) <= _KNOWN or not isinstance(body.get("url"), str):
        raise Problem(400, "Unrecognized field in the body, or no url")
    call.world.save("webhook", {**body, "id": _ONLY})
    return Answer(204, effect=Effect("changed", "webhook", _ONLY))


def _disable(call: Call) -> Answer:
    if call.world.get("webhook", _ONLY) is not None:
        call.world.remove("webhook", _ONLY)
    return Answer(204, effect=Effect("deleted", "webhook", _ONLY))


def letters(world: World, change: Change) -> list[Letter]:
    """The letter about a new activity, where somebody wants activities of its kind."""
    hook, activity = world.get("webhook", _ONLY), world.get("activity", change.number)
    if change.kind != "activity" or change.verb != "added" or hook is None or activity is None:
        return []
    wanted = hook.get("activities")
    codes = wanted.get(str(activity["activityType"])) if isinstance(wanted, dict) else None
    if isinstance(wanted, dict) and not (isinstance(codes, list) and activity["statusCode"] in (codes or [])):
        return []
    return [Letter(str(hook["url"]), json.dumps(activity).encode(), _headers(hook))]


def _headers(hook: Record) -> dict[str, str]:
    given: Json = hook.get("headers")
    rows = given if isinstance(given, list) else []
    own = {str(one["name"]): str(one["value"]) for one in rows if isinstance(one, dict)}
    return {"Content-Type": "application/json", **own}


WEBHOOK = [
    Route("PUT", "/v2/webhook", "management", _configure),
    Route("DELETE", "/v2/webhook", "management", _disable),
]
