"""Holding a session's lease while a step runs: a heartbeat renews it, a lost one is noticed (I21)."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

import structlog
from django.db import InterfaceError, OperationalError, close_old_connections

from approvals.models import Origin
from approvals.services import StaleLease, release_lease, renew_lease, take_lease

log = structlog.get_logger(__name__)

#: Seconds a lease lasts, and between two heartbeats (TRUST (c): heartbeat 5 s, lease 20 s).
LEASE_SECONDS = 20
HEARTBEAT_SECONDS = 5


class LeaseBusy(RuntimeError):
    """Another worker holds the lease; it will see what is new."""


class Lease:
    """A context manager around one step. `fence` is valid inside the block.

    Raises:
        LeaseBusy: on entry, when another worker holds it.
    """

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="junto-heartbeat", daemon=True)
        self.fence = 0

    def __enter__(self) -> Self:
        fence = take_lease(self._origin, seconds=LEASE_SECONDS)
        if fence is None:
            raise LeaseBusy(f"{self._origin} is being worked on.")
        self.fence = fence
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        release_lease(self._origin, fence=self.fence)

    def check(self) -> None:
        """Renew now; inside a transaction this makes its commit depend on the fence. Raises StaleLease."""
        renew_lease(self._origin, fence=self.fence, seconds=LEASE_SECONDS)

    def _beat(self) -> None:
        try:
            while not self._ended.wait(HEARTBEAT_SECONDS):
                self._renew()
        except StaleLease:
            return  # the step's own check, before its commit, will find out and give up
        finally:
            close_old_connections()

    def _renew(self) -> None:
        try:
            renew_lease(self._origin, fence=self.fence, seconds=LEASE_SECONDS)
        except (OperationalError, InterfaceError) as problem:
            # the database was away or busy for a moment: the lease outlasts three beats (C25)
            log.warning("heartbeat missed", origin=str(self._origin.pk), problem=str(problem))
            close_old_connections()
