"""Which function answers which read; writes stand in `writes`. What is in neither does not exist."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.pax8 import lists
from integrations.sandbox.pax8.problems import Problem, not_found
from integrations.sandbox.pax8.records import shown_of
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Request, json_answer

SLUG = "pax8"


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to its route. `parts` stand for the template's names."""

    world: World
    request: Request
    parts: tuple[str, ...]

    @property
    def query(self) -> dict[str, str]:
        """The query by name; of repeats the last."""
        return dict(self.request.query)

    def rows(self, kind: str, **stored: Json) -> list[Record]:
        """What the vendor shows of its records of a kind, those that are stored so."""
        return [
            shown_of(one)
            for one in self.world.all(kind)
            if all(one.get(name) == value for name, value in stored.items())
        ]

    def stored(self, kind: str, number: Json) -> Record | None:
        """The record of this id."""
        wanted = str(number).lower()
        return next((one for one in self.world.all(kind) if shown_of(one)["id"] == wanted), None)

    def named(self, kind: str) -> Record:
        """The record that the path names. Raises Problem."""
        found = self.stored(kind, self.parts[0])
        if found is None:
            raise not_found(kind.capitalize())
        return found

    def only(self, *names: str) -> None:
        """Raises Problem for a query with other names."""
        unknown = set(self.query) - set(names)
        if unknown:
            raise Problem(400, f"Unknown query parameter: {min(unknown)}")


Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a template of the vendor's contract, and what answers it."""

    method: str
    template: str
    endpoint: Endpoint


def _listed(kind: str, filters: lists.Filters, sorts: str = "") -> Endpoint:
    def answer(call: Call) -> Answer:
        rows = lists.filtered(call.rows(kind), call.query, filters)
        return _page(call, rows, sorts)

    return answer


def _page(call: Call, rows: list[Record], sorts: str = "") -> Answer:
    ordered = lists.in_order(rows, call.query, lists.SORTS.get(sorts, set()))
    return json_answer(200, deepcopy(lists.page_of(ordered, call.query)))


def _single(kind: str) -> Endpoint:
    def answer(call: Call) -> Answer:
        call.only()
        return json_answer(200, deepcopy(shown_of(call.named(kind))))

    return answer


def _contacts(call: Call) -> Answer:
    number = shown_of(call.named("company"))["id"]
    return _page(call, lists.filtered(call.rows("contact", company=number), call.query, {}))


def _history(call: Call) -> Answer:
    call.only()
    return json_answer(200, {"content": deepcopy(call.named("subscription")["history"])})


def _usage(call: Call) -> Answer:
    number = shown_of(call.named("subscription"))["id"]
    rows = lists.filtered(call.rows("usage", subscription=number), call.query, lists.USAGE)
    return _page(call, rows, "usage")


def _pricing(call: Call) -> Answer:
    call.only("companyId")
    if "companyId" in call.query and call.stored("company", call.query["companyId"]) is None:
        raise not_found("Company")
    return json_answer(200, {"content": deepcopy(call.named("product")["pricing"])})


def _dependencies(call: Call) -> Answer:
    call.only()
    commitments = deepcopy(call.named("product")["commitments"])
    return json_answer(200, {"commitmentDependencies": commitments, "productDependencies": []})


def _details(call: Call) -> Answer:
    call.only()
    return json_answer(200, {"content": deepcopy(call.named("product")["details"])})


def _items(call: Call) -> Answer:
    number = shown_of(call.named("invoice"))["id"]
    return _page(call, lists.filtered(call.rows("item", invoice=number), call.query, {}))


READS = [
    Route("GET", "/companies", _listed("company", lists.COMPANIES, "companies")),
    Route("GET", "/companies/{companyId}", _single("company")),
    Route("GET", "/companies/{companyId}/contacts", _contacts),
    Route("GET", "/subscriptions", _listed("subscription", lists.SUBSCRIPTIONS, "subscriptions")),
    Route("GET", "/subscriptions/{subscriptionId}", _single("subscription")),
    Route("GET", "/subscriptions/{subscriptionId}/history", _history),
    Route("GET", "/subscriptions/{subscriptionId}/usage-summaries", _usage),
    Route("GET", "/products", _listed("product", lists.PRODUCTS, "products")),
    Route("GET", "/products/{productId}", _single("product")),
    Route("GET", "/products/{productId}/pricing", _pricing),
    Route("GET", "/products/{productId}/dependencies", _dependencies),
    Route("GET", "/products/{productId}/provision-details", _details),
    Route("GET", "/orders", _listed("order", lists.ORDERS)),
    Route("GET", "/orders/{orderId}", _single("order")),
    Route("GET", "/invoices", _listed("invoice", lists.INVOICES, "invoices")),
    Route("GET", "/invoices/{invoiceId}", _single("invoice")),
    Route("GET", "/invoices/{invoiceId}/items", _items),
]
