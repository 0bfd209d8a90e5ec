"""Which function answers which method and path template. What is not listed does not exist."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Caller, Request, json_answer

CONTENT_TYPE = "application/vnd.connectwise.com+json; version=2025.1"


@dataclass(frozen=True)
class Call:
    """One authenticated request on its way to its route. `ids` are the numbers in the path, left to right."""

    world: World
    request: Request
    caller: Caller
    ids: tuple[int, ...]

    @property
    def by(self) -> str:
        """Under whose name a change is recorded."""
        return self.caller.member


Endpoint = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a template of the vendor's contract, with what answers it."""

    method: str
    template: str
    endpoint: Endpoint


class RouteTable:
    """Routes by method and path; a literal segment wins over a number."""

    def __init__(self, routes: list[Route]) -> None:
        self._routes = [(route, re.compile(_pattern(route.template))) for route in routes]

    def find(self, method: str, path: str) -> tuple[Route, tuple[int, ...]] | None:
        """The route of a request and the ids in its path; None if the vendor has none such."""
        for route, pattern in self._routes:
            match = pattern.fullmatch(path) if route.method == method else None
            if match:
                return route, tuple(int(number) for number in match.groups())
        return None


def ok(body: Json, *, link: str = "") -> Answer:
    """200 with a body and, on lists, the Link header."""
    headers = (("Link", link),) if link else ()
    return json_answer(200, body, content_type=CONTENT_TYPE, headers=headers)


def record_id(record: Record) -> int:
    """The id of a stored record."""
    number = record["id"]
    if not isinstance(number, int):
        raise TypeError("a stored record has an integer id")
    return number


def _pattern(template: str) -> str:
    return re.sub(r"\\\{\w+\\\}", r"(\\d{1,9})", re.escape(template))
