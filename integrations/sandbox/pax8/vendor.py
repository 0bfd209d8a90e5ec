"""Pax8 as one vendor of the sandbox: recognises, answers, and lets a test plant or change records."""

from __future__ import annotations

import uuid
from copy import deepcopy
from dataclasses import replace

from integrations.sandbox.front_door import FrontDoor
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.pax8.credentials import TOKEN_PATH, Tokens, connection_rows
from integrations.sandbox.pax8.problems import Problem
from integrations.sandbox.pax8.records import shown_of
from integrations.sandbox.pax8.routes import READS, SLUG, Call, Route
from integrations.sandbox.pax8.seeding import seed_records
from integrations.sandbox.pax8.writes import WRITES
from integrations.sandbox.routing import RouteTable
from integrations.sandbox.store import Store
from integrations.sandbox.wire import Answer, Request, Sighting, json_answer
from integrations.sandbox.world.facts import load_facts

_PREFIX = f"/{SLUG}/v1"
_ROUTES = RouteTable((*READS, *WRITES))


class Pax8(FrontDoor):
    """Pax8, its tokens in memory."""

    slug = SLUG
    kinds = {
        "companies": "company",
        "contacts": "contact",
        "products": "product",
        "subscriptions": "subscription",
        "orders": "order",
        "invoices": "invoice",
        "items": "item",
        "usage": "usage",
    }

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._tokens = Tokens()

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""
        return self._tokens.owners()

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox, one entry an application."""
        return connection_rows(base_url)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew, with dates that count back from now; the limit begins anew, too."""
        facts = load_facts(owner)
        self.world(owner).load(seed, lambda: seed_records(facts if seed == "world" else facts.without_clients()))
        self._tokens.forget(owner)

    def recognise(self, request: Request) -> Sighting:
        """Whose token a request carries and which route it takes, whether or not it will be served."""
        found = _find(request)
        route = "/token" if request.path == TOKEN_PATH else found[0].template if found else None
        return Sighting(caller=self._tokens.caller(request), route=route)

    def answer(self, request: Request) -> Answer:
        """Serve one request; a Problem is answered, never raised."""
        try:
            if request.path == TOKEN_PATH and request.method == "POST":
                return self._tokens.issue(request)
            credential = self._tokens.authenticate(request)
            found = _find(request)
            if found is None:
                raise Problem(404, "There is nothing at this address")
            route, parts = found
            answer = route.endpoint(Call(self._store.world(self.slug, credential.owner), request, parts))
        except Problem as problem:
            waits = (("Retry-After", str(problem.retry_after)),) if problem.retry_after else ()
            body = problem.body(request.path.removeprefix(f"/{SLUG}"))
            answer = json_answer(problem.status, body, headers=waits)
        return replace(answer, headers=(*answer.headers, *self._tokens.limit_headers(request)))

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """A new record like the first of its kind, with changes to what it shows. Raises ValueError."""
        fields = dict(body) if isinstance(body, dict) else {}
        world, kind = self.world(owner), self.kind(collection)
        alike = world.all(kind)
        if not alike:
            raise ValueError(f"there is nothing of {collection} that a new one could be like")
        record = deepcopy(alike[0])
        record.pop("id")
        for name in set(record) & set(fields) - {"shown"}:
            record[name] = fields.pop(name)
        record["shown"] = {**shown_of(record), "id": str(uuid.uuid4()), **fields}
        world.save(kind, record)
        return record

    def edit(self, kind: str, record: Record, values: Record) -> None:
        """Change what a record shows, by the names of its fields."""
        shown_of(record).update(values)

    def revoke(self, owner: str) -> None:
        """Let every token of an MSP end now."""
        self._tokens.revoke(owner)


def _find(request: Request) -> tuple[Route, tuple[str, ...]] | None:
    """The route, and what stands for its names."""
    if not request.path.startswith(_PREFIX):
        return None
    path = request.path.removeprefix(_PREFIX)
    return _ROUTES.find(request.method, path)
