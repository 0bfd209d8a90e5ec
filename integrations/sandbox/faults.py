"""Fault switches: what a test asks the sandbox to do wrong, to which requests, and how often."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase

from integrations.sandbox.json_types import Json, Record


class FaultKind(StrEnum):
    """The ways in which an answer can go wrong. Each says whether the request still has its effect."""

    LATENCY = "latency"  # effect, answer late
    STATUS = "status"  # no effect; the status given, Retry-After if given
    CUT_BEFORE = "cut_before"  # no effect, connection closed without an answer
    CUT_AFTER = "cut_after"  # effect, connection closed without an answer
    HALF_OPEN = "half_open"  # effect as asked, then silence for `hold_seconds`
    SLOW_BYTES = "slow_bytes"  # effect, answer at `bytes_per_second` for at most `hold_seconds`
    HTML = "html"  # no effect; an HTML page with the status given
    TRUNCATED = "truncated"  # effect, half of the promised body, then closed


class BadFault(ValueError):
    """A fault switch that this sandbox does not know."""


@dataclass(frozen=True)
class Fault:
    """One switch. Every scope left empty matches all; `path` is a shell pattern on the whole request path."""

    kind: FaultKind
    vendor: str | None = None
    owner: str | None = None
    method: str | None = None
    path: str | None = None
    skip: int = 0
    count: int | None = 1
    latency_ms: int = 0
    status: int = 500
    retry_after: str | None = None
    effect: bool = True
    hold_seconds: float = 30.0
    bytes_per_second: float = 8.0

    @property
    def has_effect(self) -> bool:
        """Whether the request is carried out before the fault shows."""
        if self.kind in (FaultKind.STATUS, FaultKind.CUT_BEFORE, FaultKind.HTML):
            return False
        return self.effect if self.kind is FaultKind.HALF_OPEN else True

    def concerns(self, *, vendor: str, owner: str | None, method: str, path: str) -> bool:
        """Whether a request falls into this switch's scope."""
        return (
            self.vendor in (None, vendor)
            and self.owner in (None, owner)
            and (self.method is None or self.method.upper() == method)
            and (self.path is None or fnmatchcase(path, self.path))
        )


_TYPES: dict[str, tuple[type, ...]] = {
    "vendor": (str, type(None)),
    "owner": (str, type(None)),
    "method": (str, type(None)),
    "path": (str, type(None)),
    "skip": (int,),
    "count": (int, type(None)),
    "latency_ms": (int,),
    "status": (int,),
    "retry_after": (str, type(None)),
    "effect": (bool,),
    "hold_seconds": (int, float),
    "bytes_per_second": (int, float),
}


def read_fault(body: Json) -> Fault:
    """Make a Fault from the control plane's JSON; raises BadFault on anything unknown."""
    if not isinstance(body, dict):
        raise BadFault("a fault is a JSON object")
    known = {one.name for one in fields(Fault)}
    unknown = sorted(set(body) - known)
    if unknown:
        raise BadFault(f"unknown fault options: {', '.join(unknown)}")
    try:
        kind = FaultKind(str(body.get("kind")))
    except ValueError as error:
        raise BadFault(f"kind must be one of {', '.join(FaultKind)}") from error
    options: Record = {name: value for name, value in body.items() if name != "kind"}
    for name, value in options.items():
        if not isinstance(value, _TYPES[name]):
            raise BadFault(f"{name} has the wrong type")
    return Fault(kind=kind, **options)  # type: ignore[arg-type]  # checked one by one above


@dataclass
class _Armed:
    number: int
    fault: Fault
    to_skip: int
    left: int | None


class FaultBoard:
    """The switches that are on. Not kept: a restarted sandbox works faultlessly."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []
        self._next = 1

    def arm(self, fault: Fault) -> int:
        """Switch a fault on; returns its number."""
        with self._lock:
            number = self._next
            self._next += 1
            self._armed.append(_Armed(number, fault, fault.skip, fault.count))
            return number

    def clear(self) -> None:
        """Switch every fault off."""
        with self._lock:
            self._armed.clear()

    def take(self, *, vendor: str, owner: str | None, method: str, path: str) -> Fault | None:
        """The first fault for this request, counted down; None if it shall be served as usual."""
        with self._lock:
            for armed in self._armed:
                if not armed.fault.concerns(vendor=vendor, owner=owner, method=method, path=path):
                    continue
                if armed.to_skip > 0:
                    armed.to_skip -= 1
                    continue
                if armed.left is not None:
                    armed.left -= 1
                    if armed.left <= 0:
                        self._armed.remove(armed)
                return armed.fault
            return None

    def listing(self) -> list[Record]:
        """The switches that are on, for the control plane."""
        with self._lock:
            return [
                {"id": armed.number, "kind": armed.fault.kind.value, "path": armed.fault.path, "left": armed.left}
                for armed in self._armed
            ]
