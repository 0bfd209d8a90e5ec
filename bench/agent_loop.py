"""The 5-call, 4-tool, 2-approval session: CPU, sessions a second and bytes stored, on SQLite and PostgreSQL.

Everything of the real path is in it: the openai client over HTTP to a model without delay, transcripts rebuilt from
rows, previews, decisions, audit chain, claims. The model runs in another process; its CPU is not counted.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import requests

from bench.workers import ROOT, figures_of
from tests.services import free_port

START_SECONDS = 10.0


def measure(*, sessions: int, rounds: int) -> dict[str, dict[str, float]]:
    """Figures by database. Each is the median of `rounds` rounds of `sessions` sessions.

    Raises:
        subprocess.CalledProcessError: a worker failed; its words stand on stderr.
    """
    databases: tuple[Literal["sqlite"], Literal["postgresql"]] = ("sqlite", "postgresql")
    with model_server() as model_url:
        environment = {
            "JUNTO_LLM_BASE_URL": model_url,
            "JUNTO_LLM_MODEL": "bench",
            "JUNTO_LLM_API_KEY": "bench",
            "JUNTO_LOCAL_TARGETS": model_url.split("/")[2],
        }
        words = ("bench.agent_loop_worker", str(sessions), str(rounds))
        return {each: figures_of(*words, database=each, environment=environment) for each in databases}


@contextmanager
def model_server() -> Iterator[str]:
    """The model without delay, as a process; yields its base URL."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.model_server", str(port)], cwd=ROOT)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.wait(timeout=START_SECONDS)


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            requests.get(f"http://127.0.0.1:{port}/", timeout=1)
            return
        except requests.ConnectionError:
            time.sleep(0.05)
    raise TimeoutError("the model server did not start")
