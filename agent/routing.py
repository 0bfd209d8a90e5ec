"""Websocket routes. Each carries the organization's slug itself."""

from __future__ import annotations

from django.urls import path

from agent.consumers import SessionConsumer

websocket_urlpatterns = [
    path("ws/o/<slug:organization>/sessions/<uuid:signal>/", SessionConsumer.as_asgi()),
]
