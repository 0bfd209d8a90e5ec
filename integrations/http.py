"""The egress gate for HTTP to vendors: a thin transport on the address guard, and the one way requests are sent.

No proxies or settings from the environment, no redirects, no cookies, no retries but our own ones of reads. A request
leaves only when its errand admits it, which is asked with the URL as it will be sent.
"""

from __future__ import annotations

import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextvars import ContextVar
from itertools import count
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
import urllib3
from pydantic import JsonValue
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from integrations import guard
from integrations.answers import Answer, AnswerReader
from integrations.errors import (
    AddressRefused,
    OutcomeUnknown,
    VendorDown,
    VendorError,
    VendorGarbled,
    VendorThrottled,
    VendorTimeout,
    VendorTooMuch,
)
from integrations.pace import Pace, Unpaced
from integrations.warrants import Endpoint, Errand, Traffic, classify

READ_SECONDS = 30.0
TOTAL_SECONDS = 60.0
LARGEST_ANSWER = 10 * 1024 * 1024
MOST_PAGES = 100
READ_RETRIES = 2
LONGEST_WAIT_SECONDS = 10.0
REQUESTS_AT_ONCE = 4
"""Per connection: what the vendors' communities call safe for one API member, and a bulkhead against a slow vendor."""

_CHUNK = 64 * 1024


class _NotConnected(Exception):
    """No connection came about, so nothing was sent. Not an OSError, so that urllib3 leaves it alone."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(str(reason))
        self.reason = reason


_watch: ContextVar[guard.Watch | None] = ContextVar("watch", default=None)


class _Guarded(HTTPConnection):
    """A connection of urllib3 that opens its socket through the guard."""

    def _new_conn(self) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, int | float) else guard.CONNECT_SECONDS
        return guard.connect(self.host, self.port or 0, seconds=min(timeout, guard.CONNECT_SECONDS))

    def connect(self) -> None:
        try:
            super().connect()
        except (AddressRefused, OSError, urllib3.exceptions.HTTPError) as error:
            self.close()
            raise _NotConnected(error) from error

    def request(self, *args: object, **kwargs: object) -> None:
        if self.sock is None:
            self.connect()
        watch = _watch.get()
        if watch is not None:
            watch.over(self.sock)
        super().request(*args, **kwargs)  # type: ignore[arg-type]  # passed on as it came


class _GuardedTLS(_Guarded, HTTPSConnection):
    """The same over TLS, whose name stays the host's."""


class _GuardedPool(HTTPConnectionPool):
    ConnectionCls = _Guarded


class _GuardedTLSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedTLS


class GuardedAdapter(HTTPAdapter):
    """The transport for `requests`, and for libraries that take one of its sessions."""

    def __init__(self) -> None:
        super().__init__(pool_connections=1, pool_maxsize=REQUESTS_AT_ONCE, max_retries=0)

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]
        self.poolmanager.pool_classes_by_scheme = {"http": _GuardedPool, "https": _GuardedTLSPool}


_lanes: dict[str, threading.BoundedSemaphore] = {}
_lanes_lock = threading.Lock()


def lane_of(name: str) -> threading.BoundedSemaphore:
    """The bulkhead of one connection in this process."""
    with _lanes_lock:
        return _lanes.setdefault(name, threading.BoundedSemaphore(REQUESTS_AT_ONCE))


class VendorSession:
    """Requests to one vendor's server on one errand. Not shared between threads.

    `explain` draws the vendor's own words out of an error's JSON. `secrets` never appear in an error: whatever echoes
    them is cut out. `lane` names the connection: at most `REQUESTS_AT_ONCE` requests of this process run in it at a
    time, and `pace` says how fast all processes together may ask.
    """

    def __init__(
        self,
        *,
        label: str,
        base_url: str,
        endpoints: Collection[Endpoint],
        errand: Errand,
        headers: Mapping[str, str],
        secrets: Collection[str],
        explain: Callable[[JsonValue], str],
        lane: str,
        pace: Pace | None = None,
        media_type: str = "application/json",
        rest_seconds: float | None = None,
    ) -> None:
        """Raises AddressRefused for a base URL that no request may go to."""
        self._target = guard.target_of(base_url)
        self._base_url = base_url.rstrip("/")
        self._base_path = urlsplit(self._base_url).path
        self._label = label
        self._endpoints = tuple(endpoints)
        self._errand = errand
        self._pace = pace or Unpaced()
        self._media_type = media_type
        self._rest_seconds = rest_seconds
        self._headers = {"User-Agent": "Junto", "Accept-Encoding": "gzip", **headers}
        self._reader = AnswerReader(label=label, secrets=secrets, explain=explain)
        self._lane = lane_of(lane)
        self._adapter = GuardedAdapter()

    def __repr__(self) -> str:
        return f"<VendorSession {self._label}>"

    def close(self) -> None:
        """Let go of connections."""
        self._adapter.close()
        self._pace.close()

    def bear(self, token: str) -> None:
        """Sign what is sent from here on with a bearer token, which no error shows."""
        self._headers["Authorization"] = f"Bearer {token}"
        self._reader.hide(token)

    def bear_nothing(self) -> None:
        """Sign nothing from here on, as where a token is asked for."""
        self._headers.pop("Authorization", None)

    def hide(self, secret: str) -> None:
        """Let no error show this."""
        if secret:
            self._reader.hide(secret)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Iterable[tuple[str, str]] = (),
        body: JsonValue = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and return its 2xx answer. Reads are tried again, at most `READ_RETRIES` times.

        The body is JSON, or a `form`, and never both.

        Raises:
            EgressRefused: the request may not leave, and has not left.
            OutcomeUnknown: a write left and no definite answer came back.
            VendorError: anything else; a write then had no effect.
        """
        request = self._prepared(method, path, query, body=body, form=form)
        for attempt in count():
            self._pace.wait_turn(label=self._label, seconds=max(min(LONGEST_WAIT_SECONDS, self._errand.remaining), 0.0))
            try:
                answer = self._once(request)
            except VendorError as error:
                if isinstance(error, VendorThrottled) and error.retry_after is None:
                    error.retry_after = self._rest_seconds
                wait = self._patience(error, attempt)
                # running out of our own time is not the vendor's fault
                if self._errand.remaining > 0 or (error.sent and not self._errand.hurried):
                    self._pace.failed(error, again=wait is not None)
                if wait is None:
                    raise
            else:
                self._pace.answered(answer.headers)
                return answer
            time.sleep(wait)
        raise AssertionError("count() does not end")

    def pages(self, path: str, *, query: Iterable[tuple[str, str]] = ()) -> Iterator[JsonValue]:
        """The contents of all pages of a list, following links on the same path only.

        Raises:
            VendorGarbled: more than `MOST_PAGES` pages, or a link that leads elsewhere.
        """
        following: list[tuple[str, str]] | None = list(query)
        for _ in range(MOST_PAGES):
            answer = self.send("GET", path, query=following or ())
            yield answer.content
            following = answer.next_query()
            if following is None:
                return
        raise VendorGarbled(f"{self._label} lists more than {MOST_PAGES} pages; narrow the search.", sent=True)

    def _prepared(
        self,
        method: str,
        path: str,
        query: Iterable[tuple[str, str]],
        *,
        body: JsonValue,
        form: Mapping[str, str] | None,
    ) -> requests.PreparedRequest:
        headers = dict(self._headers)
        payload = None
        if form is not None:
            payload = urlencode(form).encode()
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            payload = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
            headers["Content-Type"] = self._media_type
        prepared = requests.Request(
            method, self._base_url + path, params=list(query), data=payload, headers=headers
        ).prepare()
        if urlsplit(str(prepared.url)).path != self._base_path + path:
            raise AddressRefused("A path that is not sent as it is written was held back.")
        return prepared

    def _once(self, request: requests.PreparedRequest) -> Answer:
        """One exchange. The errand is asked with the URL exactly as it will be sent."""
        url, method = str(request.url), str(request.method)
        path, query = urlsplit(url).path, parse_qsl(urlsplit(url).query, keep_blank_values=True)
        if guard.target_of(url) != self._target or not path.startswith(self._base_path + "/"):
            raise AddressRefused(f"A request to another address than that of {self._label} was held back.")
        path = path[len(self._base_path) :]
        if not self._lane.acquire(timeout=max(min(self._errand.remaining, TOTAL_SECONDS), 0.0)):
            raise VendorTimeout(f"{self._label} is busy: all our connections to it are in use.", sent=False)
        try:
            endpoint = classify(self._endpoints, method=method, path=path, query=query)
            traffic = self._errand.admit(endpoint, method=method, path=path)
            if traffic is not Traffic.WRITE:
                return self._exchange(request)
            # A kept connection may have died unseen, and then nobody could say whether the write arrived.
            self._adapter.poolmanager.clear()
            return self._write(request)
        finally:
            self._lane.release()

    def _write(self, request: requests.PreparedRequest) -> Answer:
        try:
            return self._exchange(request)
        except VendorError as error:
            definite = error.status is not None and 400 <= error.status < 500 and error.status != 408
            if not error.sent or definite:
                self._errand.refused_for_certain()
                raise
            raise OutcomeUnknown(
                f"The change was sent, and then: {error} It may have happened or not.", status=error.status
            ) from error

    def _exchange(self, request: requests.PreparedRequest) -> Answer:
        total = min(self._errand.remaining, TOTAL_SECONDS)
        if total <= 0:
            raise VendorTimeout(f"There was no time left to ask {self._label}.", sent=False)
        with guard.Watch(total) as watch:
            token = _watch.set(watch)
            try:
                return self._read(request, timeout=min(total, READ_SECONDS))
            except _NotConnected as error:
                raise self._unreachable(error.reason) from error
            except (VendorError, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                # an answer cut off by the watch can look like a short one
                if watch.rang or _is_timeout(error):
                    raise VendorTimeout(f"{self._label} did not answer in time.", sent=True) from error
                if isinstance(error, VendorError):
                    raise
                raise VendorDown(f"{self._label} broke off in the middle of its answer.", sent=True) from error
            finally:
                _watch.reset(token)

    def _read(self, request: requests.PreparedRequest, *, timeout: float) -> Answer:
        response = self._adapter.send(
            request, stream=True, timeout=(min(guard.CONNECT_SECONDS, timeout), timeout), verify=True, proxies=None
        )
        with response:
            body = bytearray()
            for chunk in response.raw.stream(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise VendorTooMuch(
                        f"{self._label} sent more than {LARGEST_ANSWER >> 20} MiB; narrow the search.", sent=True
                    )
            return self._reader.understood(
                url=str(request.url), status=response.status_code, headers=response.headers, body=bytes(body)
            )

    def _unreachable(self, reason: Exception) -> VendorError | AddressRefused:
        if isinstance(reason, AddressRefused):
            return reason
        if isinstance(reason, ssl.SSLError | urllib3.exceptions.SSLError):
            return VendorDown(f"{self._label}'s certificate could not be trusted.", sent=False)
        if _is_timeout(reason):
            return VendorTimeout(f"{self._label} could not be reached in time.", sent=False)
        if isinstance(reason, ConnectionRefusedError):
            return VendorDown(f"{self._label} could not be reached: nothing answers at its address.", sent=False)
        return VendorDown(f"{self._label} could not be reached.", sent=False)

    def _patience(self, error: VendorError, attempt: int) -> float | None:
        """Seconds to wait before a read is tried again; None when it is not, as a write never is."""
        retriable = isinstance(error, VendorThrottled | VendorDown) and error.sent
        if self._errand.written or not retriable or attempt >= READ_RETRIES:
            return None
        wait = error.retry_after
        if wait is None:
            wait = 0.25 * 2**attempt * random.uniform(0.75, 1.25)  # noqa: S311  # spreads load, hides nothing
        return wait if wait <= min(LONGEST_WAIT_SECONDS, self._errand.remaining - 1.0) else None


def _is_timeout(error: Exception) -> bool:
    return isinstance(
        error, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError | urllib3.exceptions.ReadTimeoutError
    )
