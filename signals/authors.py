"""Who wrote a note: somebody of the client's, or of ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

_MAILED = re.compile(r"([^<>]*)<([^<>\s]+@[^<>\s]+)>")


def spellings(names: Iterable[str]) -> frozenset[str]:
    """The names and mail addresses in the form they are compared in.

    Case, blanks, commas and the order of the words do not count: `Sato, Wendy` is `Wendy Sato`. Of `Wendy Sato
    <wendy@harlow.example>` name and address stand for themselves.
    """
    parts: list[str] = []
    for each in names:
        mailed = _MAILED.fullmatch(each.strip())
        parts += mailed.groups() if mailed else (each,)
    return frozenset(key for part in parts if (key := _key(part)))


def is_by_client(told: bool | None, author: str, people: Collection[str]) -> bool:
    """Whether the client wrote it: as the source tells, else where the author is among `people`, as `spellings`.

    An author nobody knows at the company is taken for one of ours.
    """
    return not spellings([author]).isdisjoint(people) if told is None else told


def _key(text: str) -> str:
    return " ".join(sorted(re.sub(r'[,"]', " ", text).casefold().split()))
