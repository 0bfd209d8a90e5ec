"""Which function answers which request of Hudu's. What is not listed does not exist."""

from __future__ import annotations

from collections.abc import Callable

from integrations.sandbox.hudu.records import new_article
from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.keyed import Call, Endpoint, Problem, Route, shown
from integrations.sandbox.wire import Answer, json_answer

LARGEST_PAGE, USUAL_PAGE = 1000, 25
_CHANGEABLE = frozenset({"name", "content", "enable_sharing", "folder_id", "company_id"})

Fits = Callable[[Record, str], bool]


def _equals(field: str) -> Fits:
    return lambda row, text: str(row[field] if row[field] is not None else "").casefold() == text.casefold()


def _archived(row: Record, text: str) -> bool:
    if text not in ("true", "false"):
        raise Problem(400, "archived is true or false.")
    return row["archived"] is (text == "true")


def _search(row: Record, text: str) -> bool:
    return text.casefold() in str(row["name"]).casefold()


def _listed(kind: str, *, bare: bool = False, sized: bool = True, **filters: Fits) -> Endpoint:
    """A list: under its name, or `bare`; in pages of 25, or of another size where the vendor takes one."""

    def answer(call: Call) -> Answer:
        for name in call.query:
            if name not in {"page", *filters, *(("page_size",) if sized else ())}:
                raise Problem(400, f"{name[:60]} is not a valid filter parameter.")
        asked = {name: text for name, text in call.query.items() if name in filters}
        if "archived" in filters:
            asked.setdefault("archived", "false")
        rows = [row for row in call.world.all(kind) if all(filters[name](row, text) for name, text in asked.items())]
        number, size = call.number("page", 1), call.number("page_size", USUAL_PAGE, most=LARGEST_PAGE)
        page: list[Json] = [shown(row) for row in rows[(number - 1) * size : number * size]]
        return json_answer(200, page if bare else {kind: page})

    return answer


def _company(call: Call) -> Answer:
    call.only()
    found = call.find("companies", 0)
    if found is None:
        raise Problem(404, "Resource not found")
    return json_answer(200, {"company": shown(found)})


def _asset(call: Call) -> Answer:
    call.only()
    company, found = call.find("companies", 0), call.find("assets", 1)
    if company is None or found is None or found["company_id"] != company["id"]:
        raise Problem(404, "Resource not found")
    return json_answer(200, {"asset": shown(found)})


def _article(call: Call) -> Answer:
    """An article that is not there is answered with 200 and null, as the vendor does."""
    call.only()
    found = call.find("articles", 0)
    return json_answer(200, {"article": shown(found)} if found else None)


def _wanted(call: Call) -> Record:
    """The fields that were sent. Raises Problem."""
    call.only()
    wanted = call.body().get("article")
    if not isinstance(wanted, dict) or not set(wanted) <= _CHANGEABLE:
        raise Problem(422, "Unable to process request")
    if not all(isinstance(wanted.get(name, "x"), str) and wanted.get(name, "x") for name in ("name", "content")):
        raise Problem(422, "Name and content can't be blank")
    company = wanted.get("company_id")
    if company is not None and call.world.get("companies", company) is None:
        raise Problem(422, "Company must exist")
    return dict(wanted)


def _create_article(call: Call) -> Answer:
    wanted = _wanted(call)
    if "name" not in wanted:
        raise Problem(422, "Name can't be blank")
    made, effect = call.changed("articles", new_article(call.world.now()), wanted)
    return json_answer(200, {"article": shown(made)}, effect=effect)


def _update_article(call: Call) -> Answer:
    found = call.find("articles", 0)
    if found is None:
        raise Problem(404, "Resource not found")
    changed, effect = call.changed("articles", found, {**_wanted(call), "updated_at": call.world.now()})
    return json_answer(200, {"article": shown(changed)}, effect=effect)


ROUTES = [
    Route("GET", "/companies", _listed("companies", name=_equals("name"), id_number=_equals("id_number"))),
    Route("GET", "/companies/{id}", _company),
    Route("GET", "/companies/{company_id}/assets/{id}", _asset),
    Route("GET", "/asset_layouts", _listed("asset_layouts", sized=False, name=_equals("name"))),
    Route(
        "GET",
        "/assets",
        _listed(
            "assets",
            company_id=_equals("company_id"),
            asset_layout_id=_equals("asset_layout_id"),
            primary_serial=_equals("primary_serial"),
            name=_equals("name"),
            search=_search,
            archived=_archived,
        ),
    ),
    Route(
        "GET",
        "/articles",
        _listed("articles", company_id=_equals("company_id"), name=_equals("name"), search=_search),
    ),
    Route("GET", "/articles/{id}", _article),
    Route(
        "GET",
        "/expirations",
        _listed("expirations", bare=True, company_id=_equals("company_id"), expiration_type=_equals("expiration_type")),
    ),
    Route("POST", "/articles", _create_article),
    Route("PUT", "/articles/{id}", _update_article),
]
