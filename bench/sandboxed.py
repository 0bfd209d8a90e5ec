"""The vendor sandbox beside a benchmark, as a process of its own."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sandbox_process import SandboxProcess, running_sandbox

#: Where a worker finds what an admin would enter to connect to it.
PSA = "BENCH_PSA"


@contextmanager
def sandboxed() -> Iterator[tuple[SandboxProcess, dict[str, str]]]:
    """A sandbox with the demo world, and the environment of a worker that may reach it."""
    with tempfile.TemporaryDirectory() as folder, running_sandbox(Path(folder)) as sandbox:
        key = sandbox.connections["northwind"]
        credentials = {
            "company_id": key.company_id,
            "public_key": key.public_key,
            "private_key": key.private_key,
            "client_id": key.client_id,
        }
        entered = {"base_url": key.api_url, "credentials": credentials}
        yield sandbox, {PSA: json.dumps(entered), "JUNTO_LOCAL_TARGETS": f"127.0.0.1:{sandbox.port}"}
