"""Which server a connection leads to. What an Admin says of a tool is said of the tool of that server, and no other."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from pydantic import JsonValue

from integrations.guard import STDIO
from integrations.models import Connection, Consent, McpTool
from junto.canonical import digest


def place_of_server(connection: Connection) -> dict[str, JsonValue]:
    """The address; of a command its digest, as it may hold keys; the authorization server that let us in, if one did.

    The consent is read from `connection`: have it selected, or fresh.
    """
    place: dict[str, JsonValue] = {"address": connection.base_url}
    if connection.base_url.startswith(STDIO):
        place["command"] = digest(list(settings.MCP_COMMANDS.get(connection.base_url.removeprefix(STDIO), ())))
    consent: Consent | None = getattr(connection, "consent", None)
    if consent is not None and consent.issuer:
        place["issuer"] = consent.issuer
    return place


def is_at(trusted: Mapping[str, JsonValue], connection: Connection) -> bool:
    """Whether the connection still leads to the server that was trusted.

    Where nobody is signed in at this moment nothing can be asked, and who signs in next decides.
    """
    now = place_of_server(connection)
    if getattr(connection, "consent", None) is None and "issuer" in trusted:
        now["issuer"] = trusted["issuer"]
    return dict(trusted) == now


def is_in_use(row: McpTool) -> bool:
    """Whether a tool may be used: an Admin said what it is, and its connection leads where it led then."""
    return row.state == McpTool.State.ALLOWED and is_at(row.trusted_server, row.connection)


def reading_of(row: McpTool) -> str:
    """SHA-256 over all that an Admin reads of a tool before they say what it is: its definition, and whose it is."""
    return digest({"pin": row.pin, "server": place_of_server(row.connection)})
