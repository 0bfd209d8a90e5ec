"""An asset register that is reached as an MCP server: one address, a token, five tools.

What it says of its tools may be changed while it runs (`tools` of the control plane), and its list may be made endless
(`habits`): what a client has to be ready for.
"""

from __future__ import annotations

import hmac
import json
from copy import deepcopy
from pathlib import Path

from integrations.sandbox.front_door import FrontDoor
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.mcp.deeds import perform
from integrations.sandbox.mcp.messages import (
    METHOD_NOT_FOUND,
    PROTOCOL,
    Message,
    Refused,
    deed_of,
    error,
    read_message,
    result,
)
from integrations.sandbox.mcp.seeding import seed_records
from integrations.sandbox.mcp.signin import RESOURCE, ROOT, SignIn
from integrations.sandbox.store import Store, World
from integrations.sandbox.wire import Answer, Caller, Request, Sighting, json_answer
from integrations.sandbox.world.facts import load_facts

SLUG = "mcp"
_FILE = Path(__file__).resolve().parent.parent / "world" / "credentials.json"


def _tokens() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(_FILE.read_text(encoding="utf-8"))["mcp"]
    return rows


def connection_rows(base_url: str) -> list[Record]:
    """What an admin would enter to connect to a sandbox at this address, one entry a token."""
    return [
        {
            "name": one["name"],
            "vendor": SLUG,
            "owner": one["owner"],
            "label": one["label"],
            "base_url": f"{base_url}/{SLUG}",
            "token": one["token"],
        }
        for one in _tokens()
    ]


class McpServer(FrontDoor):
    """The server's front door. All methods but `recognise` run inside `Store.change()`."""

    slug = SLUG
    kinds = {"tools": "tool", "assets": "asset", "guides": "guide", "habits": "habit"}

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._known = _tokens()
        self._sign_in = SignIn()

    def owners(self) -> list[str]:
        """The MSPs that have a world here."""
        return sorted({one["owner"] for one in self._known})

    def connections(self, base_url: str) -> list[Record]:
        """What an admin would enter to connect to this sandbox."""
        return connection_rows(base_url)

    def seed(self, owner: str, seed: str) -> None:
        """Fill the owner's world anew."""
        facts = load_facts(owner)
        self.world(owner).load(seed, lambda: seed_records(facts if seed == "world" else facts.without_clients()))

    def recognise(self, request: Request) -> Sighting:
        """Whose token a message carries, and what it does."""
        deed = deed_of(request) if request.method == "POST" else ""
        return Sighting(caller=self._caller(request), route=f"{request.path}{deed}", deed=deed)

    def answer(self, request: Request) -> Answer:
        """Serve one message."""
        if request.path == RESOURCE or request.path.startswith(f"{ROOT}/"):
            return self._sign_in.answer(request, self.owners())
        caller = self._caller(request)
        if caller is None:
            where = f'Bearer error="invalid_token", resource_metadata="{request.base_url}{RESOURCE}"'
            headers = (("WWW-Authenticate", where),)
            return json_answer(401, {"error": "invalid_token"}, headers=headers)
        if request.path != f"/{SLUG}":
            return json_answer(404, {"error": "not_found"})
        if request.method != "POST":
            return json_answer(405, {"error": "method_not_allowed"})
        try:
            message = read_message(request)
        except Refused as refused:
            return error(None, refused)
        if message.number is None:
            return Answer(202)
        try:
            return self._said(self.world(caller.owner), message)
        except Refused as refused:
            return error(message.number, refused)

    def plant(self, owner: str, collection: str, body: Json, *, by: str) -> Record:
        """A new record; of tools, one that is listed from now on. Raises ValueError."""
        if not isinstance(body, dict):
            raise ValueError("a record is an object")
        record = deepcopy(body)
        self.world(owner).save(self.kind(collection), record)
        return record

    def edit(self, kind: str, record: Record, values: Record) -> None:
        """Put new values into a record."""
        record.update(values)

    def revoke(self, owner: str) -> None:
        """All that people gave ends, whosever it was."""
        self._sign_in.end_all()

    def _said(self, world: World, message: Message) -> Answer:
        """The answer to a message that wants one. Raises Refused."""
        if message.method == "initialize":
            told: Record = {"name": "Asset register", "version": "1.4"}
            capabilities: Record = {"tools": {"listChanged": False}}
            return result(
                message.number, {"protocolVersion": PROTOCOL, "capabilities": capabilities, "serverInfo": told}
            )
        if message.method == "tools/list":
            return result(message.number, self._page(world, str(message.parameters.get("cursor") or "0")))
        if message.method == "tools/call":
            arguments = message.parameters.get("arguments")
            named = str(message.parameters.get("name", ""))
            said, effect = perform(world, named, arguments if isinstance(arguments, dict) else {})
            return result(message.number, said, effect=effect)
        raise Refused(METHOD_NOT_FOUND, f"There is no method {message.method}")

    def _page(self, world: World, cursor: str) -> Record:
        """A page of the tools, told as they are told now."""
        habit = world.all("habit")[0]
        size, start = int(str(habit["page_size"])), int(cursor) if cursor.isdigit() else 0
        tools = [{name: one for name, one in tool.items() if name != "id"} for tool in world.all("tool")]
        if habit["endless"]:
            return {"tools": [{**tools[0], "name": f"{tools[0]['name']}_{start}"}], "nextCursor": str(start + 1)}
        page: Record = {"tools": [*tools[start : start + size]]}
        return page if start + size >= len(tools) else {**page, "nextCursor": str(start + size)}

    def _caller(self, request: Request) -> Caller | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        for one in self._known:
            if scheme.lower() == "bearer" and hmac.compare_digest(one["token"].encode(), token.encode()):
                return Caller(owner=one["owner"], member=one["name"])
        owner = self._sign_in.owner_of(token) if scheme.lower() == "bearer" else None
        return Caller(owner=owner, member="person") if owner else None
