"""How far the steps of a version are in a conversation in which nothing happens. In memory; follows `agent.steps`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import JsonValue

from agent.models import RunStep
from agent.openings import StepTold
from agent.steps import fits, mentions_of
from agent.turns import in_turn
from runbooks.document import Mention, Step
from runbooks.versions import PublishedVersion
from signals.facts import SignalFacts


@dataclass
class DryStep:
    """One step: what was chosen at it, and which tools went well or were refused for it."""

    written: Step
    answer: str = ""
    passed: bool = False
    well: Counter[str] = field(default_factory=Counter)
    broken: bool = False

    @property
    def mentions(self) -> Sequence[Mention]:
        """What it has to do."""
        return mentions_of(self.written, self.answer)

    @property
    def asks(self) -> bool:
        """Whether it waits for a person's choice."""
        return self.written.kind == "decision" and not self.answer

    def state(self, *, behind: bool) -> str:
        """Its state in the words of `RunStep.State`; `behind` = a later step was begun."""
        if self.passed:
            return "skipped"
        if self.asks:
            return "pending"
        wanted = Counter(mention.tool for mention in self.mentions)
        if not wanted:
            return "done" if self.answer else "passed" if behind else "pending"
        if all(self.well[tool] >= count for tool, count in wanted.items()):
            return "done"
        if self.broken:
            return "failed"
        return "running" if self.well else "pending"


class DrySteps:
    """The steps of one version for one signal."""

    def __init__(self, version: PublishedVersion, *, facts: SignalFacts, inputs: Mapping[str, JsonValue]) -> None:
        self._steps = [DryStep(step) for step in version.document.steps]
        self._facts, self._inputs = facts, inputs

    def told(self) -> dict[int, StepTold]:
        """How far they are, by number, as the model is told."""
        begun = max((step.written.number for step in self._steps if step.well or step.passed or step.answer), default=0)
        return {
            step.written.number: StepTold(step.state(behind=step.written.number < begun), step.answer)
            for step in self._steps
        }

    def of_call(self, tool: str, frozen: Mapping[str, JsonValue]) -> DryStep | None:
        """The step that a call is made for: the first open one that mentions the tool with these arguments."""
        for step in self._open():
            wanted = step.mentions
            fitting = any(fits(mention, tool, frozen, self._facts, self._inputs) for mention in wanted)
            if fitting and step.well[tool] < sum(mention.tool == tool for mention in wanted):
                return step
        return None

    def in_turn(self) -> list[str]:
        """The keys of the steps at which the runbook's own grants count now."""
        return in_turn(
            (step.written.number, step.state(behind=False) in RunStep.OVER, step.asks) for step in self._steps
        )

    def decision(self) -> DryStep | None:
        """The decision whose turn it is; None where something else comes first."""
        for step in self._open():
            if step.asks:
                return step
            if step.mentions:
                return None
        return None

    def answer(self, step: DryStep, option: str) -> None:
        """Choose an option; steps that it passes over are skipped."""
        step.answer = option
        onward = step.written.leads.get(option, 0)
        for other in self._steps:
            if step.written.number < other.written.number < onward:
                other.passed = True

    def stopped(self) -> DryStep | None:
        """The decision at which an answer stopped the run."""
        return next((step for step in self._steps if step.answer in step.written.stops), None)

    def undone(self) -> DryStep | None:
        """The first step with something left to do."""
        return next((step for step in self._open() if step.mentions or step.asks), None)

    def _open(self) -> Iterator[DryStep]:
        return (step for step in self._steps if step.state(behind=False) not in RunStep.OVER)
