"""The tools that look into bills: what of the distributor's invoices is this company's, and what was used.

An invoice is the MSP's own, over all clients: of it nothing comes back but the lines of this company.
"""

from __future__ import annotations

from calendar import monthrange
from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from integrations.pax8 import endpoints, schemas
from integrations.pax8.reading import OneSubscription
from integrations.pax8.targets import client_of, company_id_of, money, named, number, own, subscription_of
from integrations.tools import Flag, Risk, ToolArguments, ToolContext, ToolResult, tool
from integrations.wording import Limit, counted, day, filled

MOST_INVOICES = 12
"""So many invoices of one month are read; there are one or two."""

Month = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


class ListInvoiceItems(ToolArguments):
    month: Month = Field(description="The month of the invoice: 2026-11.")
    limit: Limit = Field(50, description="At most so many lines.")


@tool(
    name="pax8.list_invoice_items",
    label="Read billed lines",
    description="What Pax8 billed for this company in one month: product, period, number, price to the client, and the"
    " MSP's own cost, which is not for the client.",
    arguments=ListInvoiceItems,
    title=lambda arguments: f"Read what was billed in {arguments.month}",
    risk=Risk.MEDIUM,
    flags={Flag.BILLING_EFFECT},
    endpoints=(endpoints.INVOICES, endpoints.INVOICE_ITEMS),
)
def list_invoice_items(context: ToolContext, arguments: ListInvoiceItems) -> ToolResult:
    client, month = client_of(context), arguments.month
    last = monthrange(int(month[:4]), int(month[5:]))[1]
    listed = client.invoices(first=f"{month}-01", last=f"{month}-{last:02}")
    invoices = [one for one in listed if one.invoice_date.startswith(month)][:MOST_INVOICES]
    items = [item for one in invoices for item in own(context, client.invoice_items(one.id))]
    rows: list[JsonValue] = [_item_line(one) for one in items[: arguments.limit]]
    more = len(items) > len(rows)
    return ToolResult(
        content={"month": month, "invoices": len(invoices), "items": rows, "more": more},
        summary=counted(len(rows), "billed line", more=more) if invoices else f"No invoice in {month}",
    )


@tool(
    name="pax8.usage_summary",
    label="Read metered use",
    description="What one subscription of this company that is billed by use has cost so far this month, by group of"
    " resources. The cost is the MSP's own: it is not for the client.",
    arguments=OneSubscription,
    title=lambda arguments: f"Read the metered use of subscription {arguments.subscription_id}",
    risk=Risk.MEDIUM,
    flags={Flag.BILLING_EFFECT},
    endpoints=(endpoints.SUBSCRIPTION, endpoints.PRODUCT, endpoints.USAGE),
)
def usage_summary(context: ToolContext, arguments: OneSubscription) -> ToolResult:
    found = subscription_of(context, arguments.subscription_id)
    used = list(own(context, client_of(context).usage(found.id, company_id_of(context))))
    rows: list[JsonValue] = [
        filled(
            {
                "group": one.group,
                "vendor": one.vendor,
                "price_to_client": money(one.charges, one.currency),
                "cost_to_us": money(one.cost, one.currency),
                "trial": one.trial or None,
            }
        )
        for one in used[:50]
    ]
    return ToolResult(
        content={"product": named(context, found), "usage": rows, "more": len(used) > len(rows)},
        summary=counted(len(used), "group") if used else "Nothing is metered",
    )


def _item_line(one: schemas.InvoiceItem) -> dict[str, JsonValue]:
    return filled(
        {
            "product": one.product_name or one.description,
            "type": one.kind,
            "from": day(one.start),
            "to": day(one.end),
            "quantity": number(one.quantity),
            "unit": one.unit,
            "term": one.term,
            "price": money(one.price, one.currency),
            "total": money(one.total, one.currency),
            "cost_to_us": money(one.cost, one.currency),
            "total_cost_to_us": money(one.cost_total, one.currency),
            "subscription_id": one.subscription_id,
        }
    )
