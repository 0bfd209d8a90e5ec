"""Who wrote a note: somebody of the client's, or of ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from signals.intake.freemail import is_free

_MAILED = re.compile(r"([^<>]*)<([^<>\s]+@[^<>\s]+)>")


def spellings(names: Iterable[str]) -> frozenset[str]:
    """The names and mail addresses in the form they are compared in.

    Case, blanks, commas and the order of the words do not count: `Sato, Wendy` is `Wendy Sato`. Of `Wendy Sato
    <wendy@harlow.example>` name and address stand for themselves. With an address goes its domain, `@harlow.example`,
    unless anybody can have one there.
    """
    parts: list[str] = []
    for each in names:
        mailed = _MAILED.fullmatch(each.strip())
        parts += mailed.groups() if mailed else (each,)
    keys = {key for part in parts if (key := _key(part))}
    domains = {key.rpartition("@")[2] for key in keys if "@" in key and " " not in key}
    return frozenset(keys | {f"@{domain}" for domain in domains if domain and not is_free(domain)})


def is_by_client(told: bool | None, author: str, people: Collection[str]) -> bool:
    """Whether the client wrote it: as the source tells, else where the author is among `people`, as `spellings`.

    An author whom nobody knows at the company, and who has no address of its domain, is taken for one of ours.
    """
    return not spellings([author]).isdisjoint(people) if told is None else told


def _key(text: str) -> str:
    return " ".join(sorted(re.sub(r'[,"]', " ", text).casefold().split()))
