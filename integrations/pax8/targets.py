"""Records that a call may touch: looked up here, and of the signal's own company or refused (I7).

Pax8's credentials reach all clients and its filters vouch for nothing: every answer is looked at once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Annotated, Protocol, TypeVar

from pydantic import JsonValue, StringConstraints

from integrations.errors import TargetRefused, ToolUnavailable, VendorGarbled, VendorNotFound
from integrations.pax8 import schemas
from integrations.pax8.client import LABEL, Pax8Client
from integrations.tools import ToolContext
from integrations.wire import is_uuid

ENDED = frozenset({"Cancelled", "PendingCancel", "Converted"})
"""States of a subscription in which it can neither be changed nor cancelled."""


class Owned(Protocol):
    """A record that says whose it is."""

    @property
    def company_id(self) -> str:
        """The company's id; empty where the record does not say."""


O = TypeVar("O", bound=Owned)  # noqa: E741  # as short as its neighbours
T = TypeVar("T")


Id = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, to_lower=True, pattern=r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"
    ),
]
"""A record's id at Pax8."""


def client_of(context: ToolContext) -> Pax8Client:
    """The client that dispatch opened for this call."""
    if not isinstance(context.client, Pax8Client):
        raise ToolUnavailable(f"{LABEL} is not connected.")
    return context.client


def company_id_of(context: ToolContext) -> str:
    """The signal's company as Pax8 knows it, from the link and from nothing that a model says."""
    if not is_uuid(context.company_external_id):
        raise ToolUnavailable(f"{context.company.name} is not linked to a company in {LABEL}.")
    return context.company_external_id.lower()


def own(context: ToolContext, records: Iterable[O]) -> Iterator[O]:
    """Those of the records that the vendor itself says are the company's."""
    wanted = company_id_of(context)
    return (one for one in records if one.company_id.lower() == wanted)


def company_of(context: ToolContext) -> schemas.Company:
    """The company itself. Raises VendorGarbled where another one answers; ToolUnavailable where it is gone."""
    wanted = company_id_of(context)
    try:
        company = client_of(context).company(wanted)
    except VendorNotFound:
        raise ToolUnavailable(f"{LABEL} no longer has the company that {context.company.name} is linked to.") from None
    if company.id.lower() != wanted:
        raise VendorGarbled(f"{LABEL} answered with another company than the one asked for.", sent=True)
    return company


def subscription_of(context: ToolContext, subscription_id: str) -> schemas.Subscription:
    """The subscription, when it belongs to the company.

    Raises:
        TargetRefused: it does not, or is not there; which of the two is not told.
    """
    try:
        found = client_of(context).subscription(subscription_id)
    except VendorNotFound:
        found = None
    if found is None or found.id.lower() != subscription_id or found.company_id.lower() != company_id_of(context):
        raise TargetRefused(f"{subscription_id} is not a subscription of {context.company.name}.")
    return found


def named(context: ToolContext, subscription: schemas.Subscription) -> str:
    """What a subscription is of; looked up in the catalogue where the vendor left it out."""
    if subscription.product_name or not is_uuid(subscription.product_id):
        return subscription.product_name or "an unknown product"
    return product_of(context, subscription.product_id.lower()).name


def product_of(context: ToolContext, product_id: str) -> schemas.Product:
    """A product of the catalogue, which belongs to nobody. Raises TargetRefused."""
    try:
        product = client_of(context).product(product_id)
    except VendorNotFound:
        raise TargetRefused(f"{product_id} is not a product of {LABEL} (pax8.search_products finds them).") from None
    if product.id.lower() != product_id:
        raise VendorGarbled(f"{LABEL} answered with another product than the one asked for.", sent=True)
    return product


def ownership(context: ToolContext) -> JsonValue:
    """Whose a target is, as a target's state holds it."""
    return {"id": company_id_of(context), "name": context.company.name}


def first(records: Iterator[T], limit: int) -> tuple[list[T], bool]:
    """The first records of a list that is read no further than needed, and whether there are more."""
    found = list(islice(records, limit + 1))
    return found[:limit], len(found) > limit


def number(amount: Decimal | None) -> int | float | None:
    """An amount as JSON has it, whole where it is."""
    if amount is None:
        return None
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def money(amount: Decimal | None, currency: str = "") -> str:
    """An amount of money in words; empty where none is told."""
    return "" if amount is None else f"{amount:,.2f} {currency}".strip()


def today() -> str:
    """The date of now in UTC."""
    return datetime.now(UTC).date().isoformat()
