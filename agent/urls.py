"""The pages technicians live in, the approvals queue among them; inside an organization."""

from __future__ import annotations

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
