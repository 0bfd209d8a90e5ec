"""Where a ticket belongs that came in for nobody in particular: closed, another company's, another board's, or left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar, Final, Literal, Self

from pydantic import Field, JsonValue, model_validator

from integrations.errors import IntegrationError
from signals.processors.base import (
    Abstained,
    Change,
    Guess,
    Lists,
    LiveLists,
    ModelOptions,
    Outcome,
    Phase,
    Processor,
    Producer,
    TicketFacts,
    Value,
    Workbench,
    WriteBackOptions,
    surest,
)
from signals.processors.model import ModelGuesser
from signals.processors.steps import entry

SKIP: Final = "skip"
CLOSE: Final = "close"
COMPANY: Final = "company: "
BOARD: Final = "board: "
SET_STATUS: Final = "set_ticket_status"
MOVE_TO_BOARD: Final = "move_to_board"
#: What the reason begins with of a route that is sure enough, and waits because a person is to say so.
PROPOSED: Final = "Proposed; nothing is done before a person accepts it."
_TASK: Final = (
    "This ticket came in for nobody in particular. Say where it belongs. `company: …` = it is that company's: its"
    " people, domain, sites or systems are named. `board: …` = it belongs to that board. `close` = nobody has to do"
    " anything: advertising, an automatic answer, a delivery notice. `skip` = it stays, or the ticket does not tell."
)


class Route(Value):
    """What is to be done, and the company or board that it is about."""

    action: Literal["close", "move_company", "move_board", "skip"] = Field(title="What to do")
    target: str = Field("", title="Company or board", max_length=120)

    @classmethod
    def of_label(cls, label: str) -> Self:
        """The route that a rule's label means. Raises pydantic.ValidationError where it means none."""
        for prefix, action in ((COMPANY, "move_company"), (BOARD, "move_board")):
            if label.casefold().startswith(prefix.strip()):
                return cls.model_validate({"action": action, "target": label[len(prefix.strip()) :].strip()})
        return cls.model_validate({"action": label.strip().casefold()})

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Route:
        if self.action.startswith("move") and not self.target.strip():
            raise ValueError("Say which company or board it goes to.")
        return self

    def words(self) -> str:
        """As one says it."""
        if self.action == "move_company":
            return f"Move to {self.target}"
        if self.action == "move_board":
            return f"Move to the board {self.target}"
        return "Close it" if self.action == "close" else "Leave it where it is"

    def key(self) -> str:
        """What is to be done, and where to; capitals aside."""
        return f"{self.action} {self.target.casefold()}".strip()


class RouterOptions(WriteBackOptions, ModelOptions):
    """Of which tickets, where they may go, and what of it needs no person."""

    confidence: float = Field(
        0.95, ge=0, le=1, title="Confidence", description="Below this the ticket waits for review as not sure."
    )
    companies: tuple[str, ...] = Field(
        (),
        title="Catchall companies",
        description='Names, parted by commas; one that has a comma stands in “"”. Only their tickets are read, and'
        " those of no known company.",
        max_length=50,
    )
    closed_status: str = Field(
        "",
        title="Closed status",
        description="The PSA’s status for what nobody has to do anything about. Empty: nothing is to be closed.",
        max_length=80,
    )
    board_descriptions: str = Field(
        "",
        title="Board descriptions",
        description="One a line: a board’s name, a colon, what belongs there. It proposes no other boards.",
        max_length=4000,
    )
    write_back: bool = Field(
        False,
        title="Close and move to a board without a person",
        description="What your rules say of a ticket that nobody owns, under a standing approval that whoever saves"
        " this answers for. Another company always waits for a person.",
    )
    by_model: bool = Field(
        False,
        title="So too where the language model says it",
        description="A ticket’s text may try to talk a model into closing it.",
    )

    def boards(self) -> Mapping[str, str]:
        """What belongs on each board that was described, by its name in small letters."""
        parted = (line.partition(":") for line in self.board_descriptions.splitlines())
        return {name.strip().casefold(): says.strip() for name, _, says in parted if name.strip()}

    def described(self) -> list[str]:
        """The names of those boards, as they were written."""
        return [name for line in self.board_descriptions.splitlines() if (name := line.partition(":")[0].strip())]

    def catchall(self) -> set[str]:
        """The catchall companies in small letters."""
        return {name.strip().casefold() for name in self.companies if name.strip()}


class RouterProcessor(Processor[Route, RouterOptions]):
    """Rules, then the sender's address among the contacts, then a language model. It proposes; a person accepts."""

    slug: ClassVar = "router"
    label: ClassVar = "Catchall router"
    noun: ClassVar = "Belongs"
    description: ClassVar = "Proposes where a ticket belongs that came in for a catchall company, or for no known one."
    phase: ClassVar = Phase.ROUTING
    on_by_default: ClassVar = False
    takes_rules: ClassVar = True
    rule_hint: ClassVar = "A rule gives “close”, “skip”, “company: its name” or “board: its name”."
    decisive: ClassVar = True
    lists: ClassVar = Lists.BOARDS
    writes: ClassVar = (SET_STATUS, MOVE_TO_BOARD)
    thresholds: ClassVar = ("confidence", "confidence")
    value_type = Route
    options_type = RouterOptions

    def run(self, facts: TicketFacts, options: RouterOptions, bench: Workbench) -> Outcome[Route] | Abstained[Route]:
        """To leave it needs nobody's word. The rest waits for a person, but for what the Admin answers for."""
        if facts.company and facts.company.casefold() not in options.catchall():
            return Abstained(reason=f"{facts.company} is no catchall company.")
        places = places_now(bench.labels(), bench.lists)
        allowed = _allowed(facts, options, places)
        guess, sure = self._guess(facts, options, bench, allowed)
        if guess is None:
            return Abstained(reason="No rule holds, and nothing tells where it belongs.")
        value = self.value_of_label(guess.label)
        if self.label_of(value).casefold() not in {label.casefold() for label in allowed}:
            return self._nowhere(guess, options, places)
        outcome = Outcome(
            value=value,
            confidence=guess.confidence,
            reason=guess.reason,
            producer=guess.producer,
            model=guess.model,
            microcents=guess.microcents,
        )
        if outcome.value.action == "skip":
            return outcome if sure else Abstained(reason="Nothing tells surely enough where it belongs.")
        if sure and self._needs_nobody(outcome, facts, options, bench.lists):
            return outcome
        return Abstained(
            reason=PROPOSED if sure else f"Not sure enough (below {options.confidence:.2f}).", nearest=outcome
        )

    def _nowhere(self, guess: Guess, options: RouterOptions, places: Collection[str]) -> Abstained[Route]:
        """It is there already; or a rule names what is not there, which only an Admin can mend."""
        why = why_impossible(self.value_of_label(guess.label), options, places)
        if not why or guess.producer is not Producer.RULE:
            return Abstained(reason=f"“{guess.label}” is no place that this ticket may go to.")
        return Abstained(reason=f"{guess.reason} It gives “{guess.label}”. {why}", unusable=True)

    def _needs_nobody(
        self, outcome: Outcome[Route], facts: TicketFacts, options: RouterOptions, lists: LiveLists | None
    ) -> bool:
        """Whether the Admin answers for just this: the ticket is a catchall company's, and nobody's work yet."""
        if not options.write_back or not facts.company or facts.assignee:
            return False
        if outcome.producer is not Producer.RULE and not options.by_model:
            return False
        try:
            return self.change(outcome.value, facts, lists or LiveLists(), options) is not None
        except IntegrationError:  # then a person is asked
            return False

    def _guess(
        self, facts: TicketFacts, options: RouterOptions, bench: Workbench, allowed: Sequence[str]
    ) -> tuple[Guess | None, bool]:
        described = "\n".join(f"board: {name}: {says}" for name, says in options.boards().items())
        task = f"{_TASK}\nWhat belongs on the boards:\n{described}" if described else _TASK
        return surest([*bench.guessers, ModelGuesser(bench.model, task, lambda: allowed)], facts, options.confidence)

    def label_of(self, value: Route) -> str:
        """`close`, `skip`, `company: NAME` or `board: NAME`."""
        prefix = {"move_company": COMPANY, "move_board": BOARD}.get(value.action)
        return f"{prefix}{value.target}" if prefix else value.action

    def value_of_label(self, label: str) -> Route:
        """The route of a label."""
        return Route.of_label(label)

    def not_in(self, lists: LiveLists, value: Route) -> str:
        """Where the source has no such board."""
        if value.action != "move_board" or lists.boards is None or lists.boards.named(value.target):
            return ""
        return f"The PSA has no board {value.target} (any more). Choose one of those it has."

    def change(self, value: Route, facts: TicketFacts, lists: LiveLists, options: RouterOptions) -> Change | None:
        """The closed status, or the other board with the status that new tickets have there; never a company."""
        if lists.boards is None:
            return None
        if value.action == "close":
            here = lists.boards.named(facts.board)
            status = here.closing(options.closed_status) if here else None
            if status is None or status.name == facts.status:
                return None
            return Change(tool=SET_STATUS, arguments={"status_id": entry(status)}, expects={"status": facts.status})
        there = lists.boards.named(value.target) if value.action == "move_board" else None
        opening = there.opening() if there else None
        if there is None or opening is None or there.name.casefold() == facts.board.casefold():
            return None
        arguments = {"board_id": entry(there), "status_id": entry(opening)}
        return Change(tool=MOVE_TO_BOARD, arguments=arguments, expects={"board": facts.board})

    def grantable(self, tool: str, lists: LiveLists, options: RouterOptions) -> Mapping[str, Sequence[JsonValue]]:
        """The closed status of that board; the boards that were described, with the status of new tickets there."""
        if lists.boards is None:
            return {}
        if tool == SET_STATUS:
            here = lists.boards.named(lists.board)
            status = here.closing(options.closed_status) if here else None
            return {"status_id": [entry(status)]} if status else {}
        found = [board for name in options.boards() if (board := lists.boards.named(name))]
        places = [(entry(board), entry(status)) for board in found if (status := board.opening())]
        return {"board_id": [board for board, _ in places], "status_id": [status for _, status in places]}

    def grant_limits(self, options: RouterOptions) -> Mapping[str, Sequence[JsonValue]]:
        """Tickets of the catchall companies that nobody owns, and what rules say unless the model may too."""
        said_by = [Producer.RULE, *((Producer.MODEL,) if options.by_model else ())]
        return {
            "ticket.company": sorted(options.catchall()),
            "ticket.assignee": [""],
            "producer": [each.value for each in said_by],
        }

    def grant_words(self, tool: str, options: RouterOptions) -> str:
        """Whose word it takes, and what becomes of which tickets."""
        says = "where a rule or the language model says so" if options.by_model else "where a rule says so"
        where_to = f"to {', '.join(options.described())}"
        does = f"set them to {options.closed_status}" if tool == SET_STATUS else f"move them {where_to}"
        return f"{does}, {says}, if they are of {', '.join(options.companies)} and nobody owns them"


def places_now(known: Sequence[str], lists: LiveLists | None) -> list[str]:
    """The companies and boards there are, as labels: boards as the source has them now, else those that are known."""
    if lists is None or lists.boards is None:
        return list(known)
    try:
        boards = [f"{BOARD}{name}" for name in lists.boards.names()]
    except IntegrationError:
        return list(known)
    return [*boards, *(label for label in known if not label.startswith(BOARD))]


def why_impossible(value: Route, options: RouterOptions, places: Collection[str]) -> str:
    """Why no ticket goes the way that a rule names, and what to do about it; empty where some may."""
    name, there = value.target.casefold(), {place.casefold() for place in places}
    if value.action == "close" and not options.closed_status.strip():
        return "No closed status is set: name one under Options first."
    if value.action == "move_company" and f"{COMPANY}{name}" not in there:
        return f"There is no company “{value.target}” that you work for: write it as Companies shows it."
    if value.action == "move_company" and name in options.catchall():
        return f"{value.target} is a catchall company: tickets leave it, none goes there."
    if value.action == "move_board" and f"{BOARD}{name}" not in there:
        return f"The PSA has no board “{value.target}” (any more): write it as the PSA shows it."
    if value.action == "move_board" and name not in options.boards():
        return f"“{value.target}” is not among the Board descriptions: say there first what belongs on it."
    return ""


def _allowed(facts: TicketFacts, options: RouterOptions, places: Sequence[str]) -> list[str]:
    """What may be proposed for this ticket now, as it stands among the organization's companies and boards."""
    described, catchall = options.boards(), options.catchall()
    found = [SKIP, *([CLOSE] if options.closed_status.strip() else [])]
    for place in places:
        name = place.partition(": ")[2].casefold()
        is_company = place.startswith(COMPANY) and name not in catchall
        is_board = place.startswith(BOARD) and name in described and name != facts.board.casefold()
        if is_company or is_board:
            found.append(place)
    return found
