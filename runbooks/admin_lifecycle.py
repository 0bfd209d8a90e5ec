"""What managers do with a runbook beside writing it: compare, publish, fork, archive. A page of the admin each."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action

from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.options import TenantModelAdmin
from junto.tenants.permissions import Permission, require
from runbooks import comparing
from runbooks.document import Problem
from runbooks.models import Runbook
from runbooks.services import (
    NoSuchVersion,
    PublishRefused,
    archive_runbook,
    fork_runbook,
    has_unpublished_changes,
    plan_publication,
    publish_runbook,
    restore_version,
)


class LifecyclePages(TenantModelAdmin):
    """The pages, for the admin of `Runbook` to inherit."""

    @action(description="Publish…", url_path="publish")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """List what publishing would approve in advance; on POST publish."""
        runbook = self._writable(request, object_id)
        plan = plan_publication(actor=actor_of(request), runbook=runbook)
        if request.method == "POST" and (not plan.grants or request.POST.get("agree")):
            try:
                done = publish_runbook(
                    actor=actor_of(request), runbook=runbook, note=request.POST.get("note", "").strip()
                )
            except PublishRefused as refusal:
                for problem in refusal.problems:
                    messages.error(request, in_words(problem))
            else:
                messages.success(request, f"Published as version {done.published_number}. It is matched from now on.")
                return redirect(_change_path(done))
        elif request.method == "POST":
            messages.error(request, "Not published: say first that you approve each of these tools for this runbook.")
        context = {
            "plan": plan,
            "problems": [in_words(problem) for problem in plan.problems],
            "next_number": (runbook.published_number or 0) + 1,
            "unchanged": not has_unpublished_changes(runbook) and runbook.status == Runbook.Status.PUBLISHED,
        }
        return self._page(request, runbook, "publish", f"Publish “{runbook.title}”", context)

    @action(description="Versions", url_path="versions")
    def versions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All versions, and what changed between two; on POST make one of them the draft again."""
        runbook = self._visible(request, object_id)
        if request.method == "POST":
            self._writable(request, object_id)
            try:
                restore_version(actor=actor_of(request), runbook=runbook, record_id=_number(request.POST.get("record")))
            except NoSuchVersion as error:
                raise Http404(str(error)) from error
            messages.success(request, "Restored as the draft. What is in force stays until you publish.")
            return redirect(_change_path(runbook))
        rows = comparing.versions(runbook)
        newer, older = request.GET.get("newer"), request.GET.get("older")
        try:
            comparison = comparing.compare(runbook, _number(older), _number(newer)) if newer and older else None
        except NoSuchVersion as error:
            raise Http404(str(error)) from error
        context = {"versions": rows, "comparison": comparison, "may_restore": self._may_write(request, runbook)}
        return self._page(request, runbook, "versions", f"Versions of “{runbook.title}”", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history is the list of versions."""
        return redirect(_action_path("versions", self._visible(request, object_id)))

    @action(description="Fork for a company…", url_path="fork")
    def fork(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Choose a company; on POST make its own draft of a global runbook."""
        runbook, actor = self._visible(request, object_id), actor_of(request)
        companies = [
            company for company in Company.objects.visible_to(actor) if actor.can(Permission.AUTHOR_RUNBOOKS, company)
        ]
        if request.method == "POST":
            chosen = next((each for each in companies if str(each.pk) == request.POST.get("company")), None)
            if chosen is None:
                messages.error(request, "Choose one of your companies.")
            else:
                try:
                    made = fork_runbook(actor=actor, runbook=runbook, company=chosen)
                except ValidationError as error:
                    messages.error(request, " ".join(error.messages))
                else:
                    messages.success(request, f"This is the draft of {chosen.name}’s own variant.")
                    return redirect(_change_path(made))
        return self._page(request, runbook, "fork", f"Fork “{runbook.title}”", {"companies": companies})

    @action(description="Archive…", url_path="archive")
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what archiving ends; on POST archive."""
        runbook = self._writable(request, object_id)
        if request.method == "POST":
            archive_runbook(actor=actor_of(request), runbook=runbook, reason=request.POST.get("note", "").strip())
            messages.success(request, "Archived: it is no longer matched, and its standing approvals have ended.")
            return redirect(_change_path(runbook))
        return self._page(request, runbook, "archive", f"Archive “{runbook.title}”", {})

    def _page(
        self, request: HttpRequest, runbook: Runbook, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.model._meta,
            "original": runbook,
            "runbook": runbook,
            "back_path": _change_path(runbook),
        }
        return TemplateResponse(request, f"admin/runbooks/runbook/{name}.html", {**shared, **context})

    def _visible(self, request: HttpRequest, object_id: str) -> Runbook:
        """Raises Http404 for what the member may not see."""
        found = self.require_visible(request, object_id)
        if not isinstance(found, Runbook):
            raise Http404("There is no such runbook.")
        return found

    def _writable(self, request: HttpRequest, object_id: str) -> Runbook:
        """Raises Http404 for what the member may not see, PermissionDenied for what they may only read."""
        runbook = self._visible(request, object_id)
        if not self._may_write(request, runbook):
            actor = actor_of(request)
            require(actor, Permission.AUTHOR_RUNBOOKS, where(runbook, actor))
        return runbook

    def _may_write(self, request: HttpRequest, runbook: Runbook) -> bool:
        return self.has_change_permission(request, runbook)


def where(runbook: Runbook, actor: Actor) -> Any:
    """What the right to author is asked of: the runbook's company, else the whole organization."""
    return runbook.company or actor.organization


def _change_path(runbook: Runbook) -> str:
    return reverse("admin:runbooks_runbook_change", args=[runbook.pk])


def _action_path(name: str, runbook: Runbook) -> str:
    return reverse(f"admin:runbooks_runbook_{name}", args=[runbook.pk])


def _number(text: str | None) -> int:
    """Raises Http404 for what is no number."""
    if text is None or not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Http404("There is no such version.")
    return int(text)


def in_words(problem: Problem) -> str:
    return f"Line {problem.line}: {problem.message}" if problem.line else problem.message
