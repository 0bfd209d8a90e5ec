"""How often an API token may ask: a number of requests a minute, counted for all processes together."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.core.cache import caches
from redis.exceptions import RedisError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from junto.tenants.actors import Actor

if TYPE_CHECKING:
    from rest_framework.views import APIView  # DRF reads its settings, and so this app, while importing its views

log = structlog.get_logger(__name__)

WINDOW = 60  # seconds


@dataclass(frozen=True)
class Quota:
    """What a token may still ask in this minute."""

    name: str
    most: int
    left: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """As `draft-ietf-httpapi-ratelimit-headers` writes it: r = requests left, t = seconds until there are more."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.most};w={WINDOW}',
            "RateLimit": f'"{self.name}";r={self.left};t={self.reset}',
        }


class TokenThrottle(BaseThrottle):
    """Reading and writing are counted apart, each to `settings.API_PER_MINUTE`. Writes the quota on the view.

    While Redis is away each process counts for itself: there is still a limit, and nobody is turned away for it.
    """

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether the request is within the quota of its token; one without a token is refused elsewhere."""
        if not isinstance(request.auth, Actor) or request.auth.token_id is None:
            return True
        name = "read" if request.method in SAFE_METHODS else "write"
        most: int = settings.API_PER_MINUTE[name]
        now = time.time()
        count = _count(f"api:{name}:{request.auth.token_id}:{int(now // WINDOW)}")
        self.reset = math.ceil(WINDOW - now % WINDOW)
        view.quota = Quota(name, most, max(most - count, 0), self.reset)  # type: ignore[attr-defined]
        return count <= most

    def wait(self) -> float:
        """Seconds until the next minute."""
        return self.reset


def _count(key: str) -> int:
    """Count one more under the key, and say how many there are."""
    try:
        return _count_in("counters", key)
    except RedisError as error:
        log.warning("requests are counted in this process only", error=type(error).__name__)
        return _count_in("default", key)


def _count_in(cache: str, key: str) -> int:
    caches[cache].add(key, 0, timeout=2 * WINDOW)
    try:
        return int(caches[cache].incr(key))
    except ValueError:  # thrown out between the two, as there are very many
        return 1
