"""Where managers write, compare, publish and archive runbooks."""

from __future__ import annotations

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from junto.tenants.access import actor_of
from junto.tenants.permissions import Permission
from junto.tenants.sites import site
from runbooks.admin_editor import EditorPages
from runbooks.admin_list import ListPages
from runbooks.admin_pages import where
from runbooks.forms import RunbookForm
from runbooks.models import Runbook


@admin.register(Runbook, site=site)
class RunbookAdmin(ListPages, EditorPages):
    """Saving keeps a draft; what is in force changes only on the publish page."""

    form = RunbookForm
    fieldsets = (
        (None, {"fields": ("title", "description")}),
        ("Procedure", {"fields": ("body", "inputs", "reason")}),
        ("When and for whom", {"fields": (("audience", "on_success"), ("company", "category"), "tags")}),
    )

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """An author limited to some companies may read global runbooks and change those of theirs."""
        if isinstance(obj, Runbook):
            return actor_of(request).can(Permission.AUTHOR_RUNBOOKS, where(obj, actor_of(request)))
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Runbooks are archived, never deleted: their history and what ran on them stay."""
        return False
