"""What was asked, decided and granted, to look at; nothing of it is ever edited."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from approvals.models import Action, ApprovalPolicy, Decision, Grant, Origin
from junto.tenants.options import ReadOnlyModelAdmin
from junto.tenants.sites import site


@admin.register(Action, site=site)
class ActionAdmin(ReadOnlyModelAdmin):
    """Every intended call."""

    list_display: ClassVar = ["title", "tool", "company", "state", "risk", "created_at"]
    list_filter: ClassVar = ["state", "risk", "category", "company"]
    search_fields: ClassVar = ["title", "tool", "call_id"]
    date_hierarchy = "created_at"


@admin.register(Decision, site=site)
class DecisionAdmin(ReadOnlyModelAdmin):
    """Every word of a person on an action."""

    list_display: ClassVar = ["action", "membership", "verdict", "modified", "created_at"]
    list_filter: ClassVar = ["verdict"]


@admin.register(Grant, site=site)
class GrantAdmin(ReadOnlyModelAdmin):
    """Every standing approval."""

    list_display: ClassVar = ["words", "kind", "tool", "company", "issued_by", "issued_at", "revoked_at"]
    list_filter: ClassVar = ["kind", "company"]


@admin.register(ApprovalPolicy, site=site)
class ApprovalPolicyAdmin(ReadOnlyModelAdmin):
    """Every policy; they are set on the page of tools and policies."""

    list_display: ClassVar = ["tool", "company", "mode", "never_unattended", "set_by", "updated_at"]


@admin.register(Origin, site=site)
class OriginAdmin(ReadOnlyModelAdmin):
    """What actions stand on."""

    list_display: ClassVar = ["kind", "subject", "mode", "company", "fence", "stopped_at", "closed_at"]
    list_filter: ClassVar = ["kind", "mode", "company"]
