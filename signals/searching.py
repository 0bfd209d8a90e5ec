"""What a search finds, in one place for the page, the API and the agent (docs/adr/0017-a-search-finds-words.md).

A ticket's number, subject and description are kept as words beside it: small letters, each after a blank, whatever is
neither letter nor figure left out. What was typed is cut the same way, and found where a word begins with it. That is
one comparison of plain text, the same on both databases. PostgreSQL has an index that narrows it down first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import Any, Final
from uuid import UUID

from django.db.models import BooleanField, F, Func, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from integrations.models import Contact
from junto.tenants.models import Company, Organization
from junto.tenants.scoping import TenantQuerySet

#: Words of a search that count; more would only slow the query down.
MOST_WORDS: Final = 8
#: Characters of a text that are searched, and of one word: PostgreSQL's index takes no more than 1 MB of words.
MOST_TEXT: Final = 100_000
LONGEST: Final = 100
#: Companies or contacts whose names hold a word: of more, none is listed one by one.
MOST_NAMED: Final = 500
#: A shorter beginning fits too many words for the index to help.
SHORTEST_INDEXED: Final = 2

# Chinese and Japanese put no blanks between words: each sign counts as one, and a word typed is a row of them
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORD = re.compile(rf"[{_SIGNS}]|[^\W_{_SIGNS}]+")
_PLAIN = {code: " " for code in range(128) if not chr(code).isalnum()}


def split(text: str) -> list[str]:
    """The words of a text, in order: small letters and figures only, long ones cut."""
    if text.isascii():  # most texts; a tenth of the time
        words = text.lower().translate(_PLAIN).split()
    else:
        words = _WORD.findall(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))
    return [word[:LONGEST] for word in words]


def searched_text(*texts: str) -> str:
    """What of these texts is searched: each word after one blank; empty without any."""
    return "".join(f" {word}" for word in split("\n".join(texts)[:MOST_TEXT]))


def typed_words(text: str) -> list[str]:
    """What was typed, blank by blank, as it must stand in `searched_text`; signs alone are nothing."""
    found = (searched_text(word) for word in text.replace("\0", "").split())
    return list(dict.fromkeys(filter(None, found)))[:MOST_WORDS]


@dataclass(frozen=True)
class Search:
    """What a signal must hold; `exact` None = nothing was typed that could be found.

    `narrow` is what PostgreSQL's index knows of it: true of all that `exact` is true of.
    """

    exact: Q | None
    narrow: Q

    @classmethod
    def read(cls, text: str, *, organization: Organization, indexed: bool) -> Search:
        """Two queries, for the companies and contacts in whose names the words stand; none without words."""
        words = typed_words(text)
        if not words:
            return cls(exact=None, narrow=Q())
        companies = _named(Company.objects.for_organization(organization), words)
        contacts = _named(Contact.objects.for_organization(organization), words)
        exact, narrow = Q(), Q()
        for word, of_companies, of_contacts in zip(words, companies, contacts, strict=True):
            named = Q(company__in=of_companies) | Q(contact__in=of_contacts)
            exact &= named | Q(GreaterThan(StrIndex("words", Value(word)), 0))
            wanted = _in_index(word)
            if indexed and wanted and isinstance(of_companies, list) and isinstance(of_contacts, list):
                narrow &= named | Q(_kept(wanted))
        return cls(exact=exact, narrow=narrow)


def _kept(wanted: str) -> Func:
    """Whether the index of words (signals/migrations/0018_words.py) fits a `tsquery`."""
    words = Func(F("words"), function="signal_word_set")
    fits = {"template": "(%(expressions)s::tsquery)", "arg_joiner": " @@ "}
    return Func(words, Value(wanted), output_field=BooleanField(), **fits)


def _in_index(word: str) -> str:
    """The `tsquery` of a typed word, all but its last part whole; empty where it would fit too many to help."""
    *whole, last = word.split()  # letters and figures only: there is nothing to quote
    begun = [f"'{last}':*"] if len(last) >= SHORTEST_INDEXED or not last.isascii() else []
    return " & ".join([*(f"'{each}'" for each in whole), *begun])


def _named(rows: TenantQuerySet[Any], words: Sequence[str]) -> list[list[UUID] | QuerySet[Any]]:
    """Of each word, the rows whose name holds it anywhere; where these are many, the question for them."""
    rows = rows.order_by()
    holds = [_all_of(Q(name__icontains=part) for part in word.split()) for word in words]
    any_of = reduce(or_, holds)
    asked = {f"word_{place}": each for place, each in enumerate(holds)}
    found = list(rows.filter(any_of).annotate(**asked).values_list("pk", *asked)[: MOST_NAMED + 1])
    if len(found) > MOST_NAMED:
        return [rows.filter(each).values("pk") for each in holds]
    return [[row[0] for row in found if row[1 + place]] for place in range(len(words))]


def _all_of(conditions: Iterable[Q]) -> Q:
    return reduce(and_, conditions)
