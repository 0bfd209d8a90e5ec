"""From a text to the terms it is found by: stems of its words, and pairs of neighbouring stems.

Names run together are taken apart and kept: `KubePodNotReady` is found by "pod", by "ready" and by itself. Terms are
64-bit numbers, as an index of ten thousand procedures has a million pairs of words, which as text would fill the
memory. They mean the same in every process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy
import Stemmer
from numpy.typing import NDArray

Terms = NDArray[numpy.uint64]

_WORD: Final = re.compile(r"\b\w\w+\b")
#: Where a name run together is taken apart: diskFull, DNSServer, disk_full.
_SEAM: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_")
#: Multiplies the first stem of a pair, so that "disk full" is not "full disk". Any odd number with mixed bits serves.
_PAIR_FACTOR: Final = numpy.uint64(0x9E3779B97F4A7C15)

_FUNCTION_WORDS: Final = """
a about above after again against all am an and any are as at be because been before being below between both but by can
could did do does doing don down during each few for from further had has have having he her here hers him his how i if
in into is it its itself just ll me more most my no nor not now of off on once only or other our ours out over own re
same she should so some such than that the their theirs them then there these they this those through to too under
until up ve very was we were what when where which while who whom why will with would you your yours
aren couldn didn doesn hadn hasn haven isn mustn shan shouldn wasn weren won wouldn
"""
#: Words of courtesy say nothing about the matter, and would count as unknown words of every mail.
_COURTESY: Final = "hi hello hey dear please thanks thank regards kind best cheers"
_STOP_WORDS: Final = frozenset(f"{_FUNCTION_WORDS} {_COURTESY}".split())


@dataclass(frozen=True)
class Reading:
    """The terms of one text. `words` are as they stand there, in step with `singles`; `pairs` are neighbours."""

    words: tuple[str, ...]
    singles: Terms
    pairs: Terms


def read(text: str) -> Reading:
    """Take a text apart. Words that carry no meaning of their own are left out before pairs are made."""
    spaced = split_names(text)
    words = [word for word in _WORD.findall(spaced.lower()) if word not in _STOP_WORDS]
    together = [name.lower() for name in _WORD.findall(text) if _SEAM.search(name)] if spaced != text else []
    singles = _numbers(words + together)
    parts = singles[: len(words)]
    return Reading(tuple(words + together), singles, parts[:-1] * _PAIR_FACTOR ^ parts[1:])


def split_names(text: str) -> str:
    """The text with names run together taken apart: PrometheusRuleFailures becomes Prometheus Rule Failures."""
    return _SEAM.sub(" ", text)


def _numbers(words: list[str]) -> Terms:
    # a stemmer is not safe to share between threads and costs microseconds to make
    stems: list[str] = Stemmer.Stemmer("english").stemWords(words)
    known: dict[str, int] = {}
    for stem in stems:
        if stem not in known:
            known[stem] = int.from_bytes(blake2b(stem.encode(), digest_size=8).digest(), "little")
    return numpy.array([known[stem] for stem in stems], dtype=numpy.uint64)
