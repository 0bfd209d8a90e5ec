"""How entries are chained: each hash seals its own row and, through the hash before it, every earlier one. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

from pydantic import JsonValue

from junto.canonical import MAX_EXACT_INTEGER, canonical_json


def plain(detail: object) -> JsonValue:
    """`detail` as JSON that every database gives back unchanged.

    Numbers that are not whole or very large, and anything JSON does not know, become text; characters that PostgreSQL
    refuses (NUL, lone surrogates) become U+FFFD.
    """
    if detail is None or isinstance(detail, bool):
        return detail
    if isinstance(detail, int) and abs(detail) <= MAX_EXACT_INTEGER:
        return detail
    if isinstance(detail, Mapping):
        return {_text(str(key)): plain(value) for key, value in detail.items()}
    if isinstance(detail, list | tuple):
        return [plain(each) for each in detail]
    if isinstance(detail, set | frozenset):
        return [plain(each) for each in sorted(detail)]
    return _text(str(detail))


def chain_hash(key: str, previous_hash: str, row: Mapping[str, JsonValue]) -> str:
    """HMAC-SHA256 over the hash before it and the row's canonical JSON; hexadecimal."""
    return hmac.new(key.encode(), (previous_hash + canonical_json(row)).encode(), hashlib.sha256).hexdigest()


def _text(value: str) -> str:
    return value.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
