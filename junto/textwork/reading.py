"""A ticket's text taken apart once, for all that is told of it: language, own words, sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

import sentencex
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from junto.textwork.cleaning import without_markup, written
from junto.textwork.vocabulary import BORDER, Vocabulary, fold, vocabularies

#: What stands behind so many characters is not read: logs and old mails, which would cost time and tell little.
MOST_CHARACTERS: Final = 6000
MOST_TITLE: Final = 300
#: Of more words than this no sentence is made: a text without full stops is cut.
MOST_WORDS: Final = 32
#: So sure must be that a text is in a language that there are no words for, before nothing is said of it ...
SURE_OF_LANGUAGE: Final = 0.9
#: ... and it must be of so many words: of few, and names among them, a language is not told.
WORDS_FOR_LANGUAGE: Final = 8
LAST_LATIN: Final = "\u024f"
#: Who writes English in a ticket is not found out by a word or two; English is what IT's own words are.
USUAL_LANGUAGE: Final = "en"

_WEEKDAY: Final = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
#: Where a text that lost its lines and full stops begins anew: at an older mail's date, or a greeting.
_SEAM: Final = re.compile(
    rf"\s(?=sent {_WEEKDAY}\b|{_WEEKDAY}\b[^.]{{0,20}}\b[ap]m\b|(?:hello|hi|dear|hallo|bonjour|hola|olá)\s)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reading:
    """A ticket, read. `language` is empty where it is none that there are words for: then feelings cannot be told.

    `text` = all there is, without markup; `body` = the newest mail's own words;
    `sentences` = those of the body, none of them very long, in order.
    """

    title: str
    text: str
    body: str
    language: str
    sentences: tuple[str, ...]

    @cached_property
    def folded(self) -> str:
        """Title and sentences, folded, with borders between."""
        return fold(f" {BORDER} ".join([self.title, *(sentence.replace(BORDER, " ") for sentence in self.sentences)]))

    @property
    def vocabulary(self) -> Vocabulary | None:
        """The words of its language."""
        return vocabularies().get(self.language)


def read(title: str, text: str) -> Reading:
    """Take a ticket apart. Both may be empty."""
    heading = " ".join(title[:MOST_TITLE].replace(BORDER, " ").split())
    plain = without_markup(text[:MOST_CHARACTERS])
    body = written(plain)
    language = _language(f"{heading}. {body}")
    return Reading(heading, plain, body, language, tuple(_sentences(body, language or USUAL_LANGUAGE)))


def _language(text: str) -> str:
    """The likeliest language of those with words; empty where it is quite surely another one."""
    if not any(letter.isalpha() for letter in text):
        return ""
    few = text.count(" ") < WORDS_FOR_LANGUAGE
    ranking = _identifier().rank(text)
    guessed, sure = ranking[0]
    if guessed in vocabularies():
        return str(guessed)
    if sure >= SURE_OF_LANGUAGE and (not few or _in_another_script(text)):
        return ""
    if few and text.isascii():
        return USUAL_LANGUAGE
    return next(str(language) for language, _ in ranking if language in vocabularies())


def _in_another_script(text: str) -> bool:
    return any(letter > LAST_LATIN and letter.isalpha() for letter in text)


@cache
def _identifier() -> LanguageIdentifier:
    """Reads its model, which takes a second, once in a process."""
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _sentences(body: str, language: str) -> list[str]:
    found: list[str] = []
    for line in body.split("\n"):
        if line:
            for sentence in sentencex.segment(language, line):
                found += _pieces(sentence.strip())
    return [sentence for sentence in found if any(letter.isalnum() for letter in sentence)]


def _pieces(sentence: str) -> list[str]:
    if sentence.count(" ") < MOST_WORDS:
        return [sentence]
    pieces: list[str] = []
    for part in _SEAM.split(sentence):
        words = part.split()
        pieces += [" ".join(words[start : start + MOST_WORDS]) for start in range(0, len(words), MOST_WORDS)]
    return pieces
