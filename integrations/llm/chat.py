"""The words every chat model shares: messages, tool calls, replies, and the named ways a model can fail."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Role = Literal["system", "user", "assistant", "tool"]

# OpenAI-compatible servers accept only these characters, and at most 64 of them, in a function's name.
_NOT_ON_THE_WIRE = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_WIRE_NAME = 64


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call the model asks for. `arguments_text` is what the model wrote: perhaps no JSON at all."""

    id: str
    name: str
    arguments_text: str


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation. `tool_calls` belong to an assistant, `tool_call_id` to a tool's answer."""

    role: Role
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as it is offered to a model; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ModelReply:
    """What a model answered.

    `aborted` means that the answer broke off: `text` is what had arrived, and `tool_calls` is empty, because half a
    call must never be acted upon. `usage_estimated` means that the server reported no tokens and we counted ourselves.
    """

    text: str
    tool_calls: tuple[ToolCall, ...]
    finish_reason: str
    tokens_in: int
    tokens_out: int
    model: str
    aborted: bool = False
    usage_estimated: bool = False


class ChatModel(Protocol):
    """Anything that can continue a conversation."""

    def complete(
        self,
        messages: Iterable[ChatMessage],
        tools: Iterable[ToolSpec],
        *,
        on_delta: Callable[[str], None] | None = None,
        deadline_seconds: float,
    ) -> ModelReply:
        """Return the next reply; raise a `ModelError` when there is none.

        With `on_delta` the text is streamed into it while it arrives; whatever `on_delta` raises ends the request and
        reaches the caller unchanged. `deadline_seconds` bounds everything, retries included.
        """
        ...


class ModelError(Exception):
    """The model gave no usable reply. The message is written for a person: what was wrong, and what to do."""


class ModelUnavailable(ModelError):
    """Down, unreachable, overloaded or too slow, after the retries; trying later may help."""


class ModelRefused(ModelError):
    """The server understood and said no (wrong key, model or address); only a changed setting helps."""


class ModelNonsense(ModelError):
    """Something answered, but not a chat-completions server: HTML, broken JSON, no choices, an empty reply."""


class ModelOverBudget(ModelError):
    """The conversation is longer than the model can read; it has to be compacted first."""


class AmbiguousToolNames(ValueError):
    """Two offered tools would bear the same name on the wire."""


def wire_name(name: str) -> str:
    """The name a tool has on the wire: the dot becomes two underscores; a name too long is cut and marked by a hash."""
    plain = _NOT_ON_THE_WIRE.sub("_", name.replace(".", "__"))
    if len(plain) <= _LONGEST_WIRE_NAME:
        return plain
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST_WIRE_NAME - 9]}_{mark}"


def names_by_wire(names: Iterable[str]) -> dict[str, str]:
    """Wire name -> our name for the offered tools. A name not in here is no tool of ours and stays as it came."""
    found: dict[str, str] = {}
    for name in names:
        wire = wire_name(name)
        if found.setdefault(wire, name) != name:
            raise AmbiguousToolNames(f"{found[wire]} and {name} are both called {wire} on the wire")
    return found
