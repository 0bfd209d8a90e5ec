"""The tools that look into the vendor's catalogue: what there is, and what it costs this company."""

from __future__ import annotations

from pydantic import Field, JsonValue

from integrations.pax8 import endpoints, schemas
from integrations.pax8.reading import allowed_words
from integrations.pax8.targets import Id, client_of, company_id_of, first, product_of
from integrations.pax8.targets import number as plain_number
from integrations.tools import Scope, ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, Words, counted, filled

LONGEST_DESCRIPTION = 300
MOST_CHOICES = 12


class SearchProducts(ToolArguments):
    search: Words = Field(description="Words of the product's name, or its SKU.")
    vendor: Words | None = Field(None, description="Only products of this maker, by its whole name: Microsoft.")
    limit: Limit = Field(20, description="At most so many products.")


class ProductPricing(ToolArguments):
    product_id: Id = Field(description="Id of the product in Pax8 (search_products, list_subscriptions).")


@tool(
    name="pax8.search_products",
    label="Search products",
    description="Products that can be ordered at Pax8, by words of their name or their SKU. It is the same for all"
    " companies.",
    arguments=SearchProducts,
    title=lambda arguments: f"Search products named “{arguments.search}”",
    scope=Scope.FREE,
    endpoints=(endpoints.PRODUCTS,),
)
def search_products(context: ToolContext, arguments: SearchProducts) -> ToolResult:
    listed = client_of(context).products(search=arguments.search, vendor=arguments.vendor or "")
    # a search that the vendor passes over would find everything, so that each product is looked at here, too
    found, more = first((one for one in listed if _fits(one, arguments)), arguments.limit)
    rows: list[JsonValue] = [
        filled(
            {
                "id": one.id,
                "name": one.name,
                "vendor": one.vendor,
                "sku": one.sku,
                "vendor_sku": one.vendor_sku,
                "description": one.description[:LONGEST_DESCRIPTION],
                "requires_commitment": one.requires_commitment,
            }
        )
        for one in found
    ]
    return ToolResult(
        content={"products": rows, "more": more}, summary=counted(len(rows), "product", more=more), records=found
    )


@tool(
    name="pax8.product_pricing",
    label="Read a product's prices",
    description="What one product costs this company at Pax8 by billing term and commitment, the commitments there are,"
    " and what has to be said when it is ordered. What it costs the MSP is left out.",
    arguments=ProductPricing,
    title=lambda arguments: f"Read the prices of product {arguments.product_id}",
    endpoints=(endpoints.PRODUCT, endpoints.PRICING, endpoints.DEPENDENCIES, endpoints.DETAILS),
)
def product_pricing(context: ToolContext, arguments: ProductPricing) -> ToolResult:
    product, client = product_of(context, arguments.product_id), client_of(context)
    prices = [
        one
        for one in client.pricing(arguments.product_id, company_id_of(context))
        if one.product_id.lower() in ("", arguments.product_id)
    ]
    commitments: list[JsonValue] = [
        filled({"commitment_term_id": one.id, "term": one.term, "rules": allowed_words(one)})
        for one in client.commitments(arguments.product_id)
    ]
    questions: list[JsonValue] = [_question(one) for one in client.details(arguments.product_id)[:40]]
    return ToolResult(
        content={
            "product": product.name,
            "vendor": product.vendor,
            "requires_commitment": product.requires_commitment,
            "prices": [_price_line(one) for one in prices[:40]],
            "commitments": commitments[:20],
            "asked_when_ordered": questions,
        },
        summary=f"{product.name}: {counted(len(prices), 'price')}",
    )


def _fits(product: schemas.Product, arguments: SearchProducts) -> bool:
    searched = " ".join((product.name, product.vendor, product.sku, product.vendor_sku, product.id)).casefold()
    searched += f" {product.description.casefold()}"
    same_vendor = arguments.vendor is None or product.vendor.casefold() == arguments.vendor.casefold()
    return same_vendor and all(word in searched for word in arguments.search.casefold().split())


def _price_line(one: schemas.Pricing) -> dict[str, JsonValue]:
    rates: list[JsonValue] = [
        filled(
            {
                "from": plain_number(rate.start),
                "to": plain_number(rate.end),
                "suggested_to_client": plain_number(rate.retail),
                "charge": rate.charge,
            }
        )
        for rate in one.rates[:20]
    ]
    return filled(
        {"billing_term": one.billing_term, "commitment": one.commitment, "kind": one.kind, "unit": one.unit}
    ) | {"rates": rates}


def _question(one: schemas.Detail) -> dict[str, JsonValue]:
    choices: list[JsonValue] = [*one.possible[:MOST_CHOICES]]
    return filled(
        {
            "key": one.key,
            "question": one.label[:LONGEST_DESCRIPTION],
            "hint": one.description[:LONGEST_DESCRIPTION],
            "choices": choices,
        }
    )
