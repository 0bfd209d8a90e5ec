"""How far what is told of tickets agrees with what a person wrote down for them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from sklearn.metrics import cohen_kappa_score

from junto.textwork.automation import Potential, all_tools, automation_potential
from junto.textwork.entities import Entity, Kind, find_entities
from junto.textwork.feeling import Band, Level, Tone, feel
from junto.textwork.kind import TicketKind, issue_or_request
from junto.textwork.reading import read
from junto.textwork.summary import MOST_CHARACTERS, summarize
from junto.textwork.vocabulary import fold

TITLE_FIELDS: Final = ("title", "subject", "summary")
TEXT_FIELDS: Final = ("text", "body", "description")


class FileRefused(Exception):
    """A file is not what was expected; the message names it."""


class HandValues(BaseModel):
    """What a person wrote down for one ticket (tests/signals/values/README.md says on which scales)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    kind: TicketKind
    sentiment: Band
    tone: Tone
    frustration: Level
    urgency: Level
    automation: Potential
    people: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    vendors: tuple[str, ...] = ()
    facts: tuple[tuple[str, ...], ...]

    def named(self, kind: Kind) -> Sequence[str]:
        """The names of one kind."""
        by_kind = {
            Kind.PERSON: self.people,
            Kind.DEVICE: self.devices,
            Kind.APPLICATION: self.applications,
            Kind.VENDOR: self.vendors,
        }
        return by_kind[kind]


#: The fields on a scale, with it, and whether its steps have an order.
SCALES: Final[Mapping[str, tuple[type[StrEnum], bool]]] = {
    "kind": (TicketKind, False),
    "sentiment": (Band, True),
    "tone": (Tone, False),
    "frustration": (Level, True),
    "urgency": (Level, True),
    "automation": (Potential, True),
}
_CANNOT_TELL: Final = "cannot tell"


@dataclass(frozen=True)
class Agreement:
    """One field: `agreed` and `answered` of all tickets; `kappa` of those answered, with linear weights if ordered.

    `commonest` = what always answering the person's commonest value would agree. Without two values there is no kappa.
    """

    agreed: float
    answered: float
    kappa: float | None
    commonest: float


@dataclass(frozen=True)
class Found:
    """Names of one kind: how many the person wrote, how many were found of those, and how many others were."""

    written: int
    found: int
    others: int

    @property
    def precision(self) -> float | None:
        """Of all that were found."""
        every = self.found + self.others
        return self.found / every if every else None

    @property
    def recall(self) -> float | None:
        """Of all that the person wrote."""
        return self.found / self.written if self.written else None


@dataclass(frozen=True)
class Told:
    """Summaries: share of the facts told, share of tickets with all of theirs told, and the median length."""

    facts: float
    whole: float
    characters: float


@dataclass(frozen=True)
class Report:
    """`beginning` = as if the first MOST_CHARACTERS of title and text were the summary. Milliseconds are of CPU."""

    tickets: int
    fields: Mapping[str, Agreement]
    entities: Mapping[Kind, Found]
    summary: Told
    beginning: Told
    milliseconds_median: float
    milliseconds_most: float


@dataclass(frozen=True)
class Ticket:
    """Title and text."""

    title: str
    text: str


@dataclass(frozen=True)
class _Answer:
    fields: Mapping[str, str]
    entities: Sequence[Entity]
    summary: str
    milliseconds: float


def read_values(path: Path) -> list[HandValues]:
    """The values in a YAML file.

    Raises:
        FileRefused: it cannot be read, or a value lies on no scale.
    """
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
        return TypeAdapter(list[HandValues]).validate_python(rows)
    except UnicodeDecodeError as error:
        raise FileRefused(f"{path} is not written in UTF-8 (byte {error.start}): save it as UTF-8.") from error
    except (OSError, yaml.YAMLError) as error:
        raise FileRefused(f"{path} cannot be read ({error.__class__.__name__}).") from error
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        raise FileRefused(f"{path}: {place}: {error.errors()[0]['msg']}") from error


def read_tickets(paths: Iterable[Path]) -> dict[str, Ticket]:
    """Tickets by their `id`, from files of JSON lines.

    Raises:
        FileRefused: one cannot be read, or a line is no JSON object.
    """
    tickets: dict[str, Ticket] = {}
    for path in paths:
        try:
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
        except UnicodeDecodeError as error:
            raise FileRefused(f"{path} is not written in UTF-8 (byte {error.start}): save it as UTF-8.") from error
        except (OSError, ValueError) as error:
            raise FileRefused(f"{path} cannot be read ({error.__class__.__name__}).") from error
        if not all(isinstance(row, dict) for row in rows):
            raise FileRefused(f"{path}: every line is to be a JSON object.")
        tickets |= {str(row.get("id")): Ticket(_joined(row, TITLE_FIELDS), _joined(row, TEXT_FIELDS)) for row in rows}
    return tickets


def compare(values: Sequence[HandValues], tickets: Mapping[str, Ticket]) -> Report:
    """The agreement on these values, all tools taken for connected.

    Raises:
        FileRefused: a ticket is not among `tickets`, or there are no values.
    """
    missing = [value.id for value in values if value.id not in tickets]
    if missing or not values:
        raise FileRefused(f"The tickets hold none with id {missing[0]}." if missing else "There are no values.")
    _answer(tickets[values[0].id])  # what is read once is read now
    answers = [_answer(tickets[value.id]) for value in values]
    beginnings = [f"{ticket.title} {ticket.text}"[:MOST_CHARACTERS] for ticket in (tickets[row.id] for row in values)]
    return Report(
        tickets=len(values),
        fields={name: _agreement(name, values, answers) for name in SCALES},
        entities={kind: _found(kind, values, answers) for kind in Kind},
        summary=_told(values, [answer.summary for answer in answers]),
        beginning=_told(values, beginnings),
        milliseconds_median=median(answer.milliseconds for answer in answers),
        milliseconds_most=max(answer.milliseconds for answer in answers),
    )


def _answer(ticket: Ticket) -> _Answer:
    begun = time.process_time()
    reading = read(ticket.title, ticket.text)
    feeling, kind, summary = feel(reading), issue_or_request(reading), summarize(reading)
    entities = find_entities(reading)
    automation = automation_potential(reading, entities, all_tools())
    spent = time.process_time() - begun
    fields = {"kind": kind.kind.value if kind else _CANNOT_TELL, "automation": automation.band.value}
    for name in ("tone", "frustration", "urgency"):
        fields[name] = getattr(feeling, name).value if feeling else _CANNOT_TELL
    fields["sentiment"] = feeling.band.value if feeling else _CANNOT_TELL
    return _Answer(fields, entities, summary.text if summary else "", 1000 * spent)


def _agreement(name: str, values: Sequence[HandValues], answers: Sequence[_Answer]) -> Agreement:
    scale, ordered = SCALES[name]
    steps = [step.value for step in scale]
    written = [str(getattr(value, name)) for value in values]
    pairs = [(own, answer.fields[name]) for own, answer in zip(written, answers, strict=True)]
    told = [(steps.index(own), steps.index(answer)) for own, answer in pairs if answer != _CANNOT_TELL]
    weights: Literal["linear"] | None = "linear" if ordered else None
    varied = len({own for own, _ in told}) > 1
    return Agreement(
        agreed=sum(own == answer for own, answer in pairs) / len(pairs),
        answered=len(told) / len(pairs),
        kappa=float(cohen_kappa_score(*zip(*told, strict=True), weights=weights)) if varied else None,
        commonest=max(written.count(step) for step in steps) / len(written),
    )


def _found(kind: Kind, values: Sequence[HandValues], answers: Sequence[_Answer]) -> Found:
    """A name is found where one of the two stands within the other as whole words, in any case."""
    written = found = others = 0
    for value, answer in zip(values, answers, strict=True):
        own = [fold(name) for name in value.named(kind)]
        told = [fold(entity.text) for entity in answer.entities if entity.kind is kind]
        written += len(own)
        found += sum(any(_alike(name, other) for other in told) for name in own)
        others += sum(not any(_alike(name, other) for other in own) for name in told)
    return Found(written, found, others)


def _alike(one: str, other: str) -> bool:
    return one in other or other in one


def _told(values: Sequence[HandValues], summaries: Sequence[str]) -> Told:
    told = facts = whole = 0
    for value, summary in zip(values, summaries, strict=True):
        words = f" {' '.join(_words(summary))}"
        these = [any(f" {word}" in words for word in one_of) for one_of in value.facts]
        told, facts, whole = told + sum(these), facts + len(these), whole + all(these)
    return Told(told / facts, whole / len(values), float(median(map(len, summaries))))


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()


def _joined(row: Mapping[str, object], fields: Sequence[str]) -> str:
    return "\n".join(value for value in (row.get(field) for field in fields) if isinstance(value, str) and value)
