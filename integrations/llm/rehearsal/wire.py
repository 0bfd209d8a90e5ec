"""The chat-completions protocol, served in the process instead of over a socket."""

import json
from collections.abc import Iterator
from time import time

import httpx2
from pydantic import JsonValue

from .conversation import read_conversation
from .loose import Fields, fields
from .mind import Reply, reply_to

MODEL_NAME = "junto-rehearsal"

BASE_URL = "http://rehearsal.invalid/v1"
"""An address that can never be reached, should a request miss the transport."""

_PIECE = 60
"""Characters of text in one streamed chunk."""


def rehearsal_client() -> httpx2.Client:
    """A client whose every request is answered by the rehearsal model; it opens no socket."""
    return httpx2.Client(transport=RehearsalTransport(), trust_env=False)


class RehearsalTransport(httpx2.BaseTransport):
    """Answers `POST .../chat/completions` and `GET .../models` as a server would; anything else is a 404."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path
        if request.method == "GET" and path.endswith("/models"):
            models: list[JsonValue] = [{"id": MODEL_NAME, "object": "model", "created": 0, "owned_by": "junto"}]
            return httpx2.Response(200, json={"object": "list", "data": models})
        if request.method != "POST" or not path.endswith("/chat/completions"):
            return _error(404, f"no such address: {request.method} {path}")
        try:
            body = fields(json.loads(request.read()))
        except (ValueError, RecursionError):
            return _error(400, "the body is not JSON")
        if body.get("model") != MODEL_NAME:
            return _error(404, f"the only model here is {MODEL_NAME}")
        if not isinstance(body.get("messages"), list) or not body["messages"]:
            return _error(400, "messages must be a list that is not empty")
        return _complete(body)


def _complete(body: Fields) -> httpx2.Response:
    conversation = read_conversation(body)
    reply = reply_to(conversation)
    head: dict[str, JsonValue] = {
        "id": f"chatcmpl-{conversation.fingerprint[:24]}",
        "created": int(time()),
        "model": MODEL_NAME,
    }
    usage: dict[str, JsonValue] = {
        "prompt_tokens": (tokens_in := len(json.dumps(body.get("messages"))) // 4),
        "completion_tokens": (tokens_out := (len(reply.text) + len(json.dumps(reply.wire_calls))) // 4),
        "total_tokens": tokens_in + tokens_out,
    }
    if body.get("stream"):
        wants_usage = bool(fields(body.get("stream_options")).get("include_usage"))
        return httpx2.Response(
            200,
            headers={"content-type": "text/event-stream"},
            content=_stream(reply, head, usage if wants_usage else None),
        )
    message: dict[str, JsonValue] = {"role": "assistant", "content": reply.text or None}
    if reply.wire_calls:
        message["tool_calls"] = reply.wire_calls
    choice: JsonValue = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    return httpx2.Response(200, json={**head, "object": "chat.completion", "choices": [choice], "usage": usage})


def _stream(reply: Reply, head: Fields, usage: Fields | None) -> Iterator[bytes]:
    def chunk(delta: Fields, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _event({**head, "object": "chat.completion.chunk", "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    for start in range(0, len(reply.text), _PIECE):
        yield chunk({"content": reply.text[start : start + _PIECE]})
    for index, call in enumerate(reply.wire_calls):
        yield chunk({"tool_calls": [{"index": index, **fields(call)}]})
    yield chunk({}, reply.finish_reason)
    if usage is not None:
        yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _event(payload: object) -> bytes:
    return f"data: {json.dumps(payload)}\n\n".encode()


def _error(status: int, message: str) -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"message": message, "type": "invalid_request_error", "code": None}})
