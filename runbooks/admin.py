"""Where managers write, compare, publish and archive runbooks."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest
from django.template.loader import render_to_string
from unfold.decorators import display

from junto.tenants.access import actor_of
from junto.tenants.permissions import Permission
from junto.tenants.sites import site
from runbooks.admin_editor import EditorPages
from runbooks.admin_list import ListPages
from runbooks.admin_pages import where
from runbooks.contents import Content
from runbooks.forms import RunbookForm
from runbooks.models import Runbook
from runbooks.rendering import draw_document


@admin.register(Runbook, site=site)
class RunbookAdmin(ListPages, EditorPages):
    """Saving keeps a draft; what is in force changes only on the publish page."""

    form = RunbookForm
    fieldsets = (
        (None, {"fields": ("title", "description")}),
        ("Procedure", {"fields": ("body", "inputs", "reason")}),
        ("When and for whom", {"fields": (("audience", "on_success"), ("company", "category"), "tags")}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: models.Model | None = None) -> Any:
        """Who may only read sees the text and the inputs as they are read, not as they are written."""
        if not isinstance(obj, Runbook) or self.may_write(request, obj):
            return super().get_fieldsets(request, obj)
        shown = {"body": "drawn_body", "inputs": "shown_inputs", "tags": "shown_tags"}
        return [
            (title, {"fields": [shown.get(str(name), name) for name in options["fields"] if name != "reason"]})
            for title, options in self.fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """What is drawn for readers is no field of the form."""
        return [*super().get_readonly_fields(request, obj), "drawn_body", "shown_inputs", "shown_tags"]

    @display(description="Text")
    def drawn_body(self, row: Runbook) -> str:
        """The draft as a document."""
        return render_to_string("runbooks/_document.html", {"drawn": draw_document(row.body)})

    @display(description="Required inputs")
    def shown_inputs(self, row: Runbook) -> str:
        """One input a line."""
        return Content.of(row).words("inputs") or "None"

    @display(description="Tags")
    def shown_tags(self, row: Runbook) -> str:
        """All in one line."""
        return Content.of(row).words("tags") or "None"

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """An author limited to some companies may read global runbooks and change those of theirs."""
        if isinstance(obj, Runbook):
            return actor_of(request).can(Permission.AUTHOR_RUNBOOKS, where(obj, actor_of(request)))
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Runbooks are archived, never deleted: their history and what ran on them stay."""
        return False
