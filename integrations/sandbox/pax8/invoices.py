"""The distributor's invoices to an MSP: one a month over all its clients, with a line for each subscription."""

from __future__ import annotations

from datetime import date, timedelta

from integrations.sandbox.json_types import Record
from integrations.sandbox.pax8.records import shown_of, uid
from integrations.sandbox.world.facts import Facts

INVOICED_MONTHS = 3


def invoices_of(
    facts: Facts, subscriptions: list[Record], currency: str, today: date
) -> tuple[list[Record], list[Record]]:
    """An invoice for each of the last months, of the first day, with a line for what was active then."""
    names = {uid(facts.owner, "company", one.identifier): one.name for one in facts.companies}
    invoices: list[Record] = []
    items: list[Record] = []
    first = today.replace(day=1)
    for _ in range(INVOICED_MONTHS if subscriptions else 0):
        number = uid(facts.owner, "invoice", first.isoformat())
        lines = [_item(number, one, names, first) for one in subscriptions if _billed(shown_of(one), first)]
        total = round(sum(float(str(shown_of(one)["costTotal"])) for one in lines), 2)
        shown: Record = {
            "id": number,
            "invoiceDate": first.isoformat(),
            "dueDate": (first + timedelta(days=14)).isoformat(),
            "balance": 0,
            "carriedBalance": 0,
            "total": total,
            "currencyCode": currency,
            "partnerName": facts.owner.capitalize(),
            "status": "Paid",
        }
        invoices.append({"shown": shown})
        items += lines
        first = (first - timedelta(days=1)).replace(day=1)
    return invoices, items


def _billed(shown: Record, first: date) -> bool:
    began, ended = str(shown["startDate"])[:10], str(shown.get("endDate", "9999"))[:10]
    return began <= first.isoformat() <= ended


def _item(invoice: str, subscription: Record, names: dict[str, str], first: date) -> Record:
    about = shown_of(subscription)
    seats, price, cost = (float(str(about[name])) for name in ("quantity", "price", "partnerCost"))
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    shown: Record = {
        "id": uid("item", invoice, about["id"]),
        "purchaseOrderNumber": "N/A",
        "type": "subscription",
        "companyId": about["companyId"],
        "companyName": names[str(about["companyId"])],
        "startPeriod": first.isoformat(),
        "endPeriod": last.isoformat(),
        "quantity": about["quantity"],
        "unitOfMeasure": "User",
        "term": about["billingTerm"],
        "description": about["productName"],
        "rateType": "flat",
        "chargeType": "per",
        "price": price,
        "subTotal": round(price * seats, 2),
        "cost": cost,
        "costTotal": round(cost * seats, 2),
        "offeredBy": "Pax8",
        "billedByPax8": False,
        "total": round(price * seats, 2),
        "productId": about["productId"],
        "productName": about["productName"],
        "currencyCode": about["currencyCode"],
        "salesTax": 0,
        "subscriptionId": about["id"],
    }
    return {"invoice": invoice, "shown": shown}
