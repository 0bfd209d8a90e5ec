"""Bearer tokens of vendors that give them out for a time, kept in memory and asked for once at a time.

A token never touches the database or a log. Each process asks for its own.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.errors import VendorTimeout

EARLY_SECONDS = 60.0
"""So long before its end a token is no longer used, so that it does not end between a look-up and its write."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token, the moment of `time.monotonic()` at which it ends, and what it may do as the vendor said."""

    token: str = field(repr=False)
    ends_at: float
    scopes: str = ""


def credentials_mark(base_url: str, *credentials: str) -> str:
    """What tells a token's place that other credentials were entered, or another address.

    A token goes nowhere but where it came from: not even with the same credentials to another address.
    """
    return hashlib.sha256("\n".join([base_url.rstrip("/"), *credentials]).encode()).hexdigest()


@dataclass(slots=True)
class _Place:
    lock: threading.Lock = field(default_factory=threading.Lock)
    credentials: str = ""
    bearer: Bearer | None = None


class BearerShelf:
    """The tokens of this process by connection. Of several that need one at once, one asks and the others wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._places: dict[str, _Place] = {}

    def take(self, lane: str, *, credentials: str, seconds: float, ask: Callable[[], Bearer]) -> Bearer:
        """The connection's token; `ask` is called where none holds. `credentials` (`credentials_mark`) tells when
        others were entered.

        Raises VendorTimeout when somebody else asks for longer than `seconds`, and whatever `ask` raises.
        """
        with self._lock:
            place = self._places.setdefault(lane, _Place())
        if not place.lock.acquire(timeout=max(seconds, 0.0)):
            raise VendorTimeout("The system does not answer: another request is still signing in.", sent=False)
        try:
            held = place.bearer if place.credentials == credentials else None
            if held is None or held.ends_at - EARLY_SECONDS <= time.monotonic():
                place.bearer, place.credentials = None, credentials
                held = place.bearer = ask()
            return held
        finally:
            place.lock.release()

    def drop(self, lane: str, bearer: Bearer) -> None:
        """Forget a token that the vendor no longer takes, unless a newer one is there already."""
        with self._lock:
            place = self._places.get(lane)
        if place is not None:
            with place.lock:
                if place.bearer is bearer:
                    place.bearer = None


shelf = BearerShelf()
