"""The tools that change a subscription: its number of seats, and its end."""

from __future__ import annotations

import datetime as dates
from decimal import Decimal

from pydantic import Field, JsonValue

from integrations.errors import TargetRefused
from integrations.pax8 import endpoints, schemas
from integrations.pax8.client import LABEL, Query
from integrations.pax8.ordering import ORDER_SECONDS, Seats
from integrations.pax8.reading import OneSubscription, allowed_words, commitment_of
from integrations.pax8.targets import ENDED, client_of, money, named, number, ownership, subscription_of, today
from integrations.tools import (
    Category,
    Change,
    Flag,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolContext,
    ToolResult,
    tool,
)
from integrations.wire import record_of
from integrations.wording import day, filled

UNDO_QUANTITY = "Set the former number again (pax8.change_quantity), as the term allows."
UNDO_CANCEL = "An end that has come is not taken back: order anew. One that lies ahead can be withdrawn in Pax8."


class ChangeQuantity(OneSubscription):
    quantity: Seats = Field(description="How many seats there are to be afterwards, all together.")


class CancelSubscription(OneSubscription):
    cancel_date: dates.date | None = Field(
        None, description="The day on which it ends, such as the day of renewal; without one it ends at once."
    )


def _changeable(context: ToolContext, subscription_id: str) -> schemas.Subscription:
    """The company's subscription, when it has not ended. Raises TargetRefused."""
    found = subscription_of(context, subscription_id)
    if found.status in ENDED:
        raise TargetRefused(f"This subscription is {found.status}: nothing can be changed on it.")
    return found


def _rules(context: ToolContext, found: schemas.Subscription) -> tuple[schemas.Commitment | None, tuple[str, ...]]:
    """The commitment's rules, and what is known of it in sentences."""
    term, rules = found.commitment, commitment_of(context, found)
    if not term.term and rules is None:
        return None, ("It is under no commitment.",)
    until = f" until {day(term.end_date)}" if term.end_date else ""
    allows = f" It {allowed_words(rules)}." if rules and allowed_words(rules) else ""
    return rules, (f"It is committed for {term.term or 'a term'}{until}.{allows}",)


def _preview_quantity(context: ToolContext, arguments: ChangeQuantity) -> Preview:
    found = _changeable(context, arguments.subscription_id)
    if found.quantity == arguments.quantity:
        raise TargetRefused(f"This subscription has {arguments.quantity} seats already.")
    name, (rules, sentences) = named(context, found), _rules(context, found)
    fewer = arguments.quantity < found.quantity
    warned = fewer and rules is not None and rules.may_decrease is False
    before, after = (_billed(found, Decimal(count)) for count in (found.quantity, arguments.quantity))
    return Preview(
        title=f"{'Fewer' if fewer else 'More'} seats of {name}: {number(found.quantity)} to {arguments.quantity}",
        target=f"{name}, {context.company.name}",
        changes=(
            Change("Seats", str(number(found.quantity)), str(arguments.quantity)),
            *((Change(f"Price to the client ({found.billing_term})", before, after),) if before else ()),
        ),
        seen_by=f"{context.organization.name}, which is billed for it, and whoever bills {context.company.name}.",
        undo=UNDO_QUANTITY,
        target_state={
            "company": ownership(context),
            "subscription": {"id": found.id, "name": name},
            "quantity": number(found.quantity),
            "status": found.status,
            "price": money(found.price, found.currency),
        },
        sets={"quantity": arguments.quantity},
        evidence=(
            "The subscription was read just now.",
            *sentences,
            *(
                (f"Fewer seats are outside its rules: {LABEL} takes them in the first days of a term.",)
                if warned
                else ()
            ),
        ),
    )


def _billed(found: schemas.Subscription, seats: Decimal) -> str:
    return "" if found.price is None else money(found.price * seats, found.currency)


def _search_quantity(context: ToolContext, arguments: ChangeQuantity, before: JsonValue) -> Outcome:
    found = subscription_of(context, arguments.subscription_id)
    if found.quantity == arguments.quantity:
        return Outcome("found", f"The subscription has {arguments.quantity} seats.")
    if isinstance(before, dict) and before.get("quantity") == number(found.quantity):
        return Outcome("absent", f"The subscription still has {number(found.quantity)} seats.")
    return Outcome("unclear", f"The subscription has {number(found.quantity)} seats: neither the former nor the new.")


@tool(
    name="pax8.change_quantity",
    label="Change the number of seats",
    description="Set how many seats one subscription of this company has at Pax8, all together. More are billed at"
    " once; under a commitment fewer are mostly taken in its first days only.",
    arguments=ChangeQuantity,
    title=lambda arguments: f"Set subscription {arguments.subscription_id} to {arguments.quantity} seats",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.BILLING_EFFECT},
    endpoints=(endpoints.SUBSCRIPTION, endpoints.PRODUCT, endpoints.DEPENDENCIES, endpoints.CHANGE_SUBSCRIPTION),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=ORDER_SECONDS,
    undo=UNDO_QUANTITY,
    preview=_preview_quantity,
    search=_search_quantity,
)
def change_quantity(context: ToolContext, arguments: ChangeQuantity) -> ToolResult:
    found = _changeable(context, arguments.subscription_id)
    name = named(context, found)
    body: dict[str, JsonValue] = {"quantity": arguments.quantity}
    answer = client_of(context).act(endpoints.CHANGE_SUBSCRIPTION, body, subscriptionId=found.id)
    changed = record_of(schemas.Subscription, answer, label=LABEL)
    taken = changed.quantity == arguments.quantity
    return ToolResult(
        content=filled(
            {
                "subscription_id": found.id,
                "product": name,
                "before": number(found.quantity),
                "quantity": number(changed.quantity),
                "status": changed.status,
            }
        ),
        summary=f"{name}: {number(found.quantity)} → {arguments.quantity} seats"
        if taken
        else f"{LABEL} took the change of {name}, and still shows {number(changed.quantity)} seats",
    )


def _preview_cancel(context: ToolContext, arguments: CancelSubscription) -> Preview:
    found = _to_cancel(context, arguments)
    name, (rules, sentences) = named(context, found), _rules(context, found)
    when = _when(arguments)
    warned = rules is not None and rules.may_cancel is False
    return Preview(
        title=f"Cancel {name}",
        target=f"{name}, {context.company.name}",
        changes=(
            Change("Status", found.status or "unknown", f"cancelled, ends {when}"),
            Change("Seats", str(number(found.quantity)), f"none from {when}"),
        ),
        seen_by=f"Everybody at {context.company.name} who uses it: it ends, and with it what is kept in it.",
        undo=UNDO_CANCEL,
        target_state={
            "company": ownership(context),
            "subscription": {"id": found.id, "name": name},
            "quantity": number(found.quantity),
            "status": found.status,
            "ends": day(found.end_date),
        },
        evidence=(
            "The subscription was read just now.",
            *sentences,
            *(("An early end is outside its rules: it is paid until the commitment ends.",) if warned else ()),
        ),
    )


def _when(arguments: CancelSubscription) -> str:
    return arguments.cancel_date.isoformat() if arguments.cancel_date else "at once"


def _to_cancel(context: ToolContext, arguments: CancelSubscription) -> schemas.Subscription:
    found = _changeable(context, arguments.subscription_id)
    if arguments.cancel_date and arguments.cancel_date.isoformat() < today():
        raise TargetRefused(f"{arguments.cancel_date.isoformat()} is over: name a day to come, or none for at once.")
    return found


def _search_cancel(context: ToolContext, arguments: CancelSubscription, before: JsonValue) -> Outcome:
    found = subscription_of(context, arguments.subscription_id)
    known = before if isinstance(before, dict) else {}
    if found.status in ("Cancelled", "PendingCancel"):
        return Outcome("found", f"The subscription is {found.status}.")
    ends = day(found.end_date)
    if arguments.cancel_date and ends == arguments.cancel_date.isoformat() and ends != known.get("ends"):
        return Outcome("found", f"The subscription ends on {ends}, as asked for.")
    if (found.status, ends) == (known.get("status"), known.get("ends")):
        return Outcome("absent", f"The subscription is {found.status}, and its end as it was before.")
    return Outcome("unclear", "The subscription has changed, and not as asked for.")


@tool(
    name="pax8.cancel_subscription",
    label="Cancel a subscription",
    description="End one subscription of this company at Pax8, at once or on a day. Whoever uses it loses it, and what"
    " is kept in it.",
    arguments=CancelSubscription,
    title=lambda arguments: f"Cancel subscription {arguments.subscription_id}, ends {_when(arguments)}",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.BILLING_EFFECT, Flag.CLIENT_VISIBLE, Flag.IRREVERSIBLE},
    endpoints=(endpoints.SUBSCRIPTION, endpoints.PRODUCT, endpoints.DEPENDENCIES, endpoints.CANCEL_SUBSCRIPTION),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=ORDER_SECONDS,
    undo=UNDO_CANCEL,
    preview=_preview_cancel,
    search=_search_cancel,
)
def cancel_subscription(context: ToolContext, arguments: CancelSubscription) -> ToolResult:
    found = _to_cancel(context, arguments)
    name, query = named(context, found), Query()
    if arguments.cancel_date:
        query.append(("cancelDate", f"{arguments.cancel_date.isoformat()}T00:00:00.000Z"))
    client_of(context).act(endpoints.CANCEL_SUBSCRIPTION, query=query, subscriptionId=found.id)
    when = _when(arguments)
    return ToolResult(
        content={
            "subscription_id": found.id,
            "product": name,
            "ends": when,
            "next": "get_subscription tells what Pax8 made of it: under a commitment the end may come later.",
        },
        summary=f"{name} is cancelled, ends {when}",
    )
