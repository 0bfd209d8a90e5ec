"""The list of runbooks in the admin: its filters, and publishing or archiving many with a report for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from unfold.decorators import action, display

from integrations.tools import OWN_VENDOR
from integrations.vendors import VENDORS
from junto.tenants.access import actor_of
from junto.tenants.permissions import PermissionDenied
from runbooks.admin_lifecycle import NotedChangeList
from runbooks.admin_pages import RunbookPages, change_path, in_words
from runbooks.models import Runbook, RunbookLabel, folded
from runbooks.publication import PublicationPlan, standing_problems
from runbooks.reviewing import newest_record, review_problems
from runbooks.services import PublishRefused, archive_runbook, plan_publication, publish_runbook

#: As many are published or archived at once.
MOST_AT_ONCE = 50
#: As many tags are offered to filter by; the search finds the others.
MOST_TAGS = 200

Choices = list[tuple[str, str]]


class ScopeFilter(SimpleListFilter):
    """Global runbooks, or those of single companies."""

    title = "scope"
    parameter_name = "scope"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The two scopes."""
        return [("global", "All companies"), ("company", "One company")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Runbooks of the chosen scope."""
        return queryset.filter(company__isnull=self.value() == "global") if self.value() else queryset


class LabelFilter(SimpleListFilter):
    """Runbooks with one label of `kind`; only labels of runbooks that the member may see are offered."""

    kind: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        """The words there are."""
        actor = actor_of(request)
        labels = RunbookLabel.objects.for_organization(actor.organization).filter(kind=self.kind)
        if actor.companies is not None:
            labels = labels.filter(runbook__in=Runbook.objects.visible_to(actor))
        words = labels.order_by("word").values_list("word", flat=True).distinct()[:MOST_TAGS]
        return [(word, self.words(word)) for word in words]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Runbooks with the chosen label."""
        if not self.value():
            return queryset
        labels = RunbookLabel.objects.for_organization(actor_of(request).organization)
        return queryset.filter(pk__in=labels.filter(kind=self.kind, word=self.value()).values("runbook"))

    def words(self, word: str) -> str:
        """A label as it is shown."""
        return word


class TagFilter(LabelFilter):
    """By tag."""

    title = "tag"
    parameter_name = "tag"
    kind = RunbookLabel.Kind.TAG


class SystemFilter(LabelFilter):
    """By the integration whose tools the text mentions."""

    title = "integration"
    parameter_name = "system"
    kind = RunbookLabel.Kind.SYSTEM

    def words(self, word: str) -> str:
        """The vendor's own name."""
        return "Junto" if word == OWN_VENDOR else VENDORS[word].label if word in VENDORS else word


class RunbookList(NotedChangeList):
    """Reads no texts: with 10,000 runbooks they are most of the work."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._links: dict[str, str] = {}
        super().__init__(*args, **kwargs)

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Django's, each made once: unfold makes the links of all heads anew for every row."""
        asked = repr((new_params, remove))
        if asked not in self._links:
            self._links[asked] = super().get_query_string(new_params, remove)
        return self._links[asked]

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """The rows of the page, without what no column shows."""
        return _without_texts(super().get_queryset(request, exclude_parameters))

    def rows_of_page(self) -> list[Any]:
        """Of a search those whose keys it found, so that the texts are read once and not once more for the page."""
        if not isinstance(self.paginator, FoundOnce):
            return super().rows_of_page()
        whole = not self.multi_page or (self.show_all and self.can_show_all)
        first = 0 if whole else (self.page_num - 1) * self.list_per_page
        keys = self.paginator.keys[first : None if whole else first + self.list_per_page]
        rows = {row.pk: row for row in _without_texts(self.root_queryset.filter(pk__in=keys))}
        return [rows[key] for key in keys if key in rows]


def _without_texts(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Rows for the columns of the list; companies by a query of their own, as a join of all that match is dearer."""
    return rows.defer("body", "description", "inputs", "tags", "searched").prefetch_related("company")


class FoundOnce(Paginator[Any]):
    """Pages of a search, which reads every text: it is asked once for the keys of all that match, in their order."""

    object_list: QuerySet[Any]

    @cached_property
    def keys(self) -> list[UUID]:
        """The keys of all that match."""
        return list(self.object_list.values_list("pk", flat=True))

    @cached_property
    def count(self) -> int:
        """How many match."""
        return len(self.keys)


@dataclass(frozen=True)
class Planned:
    """One of the chosen runbooks, before it is published. `left_out` = why it stays as it is, if so."""

    runbook: Runbook
    plan: PublicationPlan
    left_out: str
    problems: tuple[str, ...]
    seen: int

    @property
    def ready(self) -> bool:
        """Whether it can be published."""
        return not (self.left_out or self.problems)


@dataclass(frozen=True)
class Reported:
    """What became of one of them."""

    title: str
    path: str
    done: bool
    words: tuple[str, ...]


class ListPages(RunbookPages):
    """The list, for the admin of `Runbook` to inherit."""

    list_display: Any = ("title", "shown_status", "audience", "shown_scope", "category", "shown_version", "changed_at")
    list_filter: Any = ("status", "audience", ScopeFilter, "company", "category", SystemFilter, TagFilter)
    list_filter_submit = True
    search_fields: Any = ("searched__contains",)
    search_help_text = "Words in the title, description or text"
    list_per_page = 50
    # a second count over everything would say little and cost much
    show_full_result_count = False
    actions: Any = ("publish_many", "archive_many")

    def get_paginator(
        self, request: HttpRequest, queryset: QuerySet[Any], per_page: int, *more: Any, **named: Any
    ) -> Paginator[Any]:
        """Pages of rows; of a search those of what it found."""
        kind = FoundOnce if request.GET.get(SEARCH_VAR) else Paginator
        return kind(queryset, per_page, *more, **named)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Our list."""
        return RunbookList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Django's, folded as the texts are."""
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, folded(search_term))
        return found

    @display(description="Status", ordering="status", label={"Published": "success", "Archived": "info"})
    def shown_status(self, row: Runbook) -> str:
        """The status in one word."""
        return str(row.get_status_display())

    @display(description="Scope", ordering="company__name")
    def shown_scope(self, row: Runbook) -> str:
        """The company, or all."""
        return row.company.name if row.company else "All companies"

    @display(description="Version", ordering="published_number")
    def shown_version(self, row: Runbook) -> str:
        """The number published last."""
        return str(row.published_number or "")

    @action(description="Publish the chosen…")
    def publish_many(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Show what each would approve in advance; once agreed publish those that can be, and report on each."""
        chosen = _chosen(queryset)
        if request.POST.get("agree"):
            return self._report(request, "Published", [self._publish(request, each) for each in chosen])
        planned = [self._planned(request, each) for each in chosen]
        context = {
            "planned": planned,
            "ready": sum(each.ready for each in planned),
            "beyond": queryset.count() - len(chosen),
            "action": "publish_many",
        }
        return self._many(request, "publish_many", "Publish the chosen runbooks", context)

    @action(description="Archive the chosen…")
    def archive_many(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        """Say what archiving ends; once agreed archive each, and report on each."""
        chosen = _chosen(queryset)
        if request.POST.get("agree"):
            return self._report(request, "Archived", [self._archive(request, each) for each in chosen])
        yours = [each for each in chosen if self.may_write(request, each) and each.status != Runbook.Status.ARCHIVED]
        context = {
            "chosen": yours,
            "left_out": len(chosen) - len(yours),
            "beyond": queryset.count() - len(chosen),
            "action": "archive_many",
        }
        return self._many(request, "archive_many", "Archive the chosen runbooks", context)

    def _planned(self, request: HttpRequest, runbook: Runbook) -> Planned:
        actor = actor_of(request)
        plan = plan_publication(actor=actor, runbook=runbook)
        standing = standing_problems(runbook, plan)
        problems = () if standing else (*plan.problems, *review_problems(actor=actor, runbook=runbook))
        left_out = " ".join(map(in_words, standing))
        if not self.may_write(request, runbook):
            left_out = "You may not publish for its companies."
        return Planned(runbook, plan, left_out, tuple(map(in_words, problems)), newest_record(runbook))

    def _publish(self, request: HttpRequest, runbook: Runbook) -> Reported:
        """One of them in a transaction of its own: what another one lacks does not hold it up."""
        seen = request.POST.get(f"seen-{runbook.pk}", "")

        def publish() -> str:
            if not seen.isdigit():
                raise ValidationError("It was not on the page that you agreed to.")
            done = publish_runbook(
                actor=actor_of(request), runbook=runbook, note=request.POST.get("note", "").strip(), seen=int(seen)
            )
            return f"Published as version {done.published_number}."

        return _reported(runbook, publish)

    def _archive(self, request: HttpRequest, runbook: Runbook) -> Reported:
        def archive() -> str:
            archive_runbook(actor=actor_of(request), runbook=runbook, reason=request.POST.get("note", "").strip())
            return "Archived."

        return _reported(runbook, archive)

    def _report(self, request: HttpRequest, deed: str, reports: list[Reported]) -> HttpResponse:
        context = {"reports": reports, "done": sum(each.done for each in reports)}
        return self._many(request, "reported", f"{deed}: {context['done']} of {len(reports)}", context)

    def _many(self, request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
        site = self.admin_site.each_context(request)
        shared = {**site, "title": title, "opts": self.model._meta, "most": MOST_AT_ONCE}
        return TemplateResponse(request, f"admin/runbooks/runbook/{name}.html", {**shared, **context})


def _chosen(queryset: QuerySet[Any]) -> list[Runbook]:
    """Whole rows in the order of the list, not more than fit."""
    return list(queryset.defer(None).select_related("company")[:MOST_AT_ONCE])


def _reported(runbook: Runbook, deed: Callable[[], str]) -> Reported:
    """Do it, and say what became of it."""
    words: tuple[str, ...]
    try:
        words, done = (deed(),), True
    except PublishRefused as refusal:
        words, done = tuple(map(in_words, refusal.problems)), False
    except PermissionDenied:
        words, done = ("You may not do this for its companies.",), False
    except ValidationError as error:
        words, done = tuple(error.messages), False
    return Reported(runbook.title, change_path(runbook), done, words)
