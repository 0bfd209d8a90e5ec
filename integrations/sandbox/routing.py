"""Which of a vendor's routes answers a request: by method and path template. What is not listed does not exist."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar
from urllib.parse import unquote


class Routed(Protocol):
    """What a route is found by; a template's names stand in braces."""

    @property
    def method(self) -> str:
        """GET, POST and so on."""

    @property
    def template(self) -> str:
        """The path below the vendor's own, as its contract writes it."""


R = TypeVar("R", bound=Routed)


class RouteTable(Generic[R]):
    """The routes of a vendor; literal segments win over named ones."""

    def __init__(self, routes: Iterable[R]) -> None:
        ordered = sorted(routes, key=lambda route: route.template.count("{"))
        self._routes = [(route, re.compile(_pattern(route.template))) for route in ordered]

    def find(self, method: str, path: str) -> tuple[R, tuple[str, ...]] | None:
        """The route of a request, and what stands for its names, decoded; None if the vendor has none such."""
        for route, pattern in self._routes:
            match = pattern.fullmatch(path) if route.method == method else None
            if match:
                return route, tuple(unquote(part) for part in match.groups())
        return None


def _pattern(template: str) -> str:
    return "([^/]+)".join(re.escape(part) for part in re.split(r"\{[^}]+\}", template))
