"""The records behind a look-up's answer, as the vendor sent them: for a person who wants to see more than a model does.

A tool hands over those that it kept: of the signal's company, looked at one by one. What may hold a secret, and what
something costs, is cut out here by what it is called; passwords that stand in a text by their looks. Where it is
unclear whether a value may be seen, it may not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from pydantic import JsonValue

from integrations.texts import REMOVED as CUT
from integrations.texts import SECRET_WORD, plain, redacted
from integrations.wire import Wire
from integrations.words import has_signs, names_secret

#: Bytes of JSON that are kept of one look-up; what does not fit is counted.
MOST_BYTES: Final = 256 * 1024
#: Characters of one text that are kept.
LONGEST_TEXT: Final = 20_000
#: Characters of a field's name, and of a text that says what the value beside it is, within which it is understood.
LONGEST_NAME: Final = 200
#: Levels of nesting that are kept.
DEEPEST: Final = 12
REMOVED: Final = "[removed]"
#: Where words part in a field's name: "wifiKey", "wifi_key", "wifi-key", "WIFIKey".
_SEAMS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^\w]+|_+")
#: Fields that are never kept. It would rather take one too many: a "token issuer" goes with the tokens.
_SECRET: Final = re.compile(
    rf"{SECRET_WORD}|passw|passphrase|passcode|\bpass(?!ed|es\b|ing|ive|eng|port)|pass\b|secret|token|credential"
    r"|\b(?:puk|totp|seed|cookie|bearer|authorization|signature|community|sas|jwt|salt|private|bitlocker|tan)\b"
    r"|\b(?:access|alarm|back ?up|door|entry|gate|lock|recovery|safe|security|unlock|verification) codes?\b"
    r"|\w keys?$|session id|connection string",
    re.IGNORECASE,
)
#: What is said about a secret and is none: when it was changed, or ends.
_WHEN: Final = re.compile(r"\b(?:date|time|at|on|changed?|set|updated|created|expires|expiration)$")
#: Numbers that are counted, or lead to a record, and open nothing: "token_count", "tokens_used", "primary_key".
_COUNTS: Final = re.compile(
    r"\b(?:counts?|used|length|limit|left|max|min|age|days|attempts|tries)$|(?<!session )\bid$|\btokens$"
    r"|\b(?:primary|foreign|sort|row|record|partition|cache|object|ticket|item|order) key$"
)
#: Names with such a word in them that lead to a record, or say how something is protected, and open nothing.
_OPENS_NOTHING: Final = re.compile(
    r"\b(?:issue|project|registry|object|sort|primary|foreign|partition|cache|row|record|page|parent) keys?$"
    r"|\bprivate (?:ips?|ipv[46]|notes?|networks?|dns|address(?:es)?|vlan)\b|\bbitlocker (?:status|state|version)$"
    r"|\bsignatures? (?:version|date|age|status)$|\bpasswords? polic(?:y|ies)$|\btoken type$"
)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ][\d:.]{5,18}(?:Z|[+-]\d\d:?\d\d)?)?")
_MONEY: Final = re.compile(
    r"\b(?:prices?|costs?|rates?|revenue|margin|markup|amounts?|budget|fees?|tax|discount|balance|msrp|retail|wages?"
    r"|salary|profit|subtotal)\b|\b(?:charges?|totals?)$"
)
#: A field that says what is kept beside it ({"question": "Alarm code", "answer": ...}), and one that holds it.
_LABEL: Final = re.compile(r"\b(?:name|label|question|caption|title|key|field|property|description|type|kind)$")
_VALUE: Final = re.compile(r"\b(?:values?|answers?|contents?|text|data|entry|input)$")
#: Tokens that open nothing but the next page.
_PAGES: Final = re.compile(r"\b(?:next|prev|previous|page|paging|continuation|cursor|skip|sync|delta)\b.*\btoken$")
_TABLE: Final = re.compile(r"<(?:t[dh]|d[td])\b|&lt;", re.IGNORECASE)
_MARKUP: Final = re.compile(r"<[a-z/!?]|&(?:#|\w{2,20};)", re.IGNORECASE)
#: An address as far as it is no key itself: links carry tokens in what stands behind "?" or "#".
_LINK: Final = re.compile(r"(https?://[^\s?#\"'<>]{1,2000})[?#][^\s\"'<>]+", re.IGNORECASE)


@dataclass(frozen=True)
class _Rule:
    """What is kept: whether prices and the marks of pages are, and how many characters of a text."""

    is_answer: bool
    longest: int | None


_RECORDS: Final = _Rule(is_answer=False, longest=LONGEST_TEXT)
_ANSWERS: Final = _Rule(is_answer=True, longest=None)


def sent_records(records: Iterable[Wire]) -> JsonValue:
    """The records as the vendor sent them, without what nobody is to see; None where there are none.

    Those that do not fit into `MOST_BYTES` are left out and counted. Texts in HTML become plain ones.
    """
    kept: list[JsonValue] = []
    size = left_out = 0
    for record in records:
        if record.sent is None:
            continue
        size += _bytes(record.sent)
        if size > MOST_BYTES:
            left_out += 1
        else:
            kept.append(_shown(record.sent, depth=0, rule=_RECORDS))
    return {"records": kept, "left_out": left_out} if kept or left_out else None


def without_secrets(answer: JsonValue) -> JsonValue:
    """What a server of which we know nothing answered, without what may hold a secret. Prices and page marks stay."""
    return _shown(answer, depth=0, rule=_ANSWERS)


def _bytes(value: JsonValue) -> int:
    return len(json.dumps(value))


def _shown(value: JsonValue, *, depth: int, rule: _Rule) -> JsonValue:
    if depth > DEEPEST:
        return REMOVED
    if isinstance(value, str):
        return _text(value, depth=depth, rule=rule)
    if isinstance(value, list):
        return [_shown(one, depth=depth + 1, rule=rule) for one in value]
    if isinstance(value, dict):
        named = any(_LABEL.search(_words(name)) and _names_secret(one) for name, one in value.items())
        touched = named or any(_LABEL.search(_words(name)) and _touches_secret(one) for name, one in value.items())
        return {
            name: REMOVED
            if _holds(one)
            and (_is_kept_back(name, one, rule) or (touched and _VALUE.search(_words(name)) and (named or _alone(one))))
            else _shown(one, depth=depth + 1, rule=rule)
            for name, one in value.items()
        }
    return value


def _text(text: str, *, depth: int, rule: _Rule) -> str:
    """A text without what opens something. JSON in it is looked through like the record around it.

    A vendor's texts in HTML become plain ones. A server of which we know nothing answers in Markdown, code and
    commands: its texts stay as they are but for what is cut out; of a table in HTML the words alone are kept where a
    password stands in it, as only they tell which cell is below which.
    """
    if text[:1] in ("{", "["):
        try:
            found = json.loads(text)
            shown = _shown(found, depth=depth + 1, rule=rule)
        except (ValueError, RecursionError):
            pass
        else:
            return text if rule.is_answer and shown == found else json.dumps(shown, ensure_ascii=False)
    words = text[: rule.longest]
    more = len(text) - len(words)
    if rule.is_answer:
        words = _redacted_answer(words)
    else:
        words = redacted(_LINK.sub(rf"\1?{REMOVED}", plain(words) if _MARKUP.search(words) else words))
    return f"{words} … [{more} more characters there]" if more > 0 else words


def _redacted_answer(text: str) -> str:
    cut = redacted(text)
    if not _TABLE.search(text):
        return cut
    words = redacted(plain(text))
    return words if CUT in words else cut


def _holds(value: JsonValue) -> bool:
    """Whether it could be a secret or a price at all: yes, no and nothing are neither."""
    return value not in (None, "", [], {}) and not isinstance(value, bool)


def _is_kept_back(name: str, value: JsonValue, rule: _Rule) -> bool:
    words = _words(name)
    if rule.is_answer and _PAGES.search(words):
        return False
    if len(name) > LONGEST_NAME or (_MONEY.search(words) and not rule.is_answer):
        return True
    is_moment = isinstance(value, str) and _MOMENT.fullmatch(value) and _WHEN.search(words)
    is_count = isinstance(value, int | float) and _COUNTS.search(words)
    return bool(_SECRET.search(words)) and not is_moment and not is_count and not _OPENS_NOTHING.search(words)


def _names_secret(value: JsonValue) -> bool:
    """Whether a value is the name of something that is kept back, so that what stands beside it is."""
    if not _touches_secret(value):
        return False
    words = re.sub(r"\([^()]*\)", " ", str(value))
    return names_secret(_words(words), _SECRET) or names_secret(words, _SECRET)


def _touches_secret(value: JsonValue) -> bool:
    """Whether a value speaks of something that is kept back, perhaps as a sentence that is about it."""
    return isinstance(value, str) and len(value) <= LONGEST_NAME and bool(_SECRET.search(_words(value)))


def _alone(value: JsonValue) -> bool:
    """Whether it is one word that looks like a password."""
    return isinstance(value, str) and len(value.split()) == 1 and has_signs(value)


@lru_cache(maxsize=4096)
def _words(name: str) -> str:
    """A field's name in words, however the vendor writes it; a long one only as far as it is looked at."""
    return _SEAMS.sub(" ", name[: LONGEST_NAME + 1]).strip().lower()
