"""The tools that look up what a company has: itself, its subscriptions and their past, its orders."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from integrations.pax8 import endpoints, schemas
from integrations.pax8.targets import (
    Id,
    client_of,
    company_id_of,
    company_of,
    first,
    money,
    named,
    number,
    own,
    subscription_of,
)
from integrations.tools import ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, Words, counted, day, filled

MOST_LOOKED_UP = 20
"""So many names of products are looked up for one list where the vendor left them out."""

Status = Literal[
    "Active",
    "Cancelled",
    "PendingManual",
    "PendingAutomated",
    "PendingCancel",
    "WaitingForDetails",
    "Trial",
    "Converted",
    "PendingActivation",
    "Activated",
]


class FindCompany(ToolArguments):
    pass


class ListSubscriptions(ToolArguments):
    status: Status | None = Field(None, description="Only subscriptions of this status.")
    product: Words | None = Field(None, description="Only those whose product's name contains this.")
    limit: Limit = Field(50, description="At most so many subscriptions.")


class OneSubscription(ToolArguments):
    subscription_id: Id = Field(description="Id of the subscription in Pax8 (list_subscriptions).")


class ListOrders(ToolArguments):
    product_id: Id | None = Field(None, description="Only orders of this product (list_subscriptions: product_id).")
    limit: Limit = Field(25, description="At most so many orders, the newest first.")


@tool(
    name="pax8.find_company",
    label="Read the company in Pax8",
    description="The company of this signal as Pax8 has it: address, status, whether its orders need its approval, and"
    " whom Pax8 writes to there. Other companies cannot be looked up.",
    arguments=FindCompany,
    title=lambda _: "Read the company in Pax8",
    endpoints=(endpoints.COMPANY, endpoints.CONTACTS),
)
def find_company(context: ToolContext, _: FindCompany) -> ToolResult:
    company = company_of(context)
    people, more = first(client_of(context).contacts(company_id_of(context)), 20)
    contacts: list[JsonValue] = [
        filled(
            {
                "name": f"{one.first_name} {one.last_name}".strip(),
                "email": one.email,
                "for": [f"{kind.type}{' (primary)' if kind.primary else ''}" for kind in one.types],
            }
        )
        for one in people
    ]
    return ToolResult(
        content=filled(
            {
                "id": company.id,
                "name": company.name,
                "status": company.status,
                "external_id": company.external_id,
                "city": company.address.city,
                "country": company.address.country,
                "orders_need_its_approval": company.order_approval_required,
                "may_order_itself": company.self_service_allowed,
                "billed_by_pax8": company.bill_on_behalf,
                "contacts": contacts,
                "more_contacts": more or None,
            }
        ),
        summary=f"{company.name}, {company.status or 'of unknown status'}",
        records=(company, *people),
    )


@tool(
    name="pax8.list_subscriptions",
    label="List subscriptions",
    description="What this company has bought through Pax8: product, number of seats, price to the client, billing"
    " term, and until when it is committed.",
    arguments=ListSubscriptions,
    title=lambda arguments: (
        f"List subscriptions of “{arguments.product}”" if arguments.product else "List subscriptions"
    ),
    endpoints=(endpoints.SUBSCRIPTIONS, endpoints.PRODUCT),
)
def list_subscriptions(context: ToolContext, arguments: ListSubscriptions) -> ToolResult:
    listed = client_of(context).subscriptions(company_id_of(context), status=arguments.status or "")
    # a filter that the vendor passes over would make everything look found, so that each record is looked at here, too
    owned = [one for one in own(context, listed) if arguments.status in (None, one.status)]
    names = _names(context, owned)
    wanted = (arguments.product or "").casefold()
    fitting = (one for one in owned if wanted in names[one.id].casefold())
    found, more = first(fitting, arguments.limit)
    rows: list[JsonValue] = [_line(one, names[one.id]) for one in found]
    return ToolResult(
        content={"subscriptions": rows, "more": more},
        summary=counted(len(rows), "subscription", more=more),
        records=found,
    )


@tool(
    name="pax8.get_subscription",
    label="Read a subscription",
    description="One subscription of this company in Pax8: seats, prices, term, commitment with what it allows, dates.",
    arguments=OneSubscription,
    title=lambda arguments: f"Read subscription {arguments.subscription_id}",
    endpoints=(endpoints.SUBSCRIPTION, endpoints.PRODUCT, endpoints.DEPENDENCIES),
)
def get_subscription(context: ToolContext, arguments: OneSubscription) -> ToolResult:
    found = subscription_of(context, arguments.subscription_id)
    name = named(context, found)
    rules = commitment_of(context, found)
    content = {
        **_line(found, name),
        **filled(
            {
                "started": day(found.start_date),
                "billed_since": day(found.billing_start),
                "created": day(found.created_date),
                "changed": day(found.updated_date),
                "part_of": found.parent_id,
                "commitment_allows": allowed_words(rules) if rules else "",
            }
        ),
    }
    return ToolResult(
        content=content,
        summary=f"{name}: {number(found.quantity)}, {found.status or 'unknown'}",
        records=(found, *((rules,) if rules else ())),
    )


@tool(
    name="pax8.subscription_history",
    label="Read a subscription's history",
    description="How one subscription of this company changed: seats, status, price and term after each change, the"
    " newest first. Pax8 does not tell who changed it.",
    arguments=OneSubscription,
    title=lambda arguments: f"Read the history of subscription {arguments.subscription_id}",
    endpoints=(endpoints.SUBSCRIPTION, endpoints.PRODUCT, endpoints.HISTORY),
)
def subscription_history(context: ToolContext, arguments: OneSubscription) -> ToolResult:
    found = subscription_of(context, arguments.subscription_id)
    changes = [
        one for one in own(context, client_of(context).history(found.id)) if one.id.lower() == arguments.subscription_id
    ]
    changes.sort(key=lambda one: one.updated_date or one.created_date, reverse=True)
    rows: list[JsonValue] = [
        filled(
            {
                "changed": (one.updated_date or one.created_date)[:19],
                "quantity": number(one.quantity),
                "status": one.status,
                "price": money(one.price, one.currency),
                "billing_term": one.billing_term,
                "ends": day(one.end_date),
            }
        )
        for one in changes[:100]
    ]
    return ToolResult(
        content={"product": named(context, found), "changes": rows, "more": len(changes) > len(rows)},
        summary=counted(len(changes), "change"),
        records=changes[:100],
    )


@tool(
    name="pax8.list_orders",
    label="List orders",
    description="What was ordered for this company through Pax8, the newest first: product, number, term, and the"
    " subscription that came of it.",
    arguments=ListOrders,
    title=lambda _: "List orders",
    endpoints=(endpoints.ORDERS,),
)
def list_orders(context: ToolContext, arguments: ListOrders) -> ToolResult:
    owned = [
        one
        for one in own(context, client_of(context).orders(company_id_of(context)))
        if arguments.product_id is None or any(item.product_id.lower() == arguments.product_id for item in one.items)
    ]
    owned.sort(key=lambda one: one.created_date, reverse=True)
    found, more = first(iter(owned), arguments.limit)
    rows: list[JsonValue] = [
        filled(
            {
                "id": one.id,
                "created": day(one.created_date),
                "by": one.orderer or one.ordered_by,
                "items": [
                    filled(
                        {
                            "product_id": item.product_id,
                            "subscription_id": item.subscription_id,
                            "quantity": number(item.quantity),
                            "billing_term": item.billing_term,
                            "starts": day(item.start),
                        }
                    )
                    for item in one.items[:20]
                ],
            }
        )
        for one in found
    ]
    return ToolResult(
        content={"orders": rows, "more": more}, summary=counted(len(rows), "order", more=more), records=found
    )


def commitment_of(context: ToolContext, subscription: schemas.Subscription) -> schemas.Commitment | None:
    """The rules of the commitment that a subscription is under, as far as the vendor tells them."""
    if not subscription.commitment.id:
        return None
    listed = client_of(context).commitments(subscription.product_id)
    return next((one for one in listed if one.id == subscription.commitment.id), None)


def allowed_words(rules: schemas.Commitment) -> str:
    """What a commitment allows while it lasts, in a sentence."""
    told = {
        "more seats": rules.may_increase,
        "fewer seats": rules.may_decrease,
        "an early end": rules.may_cancel,
    }
    yes = [words for words, allowed in told.items() if allowed]
    no = [words for words, allowed in told.items() if allowed is False]
    parts = [f"allows {', '.join(yes)}" if yes else "", f"does not allow {', '.join(no)}" if no else ""]
    fee = "an early end costs a fee" if rules.has_fee and rules.may_cancel else ""
    renews = {True: "renews itself", False: "does not renew itself", None: ""}[rules.renews]
    return "; ".join(filter(None, [*parts, fee, renews]))


def _names(context: ToolContext, records: list[schemas.Subscription]) -> dict[str, str]:
    """What each subscription is of; of those without a name, a few products are looked up."""
    looked_up: dict[str, str] = {}
    for one in records:
        if not one.product_name and one.product_id not in looked_up and len(looked_up) < MOST_LOOKED_UP:
            looked_up[one.product_id] = named(context, one)
    return {one.id: one.product_name or looked_up.get(one.product_id, "an unknown product") for one in records}


def _line(one: schemas.Subscription, name: str) -> dict[str, JsonValue]:
    return filled(
        {
            "id": one.id,
            "product": name,
            "product_id": one.product_id,
            "quantity": number(one.quantity),
            "status": one.status,
            "price": money(one.price, one.currency),
            "billing_term": one.billing_term,
            "commitment": one.commitment.term,
            "commitment_term_id": one.commitment.id,
            "committed_until": day(one.commitment.end_date),
            "ends": day(one.end_date),
        }
    )
