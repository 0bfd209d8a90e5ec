"""IT Glue as one vendor of the sandbox: recognises, answers, and lets a test plant or change records."""

from __future__ import annotations

from integrations.sandbox.front_door import FrontDoor
from integrations.sandbox.itglue.credentials import Keys, connection_rows
from integrations.sandbox.itglue.kinds import KINDS, attributes_of
from integrations.sandbox.itglue.library import Library
from integrations.sandbox.itglue.problems import Problem
from integrations.sandbox.itglue.routes import MEDIA_TYPE, READS, Call, Route
from integrations.sandbox.itglue.seeding import Base
from integrations.sandbox.itglue.writes import WRITES
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.routing import RouteTable
from integrations.sandbox.store import Store
from integrations.sandbox.wire import Answer, Request, Sighting, json_answer
from integrations.sandbox.world.documentation import load_documentation
from integrations.sandbox.world.facts import load_facts

_PREFIX = "/itglue"
_ROUTES = RouteTable((*READS, *WRITES))


class ITGlue(FrontDoor):
    """IT Glue, with its keys and their limit."""

    slug = "itglue"
    kinds = {collection: kind.name for collection, kind in KINDS.items()}

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._keys = Keys()

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""
        return self._keys.owners()

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox, one entry a key."""
        return connection_rows(base_url)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew, with dates that count back from now; the limit begins anew, too."""
        facts, written = load_facts(owner), load_documentation(owner)
        if seed != "world":
            facts, written = facts.without_clients(), written.without_clients()
        self.world(owner).load(seed, lambda: _records(Base(facts, written)))
        self._keys.forget(owner)

    def recognise(self, request: Request) -> Sighting:
        """Whose key a request carries and which route it takes, whether or not it will be served."""
        found = _find(request)
        return Sighting(caller=self._keys.caller(request), route=found[0].template if found else None)

    def answer(self, request: Request) -> Answer:
        """Serve one request; a Problem is answered, never raised."""
        try:
            key = self._keys.authenticate(request)
            found = _find(request)
            if found is None:
                raise Problem(404, "There is nothing at this address.")
            route, parts = found
            return route.endpoint(Call(self._store.world(self.slug, key.owner), request, parts, key))
        except Problem as problem:
            return json_answer(problem.status, problem.body(), content_type=MEDIA_TYPE)

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """A new record with these attributes, of an organization that there is. Raises ValueError if it cannot be."""
        fields = dict(body) if isinstance(body, dict) else {}
        world, kind = self.world(owner), self.kind(collection)
        of = fields.get("organization-id")
        if of is not None and world.get("organization", of) is None:
            raise ValueError("a record belongs to an organization that there is")
        now = world.now()
        record: Record = {"attributes": {"created-at": now, "updated-at": now, "notes": f"By {by}.", **fields}}
        world.save(kind, record)
        return record

    def edit(self, kind: str, record: Record, values: Record) -> None:
        """Change attributes of a record."""
        attributes_of(record).update(values)


def _records(base: Base) -> dict[str, list[Record]]:
    library = Library(base)
    types, fields, assets = library.assets()
    documents, sections = library.documents()
    return {
        **base.records(),
        "asset_type": types,
        "asset_field": fields,
        "asset": assets,
        "document": documents,
        "section": sections,
        "password": library.passwords(),
        "domain": library.domains(),
        "expiration": library.expirations(),
    }


def _find(request: Request) -> tuple[Route, tuple[str, ...]] | None:
    path = request.path.removeprefix(_PREFIX)
    return _ROUTES.find(request.method, path)
