"""The one named way to wake something above: a lower floor writes a row, then rings.

`settings.BELLS` maps a topic to the dotted tasks it wakes. A bell carries only keys; the rows they point at are the
truth. A lost ring costs seconds (the sweeps of `settings.CLOCK` find the row), never work.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any, NewType

import structlog
from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

#: What a task is called with that looks at many rows at once: keys with a blank between, often only one.
Keys = NewType("Keys", str)
#: Keys that one call carries at the most: a delivery of hundreds makes few calls, and none of them holds its lane long.
KEYS_AT_ONCE = 50

log = structlog.get_logger(__name__)


def ring(topic: str, key: str) -> None:
    """Wake every task listening to `topic` with `key`, after the running transaction commits.

    Raises:
        KeyError: nobody listed the topic in `settings.BELLS`.
    """
    ring_all(topic, [key])


def ring_all(topic: str, keys: Iterable[str]) -> None:
    """Wake every task listening to `topic` for all `keys`, in their order, after the running transaction commits.

    A listener that takes `Keys` is called with up to KEYS_AT_ONCE of them, any other once for each. What is called for
    some keys stands in the order of `settings.BELLS`, before all that is called for the next.

    Raises:
        KeyError: nobody listed the topic in `settings.BELLS`.
    """
    listeners: list[str] = settings.BELLS[topic]
    all_keys = list(keys)

    def strike() -> None:
        for start in range(0, len(all_keys), KEYS_AT_ONCE):
            for dotted in listeners:
                _call(dotted, all_keys[start : start + KEYS_AT_ONCE])

    # robust: a task engine that is down (Redis lost) must not turn a committed change into an error page (C24)
    transaction.on_commit(strike, robust=True)


def each_of(keys: Iterable[str], deed: Callable[[str], None]) -> None:
    """Do the deed for each of the keys. One that fails is logged and keeps no other from its turn."""
    for key in keys:
        try:
            deed(key)
        except Exception:
            log.exception("key failed", deed=deed.__qualname__, key=key)


def _call(dotted: str, keys: Sequence[str]) -> None:
    listener = import_string(dotted)
    for words in [" ".join(keys)] if _takes_many(listener.func) else keys:
        listener.enqueue(words)


@cache
def _takes_many(function: Callable[..., Any]) -> bool:
    return Keys in inspect.get_annotations(function, eval_str=True).values()
