"""MCP servers that run on this machine, where whoever runs it listed their command (JUNTO_MCP_COMMANDS).

An Admin chooses one that was listed for the organization and never types a command. The process lives for one
conversation, gets none of our environment but where programs and the home folder are, and every message to it passes
the same gate as one over HTTP.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from django.conf import settings
from mcp.client._transport import TransportStreams, WriteStream
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.shared.message import SessionMessage

from integrations.errors import AddressRefused, IntegrationError, VendorDown
from integrations.guard import STDIO
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
        """Start the command; it ends with the block. Raises VendorDown where it does not start."""
        command, *arguments = self._command
        parameters = StdioServerParameters(command=command, args=arguments)
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            try:
                async with stdio_client(parameters, errlog=nowhere) as (incoming, outgoing):
                    yield incoming, _Gated(outgoing, self)
            except OSError as error:
                raise VendorDown(f"The command of {self._label} could not be started.", sent=False) from error

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
