"""Junto as real processes: the commands, their environment, and `bin/junto up` for the length of a block."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from junto.env import ROOT

START_SECONDS = 100.0
STOP_SECONDS = 15.0


class NotHealthy(AssertionError):
    """The server did not become healthy; the message ends with what it said."""


def command(*words: str) -> list[str]:
    """`bin/junto WORDS`, without the look at the virtual environment."""
    return [sys.executable, "-m", "junto.cli", *words]


def clean(data_dir: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of somebody who configured nothing but the data folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUNTO_", "DATABASE_", "REDIS_"))}
    return kept | {"JUNTO_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT), **(extra or {})}


def junto(
    *words: str, data_dir: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(*words),
        env=clean(data_dir, environment),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


@contextmanager
def running_up(
    data_dir: Path, port: int, *words: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`bin/junto up`, healthy; whatever the test did to it, it is gone afterwards.

    What it says goes to a file beside the data folder: a pipe that nobody reads would fill and stop it.
    """
    log = data_dir.parent / f"{data_dir.name}-up.log"
    with log.open("a", encoding="utf-8") as output:
        process = subprocess.Popen(
            command("up", "--port", str(port), *words),
            env=clean(data_dir, environment),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        wait_until_healthy(process, port, log)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_healthy(process: subprocess.Popen[str], port: int, log: Path) -> None:
    """Return when `/healthz` answers 200."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise NotHealthy(log.read_text(encoding="utf-8", errors="replace")[-3000:])
