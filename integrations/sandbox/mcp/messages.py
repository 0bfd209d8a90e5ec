"""JSON-RPC as MCP speaks it: what a message says, and how it is answered (handshake of 2025-06-18)."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.sandbox.json_types import Json, Record
from integrations.sandbox.wire import Answer, Effect, Request, json_answer

PROTOCOL = "2025-06-18"
METHOD_NOT_FOUND, INVALID_PARAMS, INVALID_REQUEST = -32601, -32602, -32600


class Refused(Exception):
    """A message that is answered with a JSON-RPC error."""

    def __init__(self, code: int, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True)
class Message:
    """One message. `number` None = a notification, which gets no answer."""

    method: str
    parameters: Record
    number: Json = None


def read_message(request: Request) -> Message:
    """Raises Refused for what is no single message of JSON-RPC."""
    try:
        body = request.json()
    except ValueError as error:
        raise Refused(INVALID_REQUEST, "This is no JSON") from error
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0" or not isinstance(body.get("method"), str):
        raise Refused(INVALID_REQUEST, "This is no single message of JSON-RPC 2.0")
    parameters = body.get("params")
    return Message(str(body["method"]), parameters if isinstance(parameters, dict) else {}, body.get("id"))


def deed_of(request: Request) -> str:
    """What a message does, as in `/tools/call/set_asset_note`; empty for what is none."""
    try:
        message = read_message(request)
    except Refused:
        return ""
    name = message.parameters.get("name") if message.method == "tools/call" else None
    return f"/{message.method}" + (f"/{name}" if name else "")


def result(number: Json, told: Record, *, effect: Effect | None = None) -> Answer:
    """The answer to a message that was understood."""
    return json_answer(200, {"jsonrpc": "2.0", "id": number, "result": told}, effect=effect)


def error(number: Json, refused: Refused) -> Answer:
    """The answer to one that was not."""
    told: Record = {"code": refused.code, "message": str(refused)}
    return json_answer(200, {"jsonrpc": "2.0", "id": number, "error": told})
