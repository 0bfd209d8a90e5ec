"""The log in the admin: looked at, never edited."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin

from junto.audit.models import AuditEntry
from junto.tenants.options import ReadOnlyModelAdmin
from junto.tenants.permissions import Permission
from junto.tenants.sites import site


@admin.register(AuditEntry, site=site)
class AuditEntryAdmin(ReadOnlyModelAdmin):
    """For those who may take the log away."""

    view_permission = Permission.EXPORT_AUDIT
    list_display = ("number", "at", "actor_label", "verb", "target_type", "target_id")
    list_filter = ("verb", "actor_kind")
    search_fields = ("actor_label", "target_id")
    ordering: ClassVar = ["-number"]
