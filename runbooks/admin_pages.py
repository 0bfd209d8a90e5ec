"""What all pages about one runbook in the admin share: whose it is, who may write, where they lie."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.options import TenantModelAdmin
from runbooks.document import Problem
from runbooks.guards import require_author
from runbooks.models import Runbook


class RunbookPages(TenantModelAdmin):
    """Base of the admin of `Runbook`, with what its pages need."""

    def page(
        self, request: HttpRequest, runbook: Runbook, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        """The template `name` with the admin's frame around it."""
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.model._meta,
            "original": runbook,
            "runbook": runbook,
            "back_path": change_path(runbook),
        }
        return TemplateResponse(request, f"admin/runbooks/runbook/{name}.html", {**shared, **context})

    def visible(self, request: HttpRequest, object_id: str) -> Runbook:
        """Raises Http404 for what the member may not see."""
        found = self.require_visible(request, object_id)
        if not isinstance(found, Runbook):
            raise Http404("There is no such runbook.")
        return found

    def writable(self, request: HttpRequest, object_id: str) -> Runbook:
        """Raises Http404 for what the member may not see, PermissionDenied for what they may only read."""
        runbook = self.visible(request, object_id)
        if not self.may_write(request, runbook):
            require_author(actor_of(request), runbook)
        return runbook

    def may_write(self, request: HttpRequest, runbook: Runbook) -> bool:
        """Whether the member may change it."""
        return self.has_change_permission(request, runbook)


def where(runbook: Runbook, actor: Actor) -> Any:
    """What the right to author is asked of: the runbook's company, else the whole organization."""
    return runbook.company or actor.organization


def change_path(runbook: Runbook) -> str:
    """Where it is edited."""
    return reverse("admin:runbooks_runbook_change", args=[runbook.pk])


def action_path(name: str, runbook: Runbook) -> str:
    """One of its other pages."""
    return reverse(f"admin:runbooks_runbook_{name}", args=[runbook.pk])


def number(text: str | None) -> int:
    """Raises Http404 for what is no number."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Http404("There is no such version.")
    return int(text)


def in_words(problem: Problem) -> str:
    """A problem with its line, where it has one."""
    return f"Line {problem.line}: {problem.message}" if problem.line else problem.message
