"""The heartbeat of a step outlives a database that is away for a moment (C25, I21)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import current_thread, main_thread
from typing import Any

import pytest
from django.db import OperationalError, connections
from django.db.backends.signals import connection_created

from agent import lease
from agent.lease import Lease
from approvals.models import Origin
from tests.approvals.cases import ApprovalTransactionTestCase

WAIT_SECONDS = 10.0


class HeartbeatTest(ApprovalTransactionTestCase):
    """A beat every twentieth of a second."""

    @pytest.fixture(autouse=True)
    def _often(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lease, "HEARTBEAT_SECONDS", 0.05)

    @pytest.fixture(autouse=True)
    def _other_connections_fail_at_first(self) -> Iterator[None]:
        self.failed = 0

        def fail_once(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            if "UPDATE" in sql and not self.failed and current_thread() is not main_thread():
                self.failed += 1
                raise OperationalError("the database is away")
            return execute(sql, params, many, context)

        def made(connection: Any, **_: Any) -> None:
            connection.execute_wrappers.append(fail_once)

        connection_created.connect(made)
        yield
        connection_created.disconnect(made)
        connections.close_all()

    def test_one_missed_beat_is_made_good_by_the_next(self) -> None:
        with Lease(self.origin):
            before = Origin.unscoped.get(pk=self.origin.pk).lease_until
            assert before is not None
            deadline = time.monotonic() + WAIT_SECONDS
            while time.monotonic() < deadline:
                now = Origin.unscoped.get(pk=self.origin.pk).lease_until
                if self.failed and now is not None and now > before:
                    break
                time.sleep(0.05)
            assert self.failed == 1
            assert now is not None
            assert now > before
