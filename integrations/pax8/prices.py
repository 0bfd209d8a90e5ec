"""What a number of seats costs, from the prices that the vendor told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from integrations.pax8 import schemas
from integrations.pax8.targets import money

_FLAT = "Flat Rate"
_BY_PARTS = "Tiered"
"""With such prices the seats of each range cost their own: a sum is not made up here."""


@dataclass(frozen=True, slots=True)
class Price:
    """A price for one term: `retail` is what the vendor suggests to ask of the client, `cost` what the MSP pays.

    `total` says for how many seats a rate is meant: per seat (False), or for all of them (True).
    """

    cost: Decimal | None
    retail: Decimal | None
    total: bool
    adds_up: bool

    def sum_of(self, amount: Decimal | None, quantity: int) -> Decimal | None:
        """The price of all seats; None where it is not told."""
        if amount is None or not self.adds_up:
            return None
        return amount if self.total else amount * quantity


def fitting(prices: Iterable[schemas.Pricing], *, billing_term: str, commitment: str) -> schemas.Pricing | None:
    """The prices of a billing term under a commitment; the commitment counts only where one was chosen."""
    of_term = [one for one in prices if one.billing_term == billing_term]
    if not commitment:
        return next((one for one in of_term if not one.commitment), of_term[0] if len(of_term) == 1 else None)
    exact = (one for one in of_term if one.commitment.casefold() == commitment.casefold())
    return next(exact, None)


def price_of(pricing: schemas.Pricing | None, quantity: int) -> Price | None:
    """The price of so many seats; None where the vendor tells none."""
    if pricing is None:
        return None
    for rate in pricing.rates:
        if rate.start <= quantity and (rate.end is None or quantity <= rate.end):
            return Price(rate.cost, rate.retail, rate.charge == _FLAT, pricing.kind != _BY_PARTS)
    return None


def price_words(price: Price | None, quantity: int, billing_term: str) -> str:
    """What so many seats cost the client and the MSP, in a line."""
    if price is None:
        return "Pax8 tells no price"
    per = "for all" if price.total else "each"
    parts = [
        _words("suggested to the client", price, price.retail, per, quantity),
        _words("cost to us", price, price.cost, per, quantity),
    ]
    return f"{'; '.join(filter(None, parts)) or 'Pax8 tells no price'} ({billing_term})"


def _words(label: str, price: Price, amount: Decimal | None, per: str, quantity: int) -> str:
    if amount is None:
        return ""
    total = price.sum_of(amount, quantity)
    summed = f", {money(total)} together" if total is not None and not price.total and quantity > 1 else ""
    return f"{label} {money(amount)} {per}{summed}"
