"""What the messages of a request say: the facts, the ticket, what was offered, called, answered and asked."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from .loose import Fields, fields, text

_FACTS = re.compile(r"```facts\s*\n")
_PERSON = re.compile(r"\[([^\]\n]{1,160}), ([^\],\n]{1,60})\] ?")
_CALL_ID = re.compile(r"call_([a-z0-9-]{1,40})_[0-9a-f]{8}\Z")
_FENCE_EDGE = re.compile(r"^(<<<FOREIGN .*|FOREIGN [0-9a-f]+>>>)$", re.MULTILINE)

MOST_TICKET_TEXT = 100_000
"""Characters of the ticket that are read; the subject of a longer one stands in its beginning."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A tool the request offers: our name (with the dot), its name on the wire, and its JSON schema."""

    name: str
    wire: str
    schema: Fields


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call. `sent` are the arguments really sent when a person had modified them."""

    status: str
    reason: str = ""
    sent: Fields = field(default_factory=dict)
    modified: bool = False
    result: JsonValue = None

    @property
    def is_ok(self) -> bool:
        return self.status == "ok"


PENDING = Outcome(status="waiting")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of ours. `key` is the intent it served, read from its id; `position` is that of its message."""

    id: str
    key: str
    tool: str
    arguments: Fields
    position: int
    outcome: Outcome = PENDING

    @property
    def sent(self) -> Fields:
        """The arguments that really count: those a person changed them to, else our own."""
        return self.outcome.sent or self.arguments


@dataclass(frozen=True, slots=True)
class Remark:
    """What a person wrote into the conversation."""

    position: int
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Saying:
    """What we said."""

    position: int
    text: str


@dataclass(frozen=True, slots=True)
class Conversation:
    facts: Fields
    ticket_text: str
    offers: dict[str, Offer]
    calls: tuple[Call, ...]
    remarks: tuple[Remark, ...]
    sayings: tuple[Saying, ...]
    fingerprint: str

    @property
    def last_position(self) -> int:
        """The position of our last message; -1 when we have said nothing yet."""
        positions = [saying.position for saying in self.sayings] + [call.position for call in self.calls]
        return max(positions, default=-1)

    @property
    def new_remarks(self) -> tuple[Remark, ...]:
        return tuple(remark for remark in self.remarks if remark.position > self.last_position)

    @property
    def new_outcomes(self) -> tuple[Call, ...]:
        """The calls of our last message, whose outcomes we have not spoken about yet."""
        return tuple(call for call in self.calls if call.position == self.last_position)

    def said(self, opening: str) -> int:
        """The position of the first message of ours that has a line beginning with `opening`, or -1."""
        wanted = f"\n{opening}"
        return next((saying.position for saying in self.sayings if wanted in f"\n{saying.text}"), -1)

    def latest(self, *tools: str) -> Call | None:
        """The newest successful call of one of these tools."""
        return next((call for call in reversed(self.calls) if call.tool in tools and call.outcome.is_ok), None)

    def offer(self, *names: str) -> Offer | None:
        """The first of these tools that is offered."""
        return next((self.offers[name] for name in names if name in self.offers), None)


def read_conversation(body: Fields) -> Conversation:
    """The conversation in the body of a chat-completions request; odd messages are passed over."""
    messages = [fields(message) for message in _list(body.get("messages"))]
    outcomes = {
        text(message.get("tool_call_id")): _outcome(_content(message))
        for message in messages
        if message.get("role") == "tool"
    }
    offers = {offer.wire: offer for offer in _offers(body.get("tools"))}
    ticket_parts: list[str] = []
    remarks: list[Remark] = []
    calls: list[Call] = []
    sayings: list[Saying] = []
    for position, message in enumerate(messages):
        content = _content(message)
        if message.get("role") == "user":
            person = _PERSON.match(content) if position > 1 else None
            if person:
                remarks.append(Remark(position, person[1], content[person.end() :]))
            else:
                ticket_parts.append(content)
        elif message.get("role") == "assistant":
            if content:
                sayings.append(Saying(position, content))
            calls.extend(_calls(message, position, offers, outcomes))
    return Conversation(
        facts=_facts(messages),
        ticket_text=_FENCE_EDGE.sub("", "\n".join(ticket_parts)[:MOST_TICKET_TEXT]).strip(),
        offers={offer.name: offer for offer in offers.values()},
        calls=tuple(calls),
        remarks=tuple(remarks),
        sayings=tuple(sayings),
        fingerprint=hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest(),
    )


def _facts(messages: list[Fields]) -> Fields:
    for message in messages:
        if message.get("role") != "system":
            continue
        content = _content(message)
        for start in _FACTS.finditer(content):
            try:
                found, _ = json.JSONDecoder().raw_decode(content, start.end())
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                return found
    return {}


def _offers(value: JsonValue) -> Iterator[Offer]:
    for entry in _list(value):
        function = fields(fields(entry).get("function"))
        wire = function.get("name")
        if isinstance(wire, str) and wire:
            yield Offer(wire.replace("__", "."), wire, fields(function.get("parameters")))


def _calls(message: Fields, position: int, offers: dict[str, Offer], outcomes: dict[str, Outcome]) -> Iterator[Call]:
    for entry in _list(message.get("tool_calls")):
        call = fields(entry)
        function = fields(call.get("function"))
        wire, call_id = text(function.get("name")), text(call.get("id"))
        key = _CALL_ID.match(call_id)
        yield Call(
            id=call_id,
            key=key[1] if key else "",
            tool=offers[wire].name if wire in offers else wire.replace("__", "."),
            arguments=_object(function.get("arguments")),
            position=position,
            outcome=outcomes.get(call_id, PENDING),
        )


def _outcome(content: str) -> Outcome:
    told = _object(content)
    status = told.get("status")
    if not isinstance(status, str):
        return Outcome(status="ok", result=content)
    return Outcome(
        status=status,
        reason=text(told.get("reason"), 500),
        sent=fields(told.get("sent")),
        modified=bool(told.get("modified")) or bool(told.get("sent")),
        result=told.get("result"),
    )


def _object(value: JsonValue) -> Fields:
    """The object that stands in a text, or an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return fields(value)


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _content(message: Fields) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(fields(part).get("text") or "") for part in content)
    return content if isinstance(content, str) else ""
