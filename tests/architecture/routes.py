"""Every path that the resolvers know, with holes where ids go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern, RoutePattern


@dataclass(frozen=True)
class Hole:
    """A parameter of a path. `kind` is the converter's name, or "regex"."""

    name: str
    kind: str


@dataclass(frozen=True)
class Route:
    """One URL pattern. `parts` are literal texts and holes in order."""

    name: str
    parts: tuple[str | Hole, ...]

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Its parameters."""
        return tuple(part for part in self.parts if isinstance(part, Hole))

    def path(self, **values: str) -> str:
        """The path with its holes filled; a missing value is a KeyError."""
        return "".join(part if isinstance(part, str) else values[part.name] for part in self.parts)

    def __str__(self) -> str:
        return "".join(part if isinstance(part, str) else f"<{part.name}>" for part in self.parts)


def routes(urlconf: str) -> list[Route]:
    """All routes of a URLconf, those of included ones too."""
    return list(_walk(get_resolver(urlconf), (), ""))


def _walk(resolver: URLResolver, before: tuple[str | Hole, ...], namespace: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        parts = (*before, *_parts(pattern))
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern, parts, inner)
        else:
            yield Route(name=f"{namespace}{pattern.name or ''}", parts=parts)


def _parts(pattern: URLPattern | URLResolver) -> list[str | Hole]:
    if isinstance(pattern.pattern, RoutePattern):
        return _route_parts(pattern.pattern._route)
    assert isinstance(pattern.pattern, RegexPattern)
    return _regex_parts(str(pattern.pattern))


def _route_parts(route: str) -> list[str | Hole]:
    parts: list[str | Hole] = []
    end = 0
    for found in re.finditer(r"<(?:(\w+):)?(\w+)>", route):
        parts += [route[end : found.start()], Hole(found[2], found[1] or "str")]
        end = found.end()
    return [*parts, route[end:]]


def _regex_parts(regex: str) -> list[str | Hole]:
    """Groups become holes. A regex too clever for this shows as a path that does not resolve, which a test finds."""
    parts: list[str | Hole] = []
    end, unnamed = 0, 0
    for found in re.finditer(r"\((?:\?P<(\w+)>)?((?:[^()]|\([^()]*\))*)\)", regex):
        literal = re.sub(r"[\^$\\]|\?$", "", regex[end : found.start()])
        parts += [literal, Hole(found[1] or f"group{unnamed}", "regex")]
        unnamed += 0 if found[1] else 1
        end = found.end()
    return [*parts, re.sub(r"[\^$\\]|/\?$", "", regex[end:])]
