"""REST paths of signals, below `/api/v1/<organization>/`."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
