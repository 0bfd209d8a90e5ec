"""The one named way to wake something above: a lower floor writes a row, then rings.

`settings.BELLS` maps a topic to the dotted tasks it wakes. A bell carries only a key; the row it points at is the
truth. A lost ring costs seconds (the sweeps of `settings.CLOCK` find the row), never work.
"""

from __future__ import annotations

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

log = structlog.get_logger(__name__)


def ring(topic: str, key: str) -> None:
    """Wake every task listening to `topic` with `key`, after the running transaction commits.

    Raises:
        KeyError: nobody listed the topic in `settings.BELLS`.
    """
    listeners: list[str] = settings.BELLS[topic]

    def strike() -> None:
        for dotted in listeners:
            import_string(dotted).enqueue(key)

    # robust: a task engine that is down (Redis lost) must not turn a committed change into an error page (C24)
    transaction.on_commit(strike, robust=True)
