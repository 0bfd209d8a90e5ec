"""What a person wrote in a mail, without what mail brings along: markup, quotes, greetings, signatures, small print.

Every expression here and in mail.toml takes time that grows with the length of the text and no faster, as texts are
strangers'.
"""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_MAIL: Final = Path(__file__).with_name("mail.toml")
#: A mail of fewer words than this ("see below") is read together with the one it forwards.
TOO_FEW_WORDS: Final = 8

_BREAKS: Final = re.compile(r"<(?:br|/p|/div|/li|/tr)\b[^<>]{0,200}>", re.IGNORECASE)
_TAGS: Final = re.compile(
    r"</?(?:p|div|span|a|b|i|u|em|strong|ul|ol|li|table|tbody|tr|td|th|img|font|hr|h\d)\b[^<>]{0,500}>", re.IGNORECASE
)
_PLACEHOLDERS: Final = re.compile(r"<[a-z][a-z_ ]{1,30}>|\{[a-z][a-z_ ]{1,30}\}|\[[a-z][a-z_ ]{1,30}\]", re.IGNORECASE)
_SPACES: Final = re.compile(r"[^\S\n]+")
_EMPTY_LINES: Final = re.compile(r"\n{2,}")
_QUOTED: Final = re.compile(r"\s{0,8}>")


@dataclass(frozen=True)
class MailHabits:
    """What mail.toml holds, ready to look for. `closing` and `older` fit whole lines."""

    greeting: re.Pattern[str]
    closing: re.Pattern[str]
    older: re.Pattern[str]
    small_print: re.Pattern[str]
    flourish: re.Pattern[str]
    wish: re.Pattern[str]
    greeting_word: str
    title: str
    cue: str
    nobody: frozenset[str]


@cache
def habits() -> MailHabits:
    """In all languages at once."""
    with _MAIL.open("rb") as file:
        lists = tomllib.load(file)
    people = lists["people"]
    return MailHabits(
        greeting=re.compile(rf"(?i:{either(lists['greetings'])})\b[^,.:!?\n]{{0,60}}[,:!]\s*"),
        closing=re.compile(either(lists["closings"]), re.IGNORECASE),
        older=re.compile(either(lists["older"]), re.IGNORECASE),
        small_print=re.compile(either(lists["small_print"]), re.IGNORECASE),
        flourish=re.compile(either(lists["flourishes"]), re.IGNORECASE),
        wish=re.compile(either(lists["wishes"]), re.IGNORECASE),
        greeting_word=f"(?i:{either(lists['greetings'])})",
        title=either(people["titles"]),
        cue=either(people["cues"]),
        nobody=frozenset(people["nobody"]),
    )


def either(expressions: Sequence[str]) -> str:
    """One of these expressions."""
    return f"(?:{'|'.join(expressions)})"


def without_markup(text: str) -> str:
    """Text without HTML and placeholders ("<name>"); lines stay lines, with at most one empty one between."""
    broken = _BREAKS.sub("\n", text.replace("\r", "\n"))
    bare = _PLACEHOLDERS.sub(" ", html.unescape(_TAGS.sub(" ", broken)))
    lines = (_SPACES.sub(" ", line).strip() for line in bare.split("\n"))
    return _EMPTY_LINES.sub("\n\n", "\n".join(lines))


def written(plain: str) -> str:
    """The newest mail's own words, without greeting, signature and small print; never empty where the text is not.

    `plain` is what `without_markup` made. Of a text that holds nothing but what is cut, the text itself comes back.
    """
    kept = _without_small_print("\n".join(_newest(plain.split("\n")))).strip()
    if greeting := habits().greeting.match(kept):
        kept = kept[greeting.end() :].strip()
    return kept or _without_small_print(plain).strip() or plain.strip()


def _newest(lines: Sequence[str]) -> list[str]:
    """The newest mail's lines without signature and quotes; with the mail before it where it says next to nothing."""
    kept: list[str] = []
    words, signed = 0, False
    for line in lines:
        older = bool(kept) and habits().older.fullmatch(line) is not None
        if older and words >= TOO_FEW_WORDS:
            break
        if older:
            signed = False
            continue
        signed = signed or (words > 0 and habits().closing.fullmatch(line) is not None)
        if signed or _QUOTED.match(line):
            continue
        kept.append(line)
        words += line.count(" ") + 1 if line else 0
    return kept


def _without_small_print(text: str) -> str:
    found = habits().small_print.search(text)
    return text if found is None or not text[: found.start()].strip() else text[: found.start()]
