"""Which function answers which read, and which scope it takes; writes stand in `actions`. The rest does not exist."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.ninjaone.filters import Matches, read_filter
from integrations.sandbox.ninjaone.problems import Problem, not_found
from integrations.sandbox.ninjaone.seeding import ROLES
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Request, json_answer

LARGEST_PAGE = 1000
CURSOR_SECONDS = 300
_CURSOR = re.compile(r"c-(\d{1,9})-(\d{1,12})")


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to its route. `parts` are what stands for the template's names."""

    world: World
    request: Request
    parts: tuple[str, ...]
    user_context: bool

    @property
    def query(self) -> dict[str, str]:
        """The query by name; of repeats the last."""
        return dict(self.request.query)

    def device(self) -> Record:
        """The device that the path names. Raises Problem."""
        return find_device(self.world, self.parts[0])

    def inside(self) -> Record:
        """What the agent on that device knows. Raises Problem."""
        return inside_of(self.device())

    def number(self, name: str, otherwise: int, *, least: int = 1, most: int = LARGEST_PAGE) -> int:
        """A whole number of the query. Raises Problem."""
        text = self.query.get(name, str(otherwise))
        if not text.isdigit() or not least <= int(text) <= most:
            raise Problem(400, f"Invalid {name}")
        return int(text)


Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a template of the vendor's contract, the scope it takes, and what answers it."""

    method: str
    template: str
    scope: str
    endpoint: Endpoint


def find_device(world: World, number: str) -> Record:
    """A device by the number in a path. Raises Problem."""
    device = world.get("device", int(number)) if number.isdigit() else None
    if device is None:
        raise not_found("device")
    return device


def inside_of(device: Record) -> Record:
    """What the agent on a device knows."""
    inside = device["inside"]
    if not isinstance(inside, dict):
        raise TypeError("a stored device knows its inside")
    return inside


def shown(device: Record, *, long: bool = False) -> Record:
    """A device as lists show it, or as its own page does."""
    hidden = {"inside"} if long else {"inside", "ipAddresses", "macAddresses"}
    return {name: value for name, value in deepcopy(device).items() if name not in hidden}


def _organizations(call: Call) -> Answer:
    return json_answer(200, [*_after(call, call.world.all("organization"))])


def _organization(call: Call) -> Answer:
    number = call.parts[0]
    found = call.world.get("organization", int(number)) if number.isdigit() else None
    if found is None:
        raise not_found("organization")
    return json_answer(200, found)


def _organization_devices(call: Call) -> Answer:
    _organization(call)
    wanted = int(call.parts[0])
    rows = [device for device in call.world.all("device") if device["organizationId"] == wanted]
    return json_answer(200, [shown(device) for device in _after(call, rows)])


def _devices(*, long: bool) -> Endpoint:
    def answer(call: Call) -> Answer:
        return json_answer(200, [shown(device, long=long) for device in _after(call, _filtered(call))])

    return answer


def _search(call: Call) -> Answer:
    words = call.query.get("q", "").casefold()
    found: list[Json] = []
    for device in call.world.all("device"):
        user = inside_of(device)["user"]
        told = {
            "displayName": device["displayName"],
            "dnsName": device["dnsName"],
            "lastUser": user.get("userName") if isinstance(user, dict) else "",
            "ipAddress": " ".join(map(str, device["ipAddresses"] if isinstance(device["ipAddresses"], list) else [])),
        }
        match = next((name for name, value in told.items() if words and words in str(value or "").casefold()), None)
        if match:
            value = told[match]
            found.append({**shown(device), "score": 100, "matchAttr": match, "matchAttrValue": str(value)})
    return json_answer(200, {"query": call.query.get("q", ""), "devices": found[: call.number("limit", 50)]})


def _device(call: Call) -> Answer:
    return json_answer(200, shown(call.device(), long=True))


def _inside(name: str) -> Endpoint:
    return lambda call: json_answer(200, deepcopy(call.inside()[name]))


def _alerts(call: Call) -> Answer:
    devices = {device["id"]: device for device in _filtered(call)}
    source = call.query.get("sourceType")
    return json_answer(
        200,
        [
            {"device": shown(devices[alert["deviceId"]]), **_alert(alert)}
            for alert in call.world.all("alert")
            if alert["deviceId"] in devices and source in (None, alert["sourceType"])
        ],
    )


def _device_alerts(call: Call) -> Answer:
    number = call.device()["id"]
    return json_answer(200, [_alert(one) for one in call.world.all("alert") if one["deviceId"] == number])


def _alert(alert: Record) -> Record:
    return {name: value for name, value in alert.items() if name != "id"}


def _activities(call: Call) -> Answer:
    """The newest first; `olderThan` and `newerThan` are ids, and leave themselves out."""
    number, query = call.device()["id"], call.query
    every = call.world.all("activity")
    rows = [one for one in every if one["deviceId"] == number]
    older, newer = query.get("olderThan"), query.get("newerThan")
    found = [
        one
        for one in reversed(rows)
        if (older is None or _id(one) < int(older))
        and (newer is None or _id(one) > int(newer))
        and query.get("activityType") in (None, one["activityType"])
        and query.get("status") in (None, one["statusCode"])
        and query.get("seriesUid") in (None, one.get("seriesUid"))
    ]
    page: list[Json] = [*found[: call.number("pageSize", 200, least=10)]]
    return json_answer(
        200,
        {
            "lastActivityId": _id(every[-1]) if every else 0,
            "lastNodeActivityId": _id(rows[-1]) if rows else 0,
            "activities": page,
        },
    )


def _patches(call: Call) -> Answer:
    wanted = {name: call.query.get(name) for name in ("status", "type", "severity")}
    rows = call.inside()["patches"]
    return json_answer(
        200,
        [
            patch
            for patch in (rows if isinstance(rows, list) else [])
            if isinstance(patch, dict) and all(value in (None, patch[name]) for name, value in wanted.items())
        ],
    )


def _services(call: Call) -> Answer:
    wanted = {name: call.query.get(name) for name in ("name", "state")}
    rows = call.inside()["services"]
    return json_answer(
        200,
        [
            service
            for service in (rows if isinstance(rows, list) else [])
            if isinstance(service, dict) and all(value in (None, service[name]) for name, value in wanted.items())
        ],
    )


def _scripting(call: Call) -> Answer:
    device = call.device()
    runs = device["nodeClass"] in ("WINDOWS_SERVER", "WINDOWS_WORKSTATION")
    return json_answer(
        200,
        {
            "categories": [{"id": 1, "name": "Maintenance", "internal": False}],
            "scripts": [*call.world.all("script")] if runs else [],
            "credentials": {"roles": [*ROLES], "credentials": []},
        },
    )


def _jobs(call: Call) -> Answer:
    call.device()
    return json_answer(200, [])


def _query(name: str) -> Endpoint:
    """A report over devices: `cursor` gives the next piece, and an empty one is the end."""

    def answer(call: Call) -> Answer:
        rows: list[Json] = []
        for device in _filtered(call):
            part = inside_of(device)[name]
            if isinstance(part, dict):
                rows.append({**part, "deviceId": device["id"], "timestamp": device["lastUpdate"]})
        start, size = _cursor_of(call), call.number("pageSize", 100)
        page = rows[start : start + size]
        expires = int(time.time()) + CURSOR_SECONDS
        cursor: Record = {
            "name": f"c-{start + len(page)}-{expires}",
            "offset": start,
            "count": len(page),
            "expires": float(expires),
        }
        return json_answer(200, {"cursor": cursor, "results": page} if page else {"results": []})

    return answer


def _cursor_of(call: Call) -> int:
    text = call.query.get("cursor")
    if text is None:
        return 0
    match = _CURSOR.fullmatch(text)
    if match is None or int(match[2]) < time.time():
        raise Problem(400, "The cursor is not known or has expired")
    return int(match[1])


def _filtered(call: Call) -> list[Record]:
    fits: Matches = read_filter(call.query.get("df", ""))
    return [device for device in call.world.all("device") if fits(device)]


def _after(call: Call, rows: list[Record]) -> list[Record]:
    """The page of a list that begins behind the record of the id `after`."""
    after = call.number("after", 0, least=0, most=2**31 - 1)
    return [row for row in rows if _id(row) > after][: call.number("pageSize", LARGEST_PAGE)]


def _id(record: Record) -> int:
    number = record["id"]
    return number if isinstance(number, int) else 0


READS = [
    Route("GET", "/v2/organizations", "monitoring", _organizations),
    Route("GET", "/v2/organization/{id}", "monitoring", _organization),
    Route("GET", "/v2/organization/{id}/devices", "monitoring", _organization_devices),
    Route("GET", "/v2/devices", "monitoring", _devices(long=False)),
    Route("GET", "/v2/devices-detailed", "monitoring", _devices(long=True)),
    Route("GET", "/v2/devices/search", "monitoring", _search),
    Route("GET", "/v2/device/{id}", "monitoring", _device),
    Route("GET", "/v2/alerts", "monitoring", _alerts),
    Route("GET", "/v2/device/{id}/alerts", "monitoring", _device_alerts),
    Route("GET", "/v2/device/{id}/activities", "monitoring", _activities),
    Route("GET", "/v2/device/{id}/volumes", "monitoring", _inside("volumes")),
    Route("GET", "/v2/device/{id}/disks", "monitoring", _inside("disks")),
    Route("GET", "/v2/device/{id}/software", "monitoring", _inside("software")),
    Route("GET", "/v2/device/{id}/os-patches", "monitoring", _patches),
    Route("GET", "/v2/device/{id}/last-logged-on-user", "monitoring", _inside("user")),
    Route("GET", "/v2/device/{id}/windows-services", "monitoring", _services),
    Route("GET", "/v2/device/{id}/scripting/options", "monitoring", _scripting),
    Route("GET", "/v2/device/{id}/jobs", "monitoring", _jobs),
    Route("GET", "/v2/queries/operating-systems", "monitoring", _query("os")),
    Route("GET", "/v2/queries/computer-systems", "monitoring", _query("system")),
]
