"""Lists as ConnectWise answers them: filter, order, page, projection and the Link header."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from integrations.sandbox.connectwise.conditions import BadCondition, Test, parse_conditions
from integrations.sandbox.connectwise.problems import bad_query
from integrations.sandbox.connectwise.shapes import Column, Shape, Type, UnknownField
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World
from integrations.sandbox.wire import Request

_DEFAULT_PAGE_SIZE = 25
_LARGEST_PAGE_SIZE = 1000
_LIST_OPTIONS = (
    "conditions",
    "childConditions",
    "customFieldConditions",
    "orderBy",
    "fields",
    "page",
    "pageSize",
    "pageId",
)


@dataclass(frozen=True)
class ListQuery:
    """What a list request asks for, unparsed."""

    conditions: str | None = None
    child_conditions: str | None = None
    custom_field_conditions: str | None = None
    order_by: str | None = None
    fields: str | None = None
    page: int = 1
    page_size: int = _DEFAULT_PAGE_SIZE
    page_id: int | None = None


@dataclass(frozen=True)
class Page:
    """One page of a list, and the Link header that leads on from it (empty if there is nowhere to go)."""

    records: list[Record]
    link: str


def read_list_query(request: Request) -> ListQuery:
    """Take the list options from the URL; an option unknown, doubled or malformed is refused."""
    options: dict[str, str] = {}
    for name, value in request.query:
        if name not in _LIST_OPTIONS:
            raise bad_query(f"unknown query parameter '{name}'")
        if name in options:
            raise bad_query(f"query parameter '{name}' is given twice")
        options[name] = value
    forward_only = request.headers.get("pagination-type", "").lower() == "forward-only"
    if "pageId" in options and not forward_only:
        raise bad_query("pageId needs the header pagination-type: forward-only")
    page_size = _whole_number(options, "pageSize", _DEFAULT_PAGE_SIZE)
    if page_size > _LARGEST_PAGE_SIZE:
        raise bad_query(f"pageSize must not exceed {_LARGEST_PAGE_SIZE}")
    return ListQuery(
        conditions=options.get("conditions"),
        child_conditions=options.get("childConditions"),
        custom_field_conditions=options.get("customFieldConditions"),
        order_by=options.get("orderBy"),
        fields=options.get("fields"),
        page=_whole_number(options, "page", 1),
        page_size=page_size,
        page_id=_whole_number(options, "pageId", 0, lowest=0) if forward_only else None,
    )


def read_search(request: Request, body: Json) -> ListQuery:
    """A search by POST: pages and projection from the URL, filters and order from the body."""
    query = read_list_query(request)
    if not isinstance(body, dict):
        raise bad_query("the search is a JSON object")
    names = {
        "conditions": "conditions",
        "childconditions": "child_conditions",
        "customfieldconditions": "custom_field_conditions",
        "orderby": "order_by",
    }
    changes: dict[str, str] = {}
    for name, value in body.items():
        known = names.get(name.lower())
        if known is None or not isinstance(value, str | None):
            raise bad_query(f"unknown or malformed search option '{name}'")
        if value is not None:
            changes[known] = value
    return replace(query, **changes)  # type: ignore[arg-type]  # only the four text options are replaced


def matching(world: World, shape: Shape, records: Iterable[Record], query: ListQuery) -> list[Record]:
    """The records that meet every filter of the query."""
    tests = _tests(shape, query)
    return [record for record in records if all(test(world, record) is True for test in tests)]


def read_page(
    world: World,
    shape: Shape,
    records: Iterable[Record],
    query: ListQuery,
    request: Request,
    *,
    render: Callable[[World, Record], Record] | None = None,
) -> Page:
    """Filter, order, cut and project. Raises Problem on anything that cannot be understood."""
    project = projection(shape, query.fields)
    found = matching(world, shape, records, query)
    if query.page_id is not None:
        if query.order_by:
            raise bad_query("forward-only pages are ordered by id")
        after = [record for record in found if _id_of(record) > query.page_id]
        cut = after[: query.page_size]
        link = _forward_link(request, cut) if len(after) > len(cut) else ""
    else:
        found = _ordered(world, shape, found, query.order_by)
        start = (query.page - 1) * query.page_size
        cut = found[start : start + query.page_size]
        link = _page_links(request, query, len(found))
    show = render or shape.render
    return Page([project(show(world, record)) for record in cut], link)


def projection(shape: Shape, fields: str | None) -> Callable[[Record], Record]:
    """A function that keeps only the named fields; nested ones by path. Refuses unknown names."""
    if fields is None:
        return lambda shown: shown
    paths = [path.strip() for path in fields.split(",")]
    for path in paths:
        if not shape.knows(path):
            raise bad_query(f"'{path}' is not a field of {shape.resource}")
    return lambda shown: _project(shown, paths)


def _project(shown: Record, paths: list[str]) -> Record:
    kept: Record = {}
    nested: dict[str, list[str]] = {}
    for path in paths:
        first, _, rest = path.partition("/")
        if not rest:
            if first in shown:
                kept[first] = shown[first]
        else:
            nested.setdefault(first, []).append(rest)
    for first, rests in nested.items():
        inner = shown.get(first)
        if first in kept or inner is None:
            continue
        if isinstance(inner, list):
            kept[first] = [_project(entry, rests) for entry in inner if isinstance(entry, dict)]
        elif isinstance(inner, dict):
            kept[first] = _project(inner, rests)
    return kept


def _tests(shape: Shape, query: ListQuery) -> list[Test]:
    tests: list[Test] = []
    try:
        if query.conditions is not None:
            tests.append(parse_conditions(query.conditions, shape.column))
        if query.child_conditions is not None:
            tests.append(_child_test(shape, query.child_conditions))
        if query.custom_field_conditions is not None:
            tests.append(_entry_test(shape, "customFields", query.custom_field_conditions))
    except BadCondition as error:
        raise bad_query(str(error)) from error
    return tests


def _child_test(shape: Shape, expression: str) -> Test:
    collection = expression.lstrip(" (").partition("/")[0]
    if "/" not in expression or collection == "customFields":
        raise BadCondition(f"childConditions name a collection of {shape.resource}, such as items/value")
    return _entry_test(shape, collection, expression)


def _entry_test(shape: Shape, collection: str, expression: str) -> Test:
    """A record matches if one entry of its collection meets the whole expression."""

    def column(path: str) -> Column:
        if collection != "customFields" and not path.startswith(f"{collection}/"):
            raise UnknownField(path, collection)
        return shape.child_column(collection, path)

    entry_test = parse_conditions(expression, column)

    def test(world: World, record: Record) -> bool | None:
        entries = record.get(collection)
        if not isinstance(entries, list):
            return False
        return any(entry_test(world, entry) is True for entry in entries if isinstance(entry, dict))

    return test


def _ordered(world: World, shape: Shape, records: list[Record], order_by: str | None) -> list[Record]:
    ordered = sorted(records, key=_id_of)
    if order_by is None:
        return ordered
    for part in reversed(order_by.split(",")):
        words = part.split()
        if len(words) not in (1, 2) or (len(words) == 2 and words[1].lower() not in ("asc", "desc")):
            raise bad_query(f"'{part.strip()}' is not an order")
        try:
            column = shape.column(words[0])
        except UnknownField as error:
            raise bad_query(str(error)) from error
        if column.type is Type.REFERENCE:
            raise bad_query(f"cannot order by the whole of '{words[0]}'")
        descending = len(words) == 2 and words[1].lower() == "desc"
        ordered.sort(key=_sort_key(world, column), reverse=descending)
    return ordered


def _sort_key(world: World, column: Column) -> Callable[[Record], tuple[bool, float, str]]:
    """Nulls come first; text ignores case; numbers, flags and dates (ISO text of one form) as they are."""

    def key(record: Record) -> tuple[bool, float, str]:
        value = column.read(world, record)
        if isinstance(value, str):
            return (True, 0.0, value.casefold())
        if isinstance(value, bool | int | float):
            return (True, float(value), "")
        return (False, 0.0, "")

    return key


def _page_links(request: Request, query: ListQuery, total: int) -> str:
    last = max(1, -(-total // query.page_size))
    links: list[tuple[str, int]] = []
    if query.page < last:
        links += [("next", query.page + 1), ("last", last)]
    if query.page > 1:
        links += [("first", 1), ("prev", min(query.page - 1, last))]
    return ", ".join(f'<{_url(request, "page", number)}>; rel="{name}"' for name, number in links)


def _forward_link(request: Request, records: list[Record]) -> str:
    return f'<{_url(request, "pageId", _id_of(records[-1]))}>; rel="next"' if records else ""


def _url(request: Request, name: str, value: int) -> str:
    options = [(other, kept) for other, kept in request.query if other != name]
    return f"{request.base_url}{request.path}?{urlencode([*options, (name, str(value))])}"


def _id_of(record: Record) -> int:
    number = record.get("id")
    return number if isinstance(number, int) else 0


def _whole_number(options: dict[str, str], name: str, default: int, *, lowest: int = 1) -> int:
    value = options.get(name)
    if value is None:
        return default
    if not value.isascii() or not value.isdigit() or int(value) < lowest:
        raise bad_query(f"{name} must be a whole number from {lowest}")
    return int(value)
