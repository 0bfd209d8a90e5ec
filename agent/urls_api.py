"""REST paths below `/api/v1/<organization>/`."""

from __future__ import annotations

from django.urls import path

from agent.api import ActionDetailView, ActionProposalView, SessionDetailView, SessionListView

urlpatterns = [
    path("sessions", SessionListView.as_view(), name="api-sessions"),
    path("sessions/<uuid:session>", SessionDetailView.as_view(), name="api-session"),
    path("actions", ActionProposalView.as_view(), name="api-actions"),
    path("actions/<uuid:action>", ActionDetailView.as_view(), name="api-action"),
]
