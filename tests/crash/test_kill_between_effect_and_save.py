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
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from junto.env import ROOT
from tests.sandbox_process import SandboxProcess
from tests.services import new_database

pytestmark = [pytest.mark.crash, pytest.mark.timeout(300)]

STEP_SECONDS = 120.0
STORIES = ("after the effect", "before the request", "during the silence")


@dataclass(frozen=True)
class Note:
    """A ticket at the sandbox, and the action that Theo approved and nobody has run: a note on it."""

    ticket: int
    action: str
    environment: dict[str, str]
    sandbox: SandboxProcess

    def begin(self, *steps: str, **extra: str) -> subprocess.Popen[str]:
        """Start a worker process."""
        return _start("tests.crash.worker", self.action, *steps, environment=self.environment | extra)

    def after(self, *steps: str) -> list[dict[str, Any]]:
        """What each step leaves, done in one new process."""
        told: list[dict[str, Any]] = _told(self.begin(*steps))
        return told

    def run_and_die(self, crashpoint: str) -> None:
        """Run the action in a process that kills itself at `crashpoint`."""
        process = self.begin("run", JUNTO_CRASHPOINT=crashpoint)
        _, errors = process.communicate(timeout=STEP_SECONDS)
        assert process.returncode == -signal.SIGKILL, errors[-3000:]

    @property
    def written(self) -> int:
        """How often the sandbox's log says that the note was written."""
        return sum(row["path"].endswith(f"/tickets/{self.ticket}/notes") for row in self.sandbox.effects())


@pytest.fixture(
    scope="module",
    params=[pytest.param("sqlite", marks=pytest.mark.slow), pytest.param("postgres", marks=pytest.mark.service)],
)
def notes(
    request: pytest.FixtureRequest, sandbox_process: SandboxProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Note]]:
    """One approved note per story, in a database that only these tests use."""
    sandbox_process.reset()
    tickets = [sandbox_process.plant_ticket(f"VPN is down, {story}") for story in STORIES]
    environment = _environment(sandbox_process, tmp_path_factory.mktemp("crash"))
    key = sandbox_process.connections["northwind"]
    names = ("company_id", "public_key", "private_key", "client_id")
    credentials = {name: getattr(key, name) for name in names}
    stage = {"tickets": tickets, "base_url": key.api_url, "credentials": credentials}
    with ExitStack() as stack:
        if request.param == "postgres":
            environment["DATABASE_URL"] = stack.enter_context(new_database(request.getfixturevalue("postgres_url")))
        actions = _told(_start("tests.crash.stage", json.dumps(stage), environment=environment))
        yield {
            story: Note(ticket, action, environment, sandbox_process)
            for story, ticket, action in zip(STORIES, tickets, actions, strict=True)
        }


def test_killed_after_the_effect_it_is_unknown_and_asks_until_its_mark_proves_it(notes: dict[str, Note]) -> None:
    note = notes["after the effect"]
    note.run_and_die("C15")
    note.sandbox.fault("status", status=500, method="GET", count=None)
    claimed, lost, unread = note.after("look", "sweep", "look_again")
    note.sandbox.clear_faults()
    assert claimed["state"] == "claimed"
    assert (lost["state"], lost["asks"]) == ("unknown", True)
    assert "may or may not have been done" in lost["says"]
    assert (unread["state"], unread["asks"]) == ("unknown", True)
    assert note.written == 1

    [found] = note.after("look_again")
    assert found["state"] == "succeeded"
    assert found["evidence"].startswith("Recovered:")
    assert note.written == 1


@pytest.mark.slow
def test_killed_before_the_request_it_asks_and_a_person_settles_it(notes: dict[str, Note]) -> None:
    note = notes["before the request"]
    note.run_and_die("C13")
    lost, asked, settled, again = note.after("sweep", "look_again", "settle", "look_again")
    assert (lost["state"], lost["asks"]) == ("unknown", True)
    assert (asked["state"], asked["asks"]) == ("unknown", True)
    assert (settled["state"], settled["asks"]) == ("settled", False)
    assert again["state"] == "settled"
    assert note.written == 0


@pytest.mark.slow
def test_killed_while_the_vendor_is_silent_it_is_unknown_with_its_one_effect(notes: dict[str, Note]) -> None:
    note = notes["during the silence"]
    note.sandbox.fault("half_open", method="POST", path="*/notes", effect=True, hold_seconds=60)
    process = note.begin("run")
    deadline = time.monotonic() + STEP_SECONDS
    while note.written == 0 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    process.kill()
    process.communicate(timeout=STEP_SECONDS)
    note.sandbox.clear_faults()
    lost, found = note.after("sweep", "look_again")
    assert (lost["state"], lost["asks"]) == ("unknown", True)
    assert found["state"] == "succeeded"
    assert note.written == 1


def _start(module: str, *arguments: str, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _told(process: subprocess.Popen[str]) -> Any:
    """The last line of a process that ends well."""
    output, errors = process.communicate(timeout=STEP_SECONDS)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(output.splitlines()[-1])


def _environment(sandbox: SandboxProcess, data_dir: Path) -> dict[str, str]:
    """This test's own environment, with a data folder of its own and SQLite unless told otherwise."""
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return kept | {
        "JUNTO_DATA_DIR": str(data_dir),
        "JUNTO_LOCAL_TARGETS": f"127.0.0.1:{sandbox.port}",
        "PYTHONPATH": str(ROOT),
    }
