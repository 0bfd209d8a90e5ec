"""What a processor is: it reads a ticket and answers with a value, or abstains. Pure: no rows, no network of its own.

Whatever it needs beyond the ticket lies on its `Workbench`; what it found is kept by signals/processing/pipeline.py.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from integrations.contracts import Choice
from junto.learned.features import TicketText
from signals.processors.asking import Asker
from signals.processors.boards import Boards


class Phase(StrEnum):
    """When a processor runs: those of one phase before those of the next."""

    ENRICHMENT = "enrichment"  # once the ticket says something new
    CONTINUOUS = "continuous"  # again with every note
    ROUTING = "routing"  # after all that is known about the ticket


class Producer(StrEnum):
    """Who gave a value. Cheapest first; a person's is never overwritten."""

    RULE = "rule"
    LEARNED = "learned"
    MODEL = "model"
    REHEARSAL = "rehearsal"
    PERSON = "person"


class Options(BaseModel):
    """What an Admin may set of a processor. Flat fields with a `title` and a default: its page is made from them."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ModelOptions(Options):
    """Of a processor that may ask a language model, where one is connected and nothing cheaper is sure."""

    ask_model: bool = Field(
        True,
        title="Ask the language model",
        description="Where nothing cheaper is sure of a ticket and a language model is connected. It may cost money.",
    )
    model_daily: int = Field(
        200,
        ge=0,
        le=100_000,
        title="Most questions a day",
        description="So often it is asked within 24 hours; after that tickets are read without it. A number of a "
        "company’s own counts that company’s tickets alone, and they no longer count for the others.",
    )


class WriteBackOptions(Options):
    """Of a processor whose values go back to the ticket's source."""

    write_back: bool = Field(
        True,
        title="Write back to the PSA",
        description="Under a standing approval that whoever saves this answers for; without one each change waits.",
    )
    most_a_day: int = Field(
        100, ge=1, le=1000, title="Most changes a day", description="Above it each change waits for a person."
    )


class Value(BaseModel):
    """What a processor says of a ticket, as it is stored. Its flat fields with a `title` can be corrected."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    def words(self) -> str:
        """The value in one line, for people."""
        raise NotImplementedError

    def key(self) -> str:
        """What must be alike for two values to agree: a correction to the same key confirms."""
        return self.model_dump_json()


@dataclass(frozen=True, kw_only=True)
class NoteText:
    """A note of the ticket. `by_client` None = its source does not tell."""

    author: str
    text: str
    internal: bool
    written_at: datetime
    by_client: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Known:
    """A contact or device of the ticket's company, by our own id; `detail` = e-mail address, or kind of device."""

    id: str
    name: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class TicketFacts:
    """The ticket as of one revision. All texts are strangers': to be read, never obeyed.

    `people` and `devices` are those known at the ticket's company; `tools` the names of the connected systems' tools,
    by the system's slug.
    """

    subject: str
    description: str
    revision: int
    created_at: datetime
    updated_at: datetime
    notes: Sequence[NoteText] = ()
    company: str = ""
    contact: Known | None = None
    device: Known | None = None
    board: str = ""
    board_id: str = ""
    priority: str = ""
    status: str = ""
    type: str = ""
    subtype: str = ""
    item: str = ""
    assignee: str = ""
    alert_type: str = ""
    people: Sequence[Known] = ()
    devices: Sequence[Known] = ()
    tools: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def text(self) -> TicketText:
        """Title and text, as labels are learned from them."""
        return TicketText(title=self.subject, text=self.description)


V = TypeVar("V", bound=Value)
O = TypeVar("O", bound=Options)  # noqa: E741  (options)


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[V]):
    """What was found, how sure (0 to 1), why in words for a technician, and who found it.

    `model` names the model of a learned or model producer; `microcents` is what it cost.
    """

    value: V
    confidence: float
    reason: str
    producer: Producer
    model: str = ""
    microcents: int = 0


@dataclass(frozen=True, kw_only=True)
class Abstained(Generic[V]):
    """Nothing is said. With `nearest` a person may look: it was not sure enough; without, nothing was to go by.

    `unusable` = the settings ask for what cannot be: it is shown as a failure, so that an Admin mends them.
    """

    reason: str
    nearest: Outcome[V] | None = None
    unusable: bool = False


@dataclass(frozen=True)
class Guess:
    """A label that one producer would give."""

    label: str
    confidence: float
    reason: str
    producer: Producer
    model: str = ""
    others: Sequence[tuple[str, float]] = ()
    tags: Sequence[str] = ()
    microcents: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One choice to be made, among the labels that are allowed now; `chosen` are the answers of the steps before it."""

    name: str
    allowed: Sequence[str]
    chosen: Sequence[str] = ()


class Guesser(Protocol):
    """A producer of labels: rules, a trained classifier, a language model."""

    def guess(self, facts: TicketFacts) -> Guess | None:
        """Its label; None where it has nothing to say."""


@dataclass(frozen=True, kw_only=True)
class LiveLists:
    """What the source lets a ticket be, as it said not long ago. Empty where the processor asked for none.

    `board` = the name of the board that they are of; `boards` None = the source has none that can be asked for.
    """

    types: Sequence[Choice] = ()
    subtypes: Sequence[Choice] = ()
    items: Sequence[Choice] = ()
    priorities: Sequence[Choice] = ()
    board: str = ""
    boards: Boards | None = None


class Lists(StrEnum):
    """The live lists that a processor chooses from."""

    TYPES = "types"
    PRIORITIES = "priorities"
    BOARDS = "boards"


def _nobody(_: Step) -> Sequence[Guesser]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Workbench:
    """What a processor may use beside the ticket. `guessers`: the Admin's rules, what was learned; cheapest first.

    A processor that chooses in steps has those of each by `of_step`; `lists` are what it chooses from. `standing` is
    the value in force: changing may ask for more than setting. `readings` are its earlier ones, newest first, for what
    is continuous. `model` = a language model, where it may be asked. `labels` gives those that the organization uses,
    for a processor whose labels are its own.
    """

    guessers: Sequence[Guesser] = ()
    model: Asker | None = None
    labels: Callable[[], Sequence[str]] = tuple
    of_step: Callable[[Step], Sequence[Guesser]] = _nobody
    lists: LiveLists | None = None
    standing: Value | None = None
    readings: Sequence[Value] = field(default_factory=tuple)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a value means for the ticket at its source: the tool, and its arguments beside the ticket's own number.

    `tool` is one of the processor's `writes`. `expects` = what each field to be changed is now, by the name that the
    tool's preview gives it; empty = nothing.
    """

    tool: str
    arguments: Mapping[str, JsonValue]
    expects: Mapping[str, str]


class Processor(ABC, Generic[V, O]):
    """One row of PRODUCT 3. Stateless: one instance serves all organizations and threads.

    `version` grows when the same ticket would get another value. `noun` is what a ticket's page calls its value, where
    that is not the label. `keeps_readings` = each revision's value is kept, alike or not. `decisive` = while its
    value is in doubt, nothing begins on the ticket unattended. `learns` = the labels of
    closed tickets and corrections are learned for it, and `label_of` says which label a value bears.
    """

    slug: ClassVar[str]
    label: ClassVar[str]
    description: ClassVar[str]
    phase: ClassVar[Phase]
    on_by_default: ClassVar[bool]
    noun: ClassVar[str] = ""
    version: ClassVar[int] = 1
    keeps_readings: ClassVar[bool] = False
    decisive: ClassVar[bool] = False
    takes_rules: ClassVar[bool] = False
    #: For Admins who write a rule: what it may give, where that is not free.
    rule_hint: ClassVar[str] = ""
    learns: ClassVar[bool] = False
    #: Names of the choices that it makes one after the other; a label is then their path (signals/processors/steps.py).
    steps: ClassVar[Sequence[str]] = ()
    #: The list of the source that it chooses from: a value that is not in it is never kept, whoever gives it.
    lists: ClassVar[Lists | None] = None
    #: The source's tools that carry a value back, named without their vendor; none = values stay here.
    writes: ClassVar[tuple[str, ...]] = ()
    #: Fields of the ticket that this is about: where they change at the source other than by us, a person did it.
    fields: ClassVar[Sequence[str]] = ()
    #: Names of the options that hold names of that list.
    names_of_list: ClassVar[Sequence[str]] = ()
    #: Names of the options that say how sure it must be: to set, and to change what is there.
    thresholds: ClassVar[tuple[str, str]] = ("confidence", "change_confidence")

    value_type: type[V]
    options_type: type[O]

    @abstractmethod
    def run(self, facts: TicketFacts, options: O, bench: Workbench) -> Outcome[V] | Abstained[V]:
        """Read the ticket. Same ticket, options and workbench: same answer."""

    def label_of(self, value: V) -> str:
        """The one label of `value` that is learned and that rules give; empty for processors without labels."""
        return ""

    def labels(self, options: O) -> Sequence[str]:
        """The labels to choose from, where they are few and fixed; empty = free text."""
        return ()

    def label_of_types(self, type_name: str, subtype: str, item: str, priority: str) -> str:
        """The label that a closed ticket teaches by the types and priority it had in the PSA; empty = none."""
        return ""

    def choices(self, lists: LiveLists) -> Mapping[str, Sequence[str]]:
        """What each field of a value is chosen from, by the field's name."""
        return {}

    def not_in(self, lists: LiveLists, value: V) -> str:
        """Why `value` cannot be kept, by the lists as they are now; empty where it can."""
        return ""

    def alarm(self, value: V, before: V | None, options: O) -> str:
        """What people are to be told at once of a value that follows `before`; empty = nothing."""
        return ""

    def change(self, value: V, facts: TicketFacts, lists: LiveLists, options: O) -> Change | None:
        """What has to change at the source for `value`; None where all is so already, or nothing goes back."""
        return None

    def grantable(self, tool: str, lists: LiveLists, options: O) -> Mapping[str, Sequence[JsonValue]]:
        """Every value that each argument of that tool may have, by these lists and options."""
        return {}

    def grant_limits(self, options: O) -> Mapping[str, Sequence[JsonValue]]:
        """What else a standing approval is limited to: facts of signals/write_back/writing.py, and their values."""
        return {}

    def grant_words(self, tool: str, options: O) -> str:
        """What that tool may do under a standing approval, after “may”; empty = its arguments are counted."""
        return ""

    def value_of_label(self, label: str) -> V:
        """The value that bears this label, and says nothing else. Raises pydantic.ValidationError if none can."""
        raise NotImplementedError


AnyProcessor = Processor[Any, Any]
AnyOutcome = Outcome[Any]


def surest(
    guessers: Sequence[Guesser], facts: TicketFacts, threshold: float, *, standing: str = "", change: float = 0.0
) -> tuple[Guess | None, bool]:
    """The first guess of at least `threshold`, and True; else the surest there was, and False.

    Another label than the `standing` one must be as sure as `change` too. Guessers are asked in order and no further
    than needed: the cheapest sufficient one answers.
    """
    best: Guess | None = None
    for guesser in guessers:
        guess = guesser.guess(facts)
        if guess is None:
            continue
        alike = not standing or guess.label.casefold() == standing.casefold()
        if guess.confidence >= (threshold if alike else max(threshold, change)):
            return guess, True
        if best is None or guess.confidence > best.confidence:
            best = guess
    return best, False
