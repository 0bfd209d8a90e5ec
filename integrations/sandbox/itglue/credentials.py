"""Whose request it is: the key in `x-api-key`, and how many requests the account may make."""

from __future__ import annotations

import hmac
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from integrations.sandbox.itglue.problems import Problem
from integrations.sandbox.json_types import Record
from integrations.sandbox.wire import Caller, Request

MOST_REQUESTS, WITHIN_SECONDS = 3000, 300
_KEYS_FILE = Path(__file__).resolve().parent.parent / "world" / "credentials.json"


@dataclass(frozen=True)
class ApiKey:
    """One key of an MSP. Invented: it opens this sandbox and nothing else.

    `passwords` = it may read values of passwords, which is a tick of its own when a key is made. `revoked` = as after
    90 days without use.
    """

    name: str
    owner: str
    label: str
    api_key: str
    passwords: bool
    revoked: bool = False


def load_keys() -> tuple[ApiKey, ...]:
    """The keys of the demo world."""
    return tuple(ApiKey(**row) for row in json.loads(_KEYS_FILE.read_text(encoding="utf-8"))["itglue"])


def connection_rows(base_url: str) -> list[Record]:
    """What an admin would enter to connect to a sandbox at this address, one entry a key."""
    return [
        {
            "name": key.name,
            "vendor": "itglue",
            "owner": key.owner,
            "label": key.label,
            "base_url": f"{base_url}/itglue",
            "api_key": key.api_key,
        }
        for key in load_keys()
    ]


class Keys:
    """The keys, and each account's requests of the last five minutes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys = load_keys()
        self._clock = clock
        self._served: dict[str, deque[float]] = {}

    def owners(self) -> list[str]:
        """The MSPs that have a key."""
        return sorted({key.owner for key in self._keys})

    def of(self, request: Request) -> ApiKey | None:
        """The key that a request carries, if there is such a one."""
        given = request.headers.get("x-api-key", "").encode()
        return next((one for one in self._keys if hmac.compare_digest(given, one.api_key.encode())), None)

    def caller(self, request: Request) -> Caller | None:
        """Whose key a request carries."""
        key = self.of(request)
        return Caller(owner=key.owner, member=key.name) if key else None

    def authenticate(self, request: Request) -> ApiKey:
        """The key, when it is good and the account is within its limit. Raises Problem."""
        if not request.headers.get("x-api-key"):
            raise Problem(401, "The API key is missing.")
        key = self.of(request)
        if key is None or key.revoked:
            raise Problem(403, "The API key is not valid for this region, or was revoked.")
        self._count(key.owner)
        return key

    def forget(self, owner: str) -> None:
        """Begin to count anew."""
        self._served.pop(owner, None)

    def _count(self, owner: str) -> None:
        now, served = self._clock(), self._served.setdefault(owner, deque())
        while served and served[0] <= now - WITHIN_SECONDS:
            served.popleft()
        if len(served) >= MOST_REQUESTS:
            raise Problem(429, "Too many requests were made within five minutes.")
        served.append(now)
