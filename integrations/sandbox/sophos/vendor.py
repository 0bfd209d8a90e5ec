"""Sophos Central as one vendor of the sandbox: recognises, answers, and lets a test plant or change records."""

from __future__ import annotations

import re
import uuid
from copy import deepcopy

from integrations.sandbox.front_door import FrontDoor
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.routing import RouteTable
from integrations.sandbox.sophos.actions import ACTIONS
from integrations.sandbox.sophos.credentials import TOKEN_PATH, Credential, Tokens, connection_rows
from integrations.sandbox.sophos.problems import Problem, bad_request
from integrations.sandbox.sophos.routes import READS, SLUG, Call, Route, shown_of, tenant_of
from integrations.sandbox.sophos.seeding import seed_records
from integrations.sandbox.store import Store
from integrations.sandbox.wire import Answer, Request, Sighting, json_answer
from integrations.sandbox.world.facts import load_facts

_REGION = re.compile(r"/([a-z]{2}\d{2})(/.*)")
_HEADERS = {"partner": "x-partner-id", "organization": "x-organization-id"}
_GLOBAL = RouteTable(route for route in (*READS, *ACTIONS) if route.is_global)
_REGIONAL = RouteTable(route for route in (*READS, *ACTIONS) if not route.is_global)


class Sophos(FrontDoor):
    """Sophos Central, its tokens in memory."""

    slug = SLUG
    kinds = {
        "tenants": "tenant",
        "computers": "computer",
        "alerts": "alert",
        "events": "event",
        "cases": "case",
        "blocked": "blocked",
    }

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._tokens = Tokens()

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""
        return self._tokens.owners()

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox, one entry a credential."""
        return connection_rows(base_url)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew, with dates that count back from now."""
        facts = load_facts(owner)
        self.world(owner).load(seed, lambda: seed_records(facts if seed == "world" else facts.without_clients()))

    def recognise(self, request: Request) -> Sighting:
        """Whose credentials a request carries and which route it takes, whether or not it will be served."""
        found = _find(request)
        route = "/api/v2/oauth2/token" if request.path == TOKEN_PATH else found[0].template if found else None
        return Sighting(caller=self._tokens.caller(request), route=route)

    def answer(self, request: Request) -> Answer:
        """Serve one request; a Problem is answered, never raised."""
        try:
            if request.path == TOKEN_PATH and request.method == "POST":
                return self._tokens.issue(request)
            credential = self._tokens.authenticate(request)
            found = _find(request)
            if found is None:
                raise Problem(404, "resourceNotFound", "There is nothing at this address")
            route, parts, region = found
            world = self._store.world(self.slug, credential.owner)
            tenant = "" if route.is_global else tenant_of(world, credential, request, region)
            _check_rights(route, credential, request)
            return route.endpoint(Call(world, request, parts, credential, tenant))
        except Problem as problem:
            return json_answer(problem.status, problem.body())

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """A new record like the first of its kind in the tenant, with changes. Raises ValueError if it cannot be."""
        fields = dict(body) if isinstance(body, dict) else {}
        world, kind = self.world(owner), self.kind(collection)
        tenant = fields.pop("tenant", None)
        alike = [one for one in world.all(kind) if kind == "tenant" or one["tenant"] == tenant]
        if not alike:
            raise ValueError(f"there is nothing of {collection} that a new one could be like")
        record = deepcopy(alike[0])
        record.pop("id")
        number = str(uuid.uuid4())
        record["shown"] = {**shown_of(record), "id": number, **fields}
        if kind == "tenant":
            record["tenant"] = shown_of(record)["id"]
        world.save(kind, record)
        return record

    def edit(self, kind: str, record: Record, values: Record) -> None:
        """Change what a record shows (`shown/health/overall`) or holds. Raises ValueError."""
        for path, value in values.items():
            *way, last = path.split("/")
            place: Json = record
            for name in way:
                place = place.setdefault(name, {}) if isinstance(place, dict) else None
            if not isinstance(place, dict):
                raise ValueError(f"there is no place {path}")
            place[last] = value

    def revoke(self, owner: str) -> None:
        """Let every token of an MSP end now."""
        self._tokens.revoke(owner)


def _find(request: Request) -> tuple[Route, tuple[str, ...], str] | None:
    """The route, what stands for its names, and the region whose server was asked; empty for the global one."""
    path = request.path.removeprefix(f"/{SLUG}")
    match = _REGION.fullmatch(path)
    region, path = (match[1], match[2]) if match else ("", path)
    found = (_REGIONAL if region else _GLOBAL).find(request.method, path)
    return (*found, region) if found else None


def _check_rights(route: Route, credential: Credential, request: Request) -> None:
    """Raises Problem for credentials of another kind, without their header, or with a role that may only read."""
    if route.kind and credential.kind != route.kind:
        raise Problem(403, "Forbidden", f"These credentials belong to no {route.kind}")
    if route.kind and request.headers.get(_HEADERS[route.kind], "").lower() != credential.id:
        raise bad_request(f"{_HEADERS[route.kind]} is missing or wrong")
    if route.method != "GET" and not credential.may_write:
        raise Problem(403, "Forbidden", "The role of this credential may only read")
