"""How the writer of a ticket stands to it: sentiment, tone, frustration, urgency. By words alone, so plain cases only.

What each word counts was set on the tickets of tests/signals/values/tune.yaml; docs/textwork.md says how well it does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from junto.textwork.reading import Reading
from junto.textwork.vocabulary import Sense


class Band(StrEnum):
    """How the writer feels. A fault that is merely told is neutral, harm to the work is negative."""

    VERY_NEGATIVE = "very_negative"
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Tone(StrEnum):
    """In which tone it is written: the first of these that fits."""

    ANNOYED = "annoyed"
    PRESSING = "pressing"
    WORRIED = "worried"
    PLEASED = "pleased"
    COURTEOUS = "courteous"
    PLAIN = "plain"


class Level(StrEnum):
    """Three steps."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True)
class Feeling:
    """`score` -1 (furious) to 1 (delighted); `confidence` 0 to 1; `words` = the words it rests on, folded."""

    score: float
    band: Band
    tone: Tone
    frustration: Level
    urgency: Level
    confidence: float
    words: tuple[str, ...]


#: What one finding of a sense takes from the score, and how many findings count.
_WEIGHTS: Final[Mapping[Sense, tuple[float, int]]] = {
    Sense.ANGRY: (-0.45, 2),
    Sense.ANNOYED: (-0.3, 2),
    Sense.WORRIED: (-0.2, 2),
    Sense.TRIED: (-0.1, 3),
    Sense.FAULT: (-0.08, 3),
    Sense.PLEASED: (0.4, 2),
}
#: What harm to the work takes where a fault is told too; elsewhere the same words speak of better days to come.
_HARM: Final = -0.35
_HARM_WITHOUT_FAULT: Final = -0.15
#: What a pressing word takes where a fault is told too. Who wants something at once is not unhappy for it.
_PRESSED: Final = -0.25
_VERY_NEGATIVE: Final = -0.7
#: However much is broken, only who is angry or annoyed more than once is very negative.
_LOWEST_WITHOUT_ANGER: Final = -0.6
_NEGATIVE: Final = -0.3
_POSITIVE: Final = 0.3
#: Of fewer words than this little can be told.
_FEW_WORDS: Final = 4


def feel(reading: Reading) -> Feeling | None:
    """How the writer stands to the ticket; None where that cannot be told: no words, or none of a language known."""
    vocabulary = reading.vocabulary
    if vocabulary is None:
        return None
    found = {sense: vocabulary.find(sense, reading.folded) for sense in Sense}
    score = _score(found)
    band = _band(score)
    return Feeling(
        score=round(score, 2),
        band=band,
        tone=_tone(found, band),
        frustration=_frustration(found),
        urgency=_urgency(found),
        confidence=_confidence(reading, found, score),
        words=_telling(found),
    )


def _score(found: Mapping[Sense, list[str]]) -> float:
    score = sum(weight * min(len(found[sense]), most) for sense, (weight, most) in _WEIGHTS.items())
    if found[Sense.HARM]:
        score += _HARM if found[Sense.FAULT] else _HARM_WITHOUT_FAULT
    if found[Sense.PRESSING] and found[Sense.FAULT]:
        score += _PRESSED
    in_anger = found[Sense.ANGRY] or len(found[Sense.ANNOYED]) > 1
    return max(-1.0 if in_anger else _LOWEST_WITHOUT_ANGER, min(1.0, score))


def _band(score: float) -> Band:
    if score <= _VERY_NEGATIVE:
        return Band.VERY_NEGATIVE
    if score <= _NEGATIVE:
        return Band.NEGATIVE
    return Band.POSITIVE if score >= _POSITIVE else Band.NEUTRAL


def _tone(found: Mapping[Sense, list[str]], band: Band) -> Tone:
    if found[Sense.ANGRY] or found[Sense.ANNOYED]:
        return Tone.ANNOYED
    if found[Sense.PRESSING]:
        return Tone.PRESSING
    if found[Sense.WORRIED]:
        return Tone.WORRIED
    if found[Sense.PLEASED] and band is Band.POSITIVE:
        return Tone.PLEASED
    return Tone.COURTEOUS if found[Sense.POLITE] else Tone.PLAIN


def _frustration(found: Mapping[Sense, list[str]]) -> Level:
    if found[Sense.ANGRY] or len(found[Sense.ANNOYED]) > 1:
        return Level.HIGH
    in_vain = len(found[Sense.TRIED]) > 1 and bool(found[Sense.FAULT])
    return Level.MEDIUM if in_vain or found[Sense.ANNOYED] else Level.LOW


def _urgency(found: Mapping[Sense, list[str]]) -> Level:
    fault = bool(found[Sense.FAULT])
    if found[Sense.PRESSING] or found[Sense.DUE] or len(found[Sense.WORRIED]) > 1 or (fault and found[Sense.MANY]):
        return Level.HIGH
    in_need = found[Sense.PROMPT] or found[Sense.HARM] or len(found[Sense.TRIED]) > 1
    if found[Sense.HINDERED] or found[Sense.WORRIED] or (fault and in_need):
        return Level.MEDIUM
    return Level.LOW


def _confidence(reading: Reading, found: Mapping[Sense, list[str]], score: float) -> float:
    """Grows with the distance to the next band's border; small where little is written."""
    distance = min(abs(score - border) for border in (_VERY_NEGATIVE, _NEGATIVE, _POSITIVE))
    sure = 0.6 + min(0.3, distance)
    if reading.folded.count(" ") - 1 < _FEW_WORDS and not any(found[sense] for sense in _WEIGHTS):
        sure -= 0.15
    return round(sure, 2)


def _telling(found: Mapping[Sense, list[str]]) -> tuple[str, ...]:
    """The words to show, strongest senses first, each once."""
    order = (
        Sense.ANGRY,
        Sense.ANNOYED,
        Sense.PRESSING,
        Sense.WORRIED,
        Sense.HARM,
        Sense.TRIED,
        Sense.PLEASED,
        Sense.FAULT,
        Sense.DUE,
        Sense.PROMPT,
    )
    return tuple(dict.fromkeys(word for sense in order for word in found[sense]))[:6]
