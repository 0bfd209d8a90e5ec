"""What may leave the house: endpoint classes, warrants, and the errand every request is sent for (I1, I2, I20).

The class of a request comes from a vendor's table of (method, path template), never from the method alone: a GET is no
proof of a read. What no table lists counts as WRITE. A WRITE leaves only with a warrant that covers exactly this tool
and these arguments, before the warrant's deadline, and once.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self
from urllib.parse import urlencode

from integrations.errors import WarrantRefused

#: One path segment that stands for a name or number: nothing that could mean another path (T5).
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_$-]*", re.ASCII)


class Traffic(StrEnum):
    """What a request may do. CONTROL touches no customer's records: token exchange, model completion, handshakes."""

    READ = "read"
    WRITE = "write"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of a vendor's table. `template` counts from the vendor's base path, as in `/service/tickets/{id}`.

    `set_up` = it changes how the connection itself works: sent when an Admin asks for it, and on no tool's errand.
    `query` = it is this request only with exactly this query, as where a parameter makes a dry run of a write; empty =
    with any.
    """

    traffic: Traffic
    method: str
    template: str
    set_up: bool = False
    query: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """The request in one line, as a tool's pin holds it."""
        asked = f"?{urlencode(self.query)}" if self.query else ""
        return f"{self.traffic} {self.method} {self.template}{asked}"

    def path(self, **segments: int | str) -> str:
        """The template filled in. Raises ValueError for a segment that is no plain name or number."""
        for name, value in segments.items():
            if not _SEGMENT.fullmatch(str(value)):
                raise ValueError(f"{name} is no path segment")
        return self.template.format(**segments)

    def matches(self, method: str, path: str, query: Sequence[tuple[str, str]] = ()) -> bool:
        """Whether a request is this one, segment by segment, without decoding or tidying anything in its path."""
        wanted, found = self.template.split("/"), path.split("/")
        return (
            method == self.method
            and (not self.query or tuple(query) == self.query)
            and len(wanted) == len(found)
            and all(
                _SEGMENT.fullmatch(there) if part.startswith("{") else part == there
                for part, there in zip(wanted, found, strict=True)
            )
        )


def classify(
    endpoints: Iterable[Endpoint], *, method: str, path: str, query: Sequence[tuple[str, str]] = ()
) -> Endpoint | None:
    """The row a request belongs to; None = unlisted, which counts as a WRITE that no warrant can cover.

    A fixed path wins over one with a placeholder (`/service/tickets/count` over `/service/tickets/{id}`), and a row
    that names its query over one that takes any.
    """
    found = [endpoint for endpoint in endpoints if endpoint.matches(method, path, query)]
    return min(found, key=lambda endpoint: (endpoint.template.count("{"), not endpoint.query), default=None)


@dataclass(frozen=True, slots=True)
class Warrant:
    """Leave for one write, made by the claim of an Action and by nothing else.

    `digest` is over the action's frozen arguments, `tool_pin` the pin at the claim, `fence` that of the claiming
    lease; after `deadline` (aware) the request must not leave any more.
    """

    action_id: uuid.UUID
    digest: str
    tool_pin: str
    fence: int
    deadline: datetime


@dataclass(slots=True)
class Errand:
    """What requests are being sent for; asked at the moment of each sending, spent by its one write.

    `deadline` is in seconds of `time.monotonic()` and bounds everything done on this errand, waits included. One that
    is `hurried` ends sooner than a vendor may answer: that no answer came by then says nothing of the vendor.
    """

    deadline: float
    endpoints: frozenset[Endpoint] | None = None
    tool_pin: str = ""
    digest: str = ""
    warrant: Warrant | None = None
    hurried: bool = False
    written: bool = field(default=False, init=False)
    effect_possible: bool = field(default=False, init=False)

    @classmethod
    def reading(cls, seconds: float, *, hurried: bool = False) -> Self:
        """Reads only, at most `seconds` long: for sync and connection tests, which no tool stands behind."""
        return cls(deadline=time.monotonic() + seconds, hurried=hurried)

    @property
    def remaining(self) -> float:
        """Seconds left; not above 0 when the time is up."""
        return self.deadline - time.monotonic()

    def admit(self, endpoint: Endpoint | None, *, method: str, path: str) -> Traffic:
        """The request's class, when it may leave now; a WRITE is spent by asking.

        A CONTROL request of the vendor's table belongs to signing in and needs no tool that declares it.

        Raises:
            WarrantRefused: it may not leave, and has not left.
        """
        traffic = endpoint.traffic if endpoint else Traffic.WRITE
        declared = self.endpoints is None or endpoint in self.endpoints or traffic is Traffic.CONTROL
        if endpoint is None or not declared or (endpoint.set_up and self.tool_pin):
            raise WarrantRefused(f"{method} {path} is not among the requests this tool declares.")
        if traffic is Traffic.WRITE:
            self._spend(f"{method} {path}")
        return traffic

    def _spend(self, what: str) -> None:
        warrant = self.warrant
        if warrant is None:
            raise WarrantRefused(f"{what} changes records, and no claimed action stands behind it.")
        if warrant.tool_pin != self.tool_pin or not self.tool_pin:
            raise WarrantRefused(f"{what} was approved for another version of the tool.")
        if warrant.digest != self.digest or not self.digest:
            raise WarrantRefused(f"{what} carries other arguments than those approved.")
        if datetime.now(UTC) >= warrant.deadline:
            raise WarrantRefused(f"{what} comes too late: the action's time to run is over.")
        if self.written:
            raise WarrantRefused(f"{what} would be a second write for one action.")
        self.written = self.effect_possible = True

    def refused_for_certain(self) -> None:
        """The write left without effect: it never reached the vendor, or the vendor said a definite no."""
        self.effect_possible = False
