"""Pages of runbooks, inside an organization."""

from __future__ import annotations

from django.urls import path

from runbooks import views

urlpatterns = [
    path("runbooks/", views.runbooks, name="runbooks"),
    path("runbooks/<uuid:runbook_id>/", views.runbook, name="runbook"),
]
