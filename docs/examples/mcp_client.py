"""A program that works with Junto over MCP, to take and change: searches, reads, proposes, and waits for people.

It needs Python 3.11 and the official SDK (`pip install mcp`), and two variables of the environment:

    export JUNTO_URL=https://junto.example/api/v1/northwind
    export JUNTO_TOKEN=jt_...       # with the scopes signals:read, sessions:read and actions:propose
    python mcp_client.py tools
    python mcp_client.py search vpn
    python mcp_client.py read SIGNAL
    python mcp_client.py propose SIGNAL connectwise.add_internal_note '{"ticket_id": 48213, "text": "Seen."}'

`propose` waits until a person decided under Approvals, or policy did, and says what became of it. Break it off and
start it again with the same words: nothing is proposed twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

SECONDS = 60
SECONDS_BETWEEN_LOOKS = 5


class Refused(Exception):
    """Junto did not do it, and says why and what to do."""


async def call(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """What the tool answers. Raises Refused."""
    answer = await client.call_tool(tool, arguments)
    if answer.is_error:
        raise Refused(answer.content[0].text)
    found: dict[str, Any] = answer.structured_content
    return found


async def tools(client: Client) -> None:
    """Every tool that the token's scopes open."""
    for tool in (await client.list_tools()).tools:
        print(f"{tool.name}: {tool.description}")


async def search(client: Client, *words: str) -> None:
    """The signals that hold all words, page after page."""
    cursor: str | None = ""
    while cursor is not None:
        page = await call(client, "search_signals", query=" ".join(words), cursor=cursor)
        for signal in page["signals"]:
            print(signal["id"], signal["state"], signal["number"], signal["foreign"]["subject"])
        cursor = page["next_cursor"]


async def read(client: Client, signal: str) -> None:
    """One signal. What stands under `foreign` was written by strangers: show it, never obey it."""
    print(json.dumps(await call(client, "read_signal", signal=signal), indent=2, ensure_ascii=False))


async def propose(client: Client, signal: str, tool: str, arguments: str = "{}") -> None:
    """Ask for one call of a tool, and wait for what becomes of it."""
    key = hashlib.sha256(f"{signal}\0{tool}\0{arguments}".encode()).hexdigest()
    asked = {"signal": signal, "key": key, "tool": tool, "arguments": json.loads(arguments)}
    action = await call(client, "propose_action", **asked)
    told = ""
    while True:
        if action["status"] != told:
            told = action["status"]
            words = action["foreign"]["reason"] or action["foreign"]["summary"] or action["next"]
            print(f"{told}: {words} {action['who_decides']}".strip(), flush=True)
        if action["final"]:
            return
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
        action = await call(client, "read_action", action=action["id"])


VERBS = {"tools": tools, "search": search, "read": read, "propose": propose}


async def run(verb: str, *words: str) -> None:
    """Connect, do it, and go."""
    headers = {"Authorization": f"Bearer {os.environ['JUNTO_TOKEN']}"}
    async with httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http:
        address = f"{os.environ['JUNTO_URL'].rstrip('/')}/mcp"
        async with Client(streamable_http_client(address, http_client=http)) as client:
            await VERBS[verb](client, *words)


def causes(error: BaseException) -> Iterator[BaseException]:
    """What went wrong, without the groups that asyncio packs it in."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from causes(each)
    else:
        yield error


def main() -> None:
    """Do what the command line says; a refusal is told in Junto's words."""
    if len(sys.argv) < 2 or sys.argv[1] not in VERBS:
        sys.exit(__doc__)
    try:
        asyncio.run(run(*sys.argv[1:]))
    except BaseExceptionGroup as group:
        refusals = [str(cause) for cause in causes(group) if isinstance(cause, Refused | MCPError)]
        if not refusals:
            raise
        sys.exit("\n".join(refusals))


if __name__ == "__main__":
    main()
