"""How fast requests may leave for a vendor: what a session asks before each of them, and tells after it.

What is asked here is shared by all processes that use a connection (integrations.traffic); a session that belongs to
no connection goes as it likes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from integrations.errors import VendorError

_PAIR = re.compile(r"\b(limit|remaining|reset|r|t|q)\s*=\s*\"?(\d{1,12})")
_LONGEST_RESET = 86_400.0


@dataclass(frozen=True, slots=True)
class Headroom:
    """What a vendor says of its own limit: requests allowed, requests left, and seconds until it begins anew."""

    limit: int | None
    remaining: int
    reset_seconds: float | None


class Pace(Protocol):
    """What a session asks and tells."""

    def wait_turn(self, *, label: str, seconds: float) -> None:
        """Wait until a request may leave, at most `seconds`.

        Raises:
            VendorThrottled: the vendor told us to wait for longer than that.
            VendorDown: it failed so often that it is left alone for a while.
        """
        ...

    def answered(self, headers: Mapping[str, str]) -> None:
        """The vendor answered, be it with a refusal of this one request."""
        ...

    def failed(self, error: VendorError, *, again: bool) -> None:
        """A request came to nothing; `again` = it is tried once more."""
        ...

    def close(self) -> None:
        """Keep what was counted."""
        ...


class Unpaced:
    """No pace at all."""

    def wait_turn(self, *, label: str, seconds: float) -> None:
        """At once."""

    def answered(self, headers: Mapping[str, str]) -> None:
        """Not kept."""

    def failed(self, error: VendorError, *, again: bool) -> None:
        """Not kept."""

    def close(self) -> None:
        """Nothing to keep."""


def headroom_of(headers: Mapping[str, str]) -> Headroom | None:
    """The limit as an answer's headers tell it, in any of the usual spellings; None where they tell nothing.

    `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds from now or since 1970), the same without `X-`, and the one
    header `RateLimit` of the IETF draft.
    """
    found = {name.lower(): value for name, value in headers.items()}
    pairs = dict(_PAIR.findall(found.get("ratelimit", "").lower()))
    pairs = {
        "limit": pairs.get("limit") or pairs.get("q"),
        "remaining": pairs.get("remaining") or pairs.get("r"),
        "reset": pairs.get("reset") or pairs.get("t"),
    }
    told = {
        part: _number(pairs[part] or found.get(f"x-ratelimit-{part}") or found.get(f"ratelimit-{part}") or "")
        for part in ("limit", "remaining", "reset")
    }
    remaining = told["remaining"]
    if remaining is None:
        return None
    reset = told["reset"]
    seconds = float(reset) if reset is not None and reset <= _LONGEST_RESET else None
    return Headroom(told["limit"], remaining, seconds)


def _number(text: str) -> int | None:
    plain = text.strip().partition(";")[0].partition(",")[0].strip()
    return int(plain) if plain.isascii() and plain.isdigit() and len(plain) < 13 else None
