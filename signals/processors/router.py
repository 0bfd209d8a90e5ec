"""Where a ticket belongs that came in for nobody in particular: closed, another company's, another board's, or left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final, Literal

from pydantic import Field

from signals.processors.base import (
    Abstained,
    Guess,
    ModelOptions,
    Outcome,
    Phase,
    Processor,
    TicketFacts,
    Value,
    Workbench,
    surest,
)
from signals.processors.model import ModelGuesser

SKIP: Final = "skip"
CLOSE: Final = "close"
COMPANY: Final = "company: "
BOARD: Final = "board: "
_TASK: Final = (
    "This ticket came in for nobody in particular. Say where it belongs. `company: …` = it is that company's: its"
    " people, domain, sites or systems are named. `board: …` = it belongs to that board. `close` = nobody has to do"
    " anything: advertising, an automatic answer, a delivery notice. `skip` = it stays, or the ticket does not tell."
)


class Route(Value):
    """What is to be done, and the company or board that it is about."""

    action: Literal["close", "move_company", "move_board", "skip"] = Field(title="What to do")
    target: str = Field("", title="Company or board", max_length=120)

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


class RouterOptions(ModelOptions):
    """Of which tickets, and where they may go."""

    confidence: float = Field(
        0.95, ge=0, le=1, title="Confidence", description="Below this the ticket waits for review as not sure."
    )
    companies: tuple[str, ...] = Field(
        (),
        title="Catchall companies",
        description="Names, parted by commas. Only their tickets are read, and those of no known company.",
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
        description="One a line: a board’s name, a colon, what belongs there. Nothing is moved to other boards.",
        max_length=4000,
    )

    def boards(self) -> Mapping[str, str]:
        """What belongs on each board that was described, by its name in small letters."""
        parted = (line.partition(":") for line in self.board_descriptions.splitlines())
        return {name.strip().casefold(): says.strip() for name, _, says in parted if name.strip()}


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
    value_type = Route
    options_type = RouterOptions

    def run(self, facts: TicketFacts, options: RouterOptions, bench: Workbench) -> Outcome[Route] | Abstained[Route]:
        """What is to be done is never done by itself: it waits for a person. Only to leave it needs nobody's word."""
        catchall = {name.casefold() for name in options.companies}
        if facts.company and facts.company.casefold() not in catchall:
            return Abstained(reason=f"{facts.company} is no catchall company.")
        allowed = _allowed(facts, options, bench.labels(), catchall)
        guess, sure = self._guess(facts, options, bench, allowed)
        if guess is None:
            return Abstained(reason="No rule holds, and nothing tells where it belongs.")
        if guess.label.casefold() not in {label.casefold() for label in allowed}:
            return Abstained(reason=f"“{guess.label}” is no place that a ticket of it may go to.")
        outcome = Outcome(
            value=self.value_of_label(guess.label),
            confidence=guess.confidence,
            reason=guess.reason,
            producer=guess.producer,
            model=guess.model,
            microcents=guess.microcents,
        )
        if outcome.value.action == "skip":
            return outcome if sure else Abstained(reason="Nothing tells surely enough where it belongs.")
        proposed = "Proposed; nothing is done before a person accepts it."
        return Abstained(
            reason=proposed if sure else f"Not sure enough (below {options.confidence:.2f}).", nearest=outcome
        )

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
        for prefix, action in ((COMPANY, "move_company"), (BOARD, "move_board")):
            if label.casefold().startswith(prefix):
                return Route.model_validate({"action": action, "target": label[len(prefix) :].strip()})
        return Route.model_validate({"action": label.strip().casefold()})


def _allowed(facts: TicketFacts, options: RouterOptions, places: Sequence[str], catchall: set[str]) -> list[str]:
    """What may be proposed for this ticket now, as it stands among the organization's companies and boards."""
    described = options.boards()
    found = [SKIP, *([CLOSE] if options.closed_status else [])]
    for place in places:
        name = place.partition(": ")[2].casefold()
        is_company = place.startswith(COMPANY) and name not in catchall
        is_board = place.startswith(BOARD) and name in described and name != facts.board.casefold()
        if is_company or is_board:
            found.append(place)
    return found
