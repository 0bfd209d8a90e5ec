"""The page of tools and policies, inside an organization."""

from __future__ import annotations

from django.urls import path

from approvals import views

urlpatterns = [
    path("policies/", views.policies, name="policies"),
    path("policies/<str:tool>/", views.tool_policy, name="policy-set"),
]
