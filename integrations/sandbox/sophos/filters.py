"""The filters of lists, as far as they are played, and the two kinds of pages. What is unknown is refused."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.sophos.problems import Problem, bad_request

Fits = Callable[[Record], bool]
Filters = Mapping[str, Callable[[str], Fits]]

HEALTH = {"good", "suspicious", "bad", "unknown"}
SEVERITIES = {"low", "medium", "high"}
KINDS = {"computer", "server", "securityVm"}
_AGO = re.compile(r"-?P(?:(\d{1,4})D)?(?:T(\d{1,4})H)?")
VIEWS = {"basic", "summary", "full"}


def among(text: str, known: set[str] | None = None) -> list[str]:
    """The values of a comma separated list. Raises Problem for one that is not known."""
    values = [value.strip() for value in text.split(",") if value.strip()]
    if not values or (known is not None and not set(values) <= known):
        raise bad_request(f"Invalid value: {text[:80]}")
    return values


def read_moment(text: str) -> datetime:
    """A moment of a query, or one so long ago (`-P7D`, `P7D`, `-PT12H`). Raises Problem."""
    ago = _AGO.fullmatch(text)
    if ago:
        return datetime.now(tz=UTC) - timedelta(days=int(ago[1] or 0), hours=int(ago[2] or 0))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad_request(f"Invalid timestamp: {text[:80]}") from error
    if moment.tzinfo is None:
        raise bad_request(f"Invalid timestamp: {text[:80]}")
    return moment


def one_of(*path: str, known: set[str] | None = None) -> Callable[[str], Fits]:
    """Records whose value there is one of those listed."""

    def read(text: str) -> Fits:
        wanted = among(text, known)
        return lambda shown: part(shown, *path) in wanted

    return read


def contains(*path: str) -> Callable[[str], Fits]:
    """Records whose text there holds these words."""
    return lambda text: lambda shown: text.casefold() in str(part(shown, *path) or "").casefold()


def flag(*path: str) -> Callable[[str], Fits]:
    """Records for which something is so, or is not."""

    def read(text: str) -> Fits:
        if text not in ("true", "false"):
            raise bad_request(f"Invalid value: {text[:80]}")
        return lambda shown: part(shown, *path) is (text == "true")

    return read


def bounded(*path: str, after: bool) -> Callable[[str], Fits]:
    """Records whose moment there lies at or after one, or before it."""

    def read(text: str) -> Fits:
        bound = read_moment(text)
        return lambda shown: (datetime.fromisoformat(str(part(shown, *path))) >= bound) is after

    return read


def part(shown: Record, *path: str) -> Json:
    """What stands at a place of a record; None where nothing does."""
    value: Json = shown
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


COMPUTERS: Filters = {
    "hostnameContains": contains("hostname"),
    "associatedPersonContains": contains("associatedPerson", "name"),
    "serialNumberContains": contains("serialNumber"),
    "healthStatus": one_of("health", "overall", known=HEALTH),
    "type": one_of("type", known=KINDS),
    "isolationStatus": one_of("isolation", "status", known={"isolated", "notIsolated"}),
    "ids": one_of("id"),
    "online": flag("online"),
    "tamperProtectionEnabled": flag("tamperProtectionEnabled"),
    "lastSeenAfter": bounded("lastSeenAt", after=True),
    "lastSeenBefore": bounded("lastSeenAt", after=False),
}
ALERTS: Filters = {
    "severity": one_of("severity", known=SEVERITIES),
    "category": one_of("category"),
    "product": one_of("product"),
    "groupKey": one_of("groupKey"),
    "ids": one_of("id"),
    "from": bounded("raisedAt", after=True),
    "to": bounded("raisedAt", after=False),
}
CASES: Filters = {
    "status": one_of("status"),
    "severity": one_of("severity"),
    "type": one_of("type"),
    "name": one_of("name"),
}


def filtered(rows: Sequence[Record], query: Mapping[str, str], filters: Filters, others: set[str]) -> list[Record]:
    """The records that meet every filter of a query; `others` are names that are no filters. Raises Problem."""
    unknown = set(query) - set(filters) - others
    if unknown:
        raise bad_request(f"Unknown query parameter: {min(unknown)}")
    wanted = [filters[name](text) for name, text in query.items() if name in filters]
    return [row for row in rows if all(fits(row) for fits in wanted)]


def sorted_by(rows: list[Record], text: str | None, known: set[str]) -> list[Record]:
    """The records in the order that `field:asc` or `field:desc` names. Raises Problem."""
    if not text:
        return rows
    field, _, order = text.partition(":")
    if field not in known or order not in ("", "asc", "desc"):
        raise bad_request(f"Invalid sort: {text[:80]}")
    return sorted(rows, key=lambda row: str(row[field]), reverse=order == "desc")


def whole(query: Mapping[str, str], name: str, otherwise: int, *, most: int) -> int:
    """A whole number of a query, at least 1. Raises Problem."""
    text = query.get(name, str(otherwise))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise bad_request(f"{name} must be between 1 and {most}")
    return int(text)


def numbered(rows: Sequence[Record], query: Mapping[str, str], *, otherwise: int, most: int, told: bool) -> Record:
    """A page by its number; how many there are is told on demand, or always (`told`)."""
    page, size = whole(query, "page", 1, most=10**6), whole(query, "pageSize", otherwise, most=most)
    pages: Record = {"current": page, "size": size, "maxSize": most}
    if told or query.get("pageTotal") == "true":
        pages |= {"total": max(-(-len(rows) // size), 1), "items": len(rows)}
    return {"items": [*rows[(page - 1) * size : page * size]], "pages": pages}


def keyed(rows: Sequence[Record], query: Mapping[str, str], *, otherwise: int, most: int) -> Record:
    """A page by the key of the one before; the last names no next."""
    size, start = whole(query, "pageSize", otherwise, most=most), 0
    key = query.get("pageFromKey")
    if key is not None:
        start = next((at for at, row in enumerate(rows) if row["id"] == _opened(key)), -1) + 1
        if not start:
            raise Problem(400, "badRequest", "Invalid pageFromKey")
    page = rows[start : start + size]
    pages: Record = {"size": size, "maxSize": most}
    if key is not None:
        pages["fromKey"] = key
    if start + size < len(rows):
        pages["nextKey"] = base64.urlsafe_b64encode(f"after:{page[-1]['id']}".encode()).decode()
    if query.get("pageTotal") == "true":
        pages |= {"total": -(-len(rows) // size), "items": len(rows)}
    return {"items": [*page], "pages": pages}


def _opened(key: str) -> str:
    try:
        return base64.urlsafe_b64decode(key.encode()).decode().removeprefix("after:")
    except (binascii.Error, UnicodeError, ValueError):
        return ""
