"""REST paths below `/api/v1/<organization>/`."""

from __future__ import annotations

from django.urls import path

from signals.api import SignalDetailView, SignalListView, SignalSyncView

urlpatterns = [
    path("signals/sync", SignalSyncView.as_view(), name="api-signals-sync"),
    path("signals", SignalListView.as_view(), name="api-signals"),
    path("signals/<uuid:signal>", SignalDetailView.as_view(), name="api-signal"),
]
