"""A websocket on the real application, as a browser would open it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgiref.testing import ApplicationCommunicator
from django.test import Client

from junto.asgi import application

WAIT_SECONDS = 5.0
ORIGIN = "http://testserver"


class Refused(Exception):
    """The handshake was refused: a browser sees an HTTP 403."""


class Socket:
    """One open socket."""

    def __init__(self, communicator: ApplicationCommunicator) -> None:
        self.communicator = communicator

    async def send(self, frame: dict[str, Any] | str) -> None:
        """Send one frame; a string goes as it is."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.communicator.send_input({"type": "websocket.receive", "text": text})

    async def send_bytes(self, content: bytes) -> None:
        """Send a binary frame."""
        await self.communicator.send_input({"type": "websocket.receive", "bytes": content})

    async def until(self, *types: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """The next frame of one of these types.

        Raises:
            AssertionError: the socket was closed first; says with which code.
        """
        while True:
            message = await self.communicator.receive_output(seconds)
            assert message["type"] != "websocket.close", f"closed with {message.get('code')}"
            frame: dict[str, Any] = json.loads(message["text"])
            if frame["type"] in types:
                return frame

    async def closed_with(self, seconds: float = WAIT_SECONDS) -> int:
        """The code the server closes with; what it sends before is dropped."""
        while True:
            message = await self.communicator.receive_output(seconds)
            if message["type"] == "websocket.close":
                code: int = message.get("code", 1000)
                return code

    async def is_silent(self, seconds: float = 0.3) -> bool:
        """Whether nothing comes for that long."""
        return await self.communicator.receive_nothing(timeout=seconds)


@asynccontextmanager
async def open_socket(
    path: str, client: Client | None = None, *, origin: str | None = ORIGIN, host: str = "testserver", query: str = ""
) -> AsyncIterator[Socket]:
    """A socket on `path` with the login of `client`; gone afterwards, whatever happens.

    Raises:
        Refused: the handshake was refused.
    """
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode("latin-1")))
    if client is not None:
        headers.append((b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()))
    scope = {
        "type": "websocket",
        "path": path,
        "query_string": query.encode(),
        "headers": headers,
        "subprotocols": [],
        "client": ["127.0.0.1", 1],
    }
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "websocket.connect"})
    try:
        answer = await communicator.receive_output(WAIT_SECONDS)
        if answer["type"] != "websocket.accept":
            raise Refused(answer.get("code"))
        yield Socket(communicator)
    finally:
        await communicator.send_input({"type": "websocket.disconnect", "code": 1000})
        try:
            await communicator.wait(WAIT_SECONDS)
        except (asyncio.CancelledError, TimeoutError):
            communicator.stop(exceptions=False)
