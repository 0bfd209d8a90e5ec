"""The HTTP server: reads a request, lets the vendor answer, writes the log, and applies the fault switches.

Made on the standard library's threading server, because a fault has to reach below HTTP: to close a connection
before or after an effect, to stay silent, or to send byte by byte.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from integrations.sandbox.control import PREFIX, ControlPlane
from integrations.sandbox.faults import Fault, FaultBoard, FaultKind
from integrations.sandbox.journal import Journal
from integrations.sandbox.store import Store
from integrations.sandbox.vendors import Vendor
from integrations.sandbox.wire import Answer, Request, Sighting, json_answer

_LARGEST_BODY = 32 * 1024 * 1024  # bytes
_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><h1>Please sign in</h1></body></html>"
_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Sandbox:
    """Everything a request can touch."""

    store: Store
    journal: Journal
    faults: FaultBoard
    vendors: dict[str, Vendor]
    control: ControlPlane
    turn: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, request: Request) -> tuple[Answer | None, Fault | None]:
        """Answer a vendor request and log it. No answer means that the connection is to be closed in silence."""
        vendor = self.vendors.get(request.path.removeprefix("/").partition("/")[0])
        if vendor is None:
            answer = json_answer(404, {"code": "NotFound", "message": "no vendor has this address", "errors": []})
            self._log(None, request, Sighting(), answer, None)
            return answer, None
        sighting = vendor.recognise(request)
        owner = sighting.caller.owner if sighting.caller else None
        fault = self.faults.take(
            vendor=vendor.slug, owner=owner, method=request.method, path=request.path + sighting.deed
        )
        if fault and fault.latency_ms:
            time.sleep(fault.latency_ms / 1000)
        if fault and not fault.has_effect:
            refusal = _answer_without_effect(fault)
            self._log(vendor.slug, request, sighting, refusal, fault)
            return refusal, fault
        with self.turn:  # effects and their rows in the log come in the same order
            with self.store.change():
                answer = vendor.answer(request)
            self._log(vendor.slug, request, sighting, answer, fault)
        return answer, fault

    def _log(
        self, vendor: str | None, request: Request, sighting: Sighting, answer: Answer | None, fault: Fault | None
    ) -> None:
        self.journal.append(
            time=self.store.clock.now(),
            vendor=vendor,
            request=request,
            sighting=sighting,
            answer=answer,
            fault=fault.kind.value if fault else None,
        )


def _answer_without_effect(fault: Fault) -> Answer | None:
    if fault.kind is FaultKind.HTML:
        return Answer(fault.status, _HTML, (("Content-Type", "text/html; charset=utf-8"),))
    if fault.kind is FaultKind.STATUS:
        headers = (("Retry-After", fault.retry_after),) if fault.retry_after is not None else ()
        code = {429: "TooManyRequests", 401: "Unauthorized", 403: "Security"}.get(fault.status, "InternalError")
        return json_answer(fault.status, {"code": code, "message": "Not now.", "errors": []}, headers=headers)
    return None


class SandboxServer(ThreadingHTTPServer):
    """One thread a connection. `scheme` is http or https."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox, tls: ssl.SSLContext | None = None) -> None:
        self.sandbox = sandbox
        self.tls = tls
        super().__init__(address, _Connection)

    @property
    def scheme(self) -> str:
        """How this server is addressed."""
        return "https" if self.tls else "http"

    @property
    def base_url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"{self.scheme}://{host!s}:{port}"

    def finish_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Handshake in the connection's own thread, so that a slow client holds nobody up."""
        connection = request[1] if isinstance(request, tuple) else request
        connection.settimeout(120)
        if self.tls:
            try:
                connection = self.tls.wrap_socket(connection, server_side=True)
            except (ssl.SSLError, OSError):
                return
        with suppress(ConnectionError, TimeoutError, ssl.SSLError):
            _Connection(connection, client_address, self)
        if self.tls:
            connection.close()


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SandboxServer

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - names set by the base class

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - named by the base class
        """Keep the standard library's access lines off the terminal: the request log says it all."""

    def _serve(self) -> None:
        request = self._read_request()
        if request is None:
            return
        if request.path == "/healthz":
            self._send(json_answer(200, {"status": "ok"}))
        elif request.path.startswith(PREFIX):
            self._send(self.server.sandbox.control.answer(request, peer=str(self.client_address[0])))
        else:
            answer, fault = self.server.sandbox.serve(request)
            self._deliver(answer, fault)

    def _read_request(self) -> Request | None:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdigit():
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
            return None
        if int(length) > _LARGEST_BODY:
            self._discard(min(int(length), 2 * _LARGEST_BODY))
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.close_connection = True
            return None
        try:
            parts = urlsplit(self.path)
        except ValueError:
            self._refuse(HTTPStatus.BAD_REQUEST)
            return None
        address = self.headers.get("Host")
        return Request(
            method=self.command,
            path=parts.path,
            query=tuple(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            base_url=f"{self.server.scheme}://{address}" if address else self.server.base_url,
        )

    def _discard(self, length: int) -> None:
        """Read a body that is not wanted: a client that still sends would never see the answer."""
        while length > 0 and (piece := self.rfile.read(min(length, 1 << 20))):
            length -= len(piece)

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True
        self._send(json_answer(status, {"code": status.name, "message": status.phrase, "errors": []}))

    def _deliver(self, answer: Answer | None, fault: Fault | None) -> None:
        kind = fault.kind if fault else None
        if fault is None or kind in (FaultKind.LATENCY, FaultKind.STATUS, FaultKind.HTML):
            if answer is not None:
                self._send(answer)
            return
        self.close_connection = True
        if kind is FaultKind.HALF_OPEN:
            self._stay_silent(fault.hold_seconds)
        elif kind is FaultKind.SLOW_BYTES and answer is not None:
            self._drip(answer, fault)
        elif kind is FaultKind.TRUNCATED and answer is not None:
            self.wfile.write(self._encode(answer)[: -max(1, len(answer.body) // 2)])
        self._hang_up()

    def _send(self, answer: Answer) -> None:
        self.wfile.write(self._encode(answer))

    def _encode(self, answer: Answer) -> bytes:
        """Status line, headers and body in one piece: two writes would wait for each other on loopback."""
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}", f"Date: {self.date_time_string()}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if answer.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(answer.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        body = b"" if self.command == "HEAD" else answer.body
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def _drip(self, answer: Answer, fault: Fault) -> None:
        """The head at once, the body byte by byte until the time is over; what is left is never sent."""
        deadline = time.monotonic() + fault.hold_seconds
        encoded = self._encode(answer)
        head = len(encoded) - len(answer.body)
        self.wfile.write(encoded[:head])
        for at in range(head, len(encoded)):
            if time.monotonic() > deadline:
                return
            self.wfile.write(encoded[at : at + 1])
            time.sleep(1 / fault.bytes_per_second)

    def _stay_silent(self, seconds: float) -> None:
        """Hold the connection until the time is over or the client has gone."""
        deadline = time.monotonic() + seconds
        self.connection.settimeout(_POLL_SECONDS)
        while time.monotonic() < deadline:
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    def _hang_up(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
