"""Pages of lists: filters, sorting and numbers. What is not known is refused and never means "everything"."""

from __future__ import annotations

import math
import re
from urllib.parse import urlencode

from integrations.sandbox.itglue.kinds import HIDDEN, Kind, attributes_of, number_of
from integrations.sandbox.itglue.problems import Problem
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.wire import Request

LARGEST_PAGE, USUAL_PAGE = 1000, 50
_FILTER = re.compile(r"filter\[([A-Za-z0-9_-]+)\]")
_PAIRS = (("psa_id", "psa_integration_type"), ("rmm_id", "rmm_integration_type"))
#: Besides filters: what a list of this kind also takes.
_MORE = {"password": {"show_password"}, "asset_field": {"flexible_asset_type_id"}}


def page_of(request: Request, kind: Kind, rows: list[Record]) -> tuple[list[Record], Record, Record]:
    """The page of `rows` that the query asks for, its `meta` and its `links`. Raises Problem."""
    filters = _filters(request, kind)
    fitting = [row for row in rows if all(_fits(row, name, value) for name, value in filters.items())]
    query = dict(request.query)
    for name in reversed([part for part in query.get("sort", "").split(",") if part]):
        fitting = _sorted(kind, fitting, name)
    number = _whole(query, "page[number]", 1, most=10**6)
    size = _whole(query, "page[size]", USUAL_PAGE, most=LARGEST_PAGE)
    pages = max(math.ceil(len(fitting) / size), 1)
    meta: Record = {
        "current-page": number,
        "next-page": number + 1 if number < pages else None,
        "prev-page": number - 1 if number > 1 else None,
        "total-pages": pages,
        "total-count": len(fitting),
        "filters": {},
    }
    links: Record = {
        name: _link(request, page) if isinstance(page, int) else None
        for name, page in (
            ("self", number),
            ("first", 1),
            ("prev", meta["prev-page"]),
            ("next", meta["next-page"]),
            ("last", pages),
        )
    }
    return fitting[(number - 1) * size : number * size], meta, links


def _link(request: Request, page: int) -> str:
    others = [(name, value) for name, value in request.query if name != "page[number]"]
    return f"{request.base_url}{request.path}?{urlencode([*others, ('page[number]', str(page))])}"


def _filters(request: Request, kind: Kind) -> dict[str, str]:
    known = {"page[number]", "page[size]", "sort", *_MORE.get(kind.name, ())}
    found: dict[str, str] = {}
    for name, value in request.query:
        match = _FILTER.fullmatch(name)
        if match and match[1] in kind.filters:
            found[match[1].replace("-", "_")] = value
        elif name not in known:
            raise Problem(400, f"{name[:60]} is not permitted here.")
    for one, other in _PAIRS:
        if (one in found) != (other in found):
            raise Problem(400, f"filter[{one}] and filter[{other}] go together.")
    if kind.name == "asset" and "flexible_asset_type_id" not in found:
        raise Problem(422, "filter[flexible_asset_type_id] is required.")
    return found


def _fits(row: Record, name: str, value: str) -> bool:
    """Names are compared as a whole, whatever their case; several values are parted by commas where they are ids."""
    stored = row.get("hidden") if name in HIDDEN else attributes_of(row)
    held: Json = None
    if isinstance(stored, dict):
        held = row["id"] if name == "id" else stored.get(name if name in HIDDEN else name.replace("_", "-"))
    wanted = [part.strip() for part in value.split(",")] if name.endswith("id") else [value]
    text = str(held).lower() if isinstance(held, bool) else str(held if held is not None else "")
    return text.casefold() in [one.casefold() for one in wanted]


def _sorted(kind: Kind, rows: list[Record], name: str) -> list[Record]:
    plain = name.removeprefix("-")
    if plain not in kind.sorts:
        raise Problem(400, f"{plain[:40]} is not a valid sort.")
    key = plain.replace("_", "-")
    return sorted(
        rows,
        key=lambda row: number_of(row) if plain == "id" else str(attributes_of(row).get(key) or "").casefold(),
        reverse=name.startswith("-"),
    )


def _whole(query: dict[str, str], name: str, otherwise: int, *, most: int) -> int:
    text = query.get(name, str(otherwise))
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise Problem(400, f"{name} is not valid.")
    return int(text)
