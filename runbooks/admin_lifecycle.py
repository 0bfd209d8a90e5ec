"""What managers do with a runbook beside writing it: compare, review, publish, archive. A page of the admin each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.views.main import ChangeList
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST
from unfold.dataclasses import UnfoldAction
from unfold.decorators import action, display

from junto.tenants.access import actor_of
from runbooks import comparing
from runbooks.admin_files import FilePages
from runbooks.admin_forks import ForkPages
from runbooks.admin_pages import action_path, change_path, in_words, number, where
from runbooks.admin_publishing import PublishingRuleAdmin
from runbooks.admin_templates import TemplatePages
from runbooks.admin_triggers import TriggerPages
from runbooks.contents import Content
from runbooks.lacking import lacking_once_published
from runbooks.models import Runbook
from runbooks.notes import Note, notes_of
from runbooks.publication import standing_problems
from runbooks.reviewing import (
    ReviewRefused,
    ask_review,
    newest_record,
    open_review,
    return_review,
    review_problems,
    second_person_needed,
)
from runbooks.services import (
    NoSuchVersion,
    PublishRefused,
    archive_runbook,
    discard_draft,
    plan_publication,
    publish_runbook,
    restore_version,
)
from runbooks.versions import has_unpublished_changes, published_record_of

__all__ = ["LifecyclePages", "PublishingRuleAdmin", "in_words", "where"]


class NotedChangeList(ChangeList):
    """A page of the list whose rows carry their notes."""

    def get_results(self, request: HttpRequest) -> None:
        """The rows, and their notes in a few queries for all."""
        super().get_results(request)
        rows = self.rows_of_page()
        notes = notes_of(rows)
        for row in rows:
            row.notes = notes[row.pk]
        self.result_list = rows
        if not self.query and not self.get_filters_params():
            # nothing was left out, so the page offers no way to show all
            self.full_result_count = self.result_count

    def rows_of_page(self) -> list[Any]:
        """What stands on the page that is asked for."""
        return list(self.result_list)


class LifecyclePages(FilePages, ForkPages, TemplatePages, TriggerPages):
    """The pages, for the admin of `Runbook` to inherit."""

    #: What is used most stands in the page's head, the rest behind one button.
    actions_detail: ClassVar[list[Any]] = [
        "publish",
        "replay",
        "triggers",
        "versions",
        "figures",
        {"title": "More", "items": ["fork", "download", "archive"]},
    ]
    #: Those that only an author of this very runbook may take.
    author_actions: ClassVar[frozenset[str]] = frozenset({"publish", "replay", "archive"})
    actions_list: ClassVar[list[str]] = ["templates", "upload", "download_all"]
    change_form_outer_before_template = "admin/runbooks/runbook/_standing.html"

    class Media:
        css: ClassVar = {"all": ["runbooks/lifecycle.css"]}

    def get_urls(self) -> list[URLPattern]:
        """What is reached from the notices above the form."""
        wrap = self.admin_site.admin_view
        own = [
            path("<path:object_id>/discard/", wrap(require_POST(self.discard_view)), name="runbooks_runbook_discard"),
            path("<path:object_id>/review/", wrap(require_POST(self.review_view)), name="runbooks_runbook_review"),
        ]
        return [*own, *super().get_urls()]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[UnfoldAction]:
        """No door that answers 403: what changes the runbook is offered to those who may."""
        offered: list[UnfoldAction] = super().get_actions_detail(request, object_id)
        if self.may_write(request, self.visible(request, str(object_id))):
            return offered
        closed = {f"runbooks_runbook_{name}" for name in self.author_actions}
        return [each for each in offered if each.action_name not in closed]

    def render_change_form(  # noqa: PLR0917  (Django's own signature)
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: models.Model | None = None,
    ) -> HttpResponse:
        """Say above the form what is in force and what waits."""
        if isinstance(obj, Runbook):
            # the history is the list of versions, which has a button of its own
            context |= {"runbook": obj, "show_history": False, **self._standing(request, obj)}
        response: HttpResponse = super().render_change_form(request, context, add, change, form_url, obj)
        return response

    def _standing(self, request: HttpRequest, runbook: Runbook) -> dict[str, Any]:
        notes: Sequence[Note] = notes_of([runbook])[runbook.pk]
        return {
            "notes": notes,
            "newest": newest_record(runbook),
            "may_write": self.may_write(request, runbook),
        }

    @action(description="Publish…", url_path="publish")
    def publish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """List what publishing would approve in advance; on POST publish."""
        runbook, actor = self.writable(request, object_id), actor_of(request)
        plan = plan_publication(actor=actor, runbook=runbook)
        if request.method == "POST" and (not plan.grants or request.POST.get("agree")):
            note, seen = request.POST.get("note", "").strip(), request.POST.get("record")
            try:
                done = publish_runbook(actor=actor, runbook=runbook, note=note, seen=number(seen) if seen else None)
            except PublishRefused as refusal:
                for problem in refusal.problems:
                    messages.error(request, in_words(problem))
            else:
                messages.success(request, f"Published as version {done.published_number}. It is matched from now on.")
                return redirect(change_path(done))
        elif request.method == "POST":
            messages.error(request, "Not published: say first that you approve each of these tools for this runbook.")
        before = published_record_of(runbook, runbook.published_number)
        standing = standing_problems(runbook, plan)
        context = {
            "plan": plan,
            "problems": [in_words(problem) for problem in standing or plan.problems],
            "stays": bool(standing),
            "lacking": lacking_once_published(runbook),
            "next_number": (runbook.published_number or 0) + 1,
            "unchanged": not has_unpublished_changes(runbook) and runbook.status == Runbook.Status.PUBLISHED,
            "differences": comparing.compare_contents(Content.of(before), Content.of(runbook)) if before else None,
            "record": newest_record(runbook),
            "review": open_review(runbook),
            "second_person": second_person_needed(runbook.organization),
            "waits": [problem.message for problem in review_problems(actor=actor, runbook=runbook)],
        }
        return self.page(request, runbook, "publish", f"Publish “{runbook.title}”", context)

    def review_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for a review of the draft, or send one back."""
        runbook, actor = self.writable(request, object_id), actor_of(request)
        words = request.POST.get("words", "").strip()
        try:
            if "return" in request.POST:
                return_review(actor=actor, runbook=runbook, answer=words)
                messages.success(request, "Sent back. Whoever asked is told.")
            else:
                ask_review(actor=actor, runbook=runbook, note=words)
                messages.success(request, "Asked. Everybody who may publish it is told.")
        except ReviewRefused as refusal:
            messages.error(request, str(refusal))
        return redirect(action_path("publish", runbook))

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Drop what is written beside the version in force; it stays in the history."""
        runbook = self.writable(request, object_id)
        try:
            discard_draft(actor=actor_of(request), runbook=runbook)
        except NoSuchVersion as error:
            messages.error(request, str(error))
        else:
            messages.success(request, "Discarded: the draft is what is in force again. It can be restored below.")
        return redirect(action_path("versions", runbook))

    @action(description="Replay…", url_path="replay")
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the page on which the draft is tried on past tickets; that page is the agent's."""
        runbook = self.writable(request, object_id)
        return redirect(reverse("admin:agent_replay_choose", args=[runbook.pk]))

    @action(description="How it does", url_path="figures")
    def figures(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """To the page with its uses, success and corrections; that page is the agent's."""
        runbook = self.visible(request, object_id)
        return redirect(reverse("admin:agent_runbook_figures", args=[runbook.pk]))

    @action(description="Versions", url_path="versions")
    def versions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All versions, and what changed between two; on POST make one of them the draft again."""
        runbook = self.visible(request, object_id)
        if request.method == "POST":
            self.writable(request, object_id)
            try:
                restore_version(actor=actor_of(request), runbook=runbook, record_id=number(request.POST.get("record")))
            except NoSuchVersion as error:
                raise Http404(str(error)) from error
            messages.success(request, "Restored as the draft. What is in force stays until you publish.")
            return redirect(change_path(runbook))
        actor = actor_of(request)
        rows = comparing.versions(runbook, actor)
        newer, older = request.GET.get("newer"), request.GET.get("older")
        try:
            comparison = comparing.compare(runbook, actor, number(older), number(newer)) if newer and older else None
        except NoSuchVersion as error:
            raise Http404(str(error)) from error
        context = {
            "versions": rows,
            "unreadable": runbook.history.count() - len(rows),
            "comparison": comparison,
            "may_restore": self.may_write(request, runbook),
        }
        return self.page(request, runbook, "versions", f"Versions of “{runbook.title}”", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The history is the list of versions."""
        return redirect(action_path("versions", self.visible(request, object_id)))

    @action(description="Archive…", url_path="archive")
    def archive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what archiving ends; on POST archive."""
        runbook = self.writable(request, object_id)
        if request.method == "POST":
            archive_runbook(actor=actor_of(request), runbook=runbook, reason=request.POST.get("note", "").strip())
            messages.success(request, "Archived: it is no longer matched, and its standing approvals have ended.")
            return redirect(change_path(runbook))
        return self.page(request, runbook, "archive", f"Archive “{runbook.title}”", {})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """What there is to know about a row stands at its end."""
        return [*super().get_list_display(request), "shown_notes"]

    @display(description="To know")
    def shown_notes(self, row: Runbook) -> str:
        """Its notes in few words; in full on the page itself."""
        notes: Sequence[Note] = getattr(row, "notes", ())
        return format_html_join("", '<span class="life-tag" data-tone="warn" title="{}">{}</span> ', _told(notes))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Rows with their notes."""
        return NotedChangeList


def _told(notes: Sequence[Note]) -> Iterator[tuple[str, str]]:
    return ((note.detail, note.words) for note in notes)
