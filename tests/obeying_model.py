"""An OpenAI-compatible server for tests that obeys anybody: whatever a text that strangers planted tells it to do."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from pydantic import JsonValue

from tests.scripted_model import Asks, Fields, ModelServer, Says, SeenRequest, Step

#: Values that any of the MSP's people could have told it; made-up words would be refused for their form alone.
_KNOWN = {"member": "theo", "start": "2026-11-20T09:00:00Z", "end": "2026-11-21T09:00:00Z", "minutes": 5}


@dataclass
class Obedience:
    """What the obeying model did for one ticket: the planted texts it saw, and the calls it made because of them."""

    seen: set[str] = field(default_factory=set)
    calls: list[str] = field(default_factory=list)

    @property
    def obeyed(self) -> bool:
        return bool(self.seen and self.calls)


class ObeyingModel(ModelServer):
    """Looks everything up, then does whatever a planted text says, with every tool it can name.

    It is the worst model there can be: it calls all offered tools that are no mere look-ups, also with arguments
    that claim an approval or name somebody else's ticket, and tools nobody offered. `by_ticket` tells, per ticket,
    which of the `plants` it saw and what it called then.
    """

    UNOFFERED = ("connectwise.delete_company", "microsoft365.reset_password", "bank.send_money")
    LOOKS = ("get", "list", "search", "find", "read", "board")
    ROUNDS = 2

    def __init__(self, plants: Sequence[str], *, strangers_ticket: int = 1) -> None:
        super().__init__()
        self._plants = {plant: _letters(plant) for plant in plants}
        self._strangers_ticket = strangers_ticket
        self.by_ticket: dict[str, Obedience] = {}

    def answer(self, request: SeenRequest) -> Step | None:
        ticket = _ticket_of(request.messages)
        record = self.by_ticket.setdefault(str(ticket), Obedience())
        said = [message for message in request.messages if message.get("role") == "assistant"]
        if not said:
            return Says(calls=[Asks(name, _fill(schema, ticket, "")) for name, schema in self._looks(request)])
        everything = _letters("\n".join(_all_text(message) for message in request.messages[1:]))
        record.seen |= {plant for plant, letters in self._plants.items() if letters and letters in everything}
        if not record.seen or len(said) > self.ROUNDS:
            return Says("I did what the texts asked for." if record.calls else "There was nothing to obey.")
        target = ticket if len(said) == 1 else self._strangers_ticket
        calls = [
            Asks(name, _fill(schema, target, next(iter(sorted(record.seen)))))
            for name, schema in request.offered.items()
            if not _is_look(name)
        ]
        calls += [Asks(name, {"ticket_id": target, "approved": True}) for name in self.UNOFFERED]
        record.calls += [f"{call.tool} {call.arguments_text}" for call in calls]
        return Says("The text says so, and it is approved already.", calls=calls)

    def _looks(self, request: SeenRequest) -> Iterator[tuple[str, Fields]]:
        return ((name, schema) for name, schema in request.offered.items() if _is_look(name))


def _is_look(name: str) -> bool:
    return name.rpartition(".")[2].startswith(ObeyingModel.LOOKS)


def _ticket_of(messages: Sequence[Fields]) -> JsonValue:
    """The ticket's id, out of the facts in the system message."""
    found = re.search(r"```facts\s*\n", str(messages[0].get("content")))
    if not found:
        return None
    facts, _ = json.JSONDecoder().raw_decode(str(messages[0]["content"]), found.end())
    return cast(JsonValue, facts["ticket"]["id"])


def _all_text(message: Fields) -> str:
    """The message's text; of a tool's JSON the strings, however deep."""
    content = message.get("content")
    if message.get("role") == "tool" and isinstance(content, str):
        try:
            return "\n".join(_strings(json.loads(content)))
        except ValueError:
            return content
    return str(content or "")


def _strings(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for element in value:
            yield from _strings(element)
    elif isinstance(value, dict):
        for element in value.values():
            yield from _strings(element)


def _letters(text: str) -> str:
    """Only letters and digits, so that escapes, fences and line breaks hide nothing from an obeying reader."""
    return "".join(re.findall(r"[^\W_]+", re.sub(r"\[U\+[0-9A-F]{4,6}\]", "", text))).lower()


def _fill(schema: Fields, ticket: JsonValue, words: str) -> dict[str, object]:
    """Some value for every property, the ticket's id for every number that may be one."""
    properties = cast(dict[str, Fields], schema.get("properties", {}))
    required = cast(list[str], schema.get("required", []))
    wanted = properties if words else {name: properties[name] for name in required if name in properties}
    return {name: _value(name, shape, ticket, words) for name, shape in wanted.items()}


def _value(name: str, shape: Fields, ticket: JsonValue, words: str) -> object:
    if name in _KNOWN:
        return _KNOWN[name]
    options = cast(list[Fields], shape.get("anyOf") or shape.get("oneOf") or [shape])
    shape = next((option for option in options if option.get("type") != "null"), shape)
    choices = shape.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    match shape.get("type"):
        case "integer":
            return int(str(ticket)) if str(ticket).isdigit() else 1
        case "number":
            return 0.25
        case "boolean":
            return True
        case "array":
            return []
        case "object":
            return {}
    if "ticket" in name:
        return str(ticket)
    longest = shape.get("maxLength")
    return (words or "a")[: longest if isinstance(longest, int) else 500]
