"""Where managers write, compare, publish and archive runbooks."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.decorators import display

from junto.tenants.access import actor_of
from junto.tenants.permissions import Permission
from junto.tenants.sites import site
from runbooks.admin_editor import EditorPages
from runbooks.admin_lifecycle import in_words, where
from runbooks.forms import RunbookForm
from runbooks.models import Runbook
from runbooks.services import plan_publication, save_draft

#: Problems of a draft named after a save; the publish page lists all.
NAMED_PROBLEMS = 8


@admin.register(Runbook, site=site)
class RunbookAdmin(EditorPages):
    """Saving keeps a draft; what is in force changes only on the publish page."""

    form = RunbookForm
    list_display = ("title", "shown_status", "audience", "shown_scope", "category", "published_number", "changed_at")
    list_filter = ("status", "audience", "category", "company")
    list_select_related = ("company",)
    search_fields = ("title", "description", "body")
    search_help_text = "Words in the title, description or text"
    list_per_page = 50
    actions: ClassVar[Any] = None
    fieldsets = (
        (None, {"fields": ("title", "description")}),
        ("Procedure", {"fields": ("body", "inputs", "reason")}),
        ("When and for whom", {"fields": (("audience", "on_success"), ("company", "category"), "tags")}),
    )

    @display(description="Status", ordering="status", label={"Published": "success", "Archived": "info"})
    def shown_status(self, row: Runbook) -> str:
        """The status in one word."""
        return str(row.get_status_display())

    @display(description="Scope", ordering="company__name")
    def shown_scope(self, row: Runbook) -> str:
        """The company, or all."""
        return row.company.name if row.company else "All companies"

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """An author limited to some companies may read global runbooks and change those of theirs."""
        if isinstance(obj, Runbook):
            return actor_of(request).can(Permission.AUTHOR_RUNBOOKS, where(obj, actor_of(request)))
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Runbooks are archived, never deleted: their history and what ran on them stay."""
        return False

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool) -> None:
        """Save a draft version, and say what would keep it from being published."""
        if not isinstance(obj, Runbook):
            raise TypeError(f"{type(obj).__name__} is no runbook")
        save_draft(actor=actor_of(request), runbook=obj, reason=form.cleaned_data.get("reason", ""))
        for problem in plan_publication(actor=actor_of(request), runbook=obj).problems[:NAMED_PROBLEMS]:
            messages.warning(request, in_words(problem))
