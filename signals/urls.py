"""Pages of signals, inside an organization."""

from __future__ import annotations

from django.urls import path

from signals import views

urlpatterns = [path("signals/", views.signals, name="signals")]
