"""A person lets Junto in at an MCP server (OAuth 2.1 with PKCE), in two halves: the way to the page, and back from it.

The SDK finds the authorization server, makes us known there where no client was entered, and speaks to it. What it
needs for the second half is kept sealed: nothing of it stays in memory. A token is for this server only (RFC 8707), and
goes nowhere else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

import httpx2
from mcp.client.auth import OAuthClientProvider, OAuthFlowError, OAuthRegistrationError, OAuthTokenError
from mcp.client.auth.oauth2 import PKCEParameters
from mcp.client.auth.utils import validate_authorization_response_iss
from mcp.shared.auth import (
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthMetadata,
    OAuthToken,
    ProtectedResourceMetadata,
)
from pydantic import AnyUrl, BaseModel, ValidationError

from integrations import guard
from integrations.bearer import Bearer
from integrations.errors import (
    AddressRefused,
    IntegrationError,
    ToolUnavailable,
    VendorDown,
    VendorGarbled,
    VendorRefused,
    VendorTimeout,
)
from integrations.mcp.definitions import plain
from integrations.mcp.endpoints import ENDPOINTS, SIGN_IN, path_of
from integrations.mcp.schemas import Credentials
from integrations.mcp.transport import Network, bounded, http_client, in_our_words
from integrations.persons import PersonTokens, Redeemed
from integrations.warrants import Endpoint, Errand, classify

_HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "junto", "version": "0"},
    },
}
_USUAL_LIFE = 3600
"""Seconds that an access token is taken to hold where nobody says."""

T = TypeVar("T")


class _PersonNeeded(Exception):
    """Everything is found: from here on it takes a person."""


class Standing(BaseModel):
    """What is kept, sealed, of a sign-in: who we are there, where tokens are had, and the tokens."""

    client: OAuthClientInformationFull
    metadata: OAuthMetadata
    resource: ProtectedResourceMetadata | None
    scope: str | None
    verifier: str = ""
    tokens: OAuthToken | None = None
    ends_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a person consents, and what is to be kept until they come back."""

    address: str
    secret: str


class _Provider(OAuthClientProvider):
    """The SDK's sign-in, stopped where the person comes in."""

    async def _perform_authorization(self) -> httpx2.Request:
        raise _PersonNeeded

    async def exchange(self, code: str, verifier: str) -> httpx2.Request:
        """The request that turns a code into tokens."""
        return await self._exchange_token_authorization_code(code, verifier)

    async def renewal(self) -> httpx2.Request:
        """The request for another access token."""
        return await self._refresh_token()

    async def take(self, response: httpx2.Response) -> OAuthToken:
        """The tokens of an answer. Raises OAuthTokenError."""
        await self._handle_token_response(response)
        if self.context.current_tokens is None:
            raise OAuthTokenError("no token")
        return self.context.current_tokens


class _Nothing:
    """Keeps nothing: what is to be kept is sealed by us."""

    def __init__(self, client: OAuthClientInformationFull | None = None) -> None:
        self._client = client

    async def get_tokens(self) -> OAuthToken | None:
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        return None

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        return None


class _SignInGate(httpx2.AsyncBaseTransport):
    """What a sign-in may send: a greeting to the server, and requests of OAuth to public addresses, or to its own."""

    def __init__(self, *, base_url: str, errand: Errand, label: str) -> None:
        self._home = guard.target_of(base_url)
        self._base_url = httpx2.URL(base_url)
        self._errand = errand
        self._label = label
        self._at_home, self._elsewhere = Network(), Network(public_only=True)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request. Raises AddressRefused, VendorError."""
        target = guard.target_of(str(request.url))
        if target != self._home and guard.is_local_target(target.host, target.port):
            raise AddressRefused("The server names an authorization server that stands in another place of ours.")
        metadata, register, token = SIGN_IN
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        endpoint: Endpoint | None = metadata if request.method == "GET" else token if is_form else register
        if request.url == self._base_url:
            path = path_of(await request.aread())
            endpoint = classify(ENDPOINTS, method=request.method, path=path)
        self._errand.admit(endpoint, method=request.method, path=endpoint.template if endpoint else "")
        request.headers["accept-encoding"] = "identity"
        with in_our_words(f"The authorization server of {self._label}"):
            network = self._at_home if target == self._home else self._elsewhere
            return bounded(await network.handle_async_request(request), label=self._label)

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._at_home.aclose()
        await self._elsewhere.aclose()


class SignIn:
    """One half of a sign-in, on one errand. Every method raises `IntegrationError`."""

    def __init__(self, *, base_url: str, credentials: Credentials, errand: Errand, label: str) -> None:
        self._base_url = base_url
        self._credentials = credentials
        self._errand = errand
        self._label = label

    def begin(self, *, redirect_uri: str, state: str) -> Asked:
        """Find out where a person consents, and make Junto known there."""
        standing = self._run(lambda client: self._found(client, redirect_uri))
        metadata = standing.metadata
        if "S256" not in (metadata.code_challenge_methods_supported or []):
            raise VendorRefused(f"The authorization server of {self._label} does not offer PKCE.", sent=True)
        guard.target_of(str(metadata.authorization_endpoint))
        proof = PKCEParameters.generate()
        query = {
            "response_type": "code",
            "client_id": standing.client.client_id or "",
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": proof.code_challenge,
            "code_challenge_method": "S256",
            "resource": self._base_url,
            **({"scope": standing.scope} if standing.scope else {}),
        }
        address = str(metadata.authorization_endpoint)
        kept = standing.model_copy(update={"verifier": proof.code_verifier})
        return Asked(f"{address}{'&' if '?' in address else '?'}{urlencode(query)}", kept.model_dump_json())

    def redeem(self, *, code: str, issuer: str | None, secret: str, redirect_uri: str) -> Redeemed:
        """Turn the code that came back into tokens."""
        standing = self._read(secret)
        try:
            validate_authorization_response_iss(issuer, standing.metadata)
        except OAuthFlowError as error:
            raise VendorRefused(
                "Another authorization server answered than the one that was asked.", sent=True
            ) from error
        provider = self._provider(redirect_uri, standing)
        tokens = self._run(lambda client: self._tokens(client, provider, provider.exchange(code, standing.verifier)))
        return self._redeemed(standing, tokens)

    def token(self, person: PersonTokens | None, *, seconds: float) -> Bearer:
        """An access token for now, as whoever consented. Raises ToolUnavailable where nobody did, or not any more."""
        if person is None:
            raise ToolUnavailable("Nobody signed in at the server yet: have it done on the connection's page.")
        found: list[Bearer] = []

        def ask(secret: str) -> Redeemed:
            standing = self._read(secret)
            if standing.tokens is not None and standing.tokens.refresh_token:
                provider = self._provider("", standing)
                tokens = self._run(lambda client: self._tokens(client, provider, provider.renewal()))
                if not tokens.refresh_token:
                    tokens.refresh_token = standing.tokens.refresh_token
                found.append(Bearer(tokens.access_token, time.monotonic() + _seconds(tokens)))
                return self._redeemed(standing, tokens)
            if standing.tokens is None or standing.ends_at <= time.time():
                raise VendorRefused("Its time is over.", sent=True)
            found.append(Bearer(standing.tokens.access_token, time.monotonic() + standing.ends_at - time.time()))
            return Redeemed(secret, "")

        person.refresh(ask, seconds=seconds)
        return found[0]

    async def _found(self, client: httpx2.AsyncClient, redirect_uri: str) -> Standing:
        provider = self._provider(redirect_uri, None)
        try:
            await client.post(
                self._base_url, json=_HELLO, headers={"Accept": "application/json, text/event-stream"}, auth=provider
            )
        except _PersonNeeded:
            context = provider.context
            if context.client_info is not None and context.oauth_metadata is not None:
                return Standing(
                    client=context.client_info,
                    metadata=context.oauth_metadata,
                    resource=context.protected_resource_metadata,
                    scope=context.client_metadata.scope,
                )
        raise VendorGarbled(f"{self._label} does not say where people sign in for it.", sent=True)

    async def _tokens(
        self, client: httpx2.AsyncClient, provider: _Provider, request: Awaitable[httpx2.Request]
    ) -> OAuthToken:
        response = await client.send(await request)
        if response.status_code >= 500 or response.status_code == 429:
            raise VendorDown(f"The authorization server of {self._label} failed ({response.status_code}).", sent=True)
        return await provider.take(response)

    def _provider(self, redirect_uri: str, standing: Standing | None) -> _Provider:
        client_id, secret = self._credentials.client_id, self._credentials.client_secret.get_secret_value()
        ours = OAuthClientMetadata(
            client_name="Junto",
            redirect_uris=[AnyUrl(redirect_uri or "https://junto.invalid/")],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="client_secret_post" if secret else "none",
        )
        entered = None
        if client_id:
            entered = OAuthClientInformationFull(
                client_id=client_id,
                client_secret=secret or None,
                redirect_uris=ours.redirect_uris,
                token_endpoint_auth_method=ours.token_endpoint_auth_method,
            )
        provider = _Provider(self._base_url, ours, _Nothing(entered))
        if standing is not None:
            provider.context.client_info = standing.client
            provider.context.oauth_metadata = standing.metadata
            provider.context.protected_resource_metadata = standing.resource
            provider.context.protocol_version = "2025-06-18"
            provider.context.client_metadata.scope = standing.scope
            provider.context.current_tokens = standing.tokens
        return provider

    def _redeemed(self, standing: Standing, tokens: OAuthToken) -> Redeemed:
        # an access token is kept only where nothing gives another one
        stored = tokens.model_copy(update={"access_token": ""}) if tokens.refresh_token else tokens
        ends_at = time.time() + _seconds(tokens)
        kept = standing.model_copy(update={"tokens": stored, "verifier": "", "ends_at": ends_at})
        return Redeemed(kept.model_dump_json(), plain(tokens.scope, 200), str(standing.metadata.issuer)[:300])

    def _read(self, secret: str) -> Standing:
        try:
            return Standing.model_validate_json(secret)
        except ValidationError:
            raise ToolUnavailable("What was kept of the sign-in cannot be read: have it done again.") from None

    def _run(self, work: Callable[[httpx2.AsyncClient], Awaitable[T]]) -> T:
        return asyncio.run(self._within(work))

    async def _within(self, work: Callable[[httpx2.AsyncClient], Awaitable[T]]) -> T:
        gate = _SignInGate(base_url=self._base_url, errand=self._errand, label=self._label)
        try:
            async with asyncio.timeout(max(self._errand.remaining, 0.0)), http_client(gate) as client:
                return await work(client)
        except IntegrationError:
            raise
        except TimeoutError as error:
            raise VendorTimeout(
                f"The authorization server of {self._label} did not answer in time.", sent=True
            ) from error
        except (OAuthFlowError, OAuthTokenError, OAuthRegistrationError) as error:
            words = f"The authorization server of {self._label} refused this."  # its words may repeat what we sent
            raise VendorRefused(words, sent=True) from error
        except (httpx2.HTTPError, ValueError) as error:
            raise VendorGarbled(
                f"The authorization server of {self._label} says what makes no sense.", sent=True
            ) from error


def _seconds(tokens: OAuthToken) -> int:
    """How long an access token holds; where the server does not say, an hour."""
    return tokens.expires_in or _USUAL_LIFE
