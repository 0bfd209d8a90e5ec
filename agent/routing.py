"""Websocket routes. Each carries the organization's slug itself."""

from __future__ import annotations

from typing import Any

from django.urls import path

from agent.consumers import SessionConsumer

# django's `path` is typed for views; channels takes an ASGI application in the same place
_session: Any = SessionConsumer.as_asgi()

websocket_urlpatterns: list[Any] = [
    path("ws/o/<slug:organization>/sessions/<uuid:signal>/", _session),
]
