"""A short summary in the ticket's own words: its title and the one or two sentences that say most.

A sentence says much that holds what the whole ticket is about, what is broken or wanted, and stands early. Nothing is
rewritten, so nothing is said that the ticket does not say; only greetings, thanks and what stands in the title go.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Final

import Stemmer

from junto.textwork.cleaning import habits
from junto.textwork.reading import Reading
from junto.textwork.vocabulary import Sense, Vocabulary, fold, vocabularies

MOST_CHARACTERS: Final = 280
#: Of a sentence that leaves no room for itself this much is kept, up to a word's end.
LEAST_OF_A_SENTENCE: Final = 60

#: What a finding adds to a sentence's worth.
_WORTH: Final = {Sense.FAULT: 1.0, Sense.WANTED: 0.6, Sense.HARM: 0.5, Sense.PRESSING: 0.5, Sense.WORRIED: 0.8}
#: A second sentence must be worth so much of the first.
_WORTH_ADDING: Final = 0.5
#: A title of more words than this tells what it is about; after fewer, more of the text is told.
_TELLING_TITLE: Final = 2
_STEMMERS: Final = {
    "en": "english",
    "de": "german",
    "fr": "french",
    "es": "spanish",
    "pt": "portuguese",
    "nl": "dutch",
    "it": "italian",
}
_OPENING: Final = re.compile(r"^(?:[\s.:;,*>-]|(?:re|fw|fwd|aw|wg|tr|rv|sv|ext)\s?:\s*)+", re.IGNORECASE)


@dataclass(frozen=True)
class Summary:
    """`confidence` 0 to 1: how far the ticket says anything to sum up. `text` is never empty."""

    text: str
    confidence: float


def summarize(reading: Reading) -> Summary | None:
    """At most MOST_CHARACTERS; None where neither title nor text say a word."""
    title = _OPENING.sub("", reading.title).rstrip(" .:;,-")
    told = _chosen(reading, title)
    if not title and not told:
        return None
    text = _joined(title, told)
    words = len(text.split())
    return Summary(text, round(0.4 + 0.5 * min(words, 12) / 12, 2))


def _chosen(reading: Reading, title: str) -> list[str]:
    """The sentences to tell, in their order."""
    vocabulary, stems = reading.vocabulary, _stems_of(reading.language)
    known = set(stems(title))
    sentences = [_without_flourish(sentence) for sentence in reading.sentences]
    by_sentence = [stems(sentence) for sentence in sentences]
    spread = Counter(stem for each in by_sentence for stem in set(each)) + Counter(known)
    worths = [
        _worth(sentence, each, spread, known, vocabulary) / (1 + 0.12 * place)
        for place, (sentence, each) in enumerate(zip(sentences, by_sentence, strict=True))
    ]
    best = sorted(range(len(sentences)), key=lambda place: -worths[place])
    taken: list[int] = []
    room = MOST_CHARACTERS - len(title) - 2
    for place in best[:4]:
        if (
            not worths[place]
            or (taken and worths[place] < _WORTH_ADDING * worths[taken[0]])
            or room < LEAST_OF_A_SENTENCE
        ):
            break
        if not taken or len(set(by_sentence[place]) - known) > 2:
            taken.append(place)
            known |= set(by_sentence[place])
            room -= len(sentences[place]) + 1
        if len(taken) == 2:
            break
    return [sentences[place] for place in sorted(taken)]


def _without_flourish(sentence: str) -> str:
    said = habits().flourish.match(sentence)
    return sentence[said.end() :].strip() if said else sentence


def _worth(
    sentence: str, stems: list[str], spread: Counter[str], title: set[str], vocabulary: Vocabulary | None
) -> float:
    """What it holds of what the ticket is about, and whether something is broken or wanted; 0 for mere courtesy."""
    own = set(stems)
    if not own or (habits().wish.search(sentence) and len(own) < 14):
        return 0.0
    about = sum(min(spread[stem], 3) + (1.0 if stem in title else 0.0) for stem in own)
    worth = about / (4 + len(own)) + 0.05 * min(len(own), 20)
    if vocabulary is not None:
        folded = fold(sentence)
        worth += sum(value for sense, value in _WORTH.items() if vocabulary.find(sense, folded))
    return worth


class _Stems:
    """The stems of a text's words of meaning: those of three letters and more that are no courtesy."""

    _WORD = re.compile(r"[^\W\d_]{3,}|\w*\d\w*")

    def __init__(self, language: str) -> None:
        self._stemmer = Stemmer.Stemmer(_STEMMERS.get(language, "english"))
        vocabulary = vocabularies().get(language)
        self._empty = vocabulary.empty if vocabulary else frozenset()

    def __call__(self, text: str) -> list[str]:
        words = [word for word in self._WORD.findall(text.casefold()) if word not in self._empty]
        stems: list[str] = self._stemmer.stemWords(words)
        return stems


@cache
def _stems_of(language: str) -> _Stems:
    return _Stems(language)


def _joined(title: str, told: list[str]) -> str:
    """The title, then the sentences, cut to size at a word's end."""
    lines = [title] if title else []
    lines += [line for line in told if fold(line) != fold(title)]
    text = ""
    for line in lines:
        first = line[:1].upper() + line[1:]
        text += first if not text else f"{': ' if text == _capital(title) else ' '}{first}"
    if len(text) <= MOST_CHARACTERS:
        return text
    return text[: MOST_CHARACTERS - 1].rsplit(" ", 1)[0].rstrip(" ,;:.-") + "…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
