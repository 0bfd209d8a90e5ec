"""The demo world as Pax8 holds it: the clients, the catalogue, and what each client has bought.

Seats are counted from the same people and devices that the other systems show. A stored record is what the vendor
shows of it (`shown`) beside what it only knows. Ids are UUIDs made from names: the same at every filling.
"""

from __future__ import annotations

from dataclasses import field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.pax8.invoices import invoices_of
from integrations.sandbox.pax8.records import shown_of, stamp, uid
from integrations.sandbox.world.facts import Company, Facts, parse_age

COUNTRIES = {"United States": "US", "Germany": "DE", "France": "FR", "United Kingdom": "GB", "Ireland": "IE"}
PROTECTED = ("Server", "Workstation", "Laptop")
MONTHS = {"1-Month": 1, "1-Year": 12, "3-Year": 36}
DAYS = {"1-Month": 30, "1-Year": 365, "3-Year": 1095}
_WORLD = Path(__file__).resolve().parent.parent / "world"
_STRICT = ConfigDict(extra="forbid")
_QUESTIONS: list[Json] = [
    {
        "label": "Does the customer have an existing Microsoft account?",
        "key": "msCustExists",
        "valueType": "Single-Value",
        "possibleValues": ["No, the customer does not have a Microsoft account", "Yes, the customer has one"],
    },
    {
        "label": "Desired .onmicrosoft.com customer domain prefix",
        "key": "msDomain",
        "description": "Without the ending: mydomain for mydomain.onmicrosoft.com.",
        "valueType": "Input",
    },
]

Rate = tuple[float, float, int, int | None]


@dataclass(frozen=True, config=_STRICT)
class PriceFacts:
    """A billing term under a commitment; each rate is (suggested to the client, cost, from, to)."""

    term: str
    commitment: str
    rates: tuple[Rate, ...]


@dataclass(frozen=True, config=_STRICT)
class ProductFacts:
    """A product of the catalogue. `asks` = it is set up only once questions are answered."""

    key: str
    name: str
    vendor: str
    sku: str
    vendor_sku: str
    text: str
    prices: tuple[PriceFacts, ...]
    kind: str = "Flat"
    unit: str = "User"
    asks: bool = False
    metered: bool = False


@dataclass(frozen=True, config=_STRICT)
class Bought:
    """A subscription: so many seats, or one for each person or device and some to spare.

    `was` are former numbers of seats as (age, difference to now), `ended` when it was cancelled.
    """

    company: str
    product: str
    term: str
    commitment: str
    age: str
    seats: int = 0
    per: str = ""
    spare: int = 0
    ended: str = ""
    was: tuple[tuple[str, int], ...] = ()
    usage: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Sales:
    """What one MSP's clients bought."""

    currency: str
    subscriptions: tuple[Bought, ...] = ()


@dataclass(frozen=True, config=_STRICT)
class Catalogue:
    """What can be bought, by everybody."""

    products: tuple[ProductFacts, ...] = field(default=())


@cache
def load_catalogue() -> tuple[ProductFacts, ...]:
    """The catalogue; raises pydantic's ValidationError on a misspelt or missing field."""
    return TypeAdapter(Catalogue).validate_json((_WORLD / "catalogue.json").read_bytes(), strict=True).products


@cache
def _sales(owner: str) -> Sales:
    return TypeAdapter(Sales).validate_json((_WORLD / owner / "subscriptions.json").read_bytes(), strict=True)


def seed_records(facts: Facts) -> dict[str, list[Record]]:
    """Every record of an MSP, ready to be loaded."""
    now, sales = datetime.now(tz=UTC), _sales(facts.owner)
    products = {one.key: one for one in load_catalogue()}
    known = {one.identifier for one in facts.companies}
    bought = [one for one in sales.subscriptions if one.company in known]
    subscriptions = [_subscription(facts, one, products[one.product], sales.currency, now) for one in bought]
    invoices, items = invoices_of(facts, subscriptions, sales.currency, now.date())
    return {
        "company": [_company(facts.owner, one) for one in facts.companies],
        "contact": [_contact(facts.owner, one) for one in _default_contacts(facts)],
        "product": [_product(one) for one in products.values()],
        "subscription": subscriptions,
        "order": [order_of(one, now.date()) for one in subscriptions],
        "invoice": invoices,
        "item": items,
        "usage": [
            row
            for one, made in zip(bought, subscriptions, strict=True)
            for row in _usage(made, one, products[one.product].vendor)
        ],
    }


def _company(owner: str, company: Company) -> Record:
    return {
        "shown": {
            "id": uid(owner, "company", company.identifier),
            "name": company.name,
            "address": {
                "street": company.street,
                "city": company.city,
                "postalCode": company.zip,
                "country": COUNTRIES[company.country],
            },
            "phone": company.phone,
            "website": company.website,
            "externalId": company.identifier,
            "billOnBehalfOfEnabled": False,
            "selfServiceAllowed": False,
            "orderApprovalRequired": False,
            "status": "Active",
        }
    }


def _default_contacts(facts: Facts) -> list[tuple[str, str, str, str, str]]:
    return [(one.company, one.first, one.last, one.email, one.phone) for one in facts.contacts if one.default]


def _contact(owner: str, person: tuple[str, str, str, str, str]) -> Record:
    company, first, last, email, phone = person
    return {
        "company": uid(owner, "company", company),
        "shown": {
            "id": uid(owner, "contact", email),
            "firstName": first,
            "lastName": last,
            "email": email,
            "phone": phone,
            "types": [{"type": "Admin", "primary": True}, {"type": "Billing", "primary": True}],
        },
    }


def _product(product: ProductFacts) -> Record:
    number = uid("product", product.key)
    commitments = sorted({one.commitment for one in product.prices if one.commitment})
    dependencies: list[Json] = [
        {
            "id": uid("commitment", product.key, term),
            "term": term,
            "autoRenew": True,
            "renewalWindowDaysBeforeTermEnd": 30,
            "renewalWindowDaysAfterTermEnd": 0,
            "allowForQuantityIncrease": True,
            "allowForQuantityDecrease": False,
            "allowForEarlyCancellation": False,
            "cancellationFeeApplied": False,
            "isTransferable": False,
        }
        for term in commitments
    ]
    return {
        "shown": {
            "id": number,
            "name": product.name,
            "vendorName": product.vendor,
            "shortDescription": product.text,
            "sku": product.sku,
            "vendorSku": product.vendor_sku,
            "requiresCommitment": bool(commitments),
        },
        "commitments": dependencies,
        "details": [*_QUESTIONS] if product.asks else [],
        "pricing": [_pricing(product, number, one) for one in product.prices],
        "metered": product.metered,
    }


def _pricing(product: ProductFacts, number: str, price: PriceFacts) -> Record:
    rates: list[Json] = []
    for retail, cost, start, end in price.rates:
        rate: Record = {"partnerBuyRate": cost, "suggestedRetailPrice": retail, "startQuantityRange": start}
        rates.append({**rate, **({"endQuantityRange": end} if end else {}), "chargeType": "Per Unit"})
    shown: Record = {
        "productId": number,
        "productName": product.name,
        "billingTerm": price.term,
        "type": product.kind,
        "unitOfMeasurement": product.unit,
        "rates": rates,
    }
    if price.commitment:
        shown |= {"commitmentTerm": price.commitment, "commitmentTermInMonths": MONTHS[price.commitment]}
    return shown


def _seats(facts: Facts, bought: Bought) -> int:
    people = sum(one.company == bought.company for one in facts.contacts)
    devices = sum(one.company == bought.company and one.kind in PROTECTED for one in facts.devices)
    return {"person": people, "device": devices, "": bought.seats}[bought.per] + bought.spare


def _subscription(facts: Facts, bought: Bought, product: ProductFacts, currency: str, now: datetime) -> Record:
    owner, seats, begun = facts.owner, _seats(facts, bought), now - parse_age(bought.age)
    price = next(one for one in product.prices if (one.term, one.commitment) == (bought.term, bought.commitment))
    retail, cost = rate_for(price.rates, seats)
    shown: Record = {
        "id": uid(owner, "subscription", bought.company, bought.product),
        "companyId": uid(owner, "company", bought.company),
        "productId": uid("product", bought.product),
        "productName": product.name,
        "quantity": seats,
        "startDate": stamp(begun),
        "createdDate": stamp(begun - timedelta(days=1)),
        "updatedDate": stamp(begun),
        "billingStart": begun.date().isoformat(),
        "status": "Cancelled" if bought.ended else "Active",
        "price": retail,
        "currencyCode": currency,
        "partnerCost": cost,
        "billingTerm": bought.term,
    }
    if bought.commitment:
        shown["commitmentTerm"] = commitment_of(bought.product, bought.commitment, begun)
    if bought.ended:
        shown["endDate"] = shown["updatedDate"] = stamp(now - parse_age(bought.ended))
    history: list[Json] = [
        {**shown, "quantity": seats + difference, "updatedDate": stamp(now - parse_age(age)), "status": "Active"}
        for age, difference in bought.was
    ]
    if bought.was:
        shown["updatedDate"] = stamp(now - parse_age(bought.was[-1][0]))
    return {"shown": shown, "history": history or [{**shown, "updatedDate": stamp(begun), "status": "Active"}]}


def commitment_of(product: str, term: str, begun: datetime) -> Record:
    """A commitment that began then, and begins anew at its end."""
    days, now = DAYS[term], datetime.now(tz=UTC)
    ends = begun + timedelta(days=days)
    while ends < now:
        ends += timedelta(days=days)
    return {"id": uid("commitment", product, term), "term": term, "endDate": stamp(ends)}


def rate_for(rates: tuple[Rate, ...], seats: int) -> tuple[float, float]:
    """What one seat of so many costs the client and the MSP."""
    for retail, cost, start, end in rates:
        if start <= seats and (end is None or seats <= end):
            return retail, cost
    return rates[-1][0], rates[-1][1]


def order_of(subscription: Record, today: date) -> Record:
    """The order that a subscription came of."""
    shown = shown_of(subscription)
    created = str(shown["createdDate"])[:10] or today.isoformat()
    item: Record = {
        "id": uid("line", shown["id"]),
        "productId": shown["productId"],
        "subscriptionId": shown["id"],
        "provisionStartDate": shown["startDate"],
        "billingTerm": shown["billingTerm"],
        "quantity": shown["quantity"],
    }
    commitment = shown.get("commitmentTerm")
    if isinstance(commitment, dict):
        item["commitmentTermId"] = commitment["id"]
    return {
        "shown": {
            "id": uid("order", shown["id"]),
            "companyId": shown["companyId"],
            "createdDate": created,
            "orderedBy": "Pax8 Partner",
            "isScheduled": False,
            "lineItems": [item],
        }
    }


def _usage(subscription: Record, bought: Bought, vendor: str) -> list[Record]:
    about = shown_of(subscription)
    return [
        {
            "subscription": about["id"],
            "shown": {
                "id": uid("usage", about["id"], group),
                "companyId": about["companyId"],
                "productId": about["productId"],
                "resourceGroup": group,
                "vendorName": vendor,
                "currentCharges": charges,
                "currencyCode": about["currencyCode"],
                "partnerTotal": round(charges * 0.88, 2),
                "isTrial": False,
            },
        }
        for group, charges in bought.usage
    ]
