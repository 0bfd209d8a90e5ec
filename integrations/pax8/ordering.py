"""The tools that look an order through and place it. Each order is of one product, for the signal's company alone.

Before anybody is asked, the vendor itself goes through the very same order (`isMock`) and buys nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from integrations.errors import TargetRefused, VendorRefused
from integrations.pax8 import endpoints, schemas
from integrations.pax8.client import LABEL
from integrations.pax8.prices import Price, fitting, price_of, price_words
from integrations.pax8.reading import allowed_words
from integrations.pax8.targets import (
    Id,
    client_of,
    company_id_of,
    company_of,
    money,
    number,
    own,
    ownership,
    product_of,
)
from integrations.tools import (
    Category,
    Change,
    ExternalRecord,
    Flag,
    Outcome,
    OutcomeStrategy,
    Preview,
    Risk,
    ToolArguments,
    ToolContext,
    ToolResult,
    tool,
)
from integrations.wire import record_of
from integrations.wording import counted, filled, single_line

ORDER_SECONDS = 300.0
"""So long Pax8 may show a company's orders and subscriptions as they were before an order or a change."""

MOST_SEATS = 10_000
UNDO = "Nothing takes an order back. What came of it can be cancelled (pax8.cancel_subscription) as its term allows."

BillingTerm = Literal["Monthly", "Annual", "2-Year", "3-Year", "One-Time", "Trial", "Activation"]
Seats = Annotated[int, Field(ge=1, le=MOST_SEATS)]


class Answered(ToolArguments):
    """An answer to what the vendor asks when a product is ordered."""

    key: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_.-]{1,80}$")] = Field(
        description="Key of the question (product_pricing: asked_when_ordered)."
    )
    values: tuple[
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), single_line], ...
    ] = Field(min_length=1, max_length=10, description="The answer, or several. No passwords.")


class Ordered(ToolArguments):
    product_id: Id = Field(description="Id of the product (search_products).")
    quantity: Seats = Field(description="How many seats, devices or pieces.")
    billing_term: BillingTerm = Field(description="How it is billed (product_pricing).")
    commitment_term_id: Id | None = Field(
        None, description="The commitment (product_pricing), where the product needs one."
    )
    details: tuple[Answered, ...] = Field(
        (), max_length=20, description="Answers to what is asked_when_ordered, where the company is new to the maker."
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """What an order would buy, as the vendor tells it now."""

    product: schemas.Product
    commitment: schemas.Commitment | None
    price: Price | None

    @property
    def commitment_words(self) -> str:
        """The commitment with its rules, in a line."""
        if self.commitment is None:
            return "none"
        return ": ".join(filter(None, [self.commitment.term, allowed_words(self.commitment)]))


def _offer(context: ToolContext, arguments: Ordered) -> _Offer:
    """Raises TargetRefused for a product or commitment that there is not."""
    product, client = product_of(context, arguments.product_id), client_of(context)
    commitment = None
    if arguments.commitment_term_id is not None:
        listed = client.commitments(arguments.product_id)
        commitment = next((one for one in listed if one.id.lower() == arguments.commitment_term_id), None)
        if commitment is None:
            raise TargetRefused(f"{arguments.commitment_term_id} is not a commitment of {product.name}.")
    prices = client.pricing(arguments.product_id, company_id_of(context))
    of_product = [one for one in prices if one.product_id.lower() in ("", arguments.product_id)]
    term = commitment.term if commitment else ""
    chosen = fitting(of_product, billing_term=arguments.billing_term, commitment=term)
    return _Offer(product, commitment, price_of(chosen, arguments.quantity))


def _body(context: ToolContext, arguments: Ordered) -> JsonValue:
    """The order as it is sent: a function of the arguments and the company's link alone."""
    item: dict[str, JsonValue] = {
        "lineItemNumber": 1,
        "productId": arguments.product_id,
        "billingTerm": arguments.billing_term,
        "quantity": arguments.quantity,
    }
    if arguments.commitment_term_id is not None:
        item["commitmentTermId"] = arguments.commitment_term_id
    if arguments.details:
        item["provisioningDetails"] = [{"key": one.key, "values": [*one.values]} for one in arguments.details]
    return {"companyId": company_id_of(context), "orderedBy": "Pax8 Partner", "lineItems": [item]}


_LOOK_UPS = (
    endpoints.PRODUCT,
    endpoints.DEPENDENCIES,
    endpoints.PRICING,
    endpoints.CHECK_ORDER,
)


@tool(
    name="pax8.check_order",
    label="Check an order",
    description="Let Pax8 look an order for this company through without buying anything: whether it would be taken,"
    " and what the client would pay. What it costs the MSP is left out.",
    arguments=Ordered,
    title=lambda arguments: f"Check an order of {counted(arguments.quantity, 'seat')}",
    endpoints=_LOOK_UPS,
)
def check_order(context: ToolContext, arguments: Ordered) -> ToolResult:
    offer = _offer(context, arguments)
    said = _objection(context, arguments)
    price = offer.price
    content = filled(
        {
            "valid": not said,
            "objection": said,
            "product": offer.product.name,
            "quantity": arguments.quantity,
            "billing_term": arguments.billing_term,
            "commitment": offer.commitment_words,
            "suggested_to_client_each": number(price.retail) if price else None,
            "suggested_to_client_together": money(price.sum_of(price.retail, arguments.quantity)) if price else "",
        }
    )
    verdict = "would not be taken" if said else "would be taken"
    return ToolResult(content=content, summary=f"{arguments.quantity} × {offer.product.name} {verdict}")


def _objection(context: ToolContext, arguments: Ordered) -> str:
    """What the vendor has against the order; empty where it would take it. Raises TargetRefused for another's."""
    try:
        checked = client_of(context).check_order(_body(context, arguments))
    except VendorRefused as refused:
        if refused.status != 422:
            raise
        return str(refused)
    if checked.company_id.lower() != company_id_of(context):
        raise TargetRefused(f"{LABEL} checked the order for another company; nothing was ordered.")
    return ""


def _known(context: ToolContext, product_id: str) -> list[schemas.Order]:
    """The company's orders of a product, with what it is needed to know them by."""
    listed = own(context, client_of(context).orders(company_id_of(context)))
    return [one for one in listed if any(item.product_id.lower() == product_id for item in one.items)]


def _preview(context: ToolContext, arguments: Ordered) -> Preview:
    company, offer = company_of(context), _offer(context, arguments)
    if company.status not in ("", "Active"):
        raise TargetRefused(f"{company.name} is {company.status} in {LABEL}: nothing can be ordered for it.")
    said = _objection(context, arguments)
    if said:
        raise TargetRefused(f"This order would not be taken. {said}")
    orders = _known(context, arguments.product_id)
    price = price_words(offer.price, arguments.quantity, arguments.billing_term)
    known: list[JsonValue] = [*sorted(one.id for one in orders)]
    return Preview(
        title=f"Order {arguments.quantity} × {offer.product.name}",
        target=f"{company.name} ({LABEL})",
        changes=(
            Change("Product", "", f"{arguments.quantity} × {offer.product.name} ({offer.product.vendor})"),
            Change("Price", "", price),
            Change("Billing term", "", arguments.billing_term),
            Change("Commitment", "", offer.commitment_words),
            Change("Start", "", "at once, when it is set up"),
            *(Change(one.key, "", ", ".join(one.values)) for one in arguments.details),
        ),
        seen_by=f"{context.organization.name}, which is billed for it, and {company.name}, which gets it.",
        undo=UNDO,
        target_state={
            "company": ownership(context),
            "product": {"id": offer.product.id, "name": offer.product.name},
            "price": price,
            "orders": known,
        },
        evidence=(
            f"{LABEL} looked this very order through just now and would take it. Nothing was bought by that.",
            f"{company.name} has {counted(len(orders), 'order')} of this product so far.",
            *(
                ("Orders for this company wait for its own approval in Pax8.",)
                if company.order_approval_required
                else ()
            ),
        ),
    )


def _search(context: ToolContext, arguments: Ordered, before: JsonValue) -> Outcome:
    known = before.get("orders") if isinstance(before, dict) else None
    if not isinstance(known, list):
        return Outcome("unclear", "Which orders there were before is not known.")
    new = [
        one
        for one in _known(context, arguments.product_id)
        if one.id not in known and any(_is_it(item, arguments) for item in one.items)
    ]
    if len(new) == 1:
        record = ExternalRecord("order", new[0].id)
        return Outcome("found", f"Order {new[0].id} of the same was not there before.", record)
    if new:
        return Outcome("unclear", "More than one order of the same was not there before.")
    return Outcome("absent", "There is no order of the same that was not there before.")


def _is_it(item: schemas.LineItem, arguments: Ordered) -> bool:
    same_product = item.product_id.lower() == arguments.product_id
    return same_product and item.quantity == arguments.quantity and item.billing_term == arguments.billing_term


@tool(
    name="pax8.place_order",
    label="Place an order",
    description="Buy a product for this company at Pax8. It is billed from then on, often for a year, and nothing takes"
    " an order back. More seats of what the company has already: change_quantity.",
    arguments=Ordered,
    title=lambda arguments: f"Order {counted(arguments.quantity, 'seat')}, billed {arguments.billing_term}",
    category=Category.WRITE,
    risk=Risk.HIGH,
    flags={Flag.BILLING_EFFECT, Flag.IRREVERSIBLE},
    endpoints=(endpoints.COMPANY, endpoints.ORDERS, *_LOOK_UPS, endpoints.PLACE_ORDER),
    outcome=OutcomeStrategy.OBSERVE,
    settle_seconds=ORDER_SECONDS,
    undo=UNDO,
    preview=_preview,
    search=_search,
)
def place_order(context: ToolContext, arguments: Ordered) -> ToolResult:
    product = product_of(context, arguments.product_id)
    made = record_of(
        schemas.Order, client_of(context).act(endpoints.PLACE_ORDER, _body(context, arguments)), label=LABEL
    )
    subscriptions: list[JsonValue] = [one.subscription_id for one in made.items if one.subscription_id]
    return ToolResult(
        content=filled(
            {
                "order_id": made.id,
                "product": product.name,
                "quantity": arguments.quantity,
                "subscription_ids": subscriptions,
                "next": "Pax8 sets it up now; get_subscription tells when it is Active.",
            }
        ),
        summary=f"{arguments.quantity} × {product.name} ordered",
        written=ExternalRecord("order", made.id) if made.id else None,
    )
