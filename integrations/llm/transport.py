"""The egress gate for HTTP to a language model: a thin transport for `httpx2` on the address guard.

No proxies or settings from the environment, no redirects, no retries. Only the requests listed here leave.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

import httpcore2
import httpx2

from integrations import guard
from integrations.errors import AddressRefused
from integrations.http import TOTAL_SECONDS
from integrations.warrants import Endpoint, Traffic, classify

MODEL_ENDPOINTS = (
    Endpoint(Traffic.CONTROL, "POST", "/chat/completions"),
    Endpoint(Traffic.CONTROL, "GET", "/models"),
)
"""What is asked of a language model's server; paths count from its base URL."""


class _GuardedBackend(httpcore2.NetworkBackend):
    """The network of httpcore2, behind the guard."""

    def __init__(self) -> None:
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        failure: Exception = httpcore2.ConnectError("no address")
        try:
            addresses = guard.checked_addresses(host, port)
        except AddressRefused as error:
            raise httpcore2.ConnectError(str(error)) from error
        for address in addresses:
            try:
                return self._plain.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


class GuardedTransport(httpx2.HTTPTransport):
    """The transport for `httpx2`: only the listed requests, only to the one origin, through the guard."""

    def __init__(self, *, base_url: str, endpoints: Collection[Endpoint]) -> None:
        """Raises AddressRefused for a base URL that no request may go to."""
        super().__init__(trust_env=False, retries=0)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(trust_env=False), network_backend=_GuardedBackend()
        )
        self._target = guard.target_of(base_url)
        self._base_path = urlsplit(base_url).path.rstrip("/")
        self._endpoints = tuple(endpoints)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send, or raise httpx2.UnsupportedProtocol for a request that is not listed."""
        path = request.url.raw_path.decode("ascii").partition("?")[0]
        listed = path.startswith(self._base_path) and classify(
            self._endpoints, method=request.method, path=path[len(self._base_path) :]
        )
        try:
            same_origin = guard.target_of(str(request.url)).origin == self._target.origin
        except AddressRefused:
            same_origin = False
        if not listed or listed.traffic is Traffic.WRITE or not same_origin:
            raise httpx2.UnsupportedProtocol(f"{request.method} {path} is not among the requests allowed here.")
        return super().handle_request(request)


def model_http_client(base_url: str) -> httpx2.Client:
    """The client that carries conversations to the language model at `base_url`; to be closed by the caller.

    Raises:
        AddressRefused: the address is none that requests may go to.
    """
    return httpx2.Client(
        transport=GuardedTransport(base_url=base_url, endpoints=MODEL_ENDPOINTS),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(TOTAL_SECONDS, connect=guard.CONNECT_SECONDS),
    )
