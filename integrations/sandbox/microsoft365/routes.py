"""Which function answers which read, and which permission it takes; writes stand in `actions`. No more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import deepcopy
from dataclasses import dataclass
from urllib.parse import urlencode

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.microsoft365 import properties
from integrations.sandbox.microsoft365.filters import read_filter
from integrations.sandbox.microsoft365.problems import Problem, bad_request, not_found
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Request, json_answer

PREFIX = "/microsoft365/v1.0"


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to its route. `parts` are what stands for the template's
    names, `app` is the client id of the app that asks."""

    world: World
    tenant: str
    roles: frozenset[str]
    request: Request
    parts: tuple[str, ...]
    app: str

    @property
    def query(self) -> dict[str, str]:
        """The query by name."""
        return dict(self.request.query)

    def rows(self, kind: str) -> list[Record]:
        """The records of a kind in this tenant, as they are stored: the body is inside."""
        return [row for row in self.world.all(kind) if row["tenant"] == self.tenant]

    def bodies(self, kind: str) -> list[Record]:
        """The same as Graph knows them."""
        return [body_of(row) for row in self.rows(kind)]

    def row(self, kind: str, key: str, name: str) -> Record:
        """One of them by its id at Graph. Raises Problem."""
        found = next((row for row in self.rows(kind) if str(body_of(row)["id"]).lower() == key.lower()), None)
        if found is None:
            raise not_found(name or key)
        return found

    def user(self) -> Record:
        """The user that the path names, by id or sign-in name, as it is stored. Raises Problem."""
        key = self.parts[0].casefold()
        for row in self.rows("users"):
            body = body_of(row)
            if key in (str(body["id"]).casefold(), str(body["userPrincipalName"]).casefold()):
                return row
        raise not_found(self.parts[0])

    def tenant_row(self) -> Record:
        """The tenant itself."""
        return next(row for row in self.world.all("tenants") if row["tenantId"] == self.tenant)


Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a template of the vendor's contract, the permission it takes, and what answers it."""

    method: str
    template: str
    permission: str
    endpoint: Endpoint


def body_of(row: Record) -> Record:
    """What Graph knows of a stored record."""
    body = row["body"]
    if not isinstance(body, dict):
        raise TypeError("a stored record has a body")
    return body


def listed(
    call: Call,
    rows: list[Record],
    *,
    filters: tuple[str, ...] = (),
    takes: tuple[str, ...] = (),
    selects: Collection[str] = (),
    size: int = 100,
) -> Answer:
    """A page of a list. `filters` are the fields it can be filtered by, `selects` those that can be chosen, `takes`
    what else it understands.

    Raises Problem for a parameter that it does not, so that nobody gets everything who asked for little.
    """
    query = call.query
    known = {"$skiptoken", *takes, *(("$filter",) if filters else ()), *(("$select",) if selects else ())}
    for name in query:
        if name not in known:
            raise bad_request(f"The query parameter '{name[:40]}' is not supported here.")
    fits = read_filter(query.get("$filter", ""), filters)
    found = _ordered([row for row in rows if fits(row)], query.get("$orderby", ""), filters)
    start, page = _number(query.get("$skiptoken", "0"), 0, 10**9), _number(query.get("$top", str(size)), 1, 999)
    shown: list[Json] = [_selected(row, query.get("$select", ""), selects) for row in found[start : start + page]]
    told: Record = {"@odata.context": f"{call.request.base_url}{PREFIX}/$metadata#{call.request.path}", "value": shown}
    if start + page < len(found):
        onward = urlencode([*((n, v) for n, v in query.items() if n != "$skiptoken"), ("$skiptoken", start + page)])
        told["@odata.nextLink"] = f"{call.request.base_url}{call.request.path}?{onward}"
    return json_answer(200, told)


def one(call: Call, body: Record, *, selects: Collection[str] = ()) -> Answer:
    """One record; `selects` as in `listed`. Raises Problem."""
    for name in call.query:
        if name != "$select" or not selects:
            raise bad_request(f"The query parameter '{name[:40]}' is not supported here.")
    return json_answer(200, _selected(body, call.query.get("$select", ""), selects))


def _selected(body: Record, select: str, known: Collection[str]) -> Record:
    wanted = {name for name in select.split(",") if name}
    if unknown := sorted(wanted.difference(known)):
        raise bad_request(
            f"Parsing OData Select and Expand failed: Could not find a property named '{unknown[0][:40]}'."
        )
    shown = {name: deepcopy(value) for name, value in body.items() if name != "members"}
    if not wanted:
        return shown
    return {name: value for name, value in shown.items() if name in wanted or name in ("id", "@odata.type")}


def _ordered(rows: list[Record], order: str, fields: tuple[str, ...]) -> list[Record]:
    if not order:
        return rows
    name, _, way = order.partition(" ")
    if name not in fields or way not in ("", "asc", "desc"):
        raise bad_request(f"Cannot order by '{order[:40]}'.")
    return sorted(rows, key=lambda row: str(row.get(name) or ""), reverse=way == "desc")


def _number(text: str, least: int, most: int) -> int:
    if not text.isdigit() or not least <= int(text) <= most:
        raise bad_request(f"Invalid value '{text[:20]}'.")
    return int(text)


def _organization(call: Call) -> Answer:
    tenant = call.tenant_row()
    body: Record = {
        "id": tenant["tenantId"],
        "displayName": tenant["displayName"],
        "verifiedDomains": [{"name": tenant["domain"], "isDefault": True, "isInitial": False, "type": "Managed"}],
    }
    return listed(call, [body], selects=properties.ORGANIZATION)


def _domains(call: Call) -> Answer:
    domain = call.tenant_row()["domain"]
    body: Record = {
        "id": domain,
        "authenticationType": "Managed",
        "isDefault": True,
        "isInitial": False,
        "isRoot": True,
        "isVerified": True,
        "isAdminManaged": True,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
    }
    return listed(call, [body], selects=properties.DOMAIN)


def _customers(call: Call) -> Answer:
    return listed(call, call.bodies("customers"))


_USER_FILTERS = ("displayName", "givenName", "surname", "userPrincipalName", "mail", "accountEnabled", "userType")


def _users(call: Call) -> Answer:
    return listed(
        call, call.bodies("users"), filters=_USER_FILTERS, takes=("$top", "$orderby"), selects=properties.USER
    )


def _user(call: Call) -> Answer:
    return one(call, body_of(call.user()), selects=properties.USER)


def _groups_with(call: Call, inside: Collection[Json]) -> list[Record]:
    """The groups that hold one of these directly: people, or groups."""
    return [one for one in call.bodies("groups") if set(texts(one["members"])) & {str(each) for each in inside}]


def texts(value: Json) -> list[str]:
    """The texts of a list; none where it is no list."""
    return [str(one) for one in value] if isinstance(value, list) else []


def _member_of(call: Call) -> Answer:
    return _memberships(call, _groups_with(call, [body_of(call.user())["id"]]))


def _transitive_member_of(call: Call) -> Answer:
    found: dict[str, Record] = {}
    inside: list[Json] = [body_of(call.user())["id"]]
    while inside:
        new = [one for one in _groups_with(call, inside) if str(one["id"]) not in found]
        found |= {str(one["id"]): one for one in new}
        inside = [one["id"] for one in new]
    return _memberships(call, list(found.values()))


def _memberships(call: Call, groups: list[Record]) -> Answer:
    who = body_of(call.user())["id"]
    found: list[Record] = [{"@odata.type": "#microsoft.graph.group", **group} for group in groups]
    kind = "#microsoft.graph.directoryRole"
    roles = [one for one in call.bodies("roles") if one["user"] == who]
    found += [{"@odata.type": kind, "id": one["id"], "displayName": one["name"]} for one in roles]
    return listed(call, found, takes=("$top",), selects=properties.MEMBERSHIP)


def _skus(call: Call) -> Answer:
    return listed(call, call.bodies("skus"), selects=properties.SKU)


def _groups(call: Call) -> Answer:
    return listed(
        call, call.bodies("groups"), filters=("displayName", "mail"), takes=("$top",), selects=properties.GROUP
    )


def _group(call: Call) -> Answer:
    return one(call, body_of(call.row("groups", call.parts[0], "")), selects=properties.GROUP)


def _members(call: Call) -> Answer:
    group = body_of(call.row("groups", call.parts[0], ""))
    members = group["members"] if isinstance(group["members"], list) else []
    people = [
        {"@odata.type": "#microsoft.graph.user", **user} for user in call.bodies("users") if user["id"] in members
    ]
    return listed(call, people, takes=("$top",), selects=properties.USER)


def premium(endpoint: Endpoint) -> Endpoint:
    """A route that takes a licence which not every tenant has bought."""

    def answer(call: Call) -> Answer:
        if not call.tenant_row()["premium"]:
            raise Problem(
                403,
                "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
                "Neither tenant is B2C or tenant doesn't have premium license",
            )
        return endpoint(call)

    return answer


def _sign_ins(call: Call) -> Answer:
    fields = ("createdDateTime", "userId", "userPrincipalName")
    return listed(call, call.bodies("signIns"), filters=fields, takes=("$top", "$orderby"))


def _audits(call: Call) -> Answer:
    return listed(call, call.bodies("audits"), filters=("activityDateTime",), takes=("$top", "$orderby"))


def _risky(call: Call) -> Answer:
    return listed(call, call.bodies("riskyUsers"), filters=("riskState", "riskLevel"), takes=("$top",))


def _devices(call: Call) -> Answer:
    fields = ("userPrincipalName", "deviceName")
    return listed(call, call.bodies("devices"), filters=fields, takes=("$top",), selects=properties.DEVICE)


def _device(call: Call) -> Answer:
    return one(call, body_of(call.row("devices", call.parts[0], "")), selects=properties.DEVICE)


def _alerts(call: Call) -> Answer:
    return listed(call, call.bodies("alerts"), filters=("status", "severity", "createdDateTime"), takes=("$top",))


def owned(call: Call, kind: str, name: str) -> list[Record]:
    """What belongs to the user that the path names. Raises Problem."""
    who = body_of(call.user())["id"]
    found: list[Record] = []
    for body in call.bodies(kind):
        inner = body[name]
        if body["user"] == who and isinstance(inner, dict):
            found.append(inner)
    return found


def _methods(call: Call) -> Answer:
    return listed(call, [without_pass(one) for one in owned(call, "methods", "method")])


def without_pass(method: Record) -> Record:
    """A method as it is shown later: a pass is told once, when it is made."""
    return {**method, "temporaryAccessPass": None} if "temporaryAccessPass" in method else method


def _rules(call: Call) -> Answer:
    return listed(call, owned(call, "rules", "rule"))


def _mailbox(call: Call) -> Answer:
    found = owned(call, "mailboxes", "settings")
    if not found:
        raise Problem(
            404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or on-premise."
        )
    return one(call, found[0])


READS = [
    Route("GET", "/organization", "Organization.Read.All", _organization),
    Route("GET", "/domains", "Domain.Read.All", _domains),
    Route(
        "GET",
        "/tenantRelationships/delegatedAdminCustomers",
        "DelegatedAdminRelationship.Read.All",
        _customers,
    ),
    Route("GET", "/users", "User.Read.All", _users),
    Route("GET", "/users/{user-id}", "User.Read.All", _user),
    Route("GET", "/users/{user-id}/memberOf", "GroupMember.Read.All", _member_of),
    Route("GET", "/users/{user-id}/transitiveMemberOf", "GroupMember.Read.All", _transitive_member_of),
    Route("GET", "/users/{user-id}/authentication/methods", "UserAuthenticationMethod.Read.All", _methods),
    Route("GET", "/users/{user-id}/mailFolders/inbox/messageRules", "MailboxSettings.Read", _rules),
    Route("GET", "/users/{user-id}/mailboxSettings", "MailboxSettings.Read", _mailbox),
    Route("GET", "/subscribedSkus", "LicenseAssignment.Read.All", _skus),
    Route("GET", "/groups", "Group.Read.All", _groups),
    Route("GET", "/groups/{group-id}", "Group.Read.All", _group),
    Route("GET", "/groups/{group-id}/members", "GroupMember.Read.All", _members),
    Route("GET", "/auditLogs/signIns", "AuditLog.Read.All", premium(_sign_ins)),
    Route("GET", "/auditLogs/directoryAudits", "AuditLog.Read.All", _audits),
    Route("GET", "/identityProtection/riskyUsers", "IdentityRiskyUser.Read.All", premium(_risky)),
    Route("GET", "/deviceManagement/managedDevices", "DeviceManagementManagedDevices.Read.All", _devices),
    Route(
        "GET",
        "/deviceManagement/managedDevices/{managedDevice-id}",
        "DeviceManagementManagedDevices.Read.All",
        _device,
    ),
    Route("GET", "/security/alerts_v2", "SecurityAlert.Read.All", _alerts),
]
