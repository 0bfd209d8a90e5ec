"""The doors: who comes in over HTTP, REST or a websocket, and in which organization (HOUSE 4; I6, I19, T8, T9, T18).

Every door answers a stranger as if the organization did not exist: 404 over HTTP and REST, 4403 on a socket.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.db import SessionStore
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect
from django.http.request import split_domain_port, validate_host
from django.urls import get_script_prefix, get_urlconf, set_script_prefix, set_urlconf
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from junto.tenants.actors import Actor
from junto.tenants.models import Membership, Organization, User

if TYPE_CHECKING:
    from asgiref.typing import WebSocketConnectEvent, WebSocketDisconnectEvent, WebSocketReceiveEvent
    from rest_framework.views import APIView  # DRF reads its settings, and so this module, while importing its views


class MemberRequest(HttpRequest):
    """A request inside an organization, as `MembershipMiddleware` hands it to a view. For type hints only."""

    actor: Actor
    membership: Membership
    organization: Organization


GetResponse = Callable[[HttpRequest], HttpResponseBase]
T = TypeVar("T")

ORGANIZATION_PATH = re.compile(r"/o/(?P<slug>[-a-zA-Z0-9_]{1,50})(?P<rest>/.*)?", re.DOTALL)
#: Session key: slug of the organization that was last open in this browser.
LAST_ORGANIZATION = "organization"

#: No inline script or style anywhere; nothing from another host (T3, T18).
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
#: The admin: unfold's Alpine evaluates expressions and styles elements inline.
ADMIN_POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
#: The API's page: swagger-ui styles elements inline.
API_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)

NOT_LOGGED_IN = 4401
NOT_A_MEMBER = 4403
NOT_HERE = 4404
TOO_MANY_FRAMES = 4429
TOO_LARGE = 1009
MAX_FRAME_BYTES = 64 * 1024
MAX_FRAMES_PER_SECOND = 20
#: A push may rest on a membership read this long ago, in seconds; frames never do (T8: 5 s for pushes).
PUSH_TRUST_SECONDS = 1.0
#: A silent socket's membership is read again this often, in seconds (T10: closed within 5 s of a revocation).
WATCH_SECONDS = 4.0
MAX_LIFE_SECONDS = 12 * 60 * 60


@contextmanager
def organization_urls(slug: str) -> Iterator[None]:
    """Inside, `reverse()` gives paths of the organization's pages, as it does during one of its requests."""
    prefix, urlconf = get_script_prefix(), get_urlconf()
    set_script_prefix(f"/o/{slug}/")
    set_urlconf(settings.ORGANIZATION_URLCONF)
    try:
        yield
    finally:
        set_script_prefix(prefix)
        set_urlconf(urlconf)


class OrganizationPrefix:
    """First middleware: takes `/o/<slug>` off the path and switches to the organization's URLconf. Checks nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        found = ORGANIZATION_PATH.fullmatch(request.path_info)
        if found is None:
            return self.get_response(request)
        if found["rest"] is None:
            return HttpResponsePermanentRedirect(request.path + "/")
        request.organization_slug = found["slug"]  # type: ignore[attr-defined]
        request.path_info = found["rest"]
        request.urlconf = settings.ORGANIZATION_URLCONF
        with organization_urls(found["slug"]):
            return self.get_response(request)


class ContentSecurityPolicy:
    """Adds the strict policy to every page that did not set its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        return response


class MembershipMiddleware:
    """Sets `request.actor`, `request.membership` and `request.organization` on an organization's pages.

    The membership is read anew for every request, so a demotion holds from the next one on. A page outside any
    organization has none of the three.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        """Send the anonymous to login and the stranger away.

        Raises:
            Http404: the user is no active member of this organization, or it does not exist.
        """
        slug: str | None = getattr(request, "organization_slug", None)
        if slug is None:
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), settings.LOGIN_URL)
        membership = find_membership(request.user, slug)
        if membership is None:
            raise Http404("There is no such organization.")
        request.membership = membership  # type: ignore[attr-defined]
        request.organization = membership.organization  # type: ignore[attr-defined]
        request.actor = Actor.person(membership)  # type: ignore[attr-defined]
        if request.session.get(LAST_ORGANIZATION) != slug:
            request.session[LAST_ORGANIZATION] = slug
        return None


def actor_of(request: HttpRequest) -> Actor:
    """Who asks: what `MembershipMiddleware` set on a request inside an organization."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def find_membership(user: User, slug: str) -> Membership | None:
    """The active membership of an active user in the organization, read now; None for a stranger."""
    return (
        Membership.unscoped.select_related("user", "organization")
        .filter(user=user, organization__slug=slug, is_active=True, user__is_active=True)
        .first()
    )


class IsMember(BasePermission):
    """DRF's default permission: the token must belong to the organization of the path. Sets `request.actor`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True, or an error.

        Raises:
            NotAuthenticated: there is no token (401).
            Http404: the token belongs to another organization.
        """
        actor = request.auth
        if not isinstance(actor, Actor):
            raise NotAuthenticated("Send an API token: Authorization: Bearer jt_...")
        if view.kwargs.get("organization") != actor.organization.slug:
            raise Http404("There is no such organization.")
        request.actor = actor  # type: ignore[attr-defined]
        request.organization = actor.organization  # type: ignore[attr-defined]
        return True


class OwnOriginOnly:
    """Outermost on websockets: refuses a handshake whose Origin is missing or not our own address (T18)."""

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self.application = application

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if is_own_origin(headers.get(b"origin", ""), headers.get(b"host", "")):
            await self.application(scope, receive, send)
            return
        # Closing before accepting is an HTTP 403 to the browser.
        await receive()
        await send({"type": "websocket.close", "code": NOT_A_MEMBER})


def is_own_origin(origin: str, host: str) -> bool:
    """Whether `origin` is PUBLIC_URL's, or names exactly the host and port that was asked for, an allowed one."""
    try:
        parts = urlsplit(origin)
        domain, _ = split_domain_port(host.lower())
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        return False
    public = urlsplit(settings.PUBLIC_URL)
    if (parts.scheme, parts.netloc.lower()) == (public.scheme, public.netloc.lower()):
        return True
    return parts.netloc.lower() == host.lower() and bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)


def read_actor(session_key: str | None, slug: str) -> Actor | int:
    """Who a websocket speaks for at this moment, or the code to close it with.

    The login session, the user and the membership are all read again: a logout, a changed password, a deactivated
    user and a removed membership end the socket alike.
    """
    request = HttpRequest()
    request.session = SessionStore(session_key)
    user = auth.get_user(request)
    if not isinstance(user, User):
        return NOT_LOGGED_IN
    membership = find_membership(user, slug)
    return NOT_A_MEMBER if membership is None else Actor.person(membership)


class MembershipConsumer(AsyncWebsocketConsumer):
    """Base of every websocket. The route must name the organization's slug as `organization`.

    Subclasses write `opened(actor)`, `receive_text(actor, text)`, `closed()` and methods for pushed messages; in
    those `self.actor` is the person as of at most PUSH_TRUST_SECONDS ago. A push to somebody who is no longer a
    member is dropped and the socket closed.
    """

    actor: Actor
    _read_at: float = 0.0
    _opened: bool = False
    _shut: bool = False
    _watcher: asyncio.Task[None] | None = None
    _frames: deque[float]
    _own_messages: ClassVar[str] = "websocket."

    async def database(self, function: Callable[..., T], *args: object, **kwargs: object) -> T:
        """The one way to the database: on any free thread, not on the one that all consumers would share."""
        call = database_sync_to_async(function, thread_sensitive=False)
        result: T = await call(*args, **kwargs)
        return result

    async def opened(self, actor: Actor) -> None:
        """The socket is accepted and its member known."""

    async def receive_text(self, actor: Actor, text: str) -> None:
        """One inbound frame of a person who is a member at this moment."""
        raise NotImplementedError

    async def closed(self) -> None:
        """The socket is gone. Called only after `opened`."""

    async def websocket_connect(self, message: WebSocketConnectEvent) -> None:
        """Accept, then close with a code that says why, as a browser cannot see why a handshake was refused."""
        self._frames = deque(maxlen=MAX_FRAMES_PER_SECOND)
        await self.accept()
        actor = await self._reload()
        if actor is not None:
            self._opened = True
            self._watcher = asyncio.create_task(self._watch())
            await self.opened(actor)

    async def websocket_receive(self, message: WebSocketReceiveEvent) -> None:
        """Obey a frame only when it is small, not one of too many, and its sender still a member."""
        if self._shut:
            return
        text = message.get("text")
        if text is None or len(text.encode()) > MAX_FRAME_BYTES:
            await self.close(TOO_LARGE)
            return
        now = time.monotonic()
        if len(self._frames) == MAX_FRAMES_PER_SECOND and now - self._frames[0] < 1.0:
            await self.close(TOO_MANY_FRAMES)
            return
        self._frames.append(now)
        actor = await self._reload()
        if actor is not None:
            await self.receive_text(actor, text)

    async def websocket_disconnect(self, message: WebSocketDisconnectEvent) -> None:
        """Tell the subclass and end this consumer."""
        if self._watcher is not None:
            self._watcher.cancel()
        if self._opened:
            self._opened = False
            await self.closed()
        raise StopConsumer

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """Close once; what still arrives afterwards is dropped."""
        if not self._shut:
            self._shut = True
            await super().close(code, reason)

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Pass a message on; one from the channel layer only to a member."""
        if not message["type"].startswith(self._own_messages):
            stale = time.monotonic() - self._read_at > PUSH_TRUST_SECONDS
            if self._shut or not self._opened or (stale and await self._reload() is None):
                return
        await super().dispatch(message)

    async def _reload(self) -> Actor | None:
        """Read the membership now; None after closing the socket when there is none."""
        session_key = self.scope["session"].session_key
        slug = self.scope["url_route"]["kwargs"]["organization"]
        found = await self.database(read_actor, session_key, slug)
        if isinstance(found, Actor):
            self.actor = found
            self._read_at = time.monotonic()
            return found
        await self.close(found)
        return None

    async def _watch(self) -> None:
        """Close a silent socket soon after its membership ended, and any socket after its longest life."""
        born = time.monotonic()
        while time.monotonic() - born < MAX_LIFE_SECONDS:
            await asyncio.sleep(WATCH_SECONDS)
            if time.monotonic() - self._read_at >= WATCH_SECONDS and await self._reload() is None:
                return
        await self.close(NOT_LOGGED_IN)
