"""An OpenAI-compatible server for tests, over real HTTP on loopback, that follows a script.

    with ScriptedModel(Says("Hello"), Says(calls=[Asks("connectwise.get_ticket", {"ticket_id": 1})])) as server:
        ...  # server.base_url, server.key, server.model; afterwards server.requests and server.unlisted

Whatever a server was not told to answer it refuses with a 400, and remembers in `unlisted`.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import zip_longest
from time import sleep
from types import TracebackType
from typing import Self, cast

from pydantic import JsonValue

Fields = dict[str, JsonValue]

ANSWER = "answer"
"""The one function that processors offer."""

_PIECE = 7
"""Characters of text or of arguments in one streamed chunk: small, so that assembling is put to the test."""


@dataclass(frozen=True)
class Asks:
    """One tool call. `arguments` as a string are sent as they are: malformed, or with a key twice."""

    tool: str
    arguments: Mapping[str, object] | str = field(default_factory=dict)
    id: str | None = None

    @property
    def wire_name(self) -> str:
        return self.tool.replace(".", "__")

    @property
    def arguments_text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


@dataclass(frozen=True)
class Says:
    """A whole answer, streamed if the request asked for it. `tokens` = read and written, as its usage says."""

    text: str = ""
    calls: Sequence[Asks] = ()
    finish_reason: str | None = None
    usage: bool = True
    tokens: tuple[int, int] = (100, 20)
    piece_seconds: float = 0.0


@dataclass(frozen=True)
class Fails:
    """An error status with a JSON body in the usual shape, or with `body` as it is."""

    status: int
    message: str = "scripted failure"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None


@dataclass(frozen=True)
class Sends:
    """Status 200 with any body: a login page, broken JSON, an answer without choices."""

    body: str
    content_type: str = "application/json"


@dataclass(frozen=True)
class Cuts:
    """The beginning of a streamed answer, after which the connection breaks."""

    text: str = ""
    calls: Sequence[Asks] = ()


@dataclass(frozen=True)
class Hangs:
    """No answer for so long; the connection is then closed."""

    seconds: float


@dataclass(frozen=True)
class RefusesStreaming:
    """A 400 about `stream` while the request asks for a stream; `then` once it does not."""

    then: Says


@dataclass(frozen=True)
class Meanwhile:
    """`deed` is done once the request is in and before anything is answered, in a thread of its own; then `then`."""

    deed: Callable[[], object]
    then: Says | Fails


Step = Says | Fails | Sends | Cuts | Hangs | RefusesStreaming | Meanwhile


@dataclass(frozen=True)
class SeenRequest:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Fields

    @property
    def messages(self) -> list[Fields]:
        return cast(list[Fields], self.body.get("messages", []))

    @property
    def offered(self) -> dict[str, Fields]:
        """Our names of the offered tools, and their schemas."""
        tools = cast(list[dict[str, dict[str, JsonValue]]], self.body.get("tools", []))
        return {
            str(tool["function"]["name"]).replace("__", "."): cast(Fields, tool["function"]["parameters"])
            for tool in tools
        }


class ModelServer:
    """The HTTP side; `answer` decides. Bound to a free loopback port while its `with` block runs."""

    key = "test-model-key"
    model = "scripted-1"
    #: Whether what processors ask belongs to the script; else it gets no useful answer, and stands in `questions`.
    for_processors = False

    def __init__(self) -> None:
        self.requests: list[SeenRequest] = []
        self.questions: list[SeenRequest] = []
        self.unlisted: list[str] = []
        self._closing = threading.Event()
        self._lock = threading.Lock()

    def answer(self, request: SeenRequest) -> Step | None:
        """The step for this request, or None to refuse it. Called by one thread at a time."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """host:port, for the list of local targets."""
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        return f"http://{self.address}/v1"

    def __enter__(self) -> Self:
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def take(self, request: SeenRequest) -> Step:
        """Note the request and find its step."""
        with self._lock:
            if not self.for_processors and set(request.offered) == {ANSWER}:
                self.questions.append(request)
                return Says("I cannot tell.")
            self.requests.append(request)
            refusal = self._refusal(request)
            step = None if refusal else self.answer(request)
            if step is None:
                refusal = refusal or "no step is left in the script"
                self.unlisted.append(f"{request.method} {request.path}: {refusal}")
                return Fails(400, f"unlisted request: {refusal}")
            return step

    def _refusal(self, request: SeenRequest) -> str:
        if (request.method, request.path) != ("POST", "/v1/chat/completions"):
            return "no such address"
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return "wrong key"
        if request.body.get("model") != self.model:
            return "unknown model"
        return "" if request.messages else "no messages"

    def pause(self, seconds: float) -> None:
        """Sleep, but not beyond the end of the test."""
        self._closing.wait(seconds)


class ScriptedModel(ModelServer):
    """Answers the first request with the first step, and so on."""

    def __init__(self, *script: Step) -> None:
        super().__init__()
        self._left = list(script)

    @property
    def is_finished(self) -> bool:
        return not self._left

    def answer(self, request: SeenRequest) -> Step | None:
        step = self._left[0] if self._left else None
        if isinstance(step, RefusesStreaming):
            if request.body.get("stream"):
                return Fails(400, "streaming is not supported: unknown parameter stream")
            step = step.then
        self._left = self._left[1:]
        return step


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    owner: ModelServer


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Tests read `requests`, not the console."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        raw = self.rfile.read(length)
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            body = {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = SeenRequest(self.command, self.path, headers, body if isinstance(body, dict) else {})
        step = self.server.owner.take(seen)
        if isinstance(step, Meanwhile):
            step.deed()
            step = step.then
        try:
            self._send(step, streamed=bool(seen.body.get("stream")), seen=seen)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _send(self, step: Step, *, streamed: bool, seen: SeenRequest) -> None:
        match step:
            case Fails():
                body = step.body
                if body is None:
                    body = json.dumps({"error": {"message": step.message, "type": "scripted", "code": None}})
                self._whole(step.status, body, {"content-type": "application/json", **step.headers})
            case Sends():
                self._whole(200, step.body, {"content-type": step.content_type})
            case Hangs():
                self.server.owner.pause(step.seconds)
                self.close_connection = True
            case Cuts():
                self._stream(list(_chunks(Says(step.text, step.calls), seen))[:-3], cut=True, pause=0)
            case RefusesStreaming() | Meanwhile():
                raise AssertionError("resolved by the script")
            case Says() if streamed:
                self._stream(_chunks(step, seen), cut=False, pause=step.piece_seconds)
            case Says():
                self._whole(200, json.dumps(_completion(step)), {"content-type": "application/json"})

    def _whole(self, status: int, body: str, headers: Mapping[str, str]) -> None:
        raw = body.encode(errors="replace")
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(raw))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def _stream(self, chunks: Iterator[str] | list[str], *, cut: bool, pause: float) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            raw = f"data: {chunk}\n\n".encode()
            self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")
            self.wfile.flush()
            if pause:
                sleep(pause)
        if cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")


def _calls(step: Says) -> list[Fields]:
    return [
        {
            "id": call.id or f"call_{order}",
            "type": "function",
            "function": {"name": call.wire_name, "arguments": call.arguments_text},
        }
        for order, call in enumerate(step.calls)
    ]


def _finish_reason(step: Says) -> str:
    return step.finish_reason or ("tool_calls" if step.calls else "stop")


def _completion(step: Says) -> Fields:
    message: Fields = {"role": "assistant", "content": step.text or None}
    if step.calls:
        message["tool_calls"] = cast(JsonValue, _calls(step))
    whole: Fields = {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 0,
        "model": ModelServer.model,
        "choices": [{"index": 0, "message": message, "finish_reason": _finish_reason(step)}],
    }
    return {**whole, "usage": _usage(step)} if step.usage else whole


def _usage(step: Says) -> Fields:
    read, written = step.tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _chunks(step: Says, seen: SeenRequest) -> Iterator[str]:
    """The streamed form: text in small pieces, the arguments of parallel calls in pieces that alternate."""

    def chunk(delta: Fields, finish_reason: str | None = None) -> str:
        choice: Fields = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return json.dumps(
            {
                "id": "c",
                "object": "chat.completion.chunk",
                "created": 0,
                "model": ModelServer.model,
                "choices": [choice],
            }
        )

    yield chunk({"role": "assistant", "content": ""})
    for piece in _pieces(step.text):
        yield chunk({"content": piece})
    for index, call in enumerate(_calls(step)):
        function = cast(Fields, call["function"])
        yield chunk({"tool_calls": [{**call, "index": index, "function": {"name": function["name"], "arguments": ""}}]})
    for turn in zip_longest(*(_pieces(call.arguments_text) for call in step.calls)):
        for index, fragment in enumerate(turn):
            if fragment is not None:
                yield chunk({"tool_calls": [{"index": index, "function": {"arguments": fragment}}]})
    yield chunk({}, _finish_reason(step))
    wants_usage = cast(Fields, seen.body.get("stream_options") or {}).get("include_usage")
    if step.usage and wants_usage:
        yield json.dumps(
            {"object": "chat.completion.chunk", "model": ModelServer.model, "choices": [], "usage": _usage(step)}
        )
    yield "[DONE]"


def _pieces(text: str) -> list[str]:
    return [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
