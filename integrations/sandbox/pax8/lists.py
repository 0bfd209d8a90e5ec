"""Pages, filters and orders of lists, as far as they are played. What is unknown is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.pax8.problems import Problem

LARGEST_PAGE = 200

Fits = Callable[[Record], bool]
Filters = Mapping[str, Callable[[str], Fits]]


def equals(field: str, known: set[str] | None = None) -> Callable[[str], Fits]:
    """Records whose field is this text."""

    def read(text: str) -> Fits:
        if known is not None and text not in known:
            raise Problem(400, f"Invalid value: {text[:80]}")
        return lambda shown: str(shown.get(field, "")).casefold() == text.casefold()

    return read


def flag(field: str) -> Callable[[str], Fits]:
    """Records for which something is so, or is not."""

    def read(text: str) -> Fits:
        if text not in ("true", "false"):
            raise Problem(400, f"Invalid value: {text[:80]}")
        return lambda shown: shown.get(field) is (text == "true")

    return read


def in_address(field: str) -> Callable[[str], Fits]:
    """Companies whose address has this there."""

    def read(text: str) -> Fits:
        def fits(shown: Record) -> bool:
            address = shown.get("address")
            return isinstance(address, dict) and str(address.get(field, "")).casefold() == text.casefold()

        return fits

    return read


def search(*fields: str) -> Callable[[str], Fits]:
    """Records that hold all these words in one field or another."""

    def read(text: str) -> Fits:
        words = text.casefold().split()
        return lambda shown: all(any(word in str(shown.get(name, "")).casefold() for name in fields) for word in words)

    return read


def bounded(field: str, *, after: bool) -> Callable[[str], Fits]:
    """Records whose date lies at or after one, or at or before it."""

    def read(text: str) -> Fits:
        if len(text) != len("2026-11-22"):
            raise Problem(400, f"Invalid date: {text[:80]}")
        return lambda shown: str(shown[field]) >= text if after else str(shown[field]) <= text

    return read


STATES = {
    "Active",
    "Cancelled",
    "PendingManual",
    "PendingAutomated",
    "PendingCancel",
    "WaitingForDetails",
    "Trial",
    "Converted",
    "PendingActivation",
    "Activated",
}
COMPANIES: Filters = {
    "status": equals("status", {"Active", "Inactive", "Deleted"}),
    **{name: in_address(name) for name in ("city", "country", "stateOrProvince", "postalCode")},
    **{name: flag(name) for name in ("selfServiceAllowed", "billOnBehalfOfEnabled", "orderApprovalRequired")},
}
SUBSCRIPTIONS: Filters = {
    "status": equals("status", STATES),
    **{name: equals(name) for name in ("billingTerm", "companyId", "productId")},
}
PRODUCTS: Filters = {
    "search": search("name", "vendorName", "sku", "vendorSku", "id"),
    "vendorName": equals("vendorName"),
}
ORDERS: Filters = {"companyId": equals("companyId")}
INVOICES: Filters = {
    "status": equals("status"),
    "invoiceDate": equals("invoiceDate"),
    "invoiceDateRangeStart": bounded("invoiceDate", after=True),
    "invoiceDateRangeEnd": bounded("invoiceDate", after=False),
    "companyId": equals("companyId"),
}
USAGE: Filters = {"resourceGroup": equals("resourceGroup"), "companyId": equals("companyId")}
SORTS: Mapping[str, set[str]] = {
    "companies": {"name"},
    "products": {"name", "vendor"},
    "subscriptions": {"quantity", "startDate", "endDate", "createdDate", "billingStart", "price"},
    "invoices": {"invoiceDate", "dueDate", "status", "partnerName", "total", "balance", "carriedBalance"},
    "usage": {"resourceGroup", "currentCharges", "partnerTotal"},
}


def filtered(rows: Sequence[Record], query: Mapping[str, str], filters: Filters) -> list[Record]:
    """The records that meet every filter of a query. Raises Problem for a name that is none."""
    unknown = set(query) - set(filters) - {"page", "size", "sort"}
    if unknown:
        raise Problem(400, f"Unknown query parameter: {min(unknown)}")
    wanted = [filters[name](text) for name, text in query.items() if name in filters]
    return [row for row in rows if all(fits(row) for fits in wanted)]


def in_order(rows: list[Record], query: Mapping[str, str], known: set[str]) -> list[Record]:
    """The records in the order that `field` or `field,desc` names. Raises Problem."""
    text = query.get("sort", "")
    if not text:
        return rows
    field, _, order = text.partition(",")
    if field not in known or order not in ("", "asc", "desc"):
        raise Problem(400, f"Invalid sort: {text[:80]}")
    numeric = {"quantity", "price", "total", "balance", "carriedBalance", "currentCharges", "partnerTotal"}

    def key(row: Record) -> tuple[float, str]:
        value = row.get(field)
        is_number = field in numeric and isinstance(value, int | float)
        return (float(value), "") if is_number and isinstance(value, int | float) else (0.0, str(value or ""))

    return sorted(rows, key=key, reverse=order == "desc")


def page_of(rows: Sequence[Record], query: Mapping[str, str]) -> Json:
    """One page, and how many there are."""
    number, size = _whole(query, "page", 0, 0, 10**6), _whole(query, "size", 10, 1, LARGEST_PAGE)
    total = len(rows)
    return {
        "page": {"size": size, "totalElements": total, "totalPages": -(-total // size), "number": number},
        "content": [*rows[number * size : (number + 1) * size]],
    }


def _whole(query: Mapping[str, str], name: str, otherwise: int, least: int, most: int) -> int:
    text = query.get(name, str(otherwise))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise Problem(400, f"{name} must be between {least} and {most}")
    return int(text)
