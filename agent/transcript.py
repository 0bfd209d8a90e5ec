"""From events to the conversation a model reads. Pure: no database, no clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from pydantic import JsonValue

from agent.events import (
    ActionChanged,
    CallRefused,
    Event,
    ModelReplied,
    Notice,
    PersonDirected,
    PersonStarted,
    TriedAgain,
    UserSaid,
)
from agent.repeats import MOST_SAME_FAILURES, same_failure, told_model
from integrations.llm.chat import ChatMessage, ToolCall
from integrations.llm.fencing import show_escaped

#: Characters of one tool result that reach the model (TRUST T4 caps a call at 256 KiB; this is the working size, as a
#: 2 MB result passed whole is what STACK.md measured the rivals doing). The whole result stays one click away.
RESULT_LIMIT = 12_000

#: How an action's state reads to the model.
_STATUS = {
    "succeeded": "ok",
    "failed": "error",
    "refused": "refused",
    "denied": "denied",
    "expired": "expired",
    "drifted": "withdrawn",
    "cancelled": "withdrawn",
    "superseded": "withdrawn",
    "unknown": "unknown",
}


@dataclass(frozen=True)
class ActionView:
    """An action as the transcript needs it: the last of the chain when a person modified it."""

    call_id: str
    tool: str
    state: str
    reason: str
    arguments: Mapping[str, JsonValue]
    modified: bool
    result: JsonValue
    settled_done: bool | None

    @property
    def settled(self) -> bool:
        """Whether nothing about it is open any more, so that the model may be told."""
        return _is_settled(self.state)


def _is_settled(state: str) -> bool:
    return state == "settled" or (state in _STATUS and state != "unknown")


class Turn(Enum):
    """Who is next once no call is open."""

    MODEL = "model"
    PERSON = "person"
    #: The agent was told, or had, to wait: nothing goes on by itself until a person says so.
    PARKED = "parked"


def rebuild(events: Sequence[Event], actions: Mapping[str, ActionView]) -> list[ChatMessage]:
    """The messages after the opening ones, in order; words said while the model wrote stand after that reply.

    `events` are all of a session, so that the first has number 1. `actions` maps our call id to its action. Every call
    of a reply gets its answer, as chat servers demand; one that is still open says `waiting`, though the loop asks the
    model only when nothing is open.
    """
    refusals = {event.call_id: event for event in events if isinstance(event, CallRefused)}
    failures = failed_calls(events, actions)
    messages: list[ChatMessage] = []
    replies: list[ModelReplied] = []  # since a person spoke
    words: list[tuple[int, ChatMessage]] = []
    for number, event in enumerate(events, start=1):
        if isinstance(event, UserSaid | PersonStarted | PersonDirected):
            words.append((number, _words(event)))
            replies.clear()
        elif isinstance(event, ModelReplied):
            shown = _shown(event, number)
            messages.extend(message for at, message in words if at <= shown)
            words = [(at, message) for at, message in words if at > shown]
            messages.append(_reply(event))
            messages.extend(_answer(call.call_id, actions, refusals) for call in event.calls)
            if event.left_out:
                messages.append(ChatMessage(role="user", content=left_out_words(event)))
            replies.append(event)
            again = same_failure(replies, failures, times=MOST_SAME_FAILURES - 1)
            if again is not None and same_failure(replies, failures, times=MOST_SAME_FAILURES) is None:
                messages.append(ChatMessage(role="user", content=told_model(again)))
    return [*messages, *(message for _, message in words)]


def failed_calls(events: Sequence[Event], actions: Mapping[str, ActionView]) -> dict[str, str]:
    """The calls that came to nothing by themselves, by id, each with its reason: refused by a rule, or failed."""
    refused = {event.call_id: event.reason for event in events if isinstance(event, CallRefused)}
    failed = {call_id: action.reason for call_id, action in actions.items() if action.state in ("failed", "refused")}
    return refused | failed


def open_calls(events: Sequence[Event], actions: Mapping[str, ActionView]) -> list[str]:
    """Ids of calls that are not settled: not yet proposed, waiting, running or of unknown outcome."""
    refused = {event.call_id for event in events if isinstance(event, CallRefused)}
    return [
        call.call_id
        for event in events
        if isinstance(event, ModelReplied)
        for call in event.calls
        if call.call_id not in refused and not (call.call_id in actions and actions[call.call_id].settled)
    ]


def turn(events: Sequence[Event]) -> Turn:
    """Whose turn it is: the one rule that the loop, the run of a runbook and the sweep follow.

    The model's at the beginning, after a person's word, when its last reply asked for tools or broke off, and when one
    of its calls came to its end after it had answered a question meanwhile. A reply takes away the turn that a person
    gave only when the model had read that word.
    """
    now = word = Turn.MODEL
    said_at = ended_at = 0
    asked: set[str] = set()
    for number, event in enumerate(events, start=1):
        if isinstance(event, UserSaid | PersonStarted | PersonDirected):
            waits = isinstance(event, PersonDirected) and not event.goes_on
            now = word = Turn.PARKED if waits else Turn.MODEL
            said_at = number
        elif isinstance(event, ModelReplied):
            goes_on = bool(event.calls) or event.aborted
            asked.update(call.call_id for call in event.calls)
            shown = _shown(event, number)
            now = word if said_at > shown else (Turn.MODEL if goes_on or ended_at > shown else Turn.PERSON)
        elif isinstance(event, Notice) and event.parks:
            now = Turn.PARKED
        elif isinstance(event, TriedAgain):
            now = Turn.MODEL
        elif isinstance(event, ActionChanged) and event.call_id in asked and _is_settled(event.state):
            ended_at = number
            now = Turn.MODEL if now is Turn.PERSON else now
    return now


def wants_reply(events: Sequence[Event]) -> bool:
    """Whether the model should be asked, once no call is open."""
    return turn(events) is Turn.MODEL


def is_parked(events: Sequence[Event]) -> bool:
    """Whether the agent was told, or had, to wait for a person, and none has spoken since."""
    return turn(events) is Turn.PARKED


def _shown(reply: ModelReplied, number: int) -> int:
    """The last event the model had read before `reply`; before this was written down: everything above it."""
    return number - 1 if reply.shown is None else reply.shown


def _words(event: UserSaid | PersonStarted | PersonDirected) -> ChatMessage:
    text = "Go on: propose actions." if isinstance(event, PersonStarted) else event.text
    return ChatMessage(role="user", content=f"[{event.name}, {event.role}] {text}")


def left_out_words(reply: ModelReplied) -> str:
    """What model and people are told of an answer that asked for more than is taken up at once."""
    taken = len(reply.calls)
    asked = taken + reply.left_out
    return f"The answer asked for {asked} calls at once: the first {taken} were taken up, the others were left out."


def _reply(event: ModelReplied) -> ChatMessage:
    return ChatMessage(
        role="assistant",
        content=event.text,
        tool_calls=tuple(ToolCall(call.call_id, call.name, call.arguments_text) for call in event.calls),
    )


def _answer(call_id: str, actions: Mapping[str, ActionView], refusals: Mapping[str, CallRefused]) -> ChatMessage:
    if call_id in refusals:
        content: dict[str, JsonValue] = {"status": "error", "provenance": "junto", "reason": refusals[call_id].reason}
    elif call_id in actions:
        content = _outcome(actions[call_id])
    else:
        content = {"status": "waiting", "provenance": "junto"}
    return ChatMessage(role="tool", content=json.dumps(content, ensure_ascii=False), tool_call_id=call_id)


def _outcome(action: ActionView) -> dict[str, JsonValue]:
    status = _STATUS.get(action.state, "waiting")
    if action.state == "settled":
        status = "ok" if action.settled_done else "error"
    content: dict[str, JsonValue] = {"status": status, "provenance": action.tool.partition(".")[0]}
    if action.reason:
        content["reason"] = show_escaped(action.reason)
    if action.modified:
        content["modified"] = True
        content["sent"] = dict(action.arguments)
    if action.result is not None:
        content["result"] = shorten(action.result)
    return content


def shorten(result: JsonValue, limit: int = RESULT_LIMIT) -> JsonValue:
    """`result`, or its beginning as text with a word about the cut when its JSON is longer than `limit` characters."""
    text = json.dumps(result, ensure_ascii=False)
    if len(text) <= limit:
        return visible(result)
    return {
        "cut": f"The first {limit} of {len(text)} characters; ask more narrowly for the rest.",
        "beginning": show_escaped(text[:limit]),
    }


def visible(value: JsonValue) -> JsonValue:
    """`value` with the hidden characters of every text in it shown escaped."""
    if isinstance(value, str):
        return show_escaped(value)
    if isinstance(value, list):
        return [visible(element) for element in value]
    if isinstance(value, dict):
        return {show_escaped(key): visible(element) for key, element in value.items()}
    return value
