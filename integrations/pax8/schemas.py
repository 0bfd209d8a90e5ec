"""Pax8's records, as far as they are used: fields not named here are ignored, absent ones have defaults.

Lists of values (states, terms, kinds of rates) are taken as text, as the vendor adds to them, and text that is none
counts as absent. Amounts are of the currency beside them, per unit unless said otherwise. Dates are ISO text.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, JsonValue

from integrations.wire import ApiCredentials, Secret, Wire


class Credentials(ApiCredentials):
    """What an API application of the vendor's integrations hub consists of."""

    client_id: str = Field(min_length=1, max_length=120, pattern=r"^[!-~]+$")
    client_secret: Secret


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


Text = Annotated[str, BeforeValidator(_text)]
Amount = Annotated[Decimal, Field(allow_inf_nan=False)]
Id = Annotated[str, Field(min_length=1)]


class Token(Wire):
    """The answer of the token service; `expires_in` in seconds."""

    access_token: str = Field(min_length=1)
    expires_in: float = 3600.0


class PageNumbers(Wire):
    """Where a page stands, from 0; None = not told."""

    number: int | None = None
    total_pages: int | None = Field(None, alias="totalPages")


class Page(Wire):
    """A page of a list; lists that come whole have no `page`."""

    content: list[JsonValue]
    page: PageNumbers | None = None


class Address(Wire):
    """Where a company is."""

    street: Text = ""
    city: Text = ""
    postal_code: Text = Field("", alias="postalCode")
    country: Text = ""


class Company(Wire):
    """A client of the MSP."""

    id: Id
    name: str
    address: Address = Address()
    phone: Text = ""
    website: Text = ""
    external_id: Text = Field("", alias="externalId")
    order_approval_required: bool = Field(False, alias="orderApprovalRequired")
    self_service_allowed: bool = Field(False, alias="selfServiceAllowed")
    bill_on_behalf: bool = Field(False, alias="billOnBehalfOfEnabled")
    status: Text = ""


class ContactType(Wire):
    """What somebody is a contact for."""

    type: Text = ""
    primary: bool = False


class Contact(Wire):
    """Somebody at a client whom the vendor writes to."""

    id: Text = ""
    first_name: Text = Field("", alias="firstName")
    last_name: Text = Field("", alias="lastName")
    email: Text = ""
    phone: Text = ""
    types: tuple[ContactType, ...] = ()


class Term(Wire):
    """The commitment that a subscription is under, and when it ends."""

    id: Text = ""
    term: Text = ""
    end_date: Text = Field("", alias="endDate")


class Subscription(Wire):
    """What a client has of a product. `price` is what the client pays per unit, `cost` what the MSP pays."""

    id: Id
    company_id: Text = Field("", alias="companyId")
    product_id: Text = Field("", alias="productId")
    product_name: Text = Field("", alias="productName")
    parent_id: Text = Field("", alias="parentSubscriptionId")
    quantity: Amount = Decimal(0)
    status: Text = ""
    billing_term: Text = Field("", alias="billingTerm")
    price: Amount | None = None
    cost: Amount | None = Field(None, alias="partnerCost")
    currency: Text = Field("", alias="currencyCode")
    start_date: Text = Field("", alias="startDate")
    end_date: Text = Field("", alias="endDate")
    created_date: Text = Field("", alias="createdDate")
    updated_date: Text = Field("", alias="updatedDate")
    billing_start: Text = Field("", alias="billingStart")
    commitment: Term = Field(Term(), alias="commitmentTerm")


class Product(Wire):
    """A product of the catalogue."""

    id: Id
    name: Text = ""
    vendor: Text = Field("", alias="vendorName")
    description: Text = Field("", alias="shortDescription")
    sku: Text = ""
    vendor_sku: Text = Field("", alias="vendorSku")
    requires_commitment: bool = Field(False, alias="requiresCommitment")


class Rate(Wire):
    """A price for quantities from `start` to `end` (None = and more): per unit, or flat for all of them."""

    cost: Amount | None = Field(None, alias="partnerBuyRate")
    retail: Amount | None = Field(None, alias="suggestedRetailPrice")
    start: Amount = Field(Decimal(0), alias="startQuantityRange")
    end: Amount | None = Field(None, alias="endQuantityRange")
    charge: Text = Field("", alias="chargeType")


class Pricing(Wire):
    """The prices of a product for one billing term and commitment, as one company pays them."""

    product_id: Text = Field("", alias="productId")
    product_name: Text = Field("", alias="productName")
    billing_term: Text = Field("", alias="billingTerm")
    commitment: Text = Field("", alias="commitmentTerm")
    kind: Text = Field("", alias="type")
    unit: Text = Field("", alias="unitOfMeasurement")
    rates: tuple[Rate, ...] = ()


class Commitment(Wire):
    """For how long a product may be bought, and what is allowed meanwhile; None = not told."""

    id: Id
    term: Text = ""
    renews: bool | None = Field(None, alias="autoRenew")
    may_increase: bool | None = Field(None, alias="allowForQuantityIncrease")
    may_decrease: bool | None = Field(None, alias="allowForQuantityDecrease")
    may_cancel: bool | None = Field(None, alias="allowForEarlyCancellation")
    has_fee: bool | None = Field(None, alias="cancellationFeeApplied")


class Dependencies(Wire):
    """What a product comes with."""

    commitments: tuple[Commitment, ...] = Field((), alias="commitmentDependencies")


class Detail(Wire):
    """A question that has to be answered before a product is set up."""

    key: Id
    label: Text = ""
    description: Text = ""
    kind: Text = Field("", alias="valueType")
    possible: tuple[str, ...] = Field((), alias="possibleValues")


class LineItem(Wire):
    """One product of an order."""

    product_id: Text = Field("", alias="productId")
    subscription_id: Text = Field("", alias="subscriptionId")
    billing_term: Text = Field("", alias="billingTerm")
    start: Text = Field("", alias="provisionStartDate")
    quantity: Amount = Decimal(0)


class Order(Wire):
    """An order; one that was only checked has no id."""

    id: Text = ""
    company_id: Text = Field("", alias="companyId")
    created_date: Text = Field("", alias="createdDate")
    ordered_by: Text = Field("", alias="orderedBy")
    orderer: Text = Field("", alias="orderedByUserEmail")
    items: tuple[LineItem, ...] = Field((), alias="lineItems")


class Invoice(Wire):
    """An invoice of the distributor's to the MSP: the sums are over all clients, and stay here."""

    id: Id
    invoice_date: Text = Field("", alias="invoiceDate")


class InvoiceItem(Wire):
    """One line of an invoice. `price` and `total` are what the client pays, `cost` and `cost_total` what the MSP."""

    id: Text = ""
    company_id: Text = Field("", alias="companyId")
    kind: Text = Field("", alias="type")
    product_name: Text = Field("", alias="productName")
    description: Text = ""
    start: Text = Field("", alias="startPeriod")
    end: Text = Field("", alias="endPeriod")
    quantity: Amount | None = None
    unit: Text = Field("", alias="unitOfMeasure")
    term: Text = ""
    price: Amount | None = None
    total: Amount | None = None
    cost: Amount | None = None
    cost_total: Amount | None = Field(None, alias="costTotal")
    currency: Text = Field("", alias="currencyCode")
    subscription_id: Text = Field("", alias="subscriptionId")


class UsageSummary(Wire):
    """What was used in this month of a subscription that is billed by use; amounts are for all of it."""

    id: Text = ""
    company_id: Text = Field("", alias="companyId")
    product_id: Text = Field("", alias="productId")
    group: Text = Field("", alias="resourceGroup")
    vendor: Text = Field("", alias="vendorName")
    charges: Amount | None = Field(None, alias="currentCharges")
    cost: Amount | None = Field(None, alias="partnerTotal")
    currency: Text = Field("", alias="currencyCode")
    trial: bool = Field(False, alias="isTrial")


class ErrorPart(Wire):
    """One of several reasons."""

    message: Text = ""


class ErrorBody(Wire):
    """An error answer: of the API, or of the token service (`error_description`)."""

    message: Text = ""
    error: Text = ""
    error_description: Text = ""
    details: tuple[ErrorPart, ...] = ()

    @classmethod
    def words(cls, content: JsonValue) -> str:
        """The vendor's own words; empty where there are none."""
        if not isinstance(content, dict):
            return ""
        try:
            told = cls.model_validate(content)
        except ValueError:
            return ""
        head = told.message or ": ".join(filter(None, [told.error, told.error_description]))
        reasons = "; ".join(one.message for one in told.details if one.message and one.message != told.message)
        return ": ".join(filter(None, [head, reasons]))
