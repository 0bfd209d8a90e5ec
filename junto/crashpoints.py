"""Named places where a test may kill this process, as `kill -9` would (TRUST (c)), or break the work off."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from junto.env import env_text

_ARMED = env_text("JUNTO_CRASHPOINT")
_watches: list[Callable[[str], None]] = []


def crashpoint(name: str) -> None:
    """Kill this process without any clean-up when JUNTO_CRASHPOINT names this place; otherwise do nothing."""
    if name == _ARMED:
        os.kill(os.getpid(), signal.SIGKILL)
    for watch in _watches:
        watch(name)


@contextmanager
def watched(watch: Callable[[str], None]) -> Iterator[None]:
    """Tests only: tell `watch` of every place that is passed in this process; what it raises ends the work there."""
    _watches.append(watch)
    try:
        yield
    finally:
        _watches.remove(watch)
