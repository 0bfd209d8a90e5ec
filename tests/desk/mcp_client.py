"""The official SDK's own client, speaking to the real view: only the network between them is left out."""

from __future__ import annotations

from typing import Any

import httpx2
from asgiref.sync import async_to_sync, sync_to_async
from django.test import Client as Browser
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, Tool

from tests.agent.cases import SessionTestCase
from tests.cases import Cast

#: As clients of 2025 shake hands, and as those of 2026 ask without.
OLD = "legacy"
NEW = "auto"


class ToTheView(httpx2.AsyncBaseTransport):
    """Hands a request to Django and its answer back."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        return await sync_to_async(self._ask)(request, body)

    def _ask(self, request: httpx2.Request, body: bytes) -> httpx2.Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        answer = Browser().generic(
            request.method,
            request.url.path,
            data=body,
            content_type=headers.pop("content-type", "application/octet-stream"),
            headers=headers,
        )
        return httpx2.Response(answer.status_code, headers=dict(answer.items()), content=answer.content)


class McpTestCase(SessionTestCase):
    """`call` and `tools` are what a program with that token gets."""

    def call(self, secret: str, name: str, speaks: Any = NEW, slug: str = "northwind", **arguments: Any) -> Any:
        """The structured answer. Raises AssertionError with the words of a refusal."""
        answer = self.ask(secret, name, speaks, slug, **arguments)
        assert not answer.is_error, said(answer)
        return answer.structured_content

    def refused(self, secret: str, name: str, speaks: Any = NEW, **arguments: Any) -> str:
        """The words of a refusal."""
        answer = self.ask(secret, name, speaks, **arguments)
        assert answer.is_error, answer
        assert answer.structured_content is None
        return said(answer)

    def ask(
        self, secret: str, name: str, speaks: Any = NEW, slug: str = "northwind", **arguments: Any
    ) -> CallToolResult:
        """One call, as the client hands it to whoever uses it."""

        async def asked(client: Client) -> CallToolResult:
            answer = await client.call_tool(name, arguments)
            assert isinstance(answer, CallToolResult)
            return answer

        return talk(secret, asked, speaks, slug)

    def tools(self, secret: str, speaks: Any = NEW) -> list[Tool]:
        """What the server offers."""

        async def listed(client: Client) -> list[Tool]:
            return list((await client.list_tools()).tools)

        return talk(secret, listed, speaks)


def talk(secret: str, use: Any, speaks: Any = NEW, slug: str = "northwind") -> Any:
    """Connect, use the client, and go."""

    async def connected() -> Any:
        async with httpx2.AsyncClient(
            transport=ToTheView(), headers={"Authorization": f"Bearer {secret}"}, timeout=30
        ) as http:
            transport = streamable_http_client(f"http://testserver/api/v1/{slug}/mcp", http_client=http)
            async with Client(transport, mode=speaks) as client:
                return await use(client)

    return async_to_sync(connected)()


def said(answer: CallToolResult) -> str:
    """Its text."""
    [block] = answer.content
    return getattr(block, "text", "")


def every_scope(cast: Cast) -> str:
    """A token of Adam's that opens every tool."""
    return cast.token(cast.adam, "signals:read", "sessions:read", "runbooks:read", "sessions:start", "actions:propose")
