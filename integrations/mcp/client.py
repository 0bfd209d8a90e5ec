"""The client of an MCP server: the official SDK, every message through the egress gate.

Each call is a conversation of its own: handshake, list of the tools, the call, the end. So the definition that a person
agreed to is compared with the server's own at the moment before the call, and nothing is kept between two calls but
which era of the protocol the server speaks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import mcp_types
from mcp.client._transport import Transport, TransportStreams
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import JsonValue, TypeAdapter

from integrations.bearer import Bearer, credentials_mark, shelf
from integrations.contracts import CredentialField
from integrations.errors import (
    IntegrationError,
    OutcomeUnknown,
    ToolRefused,
    VendorError,
    VendorGarbled,
    VendorRefused,
    VendorTimeout,
    VendorTooMuch,
    VendorUnauthorized,
)
from integrations.guard import STDIO
from integrations.http import TOTAL_SECONDS, lane_of
from integrations.mcp.definitions import definition_of, pin_of, plain
from integrations.mcp.oauth import Asked, SignIn
from integrations.mcp.schemas import Credentials, Listed, Said
from integrations.mcp.stdio import StdioGate
from integrations.mcp.transport import Gate, http_client
from integrations.pace import Pace
from integrations.persons import PersonTokens, Redeemed
from integrations.texts import redacted
from integrations.warrants import Errand

ADDRESS_HELP = "The server's MCP address (streamable HTTP), as in https://mcp.example.com/mcp."
PER_MINUTE = 120
MOST_TOOLS = 300
MOST_PAGES = 30
LONGEST_TEXT = 200_000
"""Characters of an answer's text that are kept. A structured answer that is longer is not taken at all."""

AUTHORIZE_PATH = ""
"""The server itself says where people consent."""

CREDENTIAL_FIELDS: tuple[CredentialField, ...] = (
    CredentialField("token", "Token", "As the server's vendor gave it.", secret=True),
)
SET_UP = (
    "Find the server's MCP address in its vendor's documentation. It has to speak streamable HTTP."
    " Where the operator allows it, a command on this machine can be named instead.",
    "Make a token for Junto alone, with no more rights than the tools need that you mean to allow.",
    "Every tool is blocked until you say what it does and whose records it sees.",
)

#: JSON-RPC's own refusals: the message was not taken, so nothing was done. Not -32602 (arguments that
#: do not fit): servers pass on what a tool of theirs raised, and that may come from half-way through.
_NOT_TAKEN = frozenset({-32600, -32601})
_JSON: TypeAdapter[JsonValue] = TypeAdapter(JsonValue)
#: Which era of the protocol a connection's server was found to speak; asked anew by each process.
_eras: dict[str, str] = {}

T = TypeVar("T")


class DefinitionChanged(ToolRefused):
    """The tool is not what an Admin classified. `now` is what the server says of it; None = it is gone."""

    def __init__(self, name: str, now: Listed | None) -> None:
        self.name = name
        self.now = now
        super().__init__("The server changed this tool since it was classified.")


def normal_base_url(url: str) -> str:
    """The address without blanks around it."""
    return url.strip()


def open_client(
    *,
    base_url: str,
    credentials: Mapping[str, str],
    errand: Errand,
    lane: str,
    pace: Pace,
    person: PersonTokens | None = None,
    label: str,
) -> McpClient:
    """A client for one errand, to be closed; `label` = what its failures call the server, as there may be several.

    Raises AddressRefused; ValidationError for impossible credentials.
    """
    return McpClient(
        base_url=base_url,
        credentials=Credentials.model_validate(dict(credentials)),
        errand=errand,
        lane=lane,
        pace=pace,
        person=person,
        label=label,
    )


class McpClient:
    """Conversations for one errand. Every method raises `IntegrationError` of integrations.errors."""

    def __init__(
        self,
        *,
        base_url: str,
        credentials: Credentials,
        errand: Errand,
        lane: str,
        pace: Pace,
        person: PersonTokens | None = None,
        label: str,
    ) -> None:
        self._label = label
        self._token = credentials.token.get_secret_value()
        self._credentials = credentials
        self._person = person
        self._base_url = base_url
        self._errand = errand
        self._lane = lane
        self._pace = pace
        self._gate: Gate | StdioGate | None = None
        self._quotes = True

    def close(self) -> None:
        """Keep what was counted."""
        self._pace.close()

    def probe(self) -> str:
        """Shake hands, and read the list of tools."""
        self.listing()
        return self._label

    def ask_consent(self, *, redirect_uri: str, state: str) -> Asked:
        """Where a person signs in for Junto, and what is to be kept until they come back."""
        if self._credentials.auth != "oauth":
            raise ToolRefused("Nobody signs in at this server: Junto goes there with what was entered.")
        return self._sign_in().begin(redirect_uri=redirect_uri, state=state)

    def redeem(self, *, code: str, verifier: str, redirect_uri: str, issuer: str | None = None) -> Redeemed:
        """What a person's sign-in gave; `verifier` is what `ask_consent` had kept."""
        return self._sign_in().redeem(code=code, issuer=issuer, secret=verifier, redirect_uri=redirect_uri)

    def listing(self) -> tuple[Listed, ...]:
        """All tools that the server offers. Raises VendorTooMuch where the list does not end."""
        return tuple(self._converse(self._listed))

    def look(self, name: str, *, pin: str) -> None:
        """Whether the tool is what it was. Raises DefinitionChanged."""
        self._converse(lambda client: self._unchanged(client, name, pin))

    def call(self, name: str, arguments: Mapping[str, JsonValue], *, pin: str, quotes: bool = True) -> Said:
        """Call a tool that is what it was.

        Without `quotes` no error repeats the server's words, as nobody knows whose they are.

        Raises:
            DefinitionChanged: it is not, and nothing was called.
            VendorRefused: the server says that the call failed; of a write OutcomeUnknown.
        """

        self._quotes = quotes

        async def work(client: Client) -> Said:
            await self._unchanged(client, name, pin)
            return self._said(await client.session.call_tool(name, dict(arguments)))

        return self._converse(work)

    def _converse(self, work: Callable[[Client], Awaitable[T]]) -> T:
        """One conversation from handshake to end, within the errand's time."""
        total = max(min(self._errand.remaining, TOTAL_SECONDS), 0.0)
        bearer = self._signed_in(total)
        self._pace.wait_turn(label=self._label, seconds=total)
        lane = lane_of(self._lane)
        if not lane.acquire(timeout=total):
            raise VendorTimeout(f"{self._label} is busy: all our connections to it are in use.", sent=False)
        try:
            result = asyncio.run(self._within(work, seconds=max(self._errand.remaining, 0.0)))
        except VendorError as error:
            _eras.pop(self._lane, None)
            if bearer is not None and isinstance(error, VendorUnauthorized):
                shelf.drop(self._lane, bearer)
            self._pace.failed(error, again=False)
            raise
        finally:
            lane.release()
        self._pace.answered({})
        return result

    def _signed_in(self, seconds: float) -> Bearer | None:
        """The token of whoever consented, taken for what follows; None where nobody has to."""
        if self._credentials.auth != "oauth":
            return None
        bearer = shelf.take(
            self._lane,
            credentials=credentials_mark(self._base_url, self._person.mark if self._person else ""),
            seconds=seconds,
            ask=lambda: self._sign_in().token(self._person, seconds=seconds),
        )
        self._token = bearer.token
        return bearer

    def _sign_in(self) -> SignIn:
        return SignIn(base_url=self._base_url, credentials=self._credentials, errand=self._errand, label=self._label)

    async def _within(self, work: Callable[[Client], Awaitable[T]], *, seconds: float) -> T:
        try:
            async with asyncio.timeout(min(seconds, TOTAL_SECONDS)):
                client = Client(
                    self._transport(),
                    mode=_eras.get(self._lane, "auto"),
                    cache=None,
                    client_info=mcp_types.Implementation(name="junto", version="0"),
                )
                async with client:
                    version = client.protocol_version
                    _eras[self._lane] = version if version in MODERN_PROTOCOL_VERSIONS else "legacy"
                    return await work(client)
        except Exception as error:
            raise self._understood(error) from error

    def _transport(self) -> Transport:
        if self._base_url.startswith(STDIO):
            self._gate = stdio = StdioGate(base_url=self._base_url, errand=self._errand, label=self._label)
            return stdio.open()
        return self._over_http()

    @asynccontextmanager
    async def _over_http(self) -> AsyncIterator[TransportStreams]:
        self._gate = gate = Gate(
            label=self._label,
            base_url=self._base_url,
            errand=self._errand,
            secrets=(self._token,),
            quotes=self._quotes,
        )
        async with (
            http_client(gate, token=self._token) as client,
            streamable_http_client(self._base_url, http_client=client) as streams,
        ):
            yield streams

    async def _listed(self, client: Client) -> list[Listed]:
        found: list[Listed] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await client.list_tools(cursor=cursor)
            for tool in page.tools:
                told = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
                definition = definition_of(told)
                found.append(Listed(name=tool.name, definition=definition, pin=pin_of(definition)))
            cursor = page.next_cursor
            if cursor is None and len(found) <= MOST_TOOLS:
                return found
            if len(found) > MOST_TOOLS:
                break
        raise VendorTooMuch(f"{self._label} lists more than {MOST_TOOLS} tools, or its list does not end.", sent=True)

    async def _unchanged(self, client: Client, name: str, pin: str) -> None:
        found = [one for one in await self._listed(client) if one.name == name]
        if len(found) != 1 or found[0].pin != pin:
            raise DefinitionChanged(name, found[0] if len(found) == 1 else None)

    def _said(self, result: object) -> Said:
        if not isinstance(result, mcp_types.CallToolResult):
            raise VendorGarbled(f"{self._label} asks something back, and nobody here answers it.", sent=True)
        texts: list[str] = []
        left_out: list[str] = []
        for block in result.content:
            if isinstance(block, mcp_types.TextContent):
                texts.append(block.text)
            elif isinstance(block, mcp_types.EmbeddedResource) and isinstance(
                block.resource, mcp_types.TextResourceContents
            ):
                texts.append(block.resource.text)
            else:
                left_out.append(block.type)
        text = self._without_secrets("\n\n".join(texts))
        if len(text) > LONGEST_TEXT:
            text = text[:LONGEST_TEXT]
            left_out.append(f"everything after {LONGEST_TEXT:,} characters")
        if result.is_error:
            raise VendorRefused(
                f"{self._label} says that this failed{self._quoted(text, 'no reason given')}", sent=True
            )
        structured = self._without_secrets(_JSON.dump_json(result.structured_content).decode())
        if len(structured) > LONGEST_TEXT:  # cut, it would be no JSON, and nobody could tell whose its records are
            left_out = [f"all of it: {len(structured):,} characters, and {LONGEST_TEXT:,} are read; ask for less"]
            return Said(text="", structured=None, left_out=tuple(left_out))
        return Said(text=text, structured=_JSON.validate_json(structured), left_out=tuple(left_out))

    def _quoted(self, words: str, otherwise: str = "") -> str:
        """The server's own words at the end of a sentence, where they may be repeated."""
        if not self._quotes:
            return ". Its words are not shown: they may be about another company."
        return f": {plain(redacted(words), 300) or otherwise}"

    def _without_secrets(self, text: str) -> str:
        return text.replace(self._token, "[removed]") if self._token else text

    def _understood(self, error: Exception) -> IntegrationError:
        """What a conversation came to, by our own name for it. Of a write that left: whether it may have happened."""
        found = self._named(error)
        if self._errand.effect_possible and not isinstance(found, OutcomeUnknown):
            status = found.status if isinstance(found, VendorError) else None
            return OutcomeUnknown(f"The call was sent, and then: {found} It may have happened or not.", status=status)
        return found

    def _named(self, error: Exception) -> IntegrationError:
        ours = next((one for one in _leaves(error) if isinstance(one, IntegrationError)), None)
        if ours is not None:
            return ours
        if self._gate is not None and self._gate.failure is not None:
            return self._gate.failure
        refused = next((one for one in _leaves(error) if isinstance(one, MCPError)), None)
        if refused is not None:
            if refused.code in _NOT_TAKEN:
                self._errand.refused_for_certain()
            words = self._quoted(self._without_secrets(refused.message))
            return VendorRefused(f"{self._label} refused this ({refused.code}){words}", sent=True)
        if any(isinstance(one, TimeoutError) for one in _leaves(error)):
            return VendorTimeout(f"{self._label} did not answer in time.", sent=True)
        return VendorGarbled(f"{self._label} answered with something that is no message of MCP.", sent=True)


def _leaves(error: BaseException) -> list[BaseException]:
    """The errors in a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]
