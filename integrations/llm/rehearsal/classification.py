"""Which of the board's types and subtypes a ticket should get."""

import re
from dataclasses import dataclass

from pydantic import JsonValue

from .arguments import value_of
from .case import Case
from .loose import Fields, as_record, lists_named, text

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
    """The choice for the ticket's topic; the most general one when none fits; None when the board offers nothing."""
    types = case.options("types")
    if not types:
        return None
    names = case.guess.topic.names if case.guess.topic else ()
    ranked = [
        (score, choice)
        for kind in types
        for choice, score in ((Choice(kind, sub, True), _score(kind, sub, names)) for sub in _subtypes(case, kind))
        if score > 0
    ]
    if ranked:
        return max(ranked, key=lambda entry: entry[0])[1]
    for word in _FALLBACKS:
        for kind in types:
            if word in text(kind).lower():
                return Choice(kind, _NOTHING, False)
    return Choice(types[0], _NOTHING, False)


def correct(case: Case, reason: str, denied: str) -> Choice | None:
    """The choice that a person named in the reason for a denial, if the board has it and it is another one."""
    found: tuple[int, Choice] | None = None
    for kind in case.options("types"):
        for sub in _subtypes(case, kind):
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
    """The subtypes of a type, and last the lack of one."""
    nested = [
        as_record(element)
        for found in lists_named(dict(kind), "subtypes", "sub_types")
        for element in found
        if text(as_record(element))
    ]
    if nested:
        return [*nested, _NOTHING]
    of_type = [sub for sub in case.options("subtypes", "sub_types") if _belongs(sub, kind)]
    return [*of_type, _NOTHING]


def _belongs(subtype: Fields, kind: Fields) -> bool:
    """Whether a subtype may stand under a type; a subtype that names no types may stand under each."""
    marks = {text(kind.get("id")), text(kind)} - {""}
    for key in ("type_ids", "types", "typeAssociationIds", "type_id", "type", "typeAssociation"):
        owner = subtype.get(key)
        owners = [as_record(entry) for entry in (owner if isinstance(owner, list) else [owner])]
        if any(text(entry) for entry in owners):
            return any(text(entry.get("id")) in marks or text(entry) in marks for entry in owners)
    return True


def _score(kind: Fields, subtype: Fields, names: tuple[str, ...]) -> float:
    """How well the two names speak for the topic, whose own words come nearest first."""
    total = 0.0
    for weight, option in ((2.0, text(subtype).lower()), (1.5, text(kind).lower())):
        for order, name in enumerate(names):
            if option and (name in option or (len(option) > 3 and option.rstrip("s") in name)):
                total += weight * (len(names) - order)
                break
    # A subtype that says nothing about the topic is a guess too many.
    return total - (1.0 if subtype and not _mentions(subtype, names) else 0.0)


def _mentions(option: Fields, names: tuple[str, ...]) -> bool:
    return any(name in text(option).lower() for name in names)


def _names(reason: str, option: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(option)}(?!\w)", reason, re.IGNORECASE) is not None
