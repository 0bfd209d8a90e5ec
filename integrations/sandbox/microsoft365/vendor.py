"""Microsoft 365 as one vendor of the sandbox: recognises, answers, and lets a test plant or change records."""

from __future__ import annotations

import re
import uuid
from copy import deepcopy

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.microsoft365.actions import ACTIONS
from integrations.sandbox.microsoft365.credentials import Tokens, connection_rows
from integrations.sandbox.microsoft365.problems import Problem, denied
from integrations.sandbox.microsoft365.routes import PREFIX, READS, Call, Route, body_of
from integrations.sandbox.microsoft365.seeding import seed_records
from integrations.sandbox.postman import Change, Letter
from integrations.sandbox.routing import RouteTable
from integrations.sandbox.store import Store, World
from integrations.sandbox.wire import Answer, Request, Sighting, json_answer
from integrations.sandbox.world.facts import load_facts

_TOKEN = re.compile(r"/microsoft365/login/([^/]+)/oauth2/v2\.0/token")
_DISCOVERY = re.compile(r"/microsoft365/login/([^/]+)/v2\.0/\.well-known/openid-configuration")
_CONSENT = re.compile(r"/microsoft365/login/([^/]+)/adminconsent")
_ROUTES = RouteTable((*READS, *ACTIONS))
_COLLECTIONS = frozenset(
    {
        "users",
        "groups",
        "skus",
        "methods",
        "rules",
        "mailboxes",
        "devices",
        "signIns",
        "audits",
        "riskyUsers",
        "alerts",
        "roles",
        "passwords",
        "contracts",
    }
)


class Microsoft365:
    """The vendor's front door. All methods but `recognise` run inside `Store.change()`."""

    slug = "microsoft365"

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens = Tokens(lambda owner: store.world(self.slug, owner))

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""
        return self._tokens.owners()

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox, one entry an app."""
        return connection_rows(base_url)

    def is_seeded(self, owner: str) -> bool:
        """Whether the owner's world was filled before."""
        return self._store.is_seeded(self.slug, owner)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew, with dates that count back from now."""
        facts = load_facts(owner)
        home = self._tokens.home_of(owner)
        self._world(owner).load(seed_records(facts if seed == "world" else facts.without_clients(), home))

    def recognise(self, request: Request) -> Sighting:
        """Whose credentials a request carries and which route it takes, whether or not it will be served."""
        signs_in = _TOKEN.fullmatch(request.path) is not None
        found = _find(request)
        route = "/{tenant}/oauth2/v2.0/token" if signs_in else found[0].template if found else None
        return Sighting(caller=self._tokens.caller(request, signs_in=signs_in), route=route)

    def answer(self, request: Request) -> Answer:
        """Serve one request; a Problem is answered, never raised."""
        try:
            if (match := _TOKEN.fullmatch(request.path)) and request.method == "POST":
                return self._tokens.issue(request, match[1].lower())
            if (match := _DISCOVERY.fullmatch(request.path)) and request.method == "GET":
                return self._tokens.discover(request, match[1].lower())
            if (match := _CONSENT.fullmatch(request.path)) and request.method in ("GET", "POST"):
                return self._tokens.consent(request, match[1].lower())
            found = _find(request)
            if found is None:
                raise Problem(404, "BadRequest", "Resource not found for the segment.")
            token = self._tokens.authenticate(request)
            route, parts = found
            if not _holds(route.permission, token.roles):
                raise denied()
            world = self._store.world(self.slug, token.app.owner)
            return route.endpoint(Call(world, token.tenant, token.roles, request, parts))
        except Problem as problem:
            return json_answer(problem.status, problem.body())

    def letters(self, change: Change, base_url: str) -> list[Letter]:
        """Nobody subscribed to anything."""
        return []

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """A new record: `{"tenant": ..., "body": {...}}`, its id made where it has none. Raises ValueError."""
        world = self._world(owner)
        fields = dict(body) if isinstance(body, dict) else {}
        inner = fields.get("body")
        tenants = {row["tenantId"] for row in world.all("tenants")}
        if collection not in _COLLECTIONS or fields.get("tenant") not in tenants or not isinstance(inner, dict):
            raise ValueError(f"cannot plant {collection} there")
        like = next((body_of(row) for row in world.all(collection)), {})
        blank: Record = dict.fromkeys(like) if collection == "users" else {}
        record: Record = {"tenant": fields["tenant"], "body": {**blank, "id": str(uuid.uuid4()), **inner}}
        world.save(collection, record)
        return deepcopy(record)

    def change(self, owner: str, collection: str, number: int, operations: Json, *, by: str) -> Record:
        """Change fields of a tenant, or of the body of a record, as somebody else would. Raises ValueError."""
        world = self._world(owner)
        record = deepcopy(world.get(collection, number))
        if record is None or not isinstance(operations, dict):
            raise ValueError(f"there is no {collection} {number}, or nothing to change on it")
        (record if collection == "tenants" else body_of(record)).update(operations)
        world.save(collection, record)
        return record

    def delete(self, owner: str, collection: str, number: int) -> None:
        """Delete a record; `tokens` ends every token of the owner. Raises ValueError."""
        if collection == "tokens":
            self._tokens.revoke(owner)
            return
        world = self._world(owner)
        if world.get(collection, number) is None:
            raise ValueError(f"there is no {collection} {number}")
        world.remove(collection, number)

    def show(self, owner: str, collection: str, number: int | None) -> Json:
        """A record, or all of a collection, as stored. Raises ValueError."""
        world = self._world(owner)
        if collection != "tenants" and collection not in _COLLECTIONS:
            raise ValueError(f"there is no collection {collection}")
        if number is None:
            return [deepcopy(record) for record in world.all(collection)]
        return deepcopy(world.get(collection, number))

    def _world(self, owner: str) -> World:
        if owner not in self.owners():
            raise ValueError(f"there is no owner {owner}")
        return self._store.world(self.slug, owner)


def _holds(permission: str, roles: frozenset[str]) -> bool:
    """Whether a permission, or the one to write that holds it, was consented."""
    return permission in roles or permission.replace(".Read.", ".ReadWrite.") in roles


def _find(request: Request) -> tuple[Route, tuple[str, ...]] | None:
    if not request.path.startswith(PREFIX + "/"):
        return None
    path = request.path.removeprefix(PREFIX)
    return _ROUTES.find(request.method, path)
