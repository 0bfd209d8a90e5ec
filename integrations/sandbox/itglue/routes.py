"""Which function answers which read; writes stand in `writes`. The rest does not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from integrations.sandbox.itglue.credentials import ApiKey
from integrations.sandbox.itglue.kinds import KINDS, Kind, attributes_of, organization_of, shown
from integrations.sandbox.itglue.lists import page_of
from integrations.sandbox.itglue.problems import Problem, not_found
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Effect, Request, json_answer

MEDIA_TYPE = "application/vnd.api+json"


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to its route. `parts` are what stands for the template's names."""

    world: World
    request: Request
    parts: tuple[str, ...]
    key: ApiKey

    def find(self, kind: Kind, part: int) -> Record:
        """The record that the path names. Raises Problem."""
        text = self.parts[part]
        record = self.world.get(kind.name, int(text)) if text.isdigit() else None
        if record is None:
            raise not_found(text)
        return record

    def organization(self) -> Record:
        """The organization that the path begins with. Raises Problem."""
        return self.find(KINDS["organizations"], 0)

    def own(self, kind: Kind) -> Record:
        """The record that the path names below an organization. Raises Problem where it is another's."""
        organization, record = self.organization(), self.find(kind, 1)
        if organization_of(record) != organization["id"]:
            raise not_found(self.parts[1])
        return record


Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a template of the vendor's contract, and what answers it."""

    method: str
    template: str
    endpoint: Endpoint


def answered(status: int, data: Json, *, effect: Effect | None = None, **more: Json) -> Answer:
    """An answer as JSON:API has it."""
    return json_answer(status, {"data": data, **more}, content_type=MEDIA_TYPE, effect=effect)


def listed(call: Call, kind: Kind, rows: list[Record]) -> Answer:
    """A page of a list."""
    page, meta, links = page_of(call.request, kind, rows)
    return answered(200, [shown(call.world, kind, row) for row in page], meta=meta, links=links)


def _all(kind: Kind) -> Endpoint:
    return lambda call: listed(call, kind, call.world.all(kind.name))


def _of_organization(kind: Kind) -> Endpoint:
    def answer(call: Call) -> Answer:
        number = call.organization()["id"]
        return listed(call, kind, [row for row in call.world.all(kind.name) if organization_of(row) == number])

    return answer


def _single(kind: Kind, *, nested: bool) -> Endpoint:
    def answer(call: Call) -> Answer:
        record = call.own(kind) if nested else call.find(kind, 0)
        query = dict(call.request.query)
        if not set(query) <= ({"show_password"} if kind.name == "password" else {"include"}):
            raise Problem(400, "A parameter is not permitted here.")
        opened = kind.name == "password" and query.get("show_password", "true") != "false" and call.key.passwords
        body = shown(call.world, kind, record, password=opened)
        if query.get("include") == "related_items":
            return answered(200, body, included=_related(call, kind, record))
        return answered(200, body)

    return answer


def _related(call: Call, kind: Kind, record: Record) -> Json:
    items = KINDS["related_items"]
    return [
        shown(call.world, items, row)
        for row in call.world.all(items.name)
        if (row["source_type"], row["source_id"]) == (kind.path, record["id"])
    ]


def _fields(call: Call) -> Answer:
    number = call.find(KINDS["flexible_asset_types"], 0)["id"]
    rows = call.world.all("asset_field")
    return listed(
        call,
        KINDS["flexible_asset_fields"],
        [row for row in rows if attributes_of(row)["flexible-asset-type-id"] == number],
    )


def _sections(call: Call) -> Answer:
    number = call.find(KINDS["documents"], 0)["id"]
    rows = [row for row in call.world.all("section") if attributes_of(row)["document-id"] == number]
    return listed(call, KINDS["document_sections"], rows)


_NESTED = ("configurations", "contacts", "locations", "documents", "passwords", "expirations")
_TOP = ("organizations", "configurations", "contacts", "locations", "flexible_asset_types", "flexible_assets")

READS = [
    *(Route("GET", f"/{path}", _all(KINDS[path])) for path in (*_TOP, "passwords", "expirations", "domains")),
    *(
        Route("GET", f"/{path}/{{id}}", _single(KINDS[path], nested=False))
        for path in (*_TOP, "passwords", "documents")
    ),
    *(
        Route("GET", f"/organizations/{{organization_id}}/relationships/{path}", _of_organization(KINDS[path]))
        for path in (*_NESTED, "domains")
    ),
    *(
        Route(
            "GET", f"/organizations/{{organization_id}}/relationships/{path}/{{id}}", _single(KINDS[path], nested=True)
        )
        for path in _NESTED
    ),
    Route("GET", "/flexible_asset_types/{flexible_asset_type_id}/relationships/flexible_asset_fields", _fields),
    Route("GET", "/documents/{document_id}/relationships/sections", _sections),
]
