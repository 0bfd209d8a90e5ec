"""Microsoft 365 as one vendor of the sandbox: recognises, answers, and lets a test plant or change records."""

from __future__ import annotations

import re
import uuid
from copy import deepcopy

from integrations.sandbox.front_door import FrontDoor
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.microsoft365.actions import ACTIONS
from integrations.sandbox.microsoft365.credentials import Tokens, connection_rows
from integrations.sandbox.microsoft365.problems import Problem, denied
from integrations.sandbox.microsoft365.routes import PREFIX, READS, Call, Route, body_of
from integrations.sandbox.microsoft365.seeding import seed_records
from integrations.sandbox.routing import RouteTable
from integrations.sandbox.store import Store
from integrations.sandbox.wire import Answer, Request, Sighting, json_answer
from integrations.sandbox.world.facts import load_facts

_TOKEN = re.compile(r"/microsoft365/login/([^/]+)/oauth2/v2\.0/token")
_DISCOVERY = re.compile(r"/microsoft365/login/([^/]+)/v2\.0/\.well-known/openid-configuration")
_CONSENT = re.compile(r"/microsoft365/login/([^/]+)/adminconsent")
_ROUTES = RouteTable((*READS, *ACTIONS))


class Microsoft365(FrontDoor):
    """Microsoft Graph and its sign-in service, its tokens in memory."""

    slug = "microsoft365"
    kinds = {
        name: name
        for name in (
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
            "customers",
            "tenants",
        )
    }

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._tokens = Tokens(lambda owner: store.world(self.slug, owner))

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""
        return self._tokens.owners()

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox, one entry an app."""
        return connection_rows(base_url)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew, with dates that count back from now."""
        facts = load_facts(owner)
        home = self._tokens.home_of(owner)
        self.world(owner).load(seed, lambda: seed_records(facts if seed == "world" else facts.without_clients(), home))

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
            return route.endpoint(Call(world, token.tenant, token.roles, request, parts, token.app.client_id))
        except Problem as problem:
            return json_answer(problem.status, problem.body())

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """A new record: `{"tenant": ..., "body": {...}}`, its id made where it has none. Raises ValueError."""
        world = self.world(owner)
        fields = dict(body) if isinstance(body, dict) else {}
        inner = fields.get("body")
        tenants = {row["tenantId"] for row in world.all("tenants")}
        if (
            collection not in self.kinds
            or collection == "tenants"
            or fields.get("tenant") not in tenants
            or not isinstance(inner, dict)
        ):
            raise ValueError(f"cannot plant {collection} there")
        like = next((body_of(row) for row in world.all(collection)), {})
        blank: Record = dict.fromkeys(like) if collection == "users" else {}
        record: Record = {"tenant": fields["tenant"], "body": {**blank, "id": str(uuid.uuid4()), **inner}}
        world.save(collection, record)
        return deepcopy(record)

    def edit(self, kind: str, record: Record, values: Record) -> None:
        """Change fields of a tenant, or of the body of a record."""
        (record if kind == "tenants" else body_of(record)).update(values)

    def revoke(self, owner: str) -> None:
        """Let every token of an MSP end now."""
        self._tokens.revoke(owner)


def _holds(permission: str, roles: frozenset[str]) -> bool:
    """Whether a permission, or the one to write that holds it, was consented."""
    return permission in roles or permission.replace(".Read.", ".ReadWrite.") in roles


def _find(request: Request) -> tuple[Route, tuple[str, ...]] | None:
    if not request.path.startswith(PREFIX + "/"):
        return None
    path = request.path.removeprefix(PREFIX)
    return _ROUTES.find(request.method, path)
