"""The requests this client makes, by class. What is not listed here does not leave.

Source: the vendor's public partner API v1, paths below the host. An order with `isMock=true` is looked through and not
placed; with any other query the same path is an order.
"""

from __future__ import annotations

from integrations.warrants import Endpoint, Traffic


def _read(template: str) -> Endpoint:
    return Endpoint(Traffic.READ, "GET", template)


TOKEN = Endpoint(Traffic.CONTROL, "POST", "/v1/token")

COMPANIES = _read("/v1/companies")
COMPANY = _read("/v1/companies/{companyId}")
CONTACTS = _read("/v1/companies/{companyId}/contacts")
SUBSCRIPTIONS = _read("/v1/subscriptions")
SUBSCRIPTION = _read("/v1/subscriptions/{subscriptionId}")
HISTORY = _read("/v1/subscriptions/{subscriptionId}/history")
USAGE = _read("/v1/subscriptions/{subscriptionId}/usage-summaries")
PRODUCTS = _read("/v1/products")
PRODUCT = _read("/v1/products/{productId}")
PRICING = _read("/v1/products/{productId}/pricing")
DEPENDENCIES = _read("/v1/products/{productId}/dependencies")
DETAILS = _read("/v1/products/{productId}/provision-details")
ORDERS = _read("/v1/orders")
INVOICES = _read("/v1/invoices")
INVOICE_ITEMS = _read("/v1/invoices/{invoiceId}/items")
CHECK_ORDER = Endpoint(Traffic.READ, "POST", "/v1/orders", query=(("isMock", "true"),))

PLACE_ORDER = Endpoint(Traffic.WRITE, "POST", "/v1/orders")
CHANGE_SUBSCRIPTION = Endpoint(Traffic.WRITE, "PUT", "/v1/subscriptions/{subscriptionId}")
CANCEL_SUBSCRIPTION = Endpoint(Traffic.WRITE, "DELETE", "/v1/subscriptions/{subscriptionId}")
ADD_CONTACT = Endpoint(Traffic.WRITE, "POST", "/v1/companies/{companyId}/contacts")

ENDPOINTS: tuple[Endpoint, ...] = (
    TOKEN,
    COMPANIES,
    COMPANY,
    CONTACTS,
    SUBSCRIPTIONS,
    SUBSCRIPTION,
    HISTORY,
    USAGE,
    PRODUCTS,
    PRODUCT,
    PRICING,
    DEPENDENCIES,
    DETAILS,
    ORDERS,
    INVOICES,
    INVOICE_ITEMS,
    CHECK_ORDER,
    PLACE_ORDER,
    CHANGE_SUBSCRIPTION,
    CANCEL_SUBSCRIPTION,
    ADD_CONTACT,
)
"""The vendor's whole table."""

PERMISSIONS: dict[Endpoint, str] = dict.fromkeys(ENDPOINTS, "API credentials of their own")
"""The vendor's credentials know no smaller rights."""
