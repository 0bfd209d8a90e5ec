"""Pages of runbooks, inside an organization."""

from __future__ import annotations

from django.urls import path

from runbooks import views

urlpatterns = [
    path("runbooks/", views.runbooks, name="runbooks"),
    path("runbooks/diagrams/", views.diagram_frame, name="diagram-frame"),
    path("runbooks/images/<uuid:image_id>/", views.image, name="runbook-image"),
    path("runbooks/<uuid:runbook_id>/", views.runbook, name="runbook"),
]
