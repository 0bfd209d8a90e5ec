"""What model calls cost: set aside before the call, settled after it, so that a crash still counts (I15)."""

from __future__ import annotations

from django.conf import settings

from integrations.llm.spend import FREE, ModelPrice, cost_microcents
from integrations.models import ModelUsage
from junto.tenants.models import Company, Organization


def reserve_usage(
    *, organization: Organization, company: Company | None, subject: str, model: str, tokens_in: int, tokens_out: int
) -> ModelUsage:
    """Set the most a call may take aside, before it leaves. `subject` is what it is for (`session:<id>`)."""
    return ModelUsage.objects.create(
        organization=organization,
        company=company,
        subject=subject,
        model=model,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        cost_microcents=_cost(model, tokens_in, tokens_out),
    )


def settle_usage(usage: ModelUsage, *, tokens_in: int, tokens_out: int) -> int:
    """Write what the call really took in place of what was set aside; returns its cost in millionths of a cent."""
    usage.tokens_in, usage.tokens_out, usage.reserved = tokens_in, tokens_out, False
    usage.cost_microcents = _cost(usage.model, tokens_in, tokens_out)
    usage.save(update_fields=["tokens_in", "tokens_out", "cost_microcents", "reserved"])
    return usage.cost_microcents


def _cost(model: str, tokens_in: int, tokens_out: int) -> int:
    return cost_microcents(price_of(model), tokens_in=tokens_in, tokens_out=tokens_out)


def price_of(model: str) -> ModelPrice:
    """What the operator says `model` costs (`JUNTO_LLM_PRICES`).

    Nothing for the rehearsal, and for every model while no prices are set: then tokens alone are limited.
    """
    return known_price(model) or FREE


def known_price(model: str) -> ModelPrice | None:
    """The same; None where the operator says nothing of it."""
    dollars = settings.LLM_PRICES.get(model)
    return ModelPrice(*(100 * each for each in dollars)) if dollars else None
