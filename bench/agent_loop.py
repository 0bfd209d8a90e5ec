"""The 5-call, 4-tool, 2-approval session: CPU, sessions a second and bytes stored, on SQLite and PostgreSQL.

Everything of the real path is in it: the openai client over HTTP to a model without delay, transcripts rebuilt from
rows, previews, decisions, audit chain, claims. The model runs in another process; its CPU is not counted.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import requests

from tests.services import free_port, postgres_server

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 10.0


def measure(*, sessions: int, rounds: int) -> dict[str, dict[str, float]]:
    """Figures by database. Each is the median of `rounds` rounds of `sessions` sessions.

    Raises:
        subprocess.CalledProcessError: a worker failed; its words stand on stderr.
    """
    with model_server() as model_url:
        return {name: _measure(name, model_url, sessions, rounds) for name in ("sqlite", "postgresql")}


def _measure(database: str, model_url: str, sessions: int, rounds: int) -> dict[str, float]:
    server = postgres_server() if database == "postgresql" else nullcontext("")
    with tempfile.TemporaryDirectory() as folder, server as url:
        environment = {key: value for key, value in os.environ.items() if not key.startswith("JUNTO_")}
        environment.pop("DATABASE_URL", None)
        environment.pop("REDIS_URL", None)
        environment |= {
            "JUNTO_DATA_DIR": folder,
            "JUNTO_SECRET_KEY": secrets.token_urlsafe(40),
            "JUNTO_AUDIT_KEY": secrets.token_urlsafe(40),
            "JUNTO_CREDENTIAL_KEYS": "bench:" + base64.b64encode(secrets.token_bytes(32)).decode(),
            "JUNTO_LLM_BASE_URL": model_url,
            "JUNTO_LLM_MODEL": "bench",
            "JUNTO_LLM_API_KEY": "bench",
            "JUNTO_LOCAL_TARGETS": model_url.split("/")[2],
        }
        if url:
            environment["DATABASE_URL"] = url
        command = [sys.executable, "-m", "bench.agent_loop_worker", str(sessions), str(rounds)]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        figures: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return figures


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
