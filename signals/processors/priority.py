"""How urgent a ticket is: one of the priorities that the PSA has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from pydantic import Field, JsonValue

from signals.processors.base import (
    Abstained,
    Change,
    Lists,
    LiveLists,
    ModelOptions,
    Outcome,
    Phase,
    Processor,
    Step,
    TicketFacts,
    Value,
    Workbench,
    WriteBackOptions,
    surest,
)
from signals.processors.model import ModelGuesser
from signals.processors.steps import entry, named

_TASK: Final = "Say how urgent this ticket is for the client: which of the listed priorities it has."


class Priority(Value):
    """A priority by its name."""

    priority: str = Field(title="Priority", min_length=1, max_length=80)

    def words(self) -> str:
        """The name."""
        return self.priority

    def key(self) -> str:
        """The name, capitals aside."""
        return self.priority.casefold()


class PriorityOptions(WriteBackOptions, ModelOptions):
    """How sure it must be, and what it keeps its hands off."""

    certainty: float = Field(
        0.70, ge=0, le=1, title="Certainty", description="Below this nothing is said, and the ticket waits for review."
    )
    change_certainty: float = Field(
        0.85, ge=0, le=1, title="Certainty to change", description="A priority that a ticket has takes more to change."
    )
    locked: tuple[str, ...] = Field(
        (), title="Locked priorities", description="A ticket that has one keeps it.", max_length=500
    )
    instructions: str = Field(
        "", title="Instructions", max_length=2000, description="For the language model: when to choose which."
    )


class PriorityProcessor(Processor[Priority, PriorityOptions]):
    """Rules, then what was learned from closed tickets and corrections."""

    slug: ClassVar = "priority"
    label: ClassVar = "Priority"
    description: ClassVar = "Gives a ticket one of the PSA’s priorities."
    phase: ClassVar = Phase.ENRICHMENT
    on_by_default: ClassVar = False
    takes_rules: ClassVar = True
    learns: ClassVar = True
    steps: ClassVar = ("priority",)
    lists: ClassVar = Lists.PRIORITIES
    writes: ClassVar = ("classify_ticket",)
    fields: ClassVar = ("priority",)
    names_of_list: ClassVar = ("locked",)
    thresholds: ClassVar = ("certainty", "change_certainty")
    value_type = Priority
    options_type = PriorityOptions

    def run(
        self, facts: TicketFacts, options: PriorityOptions, bench: Workbench
    ) -> Outcome[Priority] | Abstained[Priority]:
        """The first producer that is sure enough answers."""
        names = [each.name for each in (bench.lists or LiveLists()).priorities]
        if not names:
            return Abstained(reason="The PSA has no priorities to choose from.")
        if facts.priority.casefold() in {each.casefold() for each in options.locked}:
            return Abstained(reason=f"{facts.priority} is locked: such tickets keep it.")
        said = bench.standing.priority if isinstance(bench.standing, Priority) else ""
        held = facts.priority or said
        step = Step(name="priority", allowed=names)
        task = f"{_TASK} {options.instructions}".strip()
        model = ModelGuesser(bench.model, task, lambda: names)
        guess, sure = surest(
            [*bench.of_step(step), model], facts, options.certainty, standing=held, change=options.change_certainty
        )
        if guess is None or guess.label not in names:
            return Abstained(reason="No rule holds, and nothing was learned that fits the PSA’s priorities.")
        outcome = Outcome(
            value=self.value_of_label(guess.label),
            confidence=guess.confidence,
            reason=guess.reason,
            producer=guess.producer,
            model=guess.model,
            microcents=guess.microcents,
        )
        if sure:
            return outcome
        if not held:
            return Abstained(reason=f"Not sure enough (below {options.certainty:.2f}).", nearest=outcome)
        reason = f"Not sure enough to change {held} (below {max(options.certainty, options.change_certainty):.2f})."
        return Abstained(reason=reason, nearest=outcome if guess.confidence >= options.certainty else None)

    def label_of(self, value: Priority) -> str:
        """The name."""
        return value.priority

    def value_of_label(self, label: str) -> Priority:
        """The priority."""
        return Priority(priority=label)

    def label_of_types(self, type_name: str, subtype: str, item: str, priority: str) -> str:
        """The priority that the ticket was closed with."""
        return priority.strip()

    def change(self, value: Priority, facts: TicketFacts, lists: LiveLists, options: PriorityOptions) -> Change | None:
        """The priority, where it is another than the ticket's."""
        choice = named(lists.priorities, value.priority)
        if choice is None or value.priority.casefold() == facts.priority.casefold():
            return None
        return Change(
            tool=self.writes[0], arguments={"priority_id": entry(choice)}, expects={"priority": facts.priority}
        )

    def grantable(self, tool: str, lists: LiveLists, options: PriorityOptions) -> Mapping[str, Sequence[JsonValue]]:
        """All there are."""
        return {"priority_id": [entry(each) for each in lists.priorities]}

    def choices(self, lists: LiveLists) -> Mapping[str, Sequence[str]]:
        """All there are."""
        return {"priority": [each.name for each in lists.priorities]}

    def not_in(self, lists: LiveLists, value: Priority) -> str:
        """Where the PSA has none of this name."""
        return "" if named(lists.priorities, value.priority) else f"There is no priority {value.priority}."
