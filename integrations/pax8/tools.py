"""The tools of Pax8. Importing this module declares them; contracts and tests read the list."""

from __future__ import annotations

from integrations.pax8 import billing, catalogue, ordering, people, reading, upkeep
from integrations.tools import AnyTool

TOOLS: tuple[AnyTool, ...] = (
    reading.find_company,
    reading.list_subscriptions,
    reading.get_subscription,
    reading.subscription_history,
    reading.list_orders,
    catalogue.search_products,
    catalogue.product_pricing,
    billing.list_invoice_items,
    billing.usage_summary,
    ordering.check_order,
    ordering.place_order,
    upkeep.change_quantity,
    upkeep.cancel_subscription,
    people.add_contact,
)
