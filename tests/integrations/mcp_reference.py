"""A server of the official SDK over HTTP, for tests: `python mcp_reference.py PORT`."""

from __future__ import annotations

import sys

from mcp.server.mcpserver import MCPServer

server = MCPServer("reference")


@server.tool(title="Add up")
def add(first: int, second: int) -> int:
    """The sum of two numbers."""
    return first + second


@server.tool()
def fail() -> str:
    """It always fails."""
    raise ValueError("no luck today")


if __name__ == "__main__":
    server.run(transport="streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
