"""A benchmark's worker: a process of its own, on a fresh database, that prints its figures as one JSON object."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

from tests.services import postgres_server

ROOT = Path(__file__).resolve().parent.parent


def figures_of(
    module: str, *words: str, database: Literal["sqlite", "postgresql"], environment: Mapping[str, str] | None = None
) -> dict[str, float]:
    """What `python -m module words...` measured.

    Raises:
        subprocess.CalledProcessError: the worker failed; its words stand on stderr.
    """
    server = postgres_server() if database == "postgresql" else nullcontext("")
    with tempfile.TemporaryDirectory() as folder, server as url:
        settings = {key: value for key, value in os.environ.items() if not key.startswith("JUNTO_")}
        settings.pop("DATABASE_URL", None)
        settings.pop("REDIS_URL", None)
        settings |= {
            "JUNTO_DATA_DIR": folder,
            "JUNTO_SECRET_KEY": secrets.token_urlsafe(40),
            "JUNTO_AUDIT_KEY": secrets.token_urlsafe(40),
            "JUNTO_CREDENTIAL_KEYS": "bench:" + base64.b64encode(secrets.token_bytes(32)).decode(),
            **(environment or {}),
        }
        if url:
            settings["DATABASE_URL"] = url
        command = [sys.executable, "-m", module, *words]
        done = subprocess.run(command, cwd=ROOT, env=settings, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
        return found
