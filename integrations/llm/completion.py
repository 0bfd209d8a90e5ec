"""A chat-completions answer as it stands on the wire, whole or in streamed pieces, and how it becomes a reply."""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, JsonValue

from integrations.llm.chat import ModelNonsense, ModelReply, ToolCall
from integrations.llm.spend import estimate_tokens_of_size

LARGEST_ANSWER = 16 * 1024 * 1024
"""Bytes read from a server before we stop listening: far above any model's longest answer."""

LONGEST_CALL_ID = 64
"""Characters; a longer id is replaced by one of ours."""


class AnswerTooLarge(ModelNonsense):
    """The server sent more than any model writes."""


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class FunctionPart(_Wire):
    """Some servers send `arguments` as an object instead of its text."""

    name: str | None = None
    arguments: str | dict[str, JsonValue] | None = None


class CallPart(_Wire):
    index: int | None = None
    id: str | None = None
    function: FunctionPart = FunctionPart()


class TextPart(_Wire):
    text: str = ""


class MessagePart(_Wire):
    content: str | list[TextPart] | None = None
    refusal: str | None = None
    tool_calls: list[CallPart] | None = None

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or self.refusal or ""


class Choice(_Wire):
    index: int = 0
    message: MessagePart | None = None
    delta: MessagePart | None = None
    finish_reason: str | None = None


class Usage(_Wire):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class ErrorPart(_Wire):
    message: str | None = None


class Answer(_Wire):
    """One answer, or one piece of a streamed answer."""

    model: str | None = None
    choices: list[Choice] | None = None
    usage: Usage | None = None
    error: ErrorPart | str | None = None

    @property
    def error_text(self) -> str:
        if isinstance(self.error, ErrorPart):
            return self.error.message or "no reason given"
        return self.error or ""


@dataclass(slots=True)
class _GrowingCall:
    id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ReplyAssembler:
    """Puts the pieces of one answer together; a whole answer is the case of a single piece."""

    model: str = ""
    finish_reason: str = ""
    usage: Usage | None = None
    _texts: list[str] = field(default_factory=list)
    _calls: list[_GrowingCall] = field(default_factory=list)
    _by_index: dict[int, _GrowingCall] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def is_empty(self) -> bool:
        return not self._calls and not self.text.strip()

    def add(self, answer: Answer) -> str:
        """Take one piece; return the text it added."""
        self.model = answer.model or self.model
        # every answer takes some: a server that reports none has not counted
        if answer.usage is not None and (answer.usage.completion_tokens or 0) > 0:
            self.usage = answer.usage
        choice = next((choice for choice in answer.choices or () if choice.index == 0), None)
        if choice is None:
            return ""
        self.finish_reason = choice.finish_reason or self.finish_reason
        part = choice.delta or choice.message
        if part is None:
            return ""
        for position, call in enumerate(part.tool_calls or ()):
            self._add_call(call, position)
        if part.text:
            self._texts.append(part.text)
        return part.text

    def _add_call(self, part: CallPart, position: int) -> None:
        index = part.index if part.index is not None else position
        growing = self._by_index.get(index)
        # Some servers number every call 0, or not at all: a new id together with a name begins a new call.
        begins_another = growing is not None and part.function.name and part.id and growing.id and part.id != growing.id
        if growing is None or begins_another:
            growing = self._by_index[index] = _GrowingCall()
            self._calls.append(growing)
        growing.id = growing.id or part.id or ""
        growing.name = growing.name or part.function.name or ""
        arguments = part.function.arguments
        if isinstance(arguments, dict):
            growing.pieces.append(json.dumps(arguments))
        elif arguments:
            growing.pieces.append(arguments)

    def reply(self, names: Mapping[str, str], *, taken_ids: frozenset[str], model: str, tokens_in: int) -> ModelReply:
        """The finished reply.

        `names` maps wire names back, `taken_ids` are the call ids the conversation already holds, and `tokens_in`
        serves when the server reported no usage.
        """
        return self._reply(
            calls=tuple(self._finished_calls(names, set(taken_ids))),
            finish_reason=self.finish_reason or ("tool_calls" if self._calls else "stop"),
            model=model,
            tokens_in=tokens_in,
        )

    def aborted_reply(self, *, model: str, tokens_in: int) -> ModelReply:
        """The text that arrived before the answer broke off; calls are dropped, whole or not."""
        return self._reply(calls=(), finish_reason="aborted", model=model, tokens_in=tokens_in)

    def _reply(self, *, calls: tuple[ToolCall, ...], finish_reason: str, model: str, tokens_in: int) -> ModelReply:
        tokens_out = estimate_tokens_of_size(self.size)
        if self.usage is not None:
            tokens_in = max(0, self.usage.prompt_tokens or 0)
            tokens_out = max(0, self.usage.completion_tokens or 0)
        return ModelReply(
            text=self.text,
            tool_calls=calls,
            finish_reason=finish_reason,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            model=self.model or model,
            aborted=finish_reason == "aborted",
            usage_estimated=self.usage is None,
        )

    def _finished_calls(self, names: Mapping[str, str], taken: set[str]) -> Iterator[ToolCall]:
        for call in self._calls:
            # Answers are matched by id, but some servers send none, or call every reply's first call `call_0`.
            usable = 0 < len(call.id) <= LONGEST_CALL_ID and call.id not in taken
            call_id = call.id if usable else f"call_{uuid.uuid4().hex}"
            taken.add(call_id)
            name = names.get(call.name, call.name)
            yield ToolCall(id=call_id, name=name, arguments_text="".join(call.pieces) or "{}")

    @property
    def size(self) -> int:
        """Bytes the model wrote, arguments included."""
        return sum(len(piece.encode(errors="replace")) for piece in self._texts) + sum(
            len(piece.encode(errors="replace")) for call in self._calls for piece in call.pieces
        )


def events(pieces: Iterable[bytes]) -> Iterator[str]:
    """The payloads of a server-sent-events body, in order; comments and other fields are skipped."""
    lines: list[str] = []
    for line in _lines(pieces):
        if not line:
            if lines:
                yield "\n".join(lines)
                lines = []
        elif line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
    if lines:
        yield "\n".join(lines)


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest: list[bytes] = []
    for piece in pieces:
        head, *more = piece.split(b"\n")
        rest.append(head)
        for part in more:
            yield b"".join(rest).removesuffix(b"\r").decode(errors="replace")
            rest = [part]
    yield b"".join(rest).decode(errors="replace")
