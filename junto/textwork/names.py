"""The names of names.toml: applications and who can do something about them, vendors, devices and their kinds."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_NAMES: Final = Path(__file__).with_name("names.toml")

#: Behind a name of a product: its model, as in "Pro 7", "M404dn", "Gen 3", "X1 Carbon".
_MODEL: Final = r"(?:[ -](?:[A-Za-z]{0,6}-?\d[\w-]{0,15}|Pro|Air|Max|Plus|Mini|Ultra|Gen|Carbon|Go|SE|MFP))"


@dataclass(frozen=True)
class Names:
    """Ready to look for. `reach` = who can do something about an application, by its folded name."""

    applications: re.Pattern[str]
    vendors: re.Pattern[str]
    devices: re.Pattern[str]
    reach: Mapping[str, str]
    kinds: Mapping[str, frozenset[str]]


@cache
def names() -> Names:
    """All there are."""
    with _NAMES.open("rb") as file:
        lists = tomllib.load(file)
    applications = lists["applications"]
    words_too = set(applications.pop("words_too")) - set(applications.pop("plain_enough"))
    vendors, devices = lists["vendors"], lists["devices"]
    return Names(
        applications=_finder([name for group in applications.values() for name in group], words_too),
        vendors=_finder(vendors["names"], vendors["words_too"]),
        devices=_device_finder(vendors["hardware"], devices["lines"], devices["lines_words_too"]),
        reach={name.casefold(): who for who, group in applications.items() for name in group},
        kinds={language: frozenset(kinds) for language, kinds in devices["kinds"].items()},
    )


def _finder(every: Sequence[str], words_too: Collection[str]) -> re.Pattern[str]:
    """Finds a name in any case, those that are words too only as they are written; of several the longest."""
    return re.compile(rf"(?<![\w@.-])(?:{_alternatives(every, words_too)})(?![\w@])")


def _device_finder(hardware: Sequence[str], lines: Sequence[str], words_too: Collection[str]) -> re.Pattern[str]:
    """A product line with or without maker and model; or a maker's name and a model that has a digit."""
    makers = _alternatives(hardware, ())
    numbered = r"(?: [A-Z][\w-]{1,20}){0,2} [A-Za-z]{0,6}-?\d[\w-]{1,15}"
    line = _alternatives([each for each in lines if each not in words_too], ())
    word_line = _alternatives(words_too, words_too)
    return re.compile(
        rf"(?<![\w@.-])(?:(?:(?:{makers}) )?(?:{line}){_MODEL}{{0,4}}|(?:{makers}) (?:{word_line}){_MODEL}{{0,4}}"
        rf"|(?:{word_line}){_MODEL}{{1,4}}|(?:{makers}){numbered})(?![\w@])"
    )


def _alternatives(every: Collection[str], words_too: Collection[str]) -> str:
    longest_first = sorted(every, key=len, reverse=True)
    return "|".join(re.escape(name) if name in words_too else f"(?i:{re.escape(name)})" for name in longest_first)
