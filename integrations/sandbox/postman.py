"""Sends what the vendors tell of themselves: one letter after another, once, on its own thread, to loopback only."""

from __future__ import annotations

import ipaddress
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

_SECONDS = 5.0


@dataclass(frozen=True)
class Change:
    """A record of a world that came to be, changed or went: `verb` is added, updated or deleted."""

    vendor: str
    owner: str
    kind: str
    number: int
    verb: str


@dataclass(frozen=True)
class Letter:
    """One POST."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Postman:
    """Takes letters as soon as their change is committed; a receiver that is not there misses them, as in life."""

    def __init__(self, write: Callable[[Change, str], Sequence[Letter]], base_url: str) -> None:
        self._write = write
        self._base_url = base_url
        self._letters: queue.SimpleQueue[Letter] = queue.SimpleQueue()
        threading.Thread(target=self._walk, name="postman", daemon=True).start()

    def hear(self, changes: Sequence[Change]) -> None:
        """Write the letters about these changes; called while the store is locked."""
        for change in dict.fromkeys(changes):
            for letter in self._write(change, self._base_url):
                if _is_here(letter.url):
                    self._letters.put(letter)

    def _walk(self) -> None:
        pool = urllib3.PoolManager(retries=False, timeout=_SECONDS)
        while True:
            letter = self._letters.get()
            try:
                pool.request("POST", letter.url, body=letter.body, headers=dict(letter.headers))
            except urllib3.exceptions.HTTPError:
                continue


def _is_here(url: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False
