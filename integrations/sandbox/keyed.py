"""A vendor as many are: a key in a header, a limit a minute, records with numbers. What is its own is in a subclass.

A record is stored as it is shown; what only the vendor knows of it stands under names that begin with `_`.
"""

from __future__ import annotations

import hmac
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from integrations.sandbox.front_door import FrontDoor
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.routing import RouteTable
from integrations.sandbox.store import Store, World
from integrations.sandbox.wire import Answer, Caller, Effect, Request, Sighting, json_answer
from integrations.sandbox.world.facts import Facts, load_facts

_FILE = Path(__file__).resolve().parent / "world" / "credentials.json"


class Problem(Exception):
    """A request refused. Nothing has been changed. `retry_after` in seconds, where the caller has to wait."""

    def __init__(self, status: int, message: str, *, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


@dataclass(frozen=True)
class Key:
    """One key of an MSP. Invented: it opens this sandbox and nothing else."""

    name: str
    owner: str
    label: str
    api_key: str
    may_write: bool = True


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to its route. `parts` stand for the template's names."""

    world: World
    request: Request
    parts: tuple[str, ...]
    key: Key

    @property
    def query(self) -> dict[str, str]:
        """The query by name; of repeats the last."""
        return dict(self.request.query)

    def only(self, *names: str) -> None:
        """Raises Problem for a query with other names: what is not known never means "everything"."""
        unknown = set(self.query) - set(names)
        if unknown:
            raise Problem(400, f"{min(unknown)[:60]} is no parameter of this request.")

    def number(self, name: str, otherwise: int, *, most: int = 10**9) -> int:
        """A whole number of the query, from 1. Raises Problem."""
        text = self.query.get(name, str(otherwise))
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= most:
            raise Problem(400, f"{name} is not valid.")
        return int(text)

    def find(self, kind: str, part: int) -> Record | None:
        """The record that the path names, if there is one."""
        text = self.parts[part]
        return self.world.get(kind, int(text)) if text.isascii() and text.isdigit() else None

    def body(self) -> Record:
        """The object that was sent. Raises Problem."""
        try:
            told = self.request.json()
        except ValueError as error:
            raise Problem(400, "The body is not JSON.") from error
        if not isinstance(told, dict):
            raise Problem(400, "The body is no object.")
        return told

    def changed(self, kind: str, record: Record, wanted: Mapping[str, Json]) -> tuple[Record, Effect]:
        """Store a record with other values; the record as it then is, and the effect."""
        new: Record = {**deepcopy(record), **deepcopy(dict(wanted))}
        number = self.world.save(kind, new)
        return new, Effect("changed" if "id" in record else "created", kind, number)


Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a template of the vendor's contract, and what answers it."""

    method: str
    template: str
    endpoint: Endpoint


def shown(record: Record) -> Record:
    """A record as it goes over the wire."""
    return {name: deepcopy(value) for name, value in record.items() if not name.startswith("_")}


def number_of(value: Json) -> int:
    """A stored record's number, or that of another which it names; 0 for none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


class KeyedVendor(FrontDoor):
    """The front door of such a vendor. A kind of records is called as the control plane's collection of them is."""

    prefix: ClassVar[str] = ""
    """What stands before every route's template, as in `/api/v1`."""

    header: ClassVar[str] = "x-api-key"
    most_requests: ClassVar[int]
    """A minute, for one MSP."""

    routes: ClassVar[RouteTable[Route]]

    def __init__(self, store: Store, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(store)
        self._clock = clock
        self._keys = load_keys(self.slug)
        self._served: dict[str, deque[float]] = {}

    def records(self, facts: Facts) -> dict[str, list[Record]]:
        """The records of an MSP of whom this is so, by kind."""
        raise NotImplementedError

    def refusal(self, problem: Problem) -> Json:
        """The body of a refusal as the vendor writes it."""
        raise NotImplementedError

    def owners(self) -> list[str]:
        """The MSPs that have a key."""
        return sorted({key.owner for key in self._keys})

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox, one entry a key."""
        return keyed_rows(self.slug, base_url)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew, with dates that count back from now; the limit begins anew, too."""
        facts = load_facts(owner)
        self.world(owner).load(seed, lambda: self.records(facts if seed == "world" else facts.without_clients()))
        self._served.pop(owner, None)

    def recognise(self, request: Request) -> Sighting:
        """Whose key a request carries and which route it takes, whether or not it will be served."""
        found, key = self._find(request), self._key(request)
        caller = Caller(owner=key.owner, member=key.name, may_write=key.may_write) if key else None
        return Sighting(caller=caller, route=found[0].template if found else None)

    def answer(self, request: Request) -> Answer:
        """Serve one request; a Problem is answered, never raised."""
        try:
            key = self._authenticated(request)
            found = self._find(request)
            if found is None:
                raise Problem(404, "There is nothing at this address.")
            route, parts = found
            if route.method != "GET" and not key.may_write:
                raise Problem(403, "This key may only read.")
            return route.endpoint(Call(self._store.world(self.slug, key.owner), request, parts, key))
        except Problem as problem:
            waits = (("Retry-After", str(problem.retry_after)),) if problem.retry_after else ()
            return json_answer(problem.status, self.refusal(problem), headers=waits)

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """A new record like the first of its kind, with other values. Raises ValueError."""
        world, kind = self.world(owner), self.kind(collection)
        alike = world.all(kind)
        if not alike or not isinstance(body, dict):
            raise ValueError(f"there is nothing of {collection} that a new one could be like")
        record: Record = {**{name: value for name, value in deepcopy(alike[0]).items() if name != "id"}, **body}
        world.save(kind, record)
        return record

    def edit(self, kind: str, record: Record, values: Record) -> None:
        """Put new values into a record, which is stored as it is shown."""
        record.update(values)

    def _find(self, request: Request) -> tuple[Route, tuple[str, ...]] | None:
        start = f"/{self.slug}{self.prefix}"
        if not request.path.startswith(start):
            return None
        return self.routes.find(request.method, request.path.removeprefix(start))

    def _key(self, request: Request) -> Key | None:
        given = request.headers.get(self.header, "").encode()
        return next((one for one in self._keys if hmac.compare_digest(given, one.api_key.encode())), None)

    def _authenticated(self, request: Request) -> Key:
        key = self._key(request)
        if key is None:
            raise Problem(401, "Unauthorized")
        now, served = self._clock(), self._served.setdefault(key.owner, deque())
        while served and served[0] <= now - 60:
            served.popleft()
        if len(served) >= self.most_requests:
            raise Problem(429, "Too many requests", retry_after=int(served[0] + 60 - now) + 1)
        served.append(now)
        return key


def load_keys(slug: str) -> tuple[Key, ...]:
    """The keys of the demo world for one vendor."""
    return tuple(Key(**row) for row in json.loads(_FILE.read_text(encoding="utf-8"))[slug])


def keyed_rows(slug: str, base_url: str) -> list[Record]:
    """What an admin would enter to connect to a sandbox at this address, one entry a key."""
    return [
        {
            "name": key.name,
            "vendor": slug,
            "owner": key.owner,
            "label": key.label,
            "base_url": f"{base_url}/{slug}",
            "api_key": key.api_key,
        }
        for key in load_keys(slug)
    ]
