"""REST paths below `/api/v1/<organization>/`."""

from __future__ import annotations

from django.urls import path

from runbooks.api import RunbookDetailView, RunbookListView

urlpatterns = [
    path("runbooks", RunbookListView.as_view(), name="api-runbooks"),
    path("runbooks/<uuid:runbook>", RunbookDetailView.as_view(), name="api-runbook"),
]
