"""MCP servers that run on this machine, where whoever runs it listed their command (JUNTO_MCP_COMMANDS).

An Admin chooses one that was listed for the organization and never types a command. The process lives for one
conversation, gets none of our environment but where programs and the home folder are, and every message to it passes
the same gate as one over HTTP. A line of it is as long as an answer over HTTP may be, at most.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from django.conf import settings
from mcp.client._transport import TransportStreams, WriteStream
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.message import SessionMessage

from integrations.errors import AddressRefused, IntegrationError, VendorDown, VendorTooMuch
from integrations.guard import STDIO
from integrations.http import LARGEST_ANSWER
from integrations.mcp import bounded_command
from integrations.mcp.endpoints import ENDPOINTS, path_of
from integrations.warrants import Errand, classify


class StdioGate:
    """Messages to one command on one errand; `failure` is why the last of them was held back."""

    def __init__(self, *, base_url: str, errand: Errand, label: str) -> None:
        """Raises AddressRefused for a command that is not listed."""
        try:
            self._command: tuple[str, ...] = settings.MCP_COMMANDS[base_url.removeprefix(STDIO)]
        except KeyError:
            raise AddressRefused("Whoever runs this server has not listed this command.") from None
        self._errand = errand
        self._label = label
        self.failure: IntegrationError | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[TransportStreams]:
        """Start the command; it ends with the block. Where it did not start, or said too much, `failure` tells."""
        bounded = ["-I", str(Path(bounded_command.__file__)), str(LARGEST_ANSWER), *self._command]
        parameters = StdioServerParameters(command=sys.executable, args=bounded)
        with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
            try:
                async with stdio_client(parameters, errlog=said) as (incoming, outgoing):
                    yield incoming, _Gated(outgoing, self)
            finally:
                said.seek(0)
                self._note(said.read(100))

    def _note(self, said: str) -> None:
        """Keep why the command ended, where it was ended."""
        if bounded_command.NOT_STARTED in said:
            self.failure = VendorDown(f"The command of {self._label} could not be started.", sent=False)
        elif bounded_command.TOO_LONG in said:
            words = f"{self._label} wrote a line of more than {LARGEST_ANSWER >> 20} MiB, and was ended."
            self.failure = VendorTooMuch(words, sent=True)

    def admit(self, message: SessionMessage) -> None:
        """Raises WarrantRefused for a message that may not leave."""
        path = path_of(message.message.model_dump_json(by_alias=True, exclude_unset=True).encode())
        endpoint = classify((*ENDPOINTS, *(self._errand.endpoints or ())), method="POST", path=path)
        try:
            self._errand.admit(endpoint, method="POST", path=path)
        except IntegrationError as refused:
            self.failure = refused
            raise


class _Gated:
    """The way out to a command: nothing passes that the gate does not admit."""

    def __init__(self, stream: WriteStream[SessionMessage], gate: StdioGate) -> None:
        self._stream = stream
        self._gate = gate

    async def send(self, item: SessionMessage, /) -> None:
        """Send what may leave."""
        self._gate.admit(item)
        await self._stream.send(item)

    async def aclose(self) -> None:
        """Close the way."""
        await self._stream.aclose()

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._stream.__aexit__(kind, error, trace)
