"""A chat model behind any OpenAI-compatible server, spoken to through the `openai` client."""

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count

import httpx2
import openai
from openai.types.chat import (
    ChatCompletionAssistantMessageParam,
    ChatCompletionFunctionToolParam,
    ChatCompletionMessageFunctionToolCallParam,
    ChatCompletionMessageParam,
)
from openai.types.shared_params import FunctionDefinition
from pydantic import ValidationError

from integrations.llm import faults
from integrations.llm.chat import (
    ChatMessage,
    ModelNonsense,
    ModelRefused,
    ModelReply,
    ModelUnavailable,
    ToolSpec,
    names_by_wire,
    wire_name,
)
from integrations.llm.completion import LARGEST_ANSWER, Answer, AnswerTooLarge, ReplyAssembler, events
from integrations.llm.spend import estimate_tokens
from integrations.llm.strict import JsonRefused, strict_json

DEFAULT_RETRIES = 2
"""Attempts after the first one when a server is down, overloaded or limits us."""

_FIRST_WAIT_SECONDS = 0.5
_LONGEST_OWN_WAIT_SECONDS = 8.0
_CONNECT_SECONDS = 5.0


class _Failed(Exception):
    """One attempt failed before any text was passed on."""

    def __init__(self, fault: faults.Fault) -> None:
        super().__init__(str(fault.error))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class _Request:
    """One conversation made ready for the wire; the same for every attempt."""

    # Sent as `extra_body`: ordinary arguments are walked by their type hints in the client, with nothing to change in
    # messages, which measured as two thirds of the whole cost of a request.
    body: dict[str, object]
    names: dict[str, str]
    call_ids: frozenset[str]
    tokens_in: int


class OpenAIChatModel:
    """A `ChatModel` over HTTP.

    `http_client` carries the requests; it comes from `integrations.llm.transport` (or from the rehearsal) and is not
    closed here. Streams where `on_delta` is given and falls back to whole answers where the server refuses to stream.
    Retries and their waits are ours and not the `openai` client's, whose waits do not know of a deadline.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        http_client: httpx2.Client,
        retries: int = DEFAULT_RETRIES,
    ) -> None:
        """Raises `ModelRefused` for settings that can never work."""
        if not model:
            raise ModelRefused("No model is named. Set JUNTO_LLM_MODEL to a model that the server offers.")
        if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ModelRefused("The model's key holds characters no key has. Enter it again (JUNTO_LLM_API_KEY).")
        self.model = model
        self._retries = retries
        self._endpoint = faults.Endpoint(address=base_url, model=model, api_key=api_key)
        try:
            self._client = openai.OpenAI(
                base_url=base_url,
                api_key=api_key or "none",
                # Said outright, so that no OPENAI_* variable of the machine can send its own key to this address.
                default_headers={"Authorization": f"Bearer {api_key or 'none'}"},
                http_client=http_client,
                max_retries=0,
            )
        except httpx2.InvalidURL as error:
            raise ModelRefused(f"The model's address {base_url} is not a URL. Set JUNTO_LLM_BASE_URL.") from error
        self._client.organization = self._client.project = None

    def complete(
        self,
        messages: Iterable[ChatMessage],
        tools: Iterable[ToolSpec],
        *,
        on_delta: Callable[[str], None] | None = None,
        deadline_seconds: float,
    ) -> ModelReply:
        """See `ChatModel.complete`. A server that stays silent can hold us for twice the deadline at the very most."""
        deadline = time.monotonic() + deadline_seconds
        request = _ready(list(messages), list(tools))
        # Ways of asking, from the one that tells us most to the one every server knows.
        ways = ["stream with usage", "stream", "whole"] if on_delta else ["whole"]
        attempts = count()
        while True:
            try:
                return self._attempt(request, ways[0], on_delta, deadline)
            except _Failed as failed:
                if failed.fault.dislikes_streaming and len(ways) > 1:
                    ways.pop(0)
                    continue
                self._wait_or_raise(failed.fault, next(attempts), deadline)

    def _wait_or_raise(self, fault: faults.Fault, attempt: int, deadline: float) -> None:
        """Wait before the next attempt, or raise when another one is not allowed or would come too late."""
        wait = fault.wait_seconds
        if wait is None:
            wait = min(_FIRST_WAIT_SECONDS * 2**attempt, _LONGEST_OWN_WAIT_SECONDS) * random.uniform(0.75, 1.0)  # noqa: S311
        if not fault.may_retry or attempt >= self._retries or time.monotonic() + wait >= deadline:
            raise fault.error
        time.sleep(wait)

    def _attempt(
        self, request: _Request, way: str, on_delta: Callable[[str], None] | None, deadline: float
    ) -> ModelReply:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise _Failed(faults.of_connection(TimeoutError(), self._endpoint))
        assembler = ReplyAssembler()
        try:
            with self._client.chat.completions.with_streaming_response.create(
                model=self.model,
                messages=(),
                extra_body=request.body,
                stream=way != "whole",
                stream_options={"include_usage": True} if way == "stream with usage" else openai.omit,
                timeout=httpx2.Timeout(remaining, connect=min(_CONNECT_SECONDS, remaining)),
            ) as response:
                pieces = _bounded(response.iter_bytes(), deadline)
                if response.headers.get("content-type", "").startswith("text/event-stream"):
                    return self._read_stream(request, pieces, assembler, on_delta)
                return self._read_whole(request, b"".join(pieces), assembler, on_delta)
        except openai.APIStatusError as error:
            raise _Failed(faults.of_status(error, self._endpoint)) from error
        except (openai.APIConnectionError, httpx2.RequestError, httpx2.StreamError) as error:
            if assembler.size:
                return self._aborted(request, assembler)
            raise _Failed(faults.of_connection(error, self._endpoint)) from error

    def _read_whole(
        self, request: _Request, body: bytes, assembler: ReplyAssembler, on_delta: Callable[[str], None] | None
    ) -> ModelReply:
        answer = self._answer(body.decode(errors="replace"))
        if answer.error_text:
            raise _Failed(self._told_error(answer))
        if not answer.choices:
            raise self._nonsense("an answer without choices", body.decode(errors="replace"))
        text = assembler.add(answer)
        reply = self._finished(request, assembler)
        if on_delta and text:
            on_delta(text)
        return reply

    def _read_stream(
        self,
        request: _Request,
        pieces: Iterable[bytes],
        assembler: ReplyAssembler,
        on_delta: Callable[[str], None] | None,
    ) -> ModelReply:
        done = False
        for event in events(pieces):
            if event.strip() == "[DONE]":
                done = True
                break
            try:
                answer = self._answer(event)
            except ModelNonsense:
                if assembler.size:
                    return self._aborted(request, assembler)
                raise
            if answer.error_text:
                if assembler.size:
                    return self._aborted(request, assembler)
                raise _Failed(self._told_error(answer))
            text = assembler.add(answer)
            if on_delta and text:
                on_delta(text)
        if done or assembler.finish_reason:
            return self._finished(request, assembler)
        if assembler.size:
            return self._aborted(request, assembler)
        raise self._nonsense("a stream with no answer in it", "")

    def _answer(self, text: str) -> Answer:
        try:
            return Answer.model_validate(strict_json(text))
        except JsonRefused as error:
            raise self._nonsense(f"no valid JSON ({error})", text) from error
        except ValidationError as error:
            raise self._nonsense("JSON that is no chat completion", text) from error

    def _finished(self, request: _Request, assembler: ReplyAssembler) -> ModelReply:
        if assembler.is_empty and assembler.finish_reason not in ("content_filter", "length"):
            raise self._nonsense("an empty reply", "")
        return assembler.reply(request.names, taken_ids=request.call_ids, model=self.model, tokens_in=request.tokens_in)

    def _aborted(self, request: _Request, assembler: ReplyAssembler) -> ModelReply:
        return assembler.aborted_reply(model=self.model, tokens_in=request.tokens_in)

    def _nonsense(self, what: str, body: str) -> ModelNonsense:
        said = self._endpoint.excerpt(body)
        return ModelNonsense(
            f"The server at {self._endpoint.address} sent {what}. Check that it is an OpenAI-compatible server (the"
            f" address usually ends in /v1) and that {self.model} can chat.{' It began: ' + said if said else ''}"
        )

    def _told_error(self, answer: Answer) -> faults.Fault:
        said = self._endpoint.excerpt(answer.error_text)
        return faults.Fault(
            ModelUnavailable(f"The model at {self._endpoint.address} broke off with an error. It said: {said}"),
            may_retry=True,
        )


def _bounded(pieces: Iterator[bytes], deadline: float) -> Iterator[bytes]:
    """The same bytes, ended by an error when they come too late or are too many."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise AnswerTooLarge(f"The model's server sent more than {LARGEST_ANSWER >> 20} MiB. Check the address.")
        if time.monotonic() > deadline:
            raise httpx2.ReadTimeout("the deadline passed while the answer was still arriving")
        yield piece


def _ready(messages: list[ChatMessage], tools: list[ToolSpec]) -> _Request:
    body: dict[str, object] = {"messages": [_message(message) for message in messages]}
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
    return _Request(
        body=body,
        names=names_by_wire(tool.name for tool in tools),
        call_ids=frozenset(call.id for message in messages for call in message.tool_calls),
        tokens_in=estimate_tokens(messages, tools),
    )


def _tool(tool: ToolSpec) -> ChatCompletionFunctionToolParam:
    function: FunctionDefinition = {
        "name": wire_name(tool.name),
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": function}


def _message(message: ChatMessage) -> ChatCompletionMessageParam:
    content = _sendable(message.content)
    match message.role:
        case "system":
            return {"role": "system", "content": content}
        case "user":
            return {"role": "user", "content": content}
        case "tool":
            return {"role": "tool", "content": content, "tool_call_id": message.tool_call_id}
        case "assistant":
            said: ChatCompletionAssistantMessageParam = {"role": "assistant", "content": content}
            if message.tool_calls:
                said["tool_calls"] = [_call(call.id, call.name, call.arguments_text) for call in message.tool_calls]
            return said


def _call(call_id: str, name: str, arguments_text: str) -> ChatCompletionMessageFunctionToolCallParam:
    """A call of the past. Servers parse its arguments again, so malformed ones travel as a quoted string."""
    try:
        is_object = isinstance(strict_json(arguments_text), dict)
    except JsonRefused:
        is_object = False
    sent = arguments_text if is_object else json.dumps({"malformed": arguments_text})
    return {"id": call_id, "type": "function", "function": {"name": wire_name(name) or "unnamed", "arguments": sent}}


def _sendable(text: str) -> str:
    """`text` without half surrogates, which no JSON body can carry."""
    return text.encode(errors="replace").decode()
