"""Which function answers which read; writes stand in `actions`. What is in neither does not exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.sophos import filters
from integrations.sandbox.sophos.credentials import Credential
from integrations.sandbox.sophos.problems import Problem, bad_request, not_found
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Request, json_answer

SLUG = "sophos"
PAGES = {"page", "pageSize", "pageTotal"}
KEYS = {"pageFromKey", "pageSize", "pageTotal", "sort"}
EVENT_HOURS = 24
_CURSOR = re.compile(r"c-(\d{1,9})")


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to its route. `parts` stand for the template's names.

    `tenant` is the id of the tenant that a regional call is for, and empty for a global one.
    """

    world: World
    request: Request
    parts: tuple[str, ...]
    credential: Credential
    tenant: str

    @property
    def query(self) -> dict[str, str]:
        """The query by name; of repeats the last."""
        return dict(self.request.query)

    def rows(self, kind: str) -> list[Record]:
        """What the vendor shows of the tenant's records of a kind."""
        return [shown_of(one) for one in self.world.all(kind) if one["tenant"] == self.tenant]

    def stored(self, kind: str, what: str) -> Record:
        """The tenant's record that the path names. Raises Problem."""
        for record in self.world.all(kind):
            if record["tenant"] == self.tenant and shown_of(record)["id"] == self.parts[0].lower():
                return record
        raise not_found(what)

    def no_query(self) -> None:
        """Raises Problem for a query where none is known."""
        if self.query:
            raise bad_request(f"Unknown query parameter: {min(self.query)}")


Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a template of the vendor's contract, and what answers it. `kind` of credentials for global ones."""

    method: str
    template: str
    endpoint: Endpoint
    kind: str = ""
    is_global: bool = False


def shown_of(record: Record) -> Record:
    """What the vendor shows of a stored record."""
    shown = record["shown"]
    if not isinstance(shown, dict):
        raise TypeError("a stored record knows what is shown of it")
    return shown


def _whoami(call: Call) -> Answer:
    call.no_query()
    here = f"{call.request.base_url}/{SLUG}"
    hosts: Record = {"global": f"{here}/"}
    if call.credential.kind == "tenant":
        region = next(
            shown_of(one)["dataRegion"] for one in call.world.all("tenant") if one["tenant"] == call.credential.id
        )
        hosts["dataRegion"] = f"{here}/{region}/"
    return json_answer(200, {"id": call.credential.id, "idType": call.credential.kind, "apiHosts": hosts})


def _tenants(call: Call) -> Answer:
    rows = filters.filtered([shown_of(one) for one in call.world.all("tenant")], call.query, {}, PAGES)
    page = filters.numbered([_with_host(call, row) for row in rows], call.query, otherwise=50, most=100, told=False)
    return json_answer(200, page)


def _tenant(call: Call) -> Answer:
    call.no_query()
    for one in call.world.all("tenant"):
        if one["tenant"] == call.parts[0].lower():
            return json_answer(200, _with_host(call, shown_of(one)))
    raise not_found("Tenant")


def _with_host(call: Call, tenant: Record) -> Record:
    """A tenant with the address of its region; without one while it is being set up."""
    if tenant.get("status") != "active":
        return deepcopy(tenant)
    return {"apiHost": f"{call.request.base_url}/{SLUG}/{tenant['dataRegion']}", **deepcopy(tenant)}


def _computers(call: Call) -> Answer:
    query = call.query
    view = _view(query)
    rows = filters.filtered(call.rows("computer"), query, filters.COMPUTERS, KEYS | {"view"})
    rows = filters.sorted_by(rows, query.get("sort"), {"hostname", "lastSeenAt"})
    page = filters.keyed(rows, query, otherwise=50, most=500)
    items = page["items"]
    page["items"] = [_viewed(row, view) for row in (items if isinstance(items, list) else []) if isinstance(row, dict)]
    return json_answer(200, page)


def _computer(call: Call) -> Answer:
    if set(call.query) - {"view"}:
        raise bad_request("Unknown query parameter")
    return json_answer(200, _viewed(shown_of(call.stored("computer", "Endpoint")), _view(call.query)))


def _view(query: dict[str, str]) -> str:
    view = query.get("view", "summary")
    if view not in filters.VIEWS:
        raise bad_request("Invalid view")
    return view


def _viewed(shown: Record, view: str) -> Json:
    basic = {"id", "type", "tenant", "hostname"}
    left_out = {"summary": {"encryption", "cloud"}, "full": set[str]()}
    return {
        name: deepcopy(value)
        for name, value in shown.items()
        if (name in basic if view == "basic" else name not in left_out[view])
    }


def _isolation(call: Call) -> Answer:
    call.no_query()
    return json_answer(200, deepcopy(call.stored("computer", "Endpoint")["isolation"]))


def _tamper(call: Call) -> Answer:
    call.no_query()
    return json_answer(200, deepcopy(call.stored("computer", "Endpoint")["tamper"]))


def _alerts(call: Call) -> Answer:
    rows = filters.filtered(call.rows("alert"), call.query, filters.ALERTS, KEYS)
    rows = filters.sorted_by(rows, call.query.get("sort"), {"raisedAt"})
    return json_answer(200, filters.keyed(rows, call.query, otherwise=50, most=100))


def _alert(call: Call) -> Answer:
    call.no_query()
    return json_answer(200, deepcopy(shown_of(call.stored("alert", "Alert"))))


def _events(call: Call) -> Answer:
    """The oldest first; a cursor wins over `from_date`, and nothing older than a day is told."""
    query = call.query
    if set(query) - {"limit", "cursor", "from_date"}:
        raise bad_request("Unknown query parameter")
    size, start = filters.whole(query, "limit", 200, most=1000), 0
    since = datetime.now(tz=UTC) - timedelta(hours=EVENT_HOURS)
    if "cursor" in query:
        match = _CURSOR.fullmatch(query["cursor"])
        if match is None:
            raise bad_request("Invalid cursor")
        start = int(match[1])
    elif "from_date" in query:
        text = query["from_date"]
        if not text.isdigit() or int(text) < since.timestamp() - 1:
            raise bad_request("from_date must be within last 24 hours")
        since = datetime.fromtimestamp(int(text), tz=UTC)
    fresh = [row for row in call.rows("event") if datetime.fromisoformat(str(row["when"])) >= since]
    fresh.sort(key=lambda row: str(row["when"]))
    page: list[Json] = [*fresh[start : start + size]]
    reached = start + len(page)
    return json_answer(200, {"has_more": reached < len(fresh), "next_cursor": f"c-{reached}", "items": page})


def _cases(call: Call) -> Answer:
    rows = filters.filtered(call.rows("case"), call.query, filters.CASES, {"page", "pageSize"})
    return json_answer(200, filters.numbered(rows, call.query, otherwise=50, most=50, told=True))


def _health(call: Call) -> Answer:
    call.no_query()
    computers = call.rows("computer")
    protection: Record = {}
    tamper: Record = {}
    for kind in ("computer", "server"):
        rows = [row for row in computers if row["type"] == kind]
        unwell = sum(1 for row in rows if filters.part(row, "health", "overall") != "good")
        off = sum(1 for row in rows if not row["tamperProtectionEnabled"])
        protection[kind] = {**_score(len(rows), unwell), "notFullyProtected": unwell}
        tamper[kind] = {**_score(len(rows), off), "disabled": bool(off)}
    tenant = next(shown_of(one) for one in call.world.all("tenant") if one["tenant"] == call.tenant)
    tamper |= {"globalDetail": {"score": 100, "snoozed": False, "enabled": True}, "global": True}
    endpoint: Record = {
        "protection": protection,
        "policy": {
            "computer": {"threat-protection": _policies()},
            "server": {"server-threat-protection": _policies()},
        },
        "exclusions": {"policy": {kind: _exclusions() for kind in ("computer", "server")}, "global": {}},
        "tamperProtection": tamper,
    }
    return json_answer(
        200,
        {
            "tenant": {"id": tenant["id"], "name": tenant["name"]},
            "endpoint": endpoint,
            "networkDevice": {"firewall": {}},
        },
    )


def _policies() -> Record:
    return {**_score(1, 0), "notOnRecommended": 0, "policies": []}


def _exclusions() -> Record:
    return {**_score(1, 0), "numberOfSecurityRisks": 0, "exclusions": []}


def _score(total: int, failing: int) -> Record:
    return {"score": round(100 * (total - failing) / total) if total else 100, "total": total, "snoozed": False}


def _blocked(call: Call) -> Answer:
    rows = filters.filtered(call.rows("blocked"), call.query, {}, PAGES)
    return json_answer(200, filters.numbered(rows, call.query, otherwise=50, most=100, told=False))


def tenant_of(world: World, credential: Credential, request: Request, region: str) -> str:
    """The tenant that a regional call names, when the credentials reach it and it lives there. Raises Problem."""
    named = request.headers.get("x-tenant-id", "").lower()
    if not named:
        raise bad_request("X-Tenant-ID is missing")
    if credential.kind == "tenant" and credential.id != named:
        raise Problem(403, "Forbidden", "These credentials do not belong to this tenant")
    for one in world.all("tenant"):
        if one["tenant"] == named and shown_of(one)["dataRegion"] == region and one.get("assistance", True):
            return named
    raise Problem(403, "Forbidden", "You do not have access to this tenant in this region")


READS = [
    Route("GET", "/whoami/v1", _whoami, is_global=True),
    Route("GET", "/partner/v1/tenants", _tenants, kind="partner", is_global=True),
    Route("GET", "/partner/v1/tenants/{tenantId}", _tenant, kind="partner", is_global=True),
    Route("GET", "/organization/v1/tenants", _tenants, kind="organization", is_global=True),
    Route("GET", "/organization/v1/tenants/{tenantId}", _tenant, kind="organization", is_global=True),
    Route("GET", "/endpoint/v1/endpoints", _computers),
    Route("GET", "/endpoint/v1/endpoints/{endpointId}", _computer),
    Route("GET", "/endpoint/v1/endpoints/{endpointId}/isolation", _isolation),
    Route("GET", "/endpoint/v1/endpoints/{endpointId}/tamper-protection", _tamper),
    Route("GET", "/common/v1/alerts", _alerts),
    Route("GET", "/common/v1/alerts/{alertId}", _alert),
    Route("GET", "/siem/v1/events", _events),
    Route("GET", "/cases/v1/cases", _cases),
    Route("GET", "/account-health-check/v1/health-check", _health),
    Route("GET", "/endpoint/v1/settings/blocked-items", _blocked),
]
