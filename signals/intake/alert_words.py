"""What a ticket that a monitoring opened says of its alert, read from its summary. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from hashlib import sha256
from typing import Final

from signals.intake.columns import NAME_LENGTH

#: Shorter names of devices occur in too many sentences.
_SHORTEST: Final = 3
_UNITS: Final = (
    r"%|[KMGTP]i?B|[KMGT]o|bytes?|°\s?[CF]|ms|sec|seconds?|Sekunden|min|mins|minutes?|Minuten|hrs?|hours?"
    r"|Stunden?|heures?|days?|Tagen?|jours?|weeks?|Wochen?|semaines?"
)
_SHORT_UNITS: Final = r"[CF](?!:)|[hds]"
#: What is told apart by a figure, and a letter after it: slot 3 H, bay 2 C.
_COUNTED: Final = (
    r"(?:adapter|array|bay|bank|blade|cam(?:era)?|channel|controller|dev(?:ice)?|dimm|dis[kc]s?|drives?"
    r"|enclosure|fan|festplatte|group|gruppe|id|index|interface|job|kanal|lane|laufwerk|level|line|link|lun|lüfter"
    r"|module?|nic|node|no|nr|numéro|outlet|partition|path|pdu|phase|pool|port|psu|rack|rank|release|shelf|slot|socket"
    r"|span|stack|steckplatz|switch|tape|target|tray|trunk|unit|version|vlan|vm|volumen?|zone)"
)
_DRIVE: Final = re.compile(r"[A-Za-z]:\\?")
_MEASURE: Final = re.compile(
    rf"(?P<counted>\b{_COUNTED}[\s:#.]*)?"
    rf"(?<![\w.,:/-])[-+]?\d+(?:[.,]\d+)*\s?(?:{_UNITS}|(?P<short>{_SHORT_UNITS}))(?![\w/-])",
    re.IGNORECASE,
)
_DAY: Final = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR: Final = r"(?:19|20)\d{2}"
_DATE: Final = rf"(?:{_YEAR}([-./]){_DAY}\1{_DAY}|{_DAY}([-./]){_DAY}\2{_YEAR})"
_SECONDS: Final = r"\d{2}:\d{2}:\d{2}(?:[.,]\d{1,6})?"
_TIME: Final = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?:\s?[ap]m\b|Z\b|[-+]\d{2}:?\d{2}\b)?"
#: A date bears a year of four figures. Hours and minutes alone may be a disk 0:10: a date, seconds or a word is by it.
_MOMENT: Final = re.compile(
    rf"(?<![\w./:-])(?:(?:{_TIME},?\s+)?{_DATE}(?:(?:T|,?\s+(?:(?:at|um|à)\s+)?){_TIME})?"
    rf"|\d{{1,2}}:\d{{2}}(?::\d{{2}})?\s?[ap]m|{_SECONDS}Z?"
    rf"|(?:(?<=\bat )|(?<=\bum )|(?<=\bà )|(?<=\bsince )|(?<=\bseit )|(?<=\bdepuis )){_TIME})(?![\w/:-]|\.\d)",
    re.IGNORECASE,
)


def condition_in(subject: str, device_names: Iterable[str]) -> str:
    """What the summary of an alert's ticket complains of: without the device's name, what was measured, and when.

    Figures without a unit stay: drive 3 and drive 4 are two problems, and so are SRV-01 and SRV-02 while we do not know
    them for devices.
    """
    text = without_measures(subject)
    for name in _longest_first(device_names):
        text = _as_a_word(name).sub(" ", text)
    words = [word for word in text.split() if any(letter.isalnum() for letter in word)]
    found = " ".join(words) or subject
    if len(found) <= NAME_LENGTH:
        return found
    # two long ones that begin alike are two
    return f"{found[: NAME_LENGTH - 10]}… {sha256(found.encode()).hexdigest()[:8]}"


def without_measures(text: str) -> str:
    """The text without quantities, dates and times of day, which differ each time the same thing is told."""
    return _MEASURE.sub(_unless_counted, _MOMENT.sub(" ", text))


def _unless_counted(found: re.Match[str]) -> str:
    """A letter after what is counted is no unit: slot 3 C stays. Rather two signals than one too few."""
    if found["short"]:
        return found[0] if found["counted"] else " "
    return f"{found['counted'] or ''} "


def named_in(text: str, names: Collection[str]) -> set[str]:
    """Which of the names stand in the text as words of their own, in small letters. A longer one covers a shorter."""
    found = set()
    for name in _longest_first(names):
        text, times = _as_a_word(name).subn(" ", text)
        if times:
            found.add(name.casefold())
    return found


def stands_in(words: str, text: str) -> bool:
    """Whether the words stand in the text as such, in whatever capitals."""
    return _as_a_word(words).search(text) is not None


def names_in(text: str, device_name: str) -> list[str]:
    """What a sentence of a monitoring names, beside the device: drives, services, files, error codes, versions.

    A name is a word with a figure in it, a drive letter, or a word with a capital that begins no sentence.
    """
    names, begins = [], True
    for word in without_measures(_as_a_word(device_name).sub(" ", text) if device_name else text).split():
        bare = word.strip(".,;!?()[]{}<>\"'“”")
        name = bare if _DRIVE.fullmatch(bare) else bare.rstrip(":")
        has_capital = any(letter.isupper() for letter in name)
        if any(letter.isdigit() for letter in name) or _DRIVE.fullmatch(name) or (has_capital and not begins):
            names.append(name)
        begins = word.endswith((".", "!", "?"))
    return names


def _longest_first(names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if len(name) >= _SHORTEST}, key=lambda name: (-len(name), name))


def _as_a_word(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-]|\.\w)", re.IGNORECASE)
