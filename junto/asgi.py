"""The server's entry: HTTP, websockets, and the lifespan that starts and stops the embedded engine."""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import re_path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "junto.settings")
# WhiteNoise hands static files over as plain iterators; under ASGI Django says so once for every file
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
http = get_asgi_application()

# Django must be set up before anything that imports models
from django.conf import settings  # noqa: E402

from agent.routing import websocket_urlpatterns  # noqa: E402
from junto import engine  # noqa: E402
from junto.settling import settle  # noqa: E402
from junto.tenants.access import NOT_HERE, OwnOriginOnly  # noqa: E402
from signals.sync.webhook_door import WebhookDoor  # noqa: E402

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Start worker threads and clock with the server and stop them with it; distributed, workers are processes."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            if not settings.REDIS_URL:
                engine.start(asyncio.get_running_loop())
            settle()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if not settings.REDIS_URL:
                await asyncio.to_thread(engine.stop)
            await asyncio.to_thread(door.close)
            await send({"type": "lifespan.shutdown.complete"})
            return


async def no_such_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """A path that no route knows: accepted and closed with a code, as a browser cannot see why a handshake failed."""
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": NOT_HERE})


door = WebhookDoor(http)
# django's `re_path` is typed for views; channels takes an ASGI application in the same place
_anywhere_else: Any = no_such_socket
_signed_in: Any = AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, re_path("", _anywhere_else)]))

application = ProtocolTypeRouter(
    {
        "http": door,
        "websocket": OwnOriginOnly(_signed_in),
        "lifespan": lifespan,
    }
)
