"""A conversation with a model in which nothing leaves: look-ups come from recordings, changes are judged and not made.

There is no action row, no warrant and no vendor's client in it, so that whatever the model asks for, nothing can leave
(TRUST I1). It asks no model itself either: the caller hands the replies in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from pydantic import JsonValue

from agent.dry_steps import DryStep, DrySteps
from agent.events import CallRefused, Event, ModelReplied, PersonDirected, RequestedCall
from agent.lanes import LaneCall, LaneResult, Verdict
from agent.offering import FIND_TOOLS, Wants, found_tools, names_found, tool_specs
from agent.openings import StepTold
from agent.recordings import Recording
from agent.transcript import ActionView, rebuild
from agent.turns import step_key
from approvals.budgets import MAX_CALLS, MAX_CALLS_AT_ONCE, MAX_COST_MICROCENTS, MAX_STEPS, MAX_TOKENS, MAX_WRITES
from approvals.policy import Allow, Ask, GrantRule, OriginMode, PolicyRule, Proposal, Refuse, ToolFacts, evaluate
from integrations.errors import InvalidArguments
from integrations.llm.chat import ChatMessage, ModelReply, ToolSpec
from integrations.llm.strict import JsonRefused, strict_json
from integrations.tools import AnyTool
from junto.canonical import NotCanonical, digest
from junto.tenants.models import Company
from runbooks.values import with_inputs
from runbooks.versions import PublishedVersion
from signals.facts import SignalFacts

#: What the model is told of a look-up that was never made.
NOT_KNOWN: Final = "Not known: this is a replay, and nobody ever looked this up. Go on without it."
#: What the model is told of a change, so that it goes on as if it had been made.
REPLAYED: Final[Mapping[str, JsonValue]] = {"replayed": True}
#: Characters kept of a reply, of one call's arguments and of its tool's name.
MOST_TEXT, MOST_ARGUMENTS, MOST_NAME = 20_000, 60_000, 120
#: Replies in a row that may break off.
MOST_ABORTED = 2


@dataclass(frozen=True)
class Answered:
    """A person, and what they chose at a decision in the past run."""

    membership_id: UUID
    name: str
    role: str
    option: str


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Everything a dry run stands on. `answers` = choices of the past run, by question; `asker` started the replay.

    `recorded` finds the answer to a look-up by tool and digest of its arguments; `opening` makes the first messages.
    """

    version: PublishedVersion
    facts: SignalFacts
    known: Mapping[str, JsonValue]
    inputs: Mapping[str, JsonValue]
    tools: Mapping[str, AnyTool]
    mode: OriginMode
    company: Company
    policies: Sequence[PolicyRule]
    grants: Sequence[GrantRule]
    answers: Mapping[str, Answered]
    asker: Answered
    needs_two: Callable[[AnyTool], bool]
    recorded: Callable[[str, str], Recording | None]
    opening: Callable[[Mapping[int, StepTold]], list[ChatMessage]]


class DryRun:
    """One lane. Ask the model for a reply to `messages()` and give it to `take`, until `is_over`."""

    def __init__(self, ground: Ground) -> None:
        self.company = ground.company
        self.result = LaneResult()
        self._ground = ground
        self._steps = DrySteps(ground.version, facts=ground.facts, inputs=ground.inputs)
        self._events: list[Event] = []
        self._views: dict[str, ActionView] = {}
        self._used: Counter[str] = Counter()
        self._aborted = 0
        self._assumed: list[str] = []

    @property
    def is_over(self) -> bool:
        """Whether the model is not asked any more."""
        return bool(self.result.end)

    @property
    def specs(self) -> list[ToolSpec]:
        """The tools that the model is shown, chosen as a session chooses them."""
        ground, views = self._ground, self._views.values()
        found = names_found(view.result for view in views if view.tool == FIND_TOOLS)
        wants = Wants(
            ticket=f"{ground.facts.subject}\n{ground.facts.description}",
            remarks=[event.text for event in self._events if isinstance(event, PersonDirected)],
            named=found | frozenset(ground.version.document.tools) | frozenset(view.tool for view in views),
        )
        return tool_specs(ground.tools, wants)

    def messages(self) -> list[ChatMessage]:
        """The whole request, made as that of a session is."""
        return [*self._ground.opening(self._steps.told()), *rebuild(self._events, self._views)]

    def end(self, words: str) -> None:
        """Let it be over, for this reason."""
        assumed = f" Nobody chose in the past, so assumed: {', '.join(self._assumed)}." if self._assumed else ""
        self.result.end = f"{words}{assumed}"[:300] if words else ""

    def take(self, reply: ModelReply, *, cost_microcents: int) -> None:
        """Take up a reply: judge what it asks for, and work out whether the lane goes on."""
        result = self.result
        result.answers += 1
        result.tokens_in += reply.tokens_in
        result.tokens_out += reply.tokens_out
        result.cost_microcents += cost_microcents
        text = reply.text.replace("\x00", "")[:MOST_TEXT]
        result.words = text or result.words
        number = len(self._events) + 1
        calls = tuple(
            _requested(f"{number}.{position}", call.name, call.arguments_text)
            for position, call in enumerate(reply.tool_calls[:MAX_CALLS_AT_ONCE], start=1)
        )
        self._events.append(
            ModelReplied(
                text=text,
                calls=calls,
                model=reply.model,
                tokens_in=reply.tokens_in,
                tokens_out=reply.tokens_out,
                aborted=reply.aborted,
                left_out=max(0, len(reply.tool_calls) - MAX_CALLS_AT_ONCE),
            )
        )
        for call in calls:
            self._answer(call)
        self._aborted = self._aborted + 1 if reply.aborted else 0
        if self._aborted >= MOST_ABORTED:
            self.end("The model's answer broke off twice.")
        elif not calls and not reply.aborted:
            self._rest()
        if not self.is_over:
            self.end(self._spent())

    def _rest(self) -> None:
        """The model has nothing more to ask for: the person's turn at a decision, else the end."""
        decision = self._steps.decision()
        if decision is not None:
            self._decide(decision)
            return
        undone, stopped = self._steps.undone(), self._steps.stopped()
        if undone is None and stopped is not None:
            self.end(f"Stopped at step {stopped.written.label} with the answer “{stopped.answer}”.")
        elif undone is None:
            self.end("Went through all its steps.")
        else:
            self.end(f"Ended before step {undone.written.label}, “{undone.written.title}”, was done.")

    def _decide(self, step: DryStep) -> None:
        """Go on with what a person chose in the past run; where nobody did, with the first option, and say so."""
        written = step.written
        answered = self._ground.answers.get(with_inputs(written.title, self._ground.inputs)[:200])
        option = next((each for each in written.options if answered and each[:300] == answered.option), None)
        if answered is None or option is None:
            if not written.options:
                self.end(f"Step {written.label} asks a person and names no answer.")
                return
            answered, option = self._ground.asker, written.options[0]
            self._assumed.append(f"“{option[:60]}” at step {written.label}")
        self._steps.answer(step, option)
        self._events.append(
            PersonDirected(
                membership_id=answered.membership_id,
                name=answered.name,
                role=answered.role,
                deed="answer",
                step=written.number,
                text=f"{answered.name} chose “{option}” for “{written.title}”.",
                goes_on=True,
            )
        )

    def _answer(self, call: RequestedCall) -> None:
        """Judge one call, and keep what the model will be told of it."""
        try:
            if call.too_long:
                raise JsonRefused(f"they have {call.too_long} characters, of which {MOST_ARGUMENTS} fit")
            arguments = strict_json(call.arguments_text)
            if not isinstance(arguments, dict):
                raise JsonRefused("the arguments are not a JSON object")
        except JsonRefused as problem:
            reason = f"The call cannot be read: {problem}."
            self._events.append(CallRefused(call_id=call.call_id, name=call.name, reason=reason))
            self._keep(LaneCall(tool=call.name, title=call.name, arguments={}, verdict="refused", reason=reason))
            return
        kept, result = self._judged(call.name, arguments)
        self._keep(kept)
        state, reason = ("succeeded", "") if result is not None else ("unknown", NOT_KNOWN)
        if kept.verdict == "refused":
            state, reason = "refused", kept.reason
        self._views[call.call_id] = ActionView(
            call_id=call.call_id,
            tool=call.name,
            state=state,
            reason=reason,
            arguments=kept.arguments,
            modified=False,
            result=result,
            settled_done=None,
        )

    def _judged(self, name: str, arguments: dict[str, JsonValue]) -> tuple[LaneCall, JsonValue]:
        """What would become of a call, and what it answers; None where that is not known."""
        tool = self._ground.tools.get(name)
        raw = LaneCall(tool=name, title=name, arguments=_storable(arguments), verdict="refused")
        if tool is None:
            reason = f"{name} is not available for {self.company.name}."
            return raw.model_copy(update={"reason": reason}), None
        try:
            frozen = tool.freeze(arguments)
            mark = digest(frozen)
            raw = raw.model_copy(update={"title": tool.title_of(frozen), "arguments": frozen})
        except (InvalidArguments, NotCanonical) as problem:
            return raw.model_copy(update={"reason": f"The arguments do not fit: {problem}"}), None
        if len(self.result.calls) >= MAX_CALLS:
            return raw.model_copy(update={"reason": f"This run has used its {MAX_CALLS} tool calls."}), None
        step = self._steps.of_call(tool.name, frozen)
        verdict, reason = self._verdict(tool, frozen, step)
        near = ""
        result: JsonValue = None
        if tool.name == FIND_TOOLS:  # what there is to find is known without anybody having looked
            near, result = "ticket", found_tools(self._ground.tools, str(frozen["words"]))
        elif verdict == "read":
            found = self._ground.recorded(tool.name, mark)
            verdict = "read" if found else "unseen"
            near, result = (found.near, found.result) if found else ("", None)
        elif verdict != "refused" and tool.is_write:
            result = dict(REPLAYED)
        if step is not None:
            step.broken = step.broken or verdict == "refused"
            step.well[tool.name] += verdict != "refused"
        told = {"verdict": verdict, "reason": reason, "near": near, "step": step.written.label if step else ""}
        return raw.model_copy(update=told), result

    def _verdict(self, tool: AnyTool, frozen: Mapping[str, JsonValue], step: DryStep | None) -> tuple[Verdict, str]:
        """What the rules in force, and the grants that publishing would issue, say to a call."""
        ground = self._ground
        proposal = Proposal(
            tool=ToolFacts.of(tool),
            arguments=frozen,
            company=str(ground.company.pk),
            origin="replay",
            mode=ground.mode,
            runbook=ground.version.pin,
            step=step_key(step.written.number) if step else "",
            open_steps=frozenset(self._steps.in_turn()),
            facts=ground.known,
            inputs=ground.inputs,
            four_eyes=ground.needs_two(tool),
        )
        found = evaluate(proposal, ground.policies, ())
        if isinstance(found, Ask):
            left = [replace(each, left=(each.left or 0) - self._used[each.ref]) for each in ground.grants]
            found = evaluate(proposal, ground.policies, left)
        if isinstance(found, Refuse):
            return "refused", found.reason
        if isinstance(found, Ask):
            return "asks", found.reason
        if not tool.is_write:
            return "read", ""
        if self.result.count("runs") >= MAX_WRITES:
            return "asks", f"This run has made its {MAX_WRITES} changes: a person decides on any more."
        if found.by == "grant":
            self._used[found.ref] += 1
        return "runs", _authority(found)

    def _keep(self, call: LaneCall) -> None:
        self.result.calls.append(call)

    def _spent(self) -> str:
        """Why the lane goes no further: the first budget of a run that is used up; empty while none is."""
        result = self.result
        used = {
            f"{MAX_STEPS} steps": result.answers >= MAX_STEPS,
            f"{MAX_CALLS} tool calls": len(result.calls) >= MAX_CALLS,
            f"{MAX_TOKENS:,} tokens": result.tokens_in + result.tokens_out >= MAX_TOKENS,
            "money": result.cost_microcents >= MAX_COST_MICROCENTS,
        }
        words = next((name for name, over in used.items() if over), "")
        return f"Used up its {words}." if words else ""


def _requested(call_id: str, name: str, arguments_text: str) -> RequestedCall:
    text = arguments_text.replace("\x00", "")
    fits = len(text) <= MOST_ARGUMENTS
    return RequestedCall(
        call_id=call_id,
        name=name.replace("\x00", "")[:MOST_NAME],
        arguments_text=(text or "{}") if fits else "{}",
        too_long=0 if fits else len(text),
    )


def _authority(found: Allow) -> str:
    words = {"grant": "Under the runbook's own approval.", "policy": "Under your organization's policy."}
    return words.get(found.by, "")


def _storable(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refused arguments as they came, or nothing where no database could keep them."""
    try:
        digest(arguments)
    except NotCanonical:
        return {}
    return arguments
