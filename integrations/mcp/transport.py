"""The egress gate for MCP over HTTP: a thin transport for `httpx2` on the address guard.

No proxies or settings from the environment, no redirects, no stream that a server may speak on unasked. A message
leaves only when the errand admits what it says, which is asked with the bytes as they will be sent (I1).
"""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import AsyncIterator, Collection, Iterable, Iterator

import anyio.to_thread
import httpcore2
import httpx2
from pydantic import JsonValue

from integrations import guard
from integrations.answers import AnswerReader
from integrations.errors import (
    AddressRefused,
    EgressRefused,
    IntegrationError,
    VendorDown,
    VendorError,
    VendorForbidden,
    VendorGarbled,
    VendorThrottled,
    VendorTimeout,
    VendorTooMuch,
    VendorUnauthorized,
)
from integrations.http import LARGEST_ANSWER, READ_SECONDS
from integrations.mcp.endpoints import ENDPOINTS, path_of
from integrations.warrants import Endpoint, Errand, Traffic, classify

_KINDS = ("application/json", "text/event-stream")
_UNANSWERED = ("/notifications/", "/answer")
_FATAL = (VendorUnauthorized, VendorForbidden, VendorThrottled, VendorDown, VendorGarbled)


@functools.cache
def _tls() -> ssl.SSLContext:
    """The authorities that everybody trusts, read once: that takes longer than a message."""
    return httpx2.create_ssl_context(trust_env=False)


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    """The network of httpcore2, behind the guard: it connects to checked addresses and resolves nothing by itself."""

    def __init__(self, *, public_only: bool = False) -> None:
        self._plain = httpcore2.AnyIOBackend()
        self._checked = functools.partial(guard.checked_addresses, public_only=public_only)

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # named by the base class
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failure: Exception = httpcore2.ConnectError("no address")
        for address in await anyio.to_thread.run_sync(self._checked, host, port):
            try:
                return await self._plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


class Network(httpx2.AsyncHTTPTransport):
    """`httpx2`'s own transport on that network. `kept` connections may be used again.

    `public_only`: nothing leaves to the networks that the operator listed.
    """

    def __init__(self, *, kept: int = 0, public_only: bool = False) -> None:
        super().__init__(verify=_tls(), trust_env=False, retries=0)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=_tls(),
            network_backend=_GuardedBackend(public_only=public_only),
            max_keepalive_connections=kept,
        )


class Gate(httpx2.AsyncBaseTransport):
    """Messages to one server on one errand; `failure` is what the last of them came to, where it came to nothing."""

    def __init__(
        self, *, label: str, base_url: str, errand: Errand, secrets: Collection[str], quotes: bool = True
    ) -> None:
        """Without `quotes` no error repeats the server's words.

        Raises AddressRefused for an address that no message may go to.
        """
        self._address = httpx2.URL(base_url)
        self._target = guard.target_of(base_url)
        self._label = label
        self._errand = errand
        self._reader = AnswerReader(label=label, secrets=secrets, explain=_words if quotes else _no_words)
        self._kept, self._fresh = Network(kept=2), Network()
        self.failure: IntegrationError | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one message. What ends the whole exchange is raised; other refusals are for the SDK to understand."""
        self.failure = None
        if request.method == "GET":  # a stream on which the server could speak unasked: nobody listens
            return httpx2.Response(405, request=request)
        try:
            return await self._sent(request)
        except IntegrationError as failure:
            self.failure = failure
            raise

    async def _sent(self, request: httpx2.Request) -> httpx2.Response:
        if request.url != self._address or guard.target_of(str(request.url)) != self._target:
            raise AddressRefused(f"A message to another address than that of {self._label} was held back.")
        path = path_of(await request.aread()) if request.method == "POST" else "/session"
        endpoint = classify((*ENDPOINTS, *self._declared), method=request.method, path=path)
        traffic = self._errand.admit(endpoint, method=request.method, path=path)
        request.headers["accept-encoding"] = "identity"
        # a kept connection may have died unseen, and then nobody could say whether the write arrived
        network = self._fresh if traffic is Traffic.WRITE else self._kept
        try:
            with in_our_words(self._label):
                response = await network.handle_async_request(request)
            answer = await self._understood(request, response, path=path)
        except VendorError as error:
            self._weigh(error, traffic)
            raise
        if isinstance(self.failure, VendorError):
            self._weigh(self.failure, traffic)
        return answer

    def _weigh(self, error: VendorError, traffic: Traffic) -> None:
        """Take note where a write came to nothing for certain."""
        definite = error.status is not None and 400 <= error.status < 500 and error.status != 408
        if traffic is Traffic.WRITE and (not error.sent or definite):
            self._errand.refused_for_certain()

    async def aclose(self) -> None:
        """Let go of connections."""
        await self._kept.aclose()
        await self._fresh.aclose()

    @property
    def _declared(self) -> Iterable[Endpoint]:
        return self._errand.endpoints or ()

    async def _understood(self, request: httpx2.Request, response: httpx2.Response, *, path: str) -> httpx2.Response:
        """The answer, when it is one that the protocol knows. Raises VendorError."""
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        if 200 <= response.status_code < 300:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise VendorGarbled(f"{self._label} packs its answers although it was told not to.", sent=True)
            if request.method == "DELETE" or (response.status_code == 202 and path.startswith(_UNANSWERED)):
                return response
            if kind in _KINDS:
                return bounded(response, label=self._label)
        body = b"".join([chunk async for chunk in _Bounded(response.stream, self._label)])
        await response.aclose()
        try:
            self._reader.understood(
                url=str(request.url), status=response.status_code, headers=response.headers, body=body
            )
        except VendorError as error:
            if isinstance(error, _FATAL):
                raise
            self.failure = error  # said no to this one message: perhaps it does not know it
            return httpx2.Response(response.status_code, headers=response.headers, content=body, request=request)
        raise VendorGarbled(f"{self._label} answered with something that is no message of MCP.", sent=True)


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends with an error where it grows too large."""

    def __init__(self, stream: object, label: str) -> None:
        self._stream = stream
        self._label = label

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        if not isinstance(self._stream, httpx2.AsyncByteStream):
            return
        with in_our_words(self._label, sent=True):
            async for chunk in self._stream:
                size += len(chunk)
                if size > LARGEST_ANSWER:
                    raise VendorTooMuch(f"{self._label} sent more than {LARGEST_ANSWER >> 20} MiB.", sent=True)
                yield chunk

    async def aclose(self) -> None:
        """Let go of the connection."""
        if isinstance(self._stream, httpx2.AsyncByteStream):
            await self._stream.aclose()


def bounded(response: httpx2.Response, *, label: str) -> httpx2.Response:
    """The same answer, whose body ends with an error where it grows too large."""
    return httpx2.Response(
        response.status_code,
        headers=response.headers,
        stream=_Bounded(response.stream, label),
        extensions=response.extensions,
    )


@contextlib.contextmanager
def in_our_words(label: str, *, sent: bool = True) -> Iterator[None]:
    """Failures of the network as errors of ours. Raises VendorError, and EgressRefused as it is."""
    try:
        yield
    except EgressRefused:
        raise
    except (httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        raise VendorTimeout(f"{label} could not be reached in time.", sent=False) from error
    except httpx2.ConnectError as error:
        raise VendorDown(f"{label} could not be reached.", sent=False) from error
    except httpx2.TimeoutException as error:
        raise VendorTimeout(f"{label} did not answer in time.", sent=sent) from error
    except httpx2.TransportError as error:
        raise VendorDown(f"{label} broke off in the middle of its answer.", sent=sent) from error


def http_client(
    transport: httpx2.AsyncBaseTransport, *, token: str = "", auth: httpx2.Auth | None = None
) -> httpx2.AsyncClient:
    """A client that goes through `transport` and nowhere else; to be closed."""
    return httpx2.AsyncClient(
        transport=transport,
        trust_env=False,
        follow_redirects=False,
        headers={"User-Agent": "Junto", **({"Authorization": f"Bearer {token}"} if token else {})},
        auth=auth,
        timeout=httpx2.Timeout(READ_SECONDS, connect=guard.CONNECT_SECONDS),
    )


def _no_words(content: JsonValue) -> str:
    return ""


def _words(content: JsonValue) -> str:
    """A server's own words, in the forms of JSON-RPC and of OAuth."""
    if not isinstance(content, dict):
        return ""
    error = content.get("error")
    if isinstance(error, dict):
        return str(error.get("message", ""))
    return " ".join(str(content[one]) for one in ("error", "error_description") if content.get(one))
