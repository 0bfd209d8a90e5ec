"""Named places where a test may kill this process, as `kill -9` would (TRUST (c))."""

from __future__ import annotations

import os
import signal

from junto.env import env_text

_ARMED = env_text("JUNTO_CRASHPOINT")


def crashpoint(name: str) -> None:
    """Kill this process without any clean-up when JUNTO_CRASHPOINT names this place; otherwise do nothing."""
    if name == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
