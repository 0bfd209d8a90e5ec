"""ConnectWise as one vendor of the sandbox: recognises, answers, and lets a test plant or change records."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import deepcopy
from urllib.parse import urlsplit

from integrations.sandbox.connectwise import (
    callbacks,
    client_records,
    notes,
    record_types,
    schedules,
    setup_types,
    tickets,
    time_entries,
)
from integrations.sandbox.connectwise.credentials import authenticate, connection_rows, load_keys, recognise
from integrations.sandbox.connectwise.edits import create_draft, patch_draft
from integrations.sandbox.connectwise.problems import FieldProblem, Problem, bad_value, invalid
from integrations.sandbox.connectwise.routes import ROUTES
from integrations.sandbox.connectwise.routing import Call, record_id
from integrations.sandbox.connectwise.seeding import seed_records
from integrations.sandbox.connectwise.shapes import Shape, stamp
from integrations.sandbox.front_door import FrontDoor
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.postman import Change, Letter
from integrations.sandbox.store import Store, World
from integrations.sandbox.wire import Answer, Request, Sighting, json_answer
from integrations.sandbox.world.facts import load_facts

_API = re.compile(r"/connectwise/(?:v4_6_release|v2025_1)/apis/3\.0(?P<path>/.*)")
_COMPANY_INFO = re.compile(r"/connectwise/login/companyinfo/(?P<company>[\w.-]+)")

Planter = Callable[[World, Json, str], Record]
Changer = Callable[[World, int, Json, str], Record]


class ConnectWise(FrontDoor):
    """ConnectWise PSA, with its keys."""

    slug = "connectwise"
    kinds = {
        "tickets": "ticket",
        "callbacks": "callback",
        "notes": "note",
        "time-entries": "time_entry",
        "companies": "company",
        "contacts": "contact",
        "configurations": "configuration",
        "members": "member",
        "schedule-entries": "schedule_entry",
        "ticket-configurations": "ticket_configuration",
        "boards": "board",
        "documents": "document",
        "statuses": "status",
        "types": "type",
        "priorities": "priority",
    }

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._keys = load_keys()

    def owners(self) -> list[str]:
        """The MSPs that have a world at this vendor."""
        return sorted({key.owner for key in self._keys})

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox, one entry a key."""
        return connection_rows(base_url)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew, with dates that count back from now."""
        facts = load_facts(owner)
        self.world(owner).load(seed, lambda: seed_records(facts if seed == "world" else facts.without_clients()))

    def recognise(self, request: Request) -> Sighting:
        """Whose credentials a request carries and which route it takes, whether or not it will be served."""
        match = _API.fullmatch(request.path)
        found = ROUTES.find(request.method, match["path"]) if match else None
        route = found[0].template if found else None
        if _COMPANY_INFO.fullmatch(request.path):
            route = "/login/companyinfo/{companyId}"
        return Sighting(caller=recognise(request, self._keys), route=route)

    def answer(self, request: Request) -> Answer:
        """Serve one request; a Problem is answered, never raised."""
        info = _COMPANY_INFO.fullmatch(request.path)
        try:
            if info and request.method == "GET":
                return self._company_info(info["company"], request)
            match = _API.fullmatch(request.path)
            if match is None:
                raise Problem(404, "NotFound", "There is nothing at this address.")
            caller = authenticate(request, self._keys)
            found = ROUTES.find(request.method, match["path"])
            if found is None:
                raise Problem(404, "NotFound", f"{request.method} {match['path']} is not served.")
            route, ids = found
            world = self._store.world(self.slug, caller.owner)
            if request.method != "GET" and request.query and not request.path.endswith("/search"):
                raise Problem(400, "InvalidQuery", "This request takes no query parameters.")
            return route.endpoint(Call(world, request, caller, ids))
        except Problem as problem:
            return json_answer(problem.status, problem.body())

    def letters(self, change: Change, base_url: str) -> list[Letter]:
        """What is told to whoever follows tickets."""
        account = next(key.company_id for key in self._keys if key.owner == change.owner)
        return callbacks.letters(self.world(change.owner), change, account, base_url)

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """Put a record into an owner's world as somebody there would; raises Problem if it is not valid."""
        fields = dict(body) if isinstance(body, dict) else body
        entered = fields.pop("dateEntered", None) if isinstance(fields, dict) else None
        world = self.world(owner)
        record = _planter(collection)(world, fields, by)
        if isinstance(entered, str):
            record = _entered_at(world, collection, record, entered)
        return record

    def change(self, owner: str, collection: str, number: int, operations: Json, *, by: str) -> Record:
        """Change a record as somebody else at the vendor would: a PATCH array under their name."""
        changers: dict[str, Changer] = {
            "tickets": lambda world, number, body, by: tickets.patch_ticket(world, number, body, by=by),
            "companies": lambda world, number, body, by: client_records.patch_company(world, number, body, by=by),
            "contacts": lambda world, number, body, by: client_records.patch_contact(world, number, body, by=by),
            "configurations": lambda world, number, body, by: client_records.patch_configuration(
                world, number, body, by=by
            ),
            "boards": _change_board,
            "time-entries": lambda world, number, body, by: time_entries.patch_time_entry(world, number, body, by=by),
        }
        if collection not in changers:
            raise Problem(404, "NotFound", f"cannot change {collection}")
        return changers[collection](self.world(owner), number, operations, by)

    def delete(self, owner: str, collection: str, number: int) -> None:
        """Delete a record at the source, with what hangs on a ticket. Raises ValueError."""
        super().delete(owner, collection, number)
        if collection == "tickets":
            _delete_what_hangs_on(self.world(owner), number)

    def _company_info(self, company_id: str, request: Request) -> Answer:
        key = next((key for key in self._keys if key.company_id == company_id), None)
        if key is None:
            raise Problem(404, "NotFound", f"Company {company_id} not found")
        return json_answer(
            200,
            {
                "CompanyName": key.label,
                "Codebase": "v4_6_release/",
                "VersionCode": "v2025.1",
                "CompanyID": company_id,
                "IsCloud": True,
                "SiteUrl": urlsplit(request.base_url).netloc,
            },
        )


def _delete_what_hangs_on(world: World, ticket: int) -> None:
    """Notes, time and links of a ticket that is gone."""
    for child, field in (("note", "ticketId"), ("time_entry", "chargeToId"), ("ticket_configuration", "ticket")):
        for record in world.all(child):
            if record.get(field) == ticket:
                world.remove(child, record_id(record))


def _change_board(world: World, number: int, body: Json, by: str) -> Record:
    board = world.get("board", number)
    if board is None:
        raise Problem(404, "NotFound", f"Board {number} not found")
    changed, _ = patch_draft(world, setup_types.BOARD, board, body)
    stamp(world, changed, by=by)
    world.save("board", changed)
    return changed


def _planter(collection: str) -> Planter:
    planters: dict[str, Planter] = {
        "tickets": _plant_ticket,
        "notes": _plant_note,
        "time-entries": lambda world, body, by: time_entries.create_time_entry(world, body, by=by),
        "companies": lambda world, body, by: client_records.create_company(world, body, by=by),
        "contacts": lambda world, body, by: client_records.create_contact(world, body, by=by),
        "configurations": lambda world, body, by: client_records.create_configuration(world, body, by=by),
        "schedule-entries": lambda world, body, by: schedules.create_schedule_entry(world, body, by=by),
        "documents": lambda world, body, by: _plant_plain(world, record_types.DOCUMENT, body, by),
        "members": lambda world, body, by: _plant_plain(world, record_types.MEMBER, body, by),
    }
    if collection not in planters:
        raise Problem(404, "NotFound", f"cannot plant {collection}")
    return planters[collection]


def _plant_ticket(world: World, body: Json, by: str) -> Record:
    """A ticket, its notes (`notes`: bodies as for POST, with `by`) and its devices (`configurations`: ids)."""
    fields = dict(body) if isinstance(body, dict) else {}
    said, devices = fields.pop("notes", []), fields.pop("configurations", [])
    ticket = tickets.create_ticket(world, fields, by=by)
    for number in devices if isinstance(devices, list) else []:
        client_records.attach_configuration(world, ticket, {"id": number})
    for note in said if isinstance(said, list) else []:
        _plant_note(world, {**note, "ticketId": ticket["id"]} if isinstance(note, dict) else note, by)
    return ticket


def _plant_note(world: World, body: Json, by: str) -> Record:
    fields = dict(body) if isinstance(body, dict) else {}
    ticket_id, author = fields.pop("ticketId", None), fields.pop("by", by)
    if not isinstance(ticket_id, int) or world.get("ticket", ticket_id) is None:
        raise invalid("ticketNote", bad_value("ticketId", f"Ticket {ticket_id} does not exist."))
    note = notes.create_note(world, ticket_id, fields, by=str(author))
    tickets.touch_ticket(world, ticket_id, by=str(author))
    return note


def _plant_plain(world: World, shape: Shape, body: Json, by: str) -> Record:
    if not isinstance(body, dict):
        raise invalid(shape.resource, FieldProblem("InvalidValue", "The body must be a JSON object.", ""))
    record = create_draft(world, shape, body)
    record.setdefault("inactiveFlag", False)
    stamp(world, record, by=by)
    world.save(shape.kind, record)
    return record


def _entered_at(world: World, collection: str, record: Record, moment: str) -> Record:
    """A planted record that claims to be older: only its entry date moves, the last change is now."""
    older = deepcopy(world.get(ConnectWise.kinds[collection], record_id(record)) or record)
    info = older.get("_info")
    older["_info"] = {**(info if isinstance(info, dict) else {}), "dateEntered": moment}
    for name in ("dateEntered", "dateCreated"):
        if name in older:
            older[name] = moment
    world.save(ConnectWise.kinds[collection], older)
    return older
