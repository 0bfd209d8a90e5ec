"""Replays of drafts in the admin: choose tickets, watch, stop, read what differs. Reached from the runbook's page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from agent.figures import figures_of
from agent.models import Replay
from agent.replay_views import changed_since, page_of, show_ticket, sum_up
from agent.replays import MOST_SIGNALS, ReplayRefused, Wanted, past_signals, resume_replay, start_replay, stop_replay
from integrations.llm.fencing import show_escaped
from integrations.services import model_info
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.options import ReadOnlyModelAdmin
from junto.tenants.sites import site
from runbooks.guards import may_author, require_author
from runbooks.models import Runbook
from signals.models import Board


class WantedForm(forms.Form):
    """Which past tickets a replay is to use."""

    which = forms.ChoiceField(
        label="Tickets",
        choices=[("followed", "That had this runbook"), ("all", "All in its scope")],
        required=False,
    )
    words = forms.CharField(label="With the words", max_length=200, required=False)
    company = forms.ModelChoiceField(Company.unscoped.none(), label="Company", required=False, empty_label="Any")
    board = forms.ModelChoiceField(Board.unscoped.none(), label="Board", required=False, empty_label="Any")
    most = forms.IntegerField(label="How many", min_value=1, max_value=MOST_SIGNALS, required=False)

    def __init__(self, *args: Any, actor: Actor, runbook: Runbook, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        companies = Company.objects.visible_to(actor)
        if runbook.company_id is not None:
            companies = companies.filter(pk=runbook.company_id)
        self.fields["company"].queryset = companies.order_by("name")  # type: ignore[attr-defined]
        self.fields["board"].queryset = Board.objects.visible_to(actor).order_by("name")  # type: ignore[attr-defined]

    def wanted(self) -> Wanted:
        """What was asked for; what is missing or wrong is as it is by default."""
        self.is_valid()
        told = self.cleaned_data
        company, board = told.get("company"), told.get("board")
        return Wanted(
            which="all" if told.get("which") == "all" else "followed",
            words=told.get("words") or "",
            company=company.pk if company else None,
            board=board.pk if board else None,
            most=told.get("most") or Wanted.most,
        )


@admin.register(Replay, site=site)
class ReplayAdmin(ReadOnlyModelAdmin):
    """Replays of drafts; a row's page shows what differs."""

    list_display = ("runbook", "state", "asked_by", "model_label", "created_at")
    list_filter = ("state",)
    list_select_related = ("runbook", "asked_by__user")

    def get_urls(self) -> list[URLPattern]:
        """Before Django's own, the last of which takes any path for an id."""
        wrap = self.admin_site.admin_view
        own = [
            path("of/<uuid:runbook_id>/", wrap(self.choose), name="agent_replay_choose"),
            path("figures/<uuid:runbook_id>/", wrap(self.figures), name="agent_runbook_figures"),
            path("<uuid:object_id>/stop/", wrap(require_POST(self.stop)), name="agent_replay_stop"),
            path("<uuid:object_id>/go-on/", wrap(require_POST(self.go_on)), name="agent_replay_go_on"),
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """How far it is, its sums, and its tickets with their lanes."""
        replay, actor = self._replay(request, object_id), actor_of(request)
        only = request.GET.get("show") == "differences"
        page = page_of(replay, actor, only_differing=only, number=request.GET.get("p", "1"))
        newest = changed_since(replay)
        context = {
            "replay": replay,
            "sum": sum_up(replay, actor),
            "only": only,
            "page": page,
            "tickets": [show_ticket(row, replay) for row in page.object_list],
            "newest": newest,
            "may_write": may_author(actor, replay.runbook),
            "cheap": replay.rehearsal,
        }
        return self._page(request, replay.runbook, "result", f"Replay of “{replay.runbook.title}”", context)

    def choose(self, request: HttpRequest, runbook_id: UUID) -> HttpResponse:
        """The past tickets to replay the draft on; on POST start."""
        actor = actor_of(request)
        runbook = self._runbook(actor, runbook_id)
        require_author(actor, runbook)
        if request.method == "POST":
            try:
                replay = start_replay(actor=actor, runbook=runbook, signals=_ids(request.POST.getlist("signal")))
            except ReplayRefused as refusal:
                messages.error(request, str(refusal))
            else:
                return redirect(reverse("admin:agent_replay_change", args=[replay.pk]))
        first = {"which": "followed", "most": Wanted.most}
        form = WantedForm(request.GET or first, actor=actor, runbook=runbook)
        wanted = form.wanted()
        found = list(past_signals(actor=actor, runbook=runbook, wanted=wanted))
        info = model_info(actor.organization)
        context = {
            "form": form,
            "wanted": wanted,
            "most": MOST_SIGNALS,
            "model": info,
            "found": [
                {
                    "id": signal.pk,
                    "number": show_escaped(signal.external_id),
                    "subject": show_escaped(signal.subject),
                    "company": show_escaped(signal.company.name if signal.company else ""),
                    "at": signal.source_created_at,
                    "followed": getattr(signal, "followed", False),
                }
                for signal in found
            ],
            "earlier": Replay.objects.visible_to(actor).filter(runbook=runbook).select_related("asked_by__user")[:5],
            "for_people": runbook.audience == Runbook.Audience.HUMAN,
        }
        return self._page(request, runbook, "choose", f"Replay the draft of “{runbook.title}”", context)

    def stop(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Ask no model any more."""
        replay = self._replay(request, str(object_id))
        stop_replay(actor=actor_of(request), replay=replay)
        return redirect(reverse("admin:agent_replay_change", args=[replay.pk]))

    def go_on(self, request: HttpRequest, object_id: UUID) -> HttpResponse:
        """Go on where it was."""
        replay = self._replay(request, str(object_id))
        try:
            resume_replay(actor=actor_of(request), replay=replay)
        except ReplayRefused as refusal:
            messages.error(request, str(refusal))
        return redirect(reverse("admin:agent_replay_change", args=[replay.pk]))

    def figures(self, request: HttpRequest, runbook_id: UUID) -> HttpResponse:
        """How a runbook does: uses, success, corrections, staleness."""
        actor = actor_of(request)
        runbook = self._runbook(actor, runbook_id)
        context = {"figures": figures_of(runbook, actor)}
        return self._page(request, runbook, "figures", f"How “{runbook.title}” does", context)

    def _replay(self, request: HttpRequest, object_id: str) -> Replay:
        """Raises Http404 for what the member may not see, PermissionDenied where they may not publish."""
        found = self.require_visible(request, object_id)
        if not isinstance(found, Replay):
            raise Http404("There is no such replay.")
        require_author(actor_of(request), found.runbook)
        return found

    def _runbook(self, actor: Actor, runbook_id: UUID) -> Runbook:
        found = (
            Runbook.objects.visible_to(actor).select_related("company", "organization").filter(pk=runbook_id).first()
        )
        if not isinstance(found, Runbook):
            raise Http404("There is no such runbook.")
        return found

    def _page(
        self, request: HttpRequest, runbook: Runbook, name: str, title: str, context: dict[str, Any]
    ) -> HttpResponse:
        shared = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": Runbook._meta,
            "original": runbook,
            "runbook": runbook,
            "back_path": reverse("admin:runbooks_runbook_change", args=[runbook.pk]),
        }
        return TemplateResponse(request, f"admin/agent/replay/{name}.html", {**shared, **context})


def _ids(texts: list[str]) -> list[UUID]:
    """The ids among what a browser posted; other things are none of ours."""
    found = []
    for text in texts[: MOST_SIGNALS + 1]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
