"""REST paths below `/api/v1/<organization>/`."""

from __future__ import annotations

from django.urls import path

from signals.rest.api import SignalDetailView, SignalListView, SignalSyncView
from signals.rest.api_directory import CompanySyncView, ContactSyncView, DeviceSyncView
from signals.rest.api_state import SyncStateView

urlpatterns = [
    path("companies/sync", CompanySyncView.as_view(), name="api-companies-sync"),
    path("contacts/sync", ContactSyncView.as_view(), name="api-contacts-sync"),
    path("devices/sync", DeviceSyncView.as_view(), name="api-devices-sync"),
    path("sync-state", SyncStateView.as_view(), name="api-sync-state"),
    path("signals/sync", SignalSyncView.as_view(), name="api-signals-sync"),
    path("signals", SignalListView.as_view(), name="api-signals"),
    path("signals/<uuid:signal>", SignalDetailView.as_view(), name="api-signal"),
]
