"""A server on loopback that answers as a test tells it, however wrong, and remembers what it was asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Respond = Callable[[bytes, socket.socket], None]
"""Takes the request (head and body as they came) and the connection; the connection is closed afterwards."""


@dataclass
class Rogue:
    """A running server: its port, and the requests it got."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def base_url(self) -> str:
        """An address below which everything is answered alike."""
        return f"http://127.0.0.1:{self.port}/v4_6_release/apis/3.0"


def says(status: str, body: bytes = b"", **headers: str) -> Respond:
    """A complete answer; `Retry_After` becomes Retry-After."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    answer = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    return lambda _, connection: connection.sendall(answer)


def raw(answer: bytes) -> Respond:
    """Bytes as they are, then the end."""
    return lambda _, connection: connection.sendall(answer)


@contextmanager
def rogue_server(*responses: Respond) -> Iterator[Rogue]:
    """Answers with the responses in turn, and with the last one from then on."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    rogue = Rogue(listener.getsockname()[1])
    ended = threading.Event()

    def serve() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                request = _request(connection)
                rogue.requests.append(request)
                responses[min(len(rogue.requests), len(responses)) - 1](request, connection)
            except OSError:
                return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield rogue
    finally:
        ended.set()
        thread.join(5)
        listener.close()


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return received
        received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
