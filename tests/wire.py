"""What goes between a vendor's client and the sandbox, byte for byte, for the contract tests."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from openapi_core.testing import MockRequest

from tests.integrations.rogue import Respond

#: Changes an answer on its way back.
Change = Callable[[bytes], bytes]


def listening(port: int, heard: list[tuple[bytes, bytes]], change: Change | None = None) -> Respond:
    """Hands each request to the sandbox and its answer back, perhaps changed; keeps both."""

    def respond(request: bytes, connection: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", port), 10) as onward:
            onward.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            answer = b"".join(iter(lambda: onward.recv(65536), b""))
        heard.append((request, answer))
        connection.sendall(change(answer) if change else answer)

    return respond


def parts(request: bytes) -> tuple[str, str, dict[str, str], bytes]:
    """Method, target, headers and body."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("ascii").split("\r\n")
    method, target, _version = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return method, target, {name.lower(): value for name, value in headers.items()}, body


def answer_parts(answer: bytes) -> tuple[int, bytes]:
    """Status and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def as_openapi(request: bytes, port: int) -> MockRequest:
    """The request as openapi-core reads one."""
    method, target, headers, body = parts(request)
    split = urlsplit(target)
    return MockRequest(
        f"http://127.0.0.1:{port}",
        method.lower(),
        split.path,
        args=dict(parse_qsl(split.query)),
        headers=headers,
        data=body or None,
        content_type=headers.get("content-type", "application/json"),
    )


def changed_records(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Every record of an answer, however deep, gets what `change` says and a field of next year."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            **{name: changed(one) for name, one in value.items()},
            **change(value),
            "addedIn2027": {"deep": [1, None]},
        }

    return _on_its_way(changed)


def changed_texts(change: Callable[[str], str]) -> Change:
    """Every text of an answer, however deep, becomes what `change` makes of it."""

    return changed_values(lambda value: change(value) if isinstance(value, str) else value)


def changed_values(change: Callable[[Any], Any]) -> Change:
    """Everything in an answer that is neither list nor object, however deep, becomes what `change` makes of it."""

    def changed(value: Any) -> Any:
        if isinstance(value, list):
            return [changed(one) for one in value]
        return {name: changed(one) for name, one in value.items()} if isinstance(value, dict) else change(value)

    return _on_its_way(changed)


def _on_its_way(changed: Callable[[Any], Any]) -> Change:
    def on_its_way(answer: bytes) -> bytes:
        head, _, body = answer.partition(b"\r\n\r\n")
        if not body:
            return answer
        told = json.dumps(changed(json.loads(body))).encode()
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length")]
        return b"\r\n".join([*lines, f"Content-Length: {len(told)}".encode()]) + b"\r\n\r\n" + told

    return on_its_way


def nulls(record: dict[str, Any], *names: str) -> dict[str, Any]:
    """A null for each of `names` that the record lacks."""
    return {name: None for name in names if name not in record}
