"""NinjaOne as one vendor of the sandbox: recognises, answers, and lets a test plant or change records."""

from __future__ import annotations

import time
import uuid
from copy import deepcopy

from integrations.sandbox.front_door import FrontDoor
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.ninjaone.actions import ACTIONS, note_condition
from integrations.sandbox.ninjaone.consent import AUTHORIZE_PATH
from integrations.sandbox.ninjaone.credentials import TOKEN_PATH, Tokens, connection_rows
from integrations.sandbox.ninjaone.problems import Problem
from integrations.sandbox.ninjaone.routes import READS, Call, Route
from integrations.sandbox.ninjaone.seeding import seed_records
from integrations.sandbox.ninjaone.webhook import WEBHOOK, letters
from integrations.sandbox.postman import Change, Letter
from integrations.sandbox.routing import RouteTable
from integrations.sandbox.store import Store
from integrations.sandbox.wire import Answer, Request, Sighting, json_answer
from integrations.sandbox.world.facts import load_facts

_PREFIX = "/ninjaone"
_ROUTES = RouteTable((*READS, *ACTIONS, *WEBHOOK))


class NinjaOne(FrontDoor):
    """NinjaOne, its tokens in memory."""

    slug = "ninjaone"
    kinds = {
        "organizations": "organization",
        "devices": "device",
        "alerts": "alert",
        "activities": "activity",
        "webhooks": "webhook",
    }

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._tokens = Tokens()

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""
        return self._tokens.owners()

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox, one entry a client."""
        return connection_rows(base_url)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew, with dates that count back from now."""
        facts = load_facts(owner)
        self.world(owner).load(seed, lambda: seed_records(facts if seed == "world" else facts.without_clients()))

    def recognise(self, request: Request) -> Sighting:
        """Whose credentials a request carries and which route it takes, whether or not it will be served."""
        found = _find(request)
        route = "/ws/oauth/token" if request.path == TOKEN_PATH else found[0].template if found else None
        return Sighting(caller=self._tokens.caller(request), route=route)

    def answer(self, request: Request) -> Answer:
        """Serve one request; a Problem is answered, never raised."""
        try:
            if request.path == TOKEN_PATH and request.method == "POST":
                return self._tokens.issue(request)
            if request.path == AUTHORIZE_PATH and request.method in ("GET", "POST"):
                return self._tokens.authorize(request)
            found = _find(request)
            if found is None:
                raise Problem(404, "There is nothing at this address")
            route, parts = found
            token = self._tokens.authenticate(request, route.scope)
            world = self._store.world(self.slug, token.client.owner)
            return route.endpoint(Call(world, request, parts, token.client.user_context or token.has_person))
        except Problem as problem:
            return json_answer(problem.status, problem.body())

    def letters(self, change: Change, base_url: str) -> list[Letter]:
        """What is told to the webhook."""
        return letters(self.world(change.owner), change)

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """A new alert, or a device like the first of its organization. Raises ValueError if it cannot be."""
        fields = dict(body) if isinstance(body, dict) else {}
        world = self.world(owner)
        if collection == "alerts":
            now = time.time()
            record: Record = {"uid": str(uuid.uuid4()), "createTime": now, "updateTime": now, "subject": by, **fields}
            if world.get("device", record.get("deviceId")) is None:
                raise ValueError("an alert stands on a device")
        elif collection == "devices":
            alike = [one for one in world.all("device") if one["organizationId"] == fields.get("organizationId")]
            if not alike:
                raise ValueError("a device belongs to an organization that has devices")
            record = {**deepcopy(alike[0]), "uid": str(uuid.uuid4()), **fields}
            record.pop("id")
        elif collection == "organizations":
            record = {"nodeApprovalMode": "AUTOMATIC", **fields}
        else:
            raise ValueError(f"cannot plant {collection}")
        world.save(self.kinds[collection], record)
        if collection == "alerts":
            note_condition(world, record, "TRIGGERED")
        return record

    def edit(self, kind: str, record: Record, values: Record) -> None:
        """Change fields, also one within another (`os/name`)."""
        for path, value in values.items():
            first, _, inner = path.partition("/")
            part = record.get(first)
            if inner and isinstance(part, dict):
                part[inner] = value
            else:
                record[first] = value

    def delete(self, owner: str, collection: str, number: int) -> None:
        """Delete a record; an alert resets its condition, too. Raises ValueError."""
        alert = self.world(owner).get("alert", number) if collection == "alerts" else None
        if alert is not None:
            note_condition(self.world(owner), alert, "RESET")
        super().delete(owner, collection, number)

    def revoke(self, owner: str) -> None:
        """Let every token of an MSP end now."""
        self._tokens.revoke(owner)


def _find(request: Request) -> tuple[Route, tuple[str, ...]] | None:
    path = request.path.removeprefix(_PREFIX)
    return _ROUTES.find(request.method, path)
