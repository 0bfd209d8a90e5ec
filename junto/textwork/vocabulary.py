"""The words of words.toml: which of them stand in a text, and in which sense."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final

#: Stands between sentences of a folded text, so that nothing is found across their border.
BORDER: Final = "|"
_NOT_A_WORD: Final = re.compile(r"[^a-z0-9|]+")
_WORDS: Final = Path(__file__).with_name("words.toml")


class Sense(StrEnum):
    """What a word of a ticket speaks for."""

    FAULT = "fault"  # something is broken
    HARM = "harm"  # and it hurts the work
    WORRIED = "worried"
    ANNOYED = "annoyed"
    ANGRY = "angry"
    PRESSING = "pressing"  # urgent, by its own word
    DUE = "due"  # within a day
    PROMPT = "prompt"  # soon
    MANY = "many"  # hits more than one
    HINDERED = "hindered"  # the writer cannot work as usual
    TRIED = "tried"  # in vain, or again
    PLEASED = "pleased"
    POLITE = "polite"
    WANTED = "wanted"


@dataclass(frozen=True)
class Vocabulary:
    """The words of one language, ready to look for. `empty` = those that say nothing of the matter, as written."""

    senses: Mapping[Sense, re.Pattern[str]]
    negation: re.Pattern[str]
    empty: frozenset[str]

    def find(self, sense: Sense, folded: str) -> list[str]:
        """The words of that sense in a text that `fold` made, in order; what is negated right before is left out."""
        return [
            found.group(0)
            for found in self.senses[sense].finditer(folded)
            if self.negation.search(folded, max(0, found.start() - 24), found.start()) is None
        ]


@cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """By language ("en"); those that there are words for."""
    with _WORDS.open("rb") as file:
        languages = tomllib.load(file)
    return {language: _vocabulary(lists) for language, lists in languages.items()}


def fold(text: str) -> str:
    """Lower case without accents, words parted by one space, with a space at both ends; BORDER stays."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return f" {_NOT_A_WORD.sub(' ', bare).strip()} "


def pattern_of(words: Sequence[str]) -> re.Pattern[str]:
    """Finds any of the words in a folded text; `*` = any ending, `~` = up to three words in between."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<= )(?:{'|'.join(map(_expression, longest_first))})(?= )")


def _vocabulary(lists: Mapping[str, Sequence[str]]) -> Vocabulary:
    negations = "|".join(map(_expression, lists["negations"]))
    return Vocabulary(
        senses={sense: pattern_of(lists[sense]) for sense in Sense},
        negation=re.compile(rf"(?<= )(?:{negations}) (?:[a-z0-9]+ )?$"),
        empty=frozenset(lists["empty"]),
    )


def _expression(words: str) -> str:
    parts = re.escape(words).replace(r"\*", "[a-z0-9]*").replace(r"\~", "~").replace(r"\ ", " ")
    return parts.replace(" ~ ", " (?:[a-z0-9]+ ){0,3}")
