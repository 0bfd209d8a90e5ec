"""What the messages of a request say: the facts, the ticket, what was offered, called, answered and asked."""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from .leads import keys_in
from .loose import Fields, fields, text

_FACTS = re.compile(r"```facts\s*\n")
_PERSON = re.compile(r"\[([^\]\n]{1,160}), ([^\],\n]{1,60})\] ?")
_FENCED = re.compile(
    r"^<<<FOREIGN (?P<mark>[0-9a-f]+) [^\n]*\n(?P<inside>.*?)\nFOREIGN (?P=mark)>>>$", re.MULTILINE | re.DOTALL
)

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
    """One call of ours. `key` is what it was for (empty if unknown), `position` that of its message."""

    key: str
    tool: str
    arguments: Fields
    position: int
    outcome: Outcome = PENDING

    @property
    def sent(self) -> Fields:
        """The arguments that really count: those a person changed them to, else our own."""
        return self.outcome.sent or self.arguments

    @property
    def is_read(self) -> bool:
        return self.key == "read"


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
        """What people wrote since we last did more than look things up."""
        looks = {call.position for call in self.calls if call.is_read}
        answered = max((saying.position for saying in self.sayings if saying.position not in looks), default=-1)
        return tuple(remark for remark in self.remarks if remark.position > answered)

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

    def earliest(self, tool: str) -> Call | None:
        """The oldest successful call of a tool."""
        return next((call for call in self.calls if call.tool == tool and call.outcome.is_ok), None)

    def called_since(self, position: int, tool: str) -> Call | None:
        """The newest call of a tool after that position, whatever became of it."""
        return next((call for call in reversed(self.calls) if call.tool == tool and call.position > position), None)

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
        ticket_text=_ticket_text(ticket_parts),
        offers={offer.name: offer for offer in offers.values()},
        calls=tuple(calls),
        remarks=tuple(remarks),
        sayings=tuple(sayings),
        fingerprint=hashlib.sha256(json.dumps(messages, sort_keys=True).encode()).hexdigest(),
    )


def _ticket_text(parts: list[str]) -> str:
    """What the ticket itself says: the first fenced text, as the notes behind it may be our own."""
    whole = "\n".join(parts)[:MOST_TICKET_TEXT]
    fenced = _FENCED.search(whole)
    return (fenced["inside"] if fenced else whole).strip()


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
    entries = [fields(entry) for entry in _list(message.get("tool_calls"))]
    for entry, key in zip(entries, keys_in(_content(message), len(entries)), strict=True):
        function = fields(entry.get("function"))
        wire, call_id = text(function.get("name")), text(entry.get("id"))
        yield Call(
            key=key,
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
        result=_whole_part(told.get("result")),
    )


def _whole_part(result: JsonValue) -> JsonValue:
    """The result; of one that was cut off, the records of its first list that are still whole."""
    beginning = fields(result).get("beginning")
    if not isinstance(beginning, str) or "cut" not in fields(result):
        return result
    records: list[JsonValue] = []
    place = beginning.find("[") + 1
    while place > 0:
        try:
            record, place = json.JSONDecoder().raw_decode(beginning, place)
        except (ValueError, RecursionError):
            break
        records.append(record)
        following = re.compile(r"\s*,\s*").match(beginning, place)
        place = following.end() if following else 0
    return records


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
