"""Which of the board's types and subtypes a ticket should get."""

import re
from dataclasses import dataclass

from pydantic import JsonValue

from .arguments import value_of
from .case import Case
from .loose import Fields, as_record, lists_named, text

_SUBTYPE_WEIGHT = 1.2
_BARE_TYPE = 0.45
"""What a type counts for alone: a subtype has to be nearer than this to be named with it."""

_NEAR_ENOUGH = 0.75
_TIE = 0.01
_MOST_TEXT = 20_000
_FALLBACKS = ("general", "other", "service request", "request", "help", "support", "misc", "incident")


@dataclass(frozen=True, slots=True)
class Choice:
    """A type, perhaps with a subtype, out of the board's lists; `fits` tells whether its name speaks for the topic."""

    type: Fields
    subtype: Fields
    fits: bool

    @property
    def words(self) -> str:
        return " / ".join(filter(None, (text(self.type), text(self.subtype))))

    def meanings(self) -> dict[str, JsonValue]:
        return {
            "type": text(self.type),
            "type_id": self.type.get("id"),
            "subtype": text(self.subtype) or None,
            "subtype_id": self.subtype.get("id"),
        }


_NOTHING: Fields = {}


def choose(case: Case) -> Choice | None:
    """The choice whose names lie nearest to the ticket, else the most general one; None when there are no choices."""
    types = case.options("types")
    if not types:
        return None
    texts = (_plain(case.subject), _plain(case.conversation.ticket_text[:_MOST_TEXT]))
    names = case.guess.topic.names if case.guess.topic else ()
    nearness, choice = max((_nearest_of_type(case, kind, texts, names) for kind in types), key=_nearness_of)
    if nearness > _NEAR_ENOUGH:
        return choice
    general = (kind for word in _FALLBACKS for kind in types if word in text(kind).lower())
    return Choice(next(general, types[0]), _NOTHING, False)


def _nearest_of_type(case: Case, kind: Fields, texts: tuple[str, str], names: tuple[str, ...]) -> tuple[float, Choice]:
    """The nearest choice within one type: with the subtype that stands out, else without one."""
    weight = _nearness(kind, texts, names)
    bare = (weight + _BARE_TYPE, Choice(kind, _NOTHING, True))
    ranked = sorted(
        (
            (weight + _SUBTYPE_WEIGHT * _nearness(sub, texts, names), Choice(kind, sub, True))
            for sub in _subtypes(case, kind)
        ),
        key=_nearness_of,
        reverse=True,
    )
    # Two subtypes that fit equally well are a guess too many.
    if not ranked or (len(ranked) > 1 and ranked[0][0] - ranked[1][0] < _TIE):
        return bare
    return max(ranked[0], bare, key=_nearness_of)


def _nearness_of(entry: tuple[float, Choice]) -> float:
    return entry[0]


def correct(case: Case, reason: str, denied: str) -> Choice | None:
    """The choice that a person named in the reason for a denial, if the board has it and it is another one."""
    found: tuple[int, Choice] | None = None
    for kind in case.options("types"):
        for sub in [*_subtypes(case, kind), _NOTHING]:
            choice = Choice(kind, sub, True)
            named = [part for part in (text(kind), text(sub)) if part and _names(reason, part)]
            # A subtype alone says enough; a type alone only without a subtype of ours.
            if not named or (sub and text(sub) not in named) or choice.words == denied:
                continue
            weight = sum(map(len, named)) + (1 if text(kind) in named and sub else 0)
            if found is None or weight > found[0]:
                found = (weight, choice)
    return found[1] if found else None


def names_in(case: Case, arguments: Fields) -> str:
    """The type, subtype and item that arguments name, by their names even where they are given by id."""
    words = []
    for meaning, lists in (("type", ("types",)), ("subtype", ("subtypes", "sub_types")), ("item", ("items",))):
        chosen_id = text(value_of(arguments, f"{meaning}_id"))
        by_id = next(
            (text(option) for option in case.options(*lists) if chosen_id and text(option.get("id")) == chosen_id), ""
        )
        words.append(text(value_of(arguments, meaning)) or by_id)
    return " / ".join(filter(None, words))


def find(case: Case, wanted: str) -> Choice | None:
    """The choice a person asked for by name."""
    return correct(case, wanted, denied="")


def _subtypes(case: Case, kind: Fields) -> list[Fields]:
    """The subtypes that may stand under a type."""
    nested = [
        as_record(element)
        for found in lists_named(dict(kind), "subtypes", "sub_types")
        for element in found
        if text(as_record(element))
    ]
    if nested:
        return nested
    return [sub for sub in case.options("subtypes", "sub_types") if _belongs(sub, kind)]


def _belongs(subtype: Fields, kind: Fields) -> bool:
    """Whether a subtype may stand under a type; a subtype that names no types may stand under each."""
    marks = {text(kind.get("id")), text(kind)} - {""}
    for key in ("type_ids", "types", "typeAssociationIds", "type_id", "type", "typeAssociation"):
        owner = subtype.get(key)
        owners = [as_record(entry) for entry in (owner if isinstance(owner, list) else [owner])]
        if any(text(entry) for entry in owners):
            return any(text(entry.get("id")) in marks or text(entry) in marks for entry in owners)
    return True


def _nearness(option: Fields, texts: tuple[str, str], names: tuple[str, ...]) -> float:
    """How near an option's name lies to the ticket: the mean over its words, near by the topic or by being said."""
    name = _plain(text(option))
    words = [word for word in name.split() if len(word) > 2]
    if not words:
        return 0.0
    subject, body = texts
    whole = 0.6 if f" {name} " in f" {subject} " else 0.3 if f" {name} " in f" {body} " else 0.0
    return whole + sum(max(_by_topic(word, names), _said(word, subject, body)) for word in words) / len(words)


def _by_topic(word: str, names: tuple[str, ...]) -> float:
    """From 1 for the topic's own word down to 0 for a word that has nothing to do with it."""
    for order, name in enumerate(names):
        if _stem(word) in map(_stem, _plain(name).split()):
            return 1 - order / len(names)
    return 0.0


def _said(word: str, subject: str, body: str) -> float:
    if f" {_stem(word)}" in f" {subject}":
        return 1.1
    return 0.7 if f" {_stem(word)}" in f" {body}" else 0.0


def _plain(words: str) -> str:
    """Lower case, letters and digits only, hyphenated words as one."""
    return " ".join(re.findall(r"[^\W_]+", words.lower().replace("-", "")))


def _stem(word: str) -> str:
    """A word without the endings that part a name from its plural."""
    return re.sub(r"(?:ing|ed|er|s)$", "", word) if len(word) > 4 else word


def _names(reason: str, option: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(option)}(?!\w)", reason, re.IGNORECASE) is not None
