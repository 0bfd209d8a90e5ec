"""Requests and answers as the vendors' modules see them: parsed once, without a socket."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.sandbox.json_types import Json


@dataclass(frozen=True)
class Request:
    """One HTTP request. Header names are lower case; `query` keeps the order and repeats of the URL."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    base_url: str

    def json(self) -> Json:
        """The body as JSON that can be written again. Raises ValueError if it is none (NaN, half a surrogate pair)."""
        try:
            decoded: Json = json.loads(self.body.decode("utf-8"), parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        json.dumps(decoded, ensure_ascii=False).encode("utf-8")
        return decoded


def _refuse_constant(name: str) -> Json:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True)
class Effect:
    """What a request changed: the verb (created, changed, deleted) and the record."""

    verb: str
    kind: str
    id: int


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, and the effect that the request had on the vendor's records, if any."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    effect: Effect | None = None


def json_answer(
    status: int,
    body: Json,
    *,
    content_type: str = "application/json",
    headers: tuple[tuple[str, str], ...] = (),
    effect: Effect | None = None,
) -> Answer:
    """An answer whose body is `body` as JSON."""
    encoded = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return Answer(status, encoded, (("Content-Type", content_type), *headers), effect)


@dataclass(frozen=True)
class Caller:
    """Whose credentials a request carries: the MSP (owner), its API member, and whether the key may write."""

    owner: str
    member: str
    may_write: bool = True


@dataclass(frozen=True)
class Sighting:
    """What a vendor recognised in a request before answering it, for the log and the fault switches.

    `deed` = what a request does that is told in its body alone; a fault's path is held against path and deed.
    """

    caller: Caller | None = None
    route: str | None = field(default=None)
    deed: str = ""
