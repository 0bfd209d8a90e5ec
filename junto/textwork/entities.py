"""People, devices, applications and vendors that a ticket names, as they stand there, and who of them is known.

Found by lists of names (names.toml), by how names are written ("Hi Anna,", NW-LT-014), and by what is known of the
company. Who is only alluded to ("my colleague") is not found.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Final, Protocol

from junto.textwork.cleaning import habits
from junto.textwork.names import names
from junto.textwork.reading import Reading
from junto.textwork.vocabulary import fold


class Kind(StrEnum):
    """What a name names."""

    PERSON = "person"
    DEVICE = "device"
    APPLICATION = "application"
    VENDOR = "vendor"


class KnownName(Protocol):
    """A contact or device of the company; `detail` may be an address."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def detail(self) -> str: ...


@dataclass(frozen=True)
class Entity:
    """A name as it stands in the text. `known` = the id of the contact or device it is, or empty."""

    kind: Kind
    text: str
    confidence: float
    known: str = ""


MOST_OF_A_KIND: Final = 8
#: How sure we are, by how it was found.
_KNOWN_WHOLE, _KNOWN_IN_PART, _LISTED, _MODEL, _HOST, _CUE, _GENERIC = 0.95, 0.65, 0.85, 0.85, 0.7, 0.65, 0.6

_ADDRESS: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}")
#: A computer's name in a network: capitals, parts joined by hyphens, a digit somewhere.
_HOSTNAME: Final = re.compile(r"(?<![\w-])(?=[A-Z0-9-]{0,40}\d)[A-Z][A-Z0-9]{1,14}(?:-[A-Z0-9]{2,15}){1,3}(?![\w-])")
#: What looks like one and is none.
_NO_HOST: Final = re.compile(
    r"(?:KB|CVE|ISO|RFC|UTF|SHA|AES|COVID|PO|INC|REQ|CHG|TLS|SSL|WPA|USB|HTTP|IEC|DIN|EN|Q\d)-"
)
_NAME: Final = r"[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ'’]{1,20}(?:-[A-ZÀ-ÖØ-Þ][a-zà-öø-ÿ]{1,20})?"
_FULL_NAME: Final = rf"{_NAME}(?: (?:(?:van|von|de|da|di|dos|del|der|la|le)\s){{0,2}}{_NAME}){{1,2}}"
_SIGNATURE: Final = re.compile(rf"(?:{_FULL_NAME}|{_NAME})")
#: Kinds of devices by the words that all our languages use.
_KINDS_EVERYWHERE: Final = frozenset(
    ["laptop", "pc", "server", "router", "switch", "firewall", "tablet", "smartphone", "headset", "monitor"]
)
#: "Laptop bag" and "screen shot" are neither laptop nor screen.
_NOT_THE_DEVICE: Final = frozenset(["bag", "bags", "shot", "shots", "shoot", "sharing"])


def find_entities(
    reading: Reading, *, people: Sequence[KnownName] = (), devices: Sequence[KnownName] = ()
) -> tuple[Entity, ...]:
    """The names in title and text, each once, kind by kind, at most MOST_OF_A_KIND each.

    `people` and `devices` are those of the ticket's company alone: a name is linked to nobody else's.
    """
    text = f"{reading.title}\n{reading.body}"
    everything = f"{reading.title}\n{reading.text}"
    products = list(dict.fromkeys(found.group(0) for found in names().devices.finditer(text)))
    found = [
        *_known_people(everything, people),
        *_people(everything),
        *_known_devices(text, devices),
        *(Entity(Kind.DEVICE, name, _MODEL) for name in products),
        *(Entity(Kind.DEVICE, name, _HOST) for name in _hostnames(text)),
        *(Entity(Kind.DEVICE, word, _GENERIC) for word in _kinds_of_device(reading, products)),
        *(Entity(Kind.APPLICATION, name.group(0), _LISTED) for name in names().applications.finditer(text)),
        *(Entity(Kind.VENDOR, name.group(0), _LISTED) for name in names().vendors.finditer(text)),
    ]
    return tuple(_each_once(found))


def _each_once(found: Iterable[Entity]) -> Iterator[Entity]:
    """Surest and longest first; a name that stands within another of its kind is left out."""
    seen: dict[Kind, list[str]] = {kind: [] for kind in Kind}
    ordered = sorted(found, key=lambda each: (list(Kind).index(each.kind), -each.confidence, -len(each.text)))
    for entity in ordered:
        folded = fold(entity.text)
        others = seen[entity.kind]
        if len(others) < MOST_OF_A_KIND and folded.strip() and not any(folded in other for other in others):
            others.append(folded)
            yield entity


def _known_people(text: str, people: Sequence[KnownName]) -> Iterator[Entity]:
    """By address or whole name; by the first name alone where only one of the company bears it and it stands alone."""
    folded = fold(text)
    addresses = {address.group(0).casefold(): address.group(0) for address in _ADDRESS.finditer(text)}
    words = set(folded.split())
    first_names = Counter(fold(person.name).split()[0] for person in people if fold(person.name).strip())
    for person in people:
        whole = fold(person.name)
        first = whole.split()[0] if whole.strip() else ""
        if person.detail and person.detail.casefold() in addresses:
            yield Entity(Kind.PERSON, addresses[person.detail.casefold()], _KNOWN_WHOLE, person.id)
        if " " in whole.strip() and whole in folded:
            yield Entity(Kind.PERSON, person.name, _KNOWN_WHOLE, person.id)
        elif len(first) > 2 and first in words and first_names[first] == 1:
            written = person.name.split()[0]
            if re.search(rf"\b{re.escape(written)}\b(?! {_NAME})", text):
                yield Entity(Kind.PERSON, written, _KNOWN_IN_PART, person.id)


def _people(text: str) -> Iterator[Entity]:
    listed = names()
    for name in (*_introduced(text), *_signed(text)):
        somebody = not habits().nobody.intersection(fold(name).split())
        if somebody and not listed.applications.search(name) and not listed.vendors.search(name):
            yield Entity(Kind.PERSON, name, _CUE)
    for address in _ADDRESS.finditer(text):
        yield Entity(Kind.PERSON, address.group(0), _CUE)


def _introduced(text: str) -> Iterator[str]:
    """Behind a title, a word like "colleague", or a greeting at a line's beginning."""
    for found in _introductions().finditer(text):
        yield next(group for group in found.groups() if group).strip()


def _signed(text: str) -> Iterator[str]:
    """The line under a closing formula, where it looks like a name."""
    lines = [line for line in text.split("\n") if line]
    for closing, name in pairwise(lines):
        if habits().closing.fullmatch(closing) and _SIGNATURE.fullmatch(name):
            yield name


@cache
def _introductions() -> re.Pattern[str]:
    mail = habits()
    return re.compile(
        rf"\b(?i:{mail.title})\.? ((?:{_NAME} ?){{1,3}})"
        rf"|\b(?i:{mail.cue})[:,]? ({_FULL_NAME})"
        rf"|^{mail.greeting_word} ({_NAME}(?: {_NAME})?)[,!:]",
        re.MULTILINE,
    )


def _known_devices(text: str, devices: Sequence[KnownName]) -> Iterator[Entity]:
    """By its name, in any case; names shorter than three letters are words."""
    lower = text.casefold()
    for device in devices:
        name = device.name.strip()
        if len(name) > 2 and name.casefold() in lower:
            place = re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE)
            if place:
                yield Entity(Kind.DEVICE, place.group(0), _KNOWN_WHOLE, device.id)


def _hostnames(text: str) -> Iterator[str]:
    for found in _HOSTNAME.finditer(text):
        if not _NO_HOST.match(found.group(0)):
            yield found.group(0)


def _kinds_of_device(reading: Reading, products: Sequence[str]) -> Iterator[str]:
    """Words like "laptop"; not those right beside a product, which say what the product is."""
    kinds = names().kinds.get(reading.language, frozenset()) | _KINDS_EVERYWHERE
    folded = reading.folded
    for product in products:
        bare = re.escape(fold(product).strip())
        for beside in re.finditer(rf"(?<= )(\w+) {bare}(?= )|(?<= ){bare} (\w+)(?= )", folded):
            kinds -= {beside.group(1) or "", beside.group(2) or ""}
    words = folded.split()
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    parts = {first for first, second in pairwise(words) if second in _NOT_THE_DEVICE}
    for phrase in dict.fromkeys(pairs + words):
        if phrase in kinds - parts:
            yield _as_it_stands(phrase, reading)


def _as_it_stands(folded: str, reading: Reading) -> str:
    """The word as it is written in the text; folded where accents or signs part it from there."""
    found = re.search(rf"\b{re.escape(folded)}\b", f"{reading.title} {reading.body}", re.IGNORECASE)
    return found.group(0) if found else folded
