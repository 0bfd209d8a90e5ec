"""kill -9 around the one request of an approved write: one effect at most, a card that asks, never a second sending.

Real processes, the real sandbox; its log is the only truth about effects (TRUST (c): C13, C14, C15).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junto.env import ROOT
from tests.sandbox_process import SandboxProcess

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

STEP_SECONDS = 120.0


@dataclass(frozen=True)
class Place:
    """A database of its own and the sandbox, with an action that Theo approved and nobody has run."""

    environment: dict[str, str]
    sandbox: SandboxProcess
    action: str = ""

    def begin(self, step: str, argument: str, **extra: str) -> subprocess.Popen[str]:
        """Start one step in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "tests.crash.stage", step, argument],
            env=self.environment | extra,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def step(self, name: str, argument: str = "") -> dict[str, Any]:
        """Run one step to its end and read its line."""
        process = self.begin(name, argument or self.action)
        output, errors = process.communicate(timeout=STEP_SECONDS)
        assert process.returncode == 0, errors[-3000:]
        told: dict[str, Any] = json.loads(output.splitlines()[-1])
        return told

    def run_and_die(self, crashpoint: str) -> None:
        """Run the action in a process that kills itself at `crashpoint`."""
        process = self.begin("run", self.action, JUNTO_CRASHPOINT=crashpoint)
        _, errors = process.communicate(timeout=STEP_SECONDS)
        assert process.returncode == -signal.SIGKILL, errors[-3000:]

    def notes_written(self) -> int:
        """How many notes the sandbox's log says were created."""
        return sum(row["method"] == "POST" and row["path"].endswith("/notes") for row in self.sandbox.effects())


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.service)])
def place(request: pytest.FixtureRequest, sandbox: SandboxProcess, tmp_path: Path) -> Iterator[Place]:
    """A ticket at the sandbox and an approved note on it."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment = kept | {
        "JUNTO_DATA_DIR": str(tmp_path),
        "JUNTO_LOCAL_TARGETS": f"127.0.0.1:{sandbox.port}",
        "PYTHONPATH": str(ROOT),
    }
    if request.param == "postgres":
        environment["DATABASE_URL"] = request.getfixturevalue("postgres_database")
    key = sandbox.connections["northwind"]
    stage = {
        "ticket": sandbox.plant_ticket("VPN is down"),
        "base_url": key.api_url,
        "credentials": {
            "company_id": key.company_id,
            "public_key": key.public_key,
            "private_key": key.private_key,
            "client_id": key.client_id,
        },
    }
    empty = Place(environment, sandbox)
    told = empty.step("approve", json.dumps(stage))
    assert told["state"] == "approved"
    return Place(environment, sandbox, told["action"])


def test_killed_after_the_effect_it_is_unknown_once_and_asks_and_the_mark_proves_it(place: Place) -> None:
    place.run_and_die("C15")
    assert place.step("look")["state"] == "claimed"
    lost = place.step("give_up")
    assert (lost["state"], lost["asks"]) == ("unknown", True)
    assert "may or may not have been done" in lost["says"]

    place.sandbox.fault("status", status=500, method="GET", count=None)
    unread = place.step("look_again")
    assert (unread["state"], unread["asks"]) == ("unknown", True)
    assert place.notes_written() == 1

    place.sandbox.clear_faults()
    found = place.step("look_again")
    assert found["state"] == "succeeded"
    assert found["evidence"].startswith("Recovered:")
    assert place.notes_written() == 1


def test_killed_after_the_effect_a_person_may_settle_it(place: Place) -> None:
    place.run_and_die("C15")
    assert place.step("give_up")["asks"]
    settled = place.step("settle")
    assert (settled["state"], settled["asks"]) == ("settled", False)
    assert place.step("look_again")["state"] == "settled"
    assert place.notes_written() == 1


def test_killed_before_the_request_it_is_unknown_without_effect_and_still_asks(place: Place) -> None:
    place.run_and_die("C13")
    assert place.step("give_up")["state"] == "unknown"
    asked = place.step("look_again")
    assert (asked["state"], asked["asks"]) == ("unknown", True)
    assert place.notes_written() == 0


def test_killed_while_the_vendor_is_silent_it_is_unknown_with_one_effect(place: Place) -> None:
    place.sandbox.fault("half_open", method="POST", path="*/notes", effect=True, hold_seconds=60)
    process = place.begin("run", place.action)
    deadline = time.monotonic() + STEP_SECONDS
    while place.notes_written() == 0 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.communicate(timeout=STEP_SECONDS)
    place.sandbox.clear_faults()
    lost = place.step("give_up")
    assert (lost["state"], lost["asks"]) == ("unknown", True)
    assert place.step("look_again")["state"] == "succeeded"
    assert place.notes_written() == 1
