"""Where vendors knock, in front of Django: what comes in while a batch is written is the next batch.

A request through Django takes a thread and a connection to the database of its own, which at 100 callbacks a second
made them wait for seconds. Here one thread with one connection writes them, many in one transaction, and each is
answered after the commit. What cannot be taken soon is refused with the moment to come again.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection

from integrations.webhook_intake import LARGEST_BODY, Knock, Outcome, take_in
from signals.sync.webhooks import answer_to, fits

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

#: Deliveries of one transaction.
BATCH: Final = 100
#: Deliveries that wait to be written, and bytes of all bodies that are here: what comes then is sent away.
MOST_WAITING: Final = 500
MOST_BYTES: Final = 64 * 1024 * 1024
#: Deliveries whose body is still on its way, of one address and of all; behind a proxy that the server does not trust
#: all have the same.
MOST_SENDING_OF_ONE: Final = 100
MOST_SENDING: Final = 1000
#: Seconds after which to come again.
AGAIN: Final = 10
#: Seconds for a body to arrive.
PATIENCE: Final = 20.0

log = structlog.get_logger(__name__)

_PATH = re.compile(r"/hooks/([^/]+)/")
_ALWAYS = ((b"content-type", b"text/plain"), (b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_BUSY: Final = (503, {"Retry-After": str(AGAIN)})
Answer = tuple[int, Mapping[str, str]]


@dataclass(frozen=True)
class _Waiting:
    knock: Knock
    answer: asyncio.Future[Answer]


class Gone(Exception):
    """The sender went away before its body was here."""


class Full(Exception):
    """No more is held now."""


class WebhookDoor:
    """ASGI application of the webhooks' addresses; all else goes on to the application behind it."""

    def __init__(self, behind: Any, *, most_waiting: int = MOST_WAITING) -> None:
        self._behind = behind
        self._most_waiting = most_waiting
        self._waiting: list[_Waiting] = []
        self._inside = self._bytes = 0
        self._sending: Counter[str] = Counter()
        self._writer: asyncio.Task[None] | None = None
        # one thread, so that its connection to the database stays
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="junto-hooks")

    def close(self) -> None:
        """Let go of the thread and its connection, when what it writes is written."""
        self._thread.submit(_let_go)
        self._thread.shutdown()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a delivery; hand on whatever is none."""
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if found is None:
            await self._behind(scope, receive, send)
            return
        try:
            status, headers = await self._answer(found[1], scope, receive)
        except Gone:
            return
        lines = [*_ALWAYS, (b"content-length", b"0"), *((k.lower().encode(), v.encode()) for k, v in headers.items())]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": b""})

    async def _answer(self, token: str, scope: Scope, receive: Receive) -> Answer:
        headers, parts = _headers(scope), list[bytes]()
        try:
            self._require_room()
            body = None
            if fits(headers.get("content-length", "")):
                body = await self._body(_peer(scope), receive, parts)
                self._require_room()
            return await self._take_in(Knock(token=token, body=body, headers=headers))
        except TimeoutError:
            return 408, {}
        except Full:
            return _BUSY
        finally:
            self._bytes -= sum(map(len, parts))

    def _require_room(self) -> None:
        """Raises Full."""
        if self._inside >= self._most_waiting or self._bytes > MOST_BYTES:
            raise Full

    async def _body(self, peer: str, receive: Receive, parts: list[bytes]) -> bytes | None:
        """The body, whose pieces stand in `parts` as they come; None where more comes than is read.

        Who is slow takes no place of those that wait to be written. Raises Full, Gone, TimeoutError.
        """
        if self._sending[peer] >= MOST_SENDING_OF_ONE or self._sending.total() >= MOST_SENDING:
            raise Full
        self._sending[peer] += 1
        try:
            async with asyncio.timeout(PATIENCE):
                size, more = 0, True
                while more:
                    piece, more = await _piece(receive)
                    parts.append(piece)
                    size += len(piece)
                    self._bytes += len(piece)
                    if size > LARGEST_BODY:
                        return None
                    if more:
                        self._require_room()
        finally:
            self._sending[peer] -= 1
            self._sending += Counter()  # drops whoever sends nothing now
        return b"".join(parts)

    async def _take_in(self, knock: Knock) -> Answer:
        """Wait for its turn and for the commit."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(knock, answer))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())
        self._inside += 1
        try:
            return await answer
        finally:
            self._inside -= 1

    async def _write(self) -> None:
        """Until nothing waits: take what waits, write it, answer it. Where that cannot go on, none is left waiting."""
        loop = asyncio.get_running_loop()
        batch: list[_Waiting] = []
        try:
            while batch := self._waiting[:BATCH]:
                del self._waiting[:BATCH]
                answers = await loop.run_in_executor(self._thread, _take_in, [each.knock for each in batch])
                _tell(batch, answers)
        except Exception:
            log.exception("webhooks not written", deliveries=len(batch) + len(self._waiting))
        finally:
            left, self._waiting, self._writer = [*batch, *self._waiting], [], None
            _tell(left, [_BUSY] * len(left))


def _tell(waiting: Sequence[_Waiting], answers: Sequence[Answer]) -> None:
    for each, answer in zip(waiting, answers, strict=True):
        if not each.answer.done():
            each.answer.set_result(answer)


def _take_in(knocks: list[Knock]) -> list[Answer]:
    """What each is answered. Where the database fails, none is stored, and all are to come again.

    Where it only refuses something in them, the halves are tried apart: what one sender sent keeps nobody else's out.
    """
    try:
        return [answer_to(outcome) for outcome in _stored(knocks)]
    except (OperationalError, InterfaceError):  # it is down or locked: to try each would only take longer
        log.exception("webhooks not stored", deliveries=len(knocks))
        return [_BUSY] * len(knocks)
    except Exception:
        if half := len(knocks) // 2:
            return [*_take_in(knocks[:half]), *_take_in(knocks[half:])]
        log.exception("webhooks not stored", deliveries=len(knocks))
        return [_BUSY] * len(knocks)


def _stored(knocks: list[Knock]) -> list[Outcome]:
    """Take them in; once more on a new connection, as the one that was kept may have been lost meanwhile."""
    try:
        return take_in(knocks)
    except (DatabaseError, InterfaceError):
        connection.close()
        return take_in(knocks)


def _let_go() -> None:
    """Close the connection of this thread: the name alone means that of whoever asks."""
    connection.close()


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _peer(scope: Scope) -> str:
    """Whom a request counts for: its address, of IPv6 the network that one subscriber has; "" where none is known."""
    host = str((scope.get("client") or ("",))[0])
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    """What came next of a body, and whether more comes. Raises Gone."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    return message.get("body", b""), bool(message.get("more_body"))
