"""Which function answers which write: orders, changes and ends of subscriptions, and contacts."""

from __future__ import annotations

import uuid
from copy import deepcopy
from datetime import UTC, datetime, timedelta

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.pax8.problems import Problem, not_found
from integrations.sandbox.pax8.records import shown_of, stamp
from integrations.sandbox.pax8.routes import Call, Route
from integrations.sandbox.pax8.seeding import DAYS
from integrations.sandbox.wire import Answer, Effect, json_answer

FREE_DAYS = 7
"""So long after its beginning a committed subscription may still be made smaller."""

_CHANGEABLE = {"price", "billingTerm", "quantity", "startDate", "endDate", "currencyCode", "provisioningDetails"}
_ITEM_FIELDS = {
    "productId",
    "commitmentTermId",
    "provisionStartDate",
    "lineItemNumber",
    "billingTerm",
    "parentSubscriptionId",
    "parentLineItemNumber",
    "quantity",
    "provisioningDetails",
}
_TYPES = {"Admin", "Billing", "Technical"}


def _body(call: Call) -> Record:
    """The body as an object. Raises Problem."""
    try:
        body = call.request.json()
    except ValueError as error:
        raise Problem(400, "The body is not JSON") from error
    if not isinstance(body, dict):
        raise Problem(400, "The body must be an object")
    return body


def _invalid(*reasons: str) -> Problem:
    return Problem(422, "Validation failed", reasons=reasons)


def _seats(value: Json) -> int:
    """A number of seats. Raises Problem."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or not 1 <= value <= 10_000:
        raise _invalid("quantity must be a whole number between 1 and 10000")
    return int(value)


def _change(call: Call) -> Answer:
    record, wanted = deepcopy(call.named("subscription")), _body(call)
    call.only()
    unknown = set(wanted) - _CHANGEABLE
    if unknown:
        raise _invalid(f"{min(unknown)} cannot be changed")
    if set(wanted) - {"quantity"} or "quantity" not in wanted:
        raise _invalid("Only the quantity of this subscription can be changed")
    shown, seats = shown_of(record), _seats(wanted["quantity"])
    if shown["status"] not in ("Active", "Trial"):
        raise _invalid(f"A subscription that is {shown['status']} cannot be changed")
    fewer = seats < int(str(shown["quantity"]))
    if fewer and "commitmentTerm" in shown and not _is_young(shown):
        raise _invalid(f"Quantity decrease is only allowed in the first {FREE_DAYS} days of the commitment term")
    shown["quantity"], shown["updatedDate"] = seats, stamp(datetime.now(tz=UTC))
    _remember(record)
    number = call.world.save("subscription", record)
    return json_answer(200, deepcopy(shown), effect=Effect("changed", "subscription", number))


def _is_young(shown: Record) -> bool:
    begun = datetime.fromisoformat(str(shown["startDate"]))
    return datetime.now(tz=UTC) - begun <= timedelta(days=FREE_DAYS)


def _remember(record: Record) -> None:
    history = record["history"]
    if isinstance(history, list):
        history.append(deepcopy(shown_of(record)))


def _cancel(call: Call) -> Answer:
    """At once, at a day, or at the end of a commitment that does not let go before."""
    record, now = deepcopy(call.named("subscription")), datetime.now(tz=UTC)
    call.only("cancelDate")
    shown = shown_of(record)
    if shown["status"] in ("Cancelled", "PendingCancel"):
        raise not_found("Active subscription")
    ends = _moment(call.query["cancelDate"]) if "cancelDate" in call.query else now
    commitment = shown.get("commitmentTerm")
    if isinstance(commitment, dict) and not _is_young(shown):
        ends = max(ends, _moment(str(commitment["endDate"])))
    shown["status"] = "Cancelled" if ends <= now else "PendingCancel"
    shown["endDate"], shown["updatedDate"] = stamp(ends), stamp(now)
    _remember(record)
    number = call.world.save("subscription", record)
    return Answer(204, effect=Effect("changed", "subscription", number))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Problem(400, f"Invalid date: {text[:80]}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _order(call: Call) -> Answer:
    call.only("isMock")
    mock = call.query.get("isMock", "false")
    if mock not in ("true", "false"):
        raise Problem(400, "isMock must be true or false")
    body = _body(call)
    company, items = call.stored("company", body.get("companyId")), body.get("lineItems")
    if company is None or shown_of(company)["status"] != "Active":
        raise _invalid("companyId is no active company")
    if not isinstance(items, list) or not items:
        raise _invalid("lineItems must not be empty")
    checked = [_checked(call, shown_of(company), item) for item in items]
    order: Record = {"companyId": shown_of(company)["id"], "isScheduled": False}
    if mock == "true":
        return json_answer(200, {**order, "lineItems": [_line(product, item) for product, item in checked]})
    lines: list[Json] = []
    for product, item in checked:
        made = _provision(call, str(order["companyId"]), product, item)
        lines.append({**_line(product, item), "id": str(uuid.uuid4()), "subscriptionId": made["id"]})
    order |= {
        "id": str(uuid.uuid4()),
        "createdDate": datetime.now(tz=UTC).date().isoformat(),
        "orderedBy": body.get("orderedBy", "Pax8 Partner"),
        "lineItems": lines,
    }
    number = call.world.save("order", {"shown": order})
    return json_answer(200, order, effect=Effect("created", "order", number))


def _checked(call: Call, company: Record, item: Json) -> tuple[Record, Record]:
    """The product of a line and the line, when it can be ordered. Raises Problem."""
    if not isinstance(item, dict) or set(item) - _ITEM_FIELDS:
        raise _invalid("A line item holds something that is unknown")
    product = call.stored("product", item.get("productId"))
    if product is None:
        raise _invalid("productId is no product")
    _seats(item.get("quantity"))
    if not isinstance(item.get("lineItemNumber"), int):
        raise _invalid("lineItemNumber is required")
    commitments = [one for one in _records(product["commitments"]) if one["id"] == item.get("commitmentTermId")]
    if shown_of(product)["requiresCommitment"] and not commitments:
        raise _invalid("commitmentTermId is required for this product")
    if item.get("commitmentTermId") and not commitments:
        raise _invalid("commitmentTermId does not belong to this product")
    if _price(product, item, commitments) is None:
        raise _invalid(f"billingTerm {item.get('billingTerm')} is not offered with this commitment")
    _check_details(call, company, product, item)
    return product, item


def _check_details(call: Call, company: Record, product: Record, item: Record) -> None:
    """Whoever has something of this maker is known there; of others the questions must be answered."""
    given = {str(one.get("key")): one.get("values") for one in _records(item.get("provisioningDetails", []))}
    asked = {str(one["key"]): one for one in _records(product["details"])}
    if set(given) - set(asked):
        raise _invalid(f"{min(set(given) - set(asked))} is no provisioning detail of this product")
    vendors = {
        shown_of(one)["vendorName"]
        for held in call.rows("subscription")
        if held["companyId"] == company["id"] and (one := call.stored("product", held["productId"]))
    }
    if shown_of(product)["vendorName"] not in vendors and set(asked) - set(given):
        raise _invalid(f"{min(set(asked) - set(given))} is required to set this product up")


def _price(product: Record, item: Record, commitments: list[Record]) -> Record | None:
    term = commitments[0]["term"] if commitments else None
    for one in _records(product["pricing"]):
        if one["billingTerm"] == item.get("billingTerm") and one.get("commitmentTerm") == term:
            return one
    return None


def _line(product: Record, item: Record) -> Record:
    line: Record = {
        "productId": shown_of(product)["id"],
        "billingTerm": item["billingTerm"],
        "quantity": item["quantity"],
        "provisionStartDate": item.get("provisionStartDate") or stamp(datetime.now(tz=UTC)),
    }
    if item.get("commitmentTermId"):
        line["commitmentTermId"] = item["commitmentTermId"]
    return line


def _provision(call: Call, company: str, product: Record, item: Record) -> Record:
    """The subscription that comes of a line; it is being set up for a while."""
    about, now = shown_of(product), datetime.now(tz=UTC)
    commitments = [one for one in _records(product["commitments"]) if one["id"] == item.get("commitmentTermId")]
    pricing = _price(product, item, commitments) or {}
    seats = _seats(item["quantity"])
    rates = [one for one in _records(pricing["rates"]) if _covers(one, seats)] or _records(pricing["rates"])
    currency = next((row["currencyCode"] for row in call.rows("subscription")), "USD")
    shown: Record = {
        "id": str(uuid.uuid4()),
        "companyId": company,
        "productId": about["id"],
        "productName": about["name"],
        "quantity": seats,
        "startDate": stamp(now),
        "createdDate": stamp(now),
        "updatedDate": stamp(now),
        "billingStart": now.date().isoformat(),
        "status": "PendingAutomated",
        "price": rates[0]["suggestedRetailPrice"],
        "currencyCode": currency,
        "partnerCost": rates[0]["partnerBuyRate"],
        "billingTerm": item["billingTerm"],
    }
    if commitments:
        term = str(commitments[0]["term"])
        ends = stamp(now + timedelta(days=DAYS[term]))
        shown["commitmentTerm"] = {"id": commitments[0]["id"], "term": term, "endDate": ends}
    call.world.save("subscription", {"shown": shown, "history": [deepcopy(shown)]})
    return shown


def _covers(rate: Record, seats: int) -> bool:
    start, end = rate["startQuantityRange"], rate.get("endQuantityRange")
    return int(str(start)) <= seats and (end is None or seats <= int(str(end)))


def _records(value: Json) -> list[Record]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _add_contact(call: Call) -> Answer:
    company, wanted = shown_of(call.named("company")), _body(call)
    call.only()
    if set(wanted) - {"firstName", "lastName", "email", "phone", "types"}:
        raise _invalid("A contact holds something that is unknown")
    for name in ("firstName", "lastName", "email", "phone"):
        if not isinstance(wanted.get(name), str) or not wanted[name]:
            raise _invalid(f"{name} is required")
    types = _records(wanted.get("types", []))
    if not all(one.get("type") in _TYPES for one in types):
        raise _invalid("type must be Admin, Billing or Technical")
    shown: Record = {**wanted, "id": str(uuid.uuid4()), "createdDate": stamp(datetime.now(tz=UTC)), "types": [*types]}
    number = call.world.save("contact", {"company": company["id"], "shown": shown})
    return json_answer(200, deepcopy(shown), effect=Effect("created", "contact", number))


WRITES = [
    Route("POST", "/orders", _order),
    Route("PUT", "/subscriptions/{subscriptionId}", _change),
    Route("DELETE", "/subscriptions/{subscriptionId}", _cancel),
    Route("POST", "/companies/{companyId}/contacts", _add_contact),
]
