"""Is something broken, or is something wanted? By the words for either, in every language that there are words for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from junto.textwork.reading import Reading
from junto.textwork.vocabulary import Sense, fold


class TicketKind(StrEnum):
    """An issue is repaired, a request is fulfilled."""

    ISSUE = "issue"
    REQUEST = "request"


@dataclass(frozen=True)
class KindGuess:
    """`confidence` 0 to 1."""

    kind: TicketKind
    confidence: float


#: Of so many words of one side more say nothing new.
_MOST_FAULTS: Final = 3
_MOST_WISHES: Final = 3
#: Everybody asks for help, also with what is broken: a word for a wish weighs less than one for a fault.
_FAULT: Final = 1.0
_WISH: Final = 0.45
#: The title says what it is about.
_IN_TITLE: Final = 1.0
_DOUBT: Final = 0.6


def issue_or_request(reading: Reading) -> KindGuess | None:
    """None where no word speaks for either side, or in a language that there are no words for."""
    vocabulary = reading.vocabulary
    if vocabulary is None:
        return None
    title = fold(reading.title)
    broken = _FAULT * min(len(vocabulary.find(Sense.FAULT, reading.folded)), _MOST_FAULTS)
    wanted = _WISH * min(len(vocabulary.find(Sense.WANTED, reading.folded)), _MOST_WISHES)
    broken += _IN_TITLE * bool(vocabulary.find(Sense.FAULT, title))
    broken += _FAULT * bool(vocabulary.find(Sense.WORRIED, reading.folded))
    wanted += _IN_TITLE * bool(vocabulary.find(Sense.WANTED, title))
    if not broken and not wanted:
        return None
    kind, more = (TicketKind.ISSUE, broken) if broken > wanted else (TicketKind.REQUEST, wanted)
    return KindGuess(kind, round((more + _DOUBT / 2) / (broken + wanted + _DOUBT), 2))
