"""What is said to an MCP server, and what each message may do (I1).

Everything goes to one address, so that method and path say nothing: a message is classed by its own method, and a call
by the tool it names. What stands in no row counts as a WRITE.
"""

from __future__ import annotations

import json
from typing import Final

from pydantic import JsonValue

from integrations.warrants import Endpoint, Traffic

LIST_TOOLS: Final = Endpoint(Traffic.READ, "POST", "/tools/list")

ENDPOINTS: Final = (
    Endpoint(Traffic.CONTROL, "POST", "/initialize"),
    Endpoint(Traffic.CONTROL, "POST", "/server/discover"),
    Endpoint(Traffic.CONTROL, "POST", "/notifications/initialized"),
    Endpoint(Traffic.CONTROL, "POST", "/notifications/cancelled"),
    Endpoint(Traffic.CONTROL, "POST", "/answer"),
    Endpoint(Traffic.CONTROL, "DELETE", "/session"),
    LIST_TOOLS,
)
"""Handshake, withdrawal of a request of ours, the refusal of what a server asks of us, the end of a session, and the
list of tools. The row of a call is the tool's own."""

SIGN_IN: Final = (
    Endpoint(Traffic.CONTROL, "GET", "/metadata"),
    Endpoint(Traffic.CONTROL, "POST", "/register"),
    Endpoint(Traffic.CONTROL, "POST", "/token"),
)
"""What is asked of a server's authorization server."""


def call_endpoint(name: str, traffic: Traffic) -> Endpoint:
    """The row of calls of one tool, in the class that an Admin gave it."""
    return Endpoint(traffic, "POST", f"/tools/call/{name}")


def path_of(body: bytes) -> str:
    """What a message says, as the rows name it. A batch, or what is no JSON-RPC, fits none of them."""
    try:
        message: JsonValue = json.loads(body)
    except (ValueError, RecursionError):
        return "/unreadable"
    if not isinstance(message, dict):
        return "/unreadable"
    method = message.get("method")
    if method is None:
        return "/answer" if "error" in message or message.get("result") == {} else "/unreadable"
    if method != "tools/call":
        return f"/{method}"
    parameters = message.get("params")
    return f"/tools/call/{parameters.get('name') if isinstance(parameters, dict) else ''}"
