"""The operations every record type shares: list, count, one, create, patch, delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from integrations.sandbox.connectwise.edits import create_draft, patch_draft, require_object
from integrations.sandbox.connectwise.problems import Problem, bad_query, not_found
from integrations.sandbox.connectwise.queries import matching, projection, read_list_query, read_page
from integrations.sandbox.connectwise.routing import CONTENT_TYPE, Call, Endpoint, Route, ok, record_id
from integrations.sandbox.connectwise.shapes import Shape, Type, stamp, whole
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.wire import Answer, Effect, json_answer

Source = Callable[[Call], Iterable[Record]]
Creator = Callable[[Call, Json], Record]
Patcher = Callable[[Call, Json], Record]


def list_endpoint(shape: Shape, source: Source | None = None) -> Endpoint:
    def endpoint(call: Call) -> Answer:
        records = source(call) if source else call.world.all(shape.kind)
        page = read_page(call.world, shape, records, read_list_query(call.request), call.request)
        return ok([*page.records], link=page.link)

    return endpoint


def count_endpoint(shape: Shape, source: Source | None = None) -> Endpoint:
    def endpoint(call: Call) -> Answer:
        records = source(call) if source else call.world.all(shape.kind)
        return ok({"count": len(matching(call.world, shape, records, read_list_query(call.request)))})

    return endpoint


def one_endpoint(shape: Shape, find: Callable[[Call], Record] | None = None) -> Endpoint:
    def endpoint(call: Call) -> Answer:
        record = find(call) if find else call.world.get(shape.kind, call.ids[-1])
        if record is None:
            raise not_found(shape.resource[:1].upper() + shape.resource[1:], call.ids[-1])
        project = projection(shape, _only_fields(call))
        return ok(project(shape.render(call.world, record)))

    return endpoint


def create_endpoint(shape: Shape, create: Creator) -> Endpoint:
    def endpoint(call: Call) -> Answer:
        record = create(call, json_body(call))
        effect = Effect("created", shape.kind, record_id(record))
        return json_answer(201, shape.render(call.world, record), content_type=CONTENT_TYPE, effect=effect)

    return endpoint


def patch_endpoint(shape: Shape, patch: Patcher) -> Endpoint:
    def endpoint(call: Call) -> Answer:
        record = patch(call, json_body(call))
        effect = Effect("changed", shape.kind, record_id(record))
        return json_answer(200, shape.render(call.world, record), content_type=CONTENT_TYPE, effect=effect)

    return endpoint


def delete_endpoint(kind: str, delete: Callable[[Call], None]) -> Endpoint:
    def endpoint(call: Call) -> Answer:
        delete(call)
        return Answer(204, effect=Effect("deleted", kind, call.ids[-1]))

    return endpoint


def listed(shape: Shape, template: str, source: Source | None = None) -> list[Route]:
    """A list and its count."""
    return [
        Route("GET", template, list_endpoint(shape, source)),
        Route("GET", f"{template}/count", count_endpoint(shape, source)),
    ]


def json_body(call: Call) -> Json:
    try:
        return call.request.json()
    except ValueError as error:
        raise Problem(400, "InvalidObject", "The body is not JSON.") from error


def _only_fields(call: Call) -> str | None:
    for name, _ in call.request.query:
        if name != "fields":
            raise bad_query(f"unknown query parameter '{name}'")
    return dict(call.request.query).get("fields")


def bare_list(rows: Callable[[Call], list[Record]]) -> Endpoint:
    """A list of references: it takes pages, and refuses filters that it has nothing to apply to."""
    shape = Shape(kind="reference", resource="reference", fields={"id": whole()})

    def endpoint(call: Call) -> Answer:
        query = read_list_query(call.request)
        page = read_page(call.world, shape, rows(call), query, call.request, render=lambda _, record: record)
        return ok([*page.records], link=page.link)

    return endpoint


def simple_create(shape: Shape, **parent: str) -> Creator:
    """Creation without rules of its own; `parent` maps a stored field to the kind its path id must name."""

    def create(call: Call, body: Json) -> Record:
        record = create_draft(call.world, shape, require_object(body, shape.resource))
        for (name, kind), number in zip(parent.items(), call.ids, strict=True):
            if call.world.get(kind, number) is None:
                raise not_found(kind.capitalize(), number)
            record[name] = number
        for name, field in shape.fields.items():
            if field.type is Type.BOOL:
                record.setdefault(name, False)
        stamp(call.world, record, by=call.by)
        call.world.save(shape.kind, record)
        return record

    return create


def simple_patch(shape: Shape) -> Patcher:
    def patch(call: Call, body: Json) -> Record:
        before = call.world.get(shape.kind, call.ids[-1])
        if before is None:
            raise not_found(shape.resource, call.ids[-1])
        record, _ = patch_draft(call.world, shape, before, body)
        stamp(call.world, record, by=call.by)
        call.world.save(shape.kind, record)
        return record

    return patch
