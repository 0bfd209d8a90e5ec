"""An MCP server as a command, for tests: one tool, which tells what it sees of its environment."""

from __future__ import annotations

import json
import os
import sys


def answer(message: dict[str, object]) -> dict[str, object] | None:
    """The result of one message, or None where it gets none."""
    match message.get("method"):
        case "initialize":
            return {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "command", "version": "1"},
            }
        case "tools/list":
            return {"tools": [{"name": "names", "inputSchema": {"type": "object", "properties": {}}}]}
        case "tools/call":
            return {"content": [{"type": "text", "text": " ".join(sorted(os.environ))}]}
    return None


for line in sys.stdin:
    told = json.loads(line)
    result = answer(told)
    if "id" in told:
        body = {"result": result} if result else {"error": {"code": -32601, "message": "unknown"}}
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": told["id"], **body}) + "\n")
        sys.stdout.flush()
