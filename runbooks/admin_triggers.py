"""Triggers in the admin: under which conditions a runbook fits or begins, what came of them, and their switches."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.decorators import action

from junto.tenants.access import actor_of
from junto.tenants.models import Company
from runbooks.admin_pages import RunbookPages, action_path
from runbooks.lacking import lacking_now
from runbooks.models import Runbook, Trigger, TriggerFiring
from runbooks.trigger_forms import TriggerForm, new_trigger
from runbooks.triggers import remove_trigger, switch_trigger
from runbooks.versions import published_versions

#: Firings shown below the triggers, the newest first.
FIRINGS_SHOWN = 20


class TriggerPages(RunbookPages):
    """The pages, for the admin of `Runbook` to inherit."""

    def get_urls(self) -> list[URLPattern]:
        """One trigger's own pages; the list is an action of the runbook."""
        wrap = self.admin_site.admin_view
        one = "<path:object_id>/triggers/<uuid:trigger_id>/"
        own = [
            path(
                "<path:object_id>/triggers/add/<slug:kind>/",
                wrap(self.trigger_add_view),
                name="runbooks_runbook_trigger_add",
            ),
            path(one, wrap(self.trigger_view), name="runbooks_runbook_trigger"),
            path(f"{one}switch/", wrap(require_POST(self.trigger_switch_view)), name="runbooks_runbook_trigger_switch"),
            path(f"{one}remove/", wrap(require_POST(self.trigger_remove_view)), name="runbooks_runbook_trigger_remove"),
        ]
        return [*own, *super().get_urls()]

    @action(description="Triggers", url_path="triggers")
    def triggers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """All conditions of the runbook, and what came of them lately."""
        runbook = self.visible(request, object_id)
        rows = Trigger.objects.for_organization(runbook.organization).filter(runbook=runbook)
        seen = Prefetch("companies", Company.objects.visible_to(actor_of(request)), to_attr="seen_companies")
        firings = TriggerFiring.objects.visible_to(actor_of(request)).filter(runbook=runbook)
        context = {
            "triggers": rows.annotate(reach=Count("companies")).prefetch_related(seen).select_related("board"),
            "kinds": Trigger.Kind.choices,
            "firings": firings.select_related("trigger", "company", "signal").order_by("-created_at")[:FIRINGS_SHOWN],
            "may_write_it": self.may_write(request, runbook),
            "begins": self._begins(runbook),
            "lacking": lacking_now([runbook]).get(runbook.pk, ()),
        }
        return self.page(request, runbook, "triggers", f"Triggers of “{runbook.title}”", context)

    def trigger_add_view(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponse:
        """Add a condition of one kind."""
        runbook = self.writable(request, object_id)
        try:
            trigger = new_trigger(runbook, kind)
        except ValueError as error:
            raise Http404("There is no such kind of trigger.") from error
        return self._edit(request, runbook, trigger, "Trigger added.")

    def trigger_view(self, request: HttpRequest, object_id: str, trigger_id: UUID) -> HttpResponse:
        """Change a condition."""
        runbook = self.writable(request, object_id)
        return self._edit(request, runbook, self._trigger(runbook, trigger_id), "Trigger saved.")

    def trigger_switch_view(self, request: HttpRequest, object_id: str, trigger_id: UUID) -> HttpResponse:
        """Switch a condition on or off."""
        runbook = self.writable(request, object_id)
        trigger = self._trigger(runbook, trigger_id)
        on = request.POST.get("enabled") == "1"
        switch_trigger(actor=actor_of(request), trigger=trigger, enabled=on)
        messages.success(request, f"“{trigger.words}” is switched {'on' if on else 'off'}.")
        return redirect(action_path("triggers", runbook))

    def trigger_remove_view(self, request: HttpRequest, object_id: str, trigger_id: UUID) -> HttpResponse:
        """Remove a condition that never came true."""
        runbook = self.writable(request, object_id)
        trigger = self._trigger(runbook, trigger_id)
        try:
            remove_trigger(actor=actor_of(request), trigger=trigger)
        except ValidationError as problem:
            messages.error(request, " ".join(problem.messages))
        else:
            messages.success(request, "Trigger removed.")
        return redirect(action_path("triggers", runbook))

    def _edit(self, request: HttpRequest, runbook: Runbook, trigger: Trigger, done: str) -> HttpResponse:
        posted = request.POST if request.method == "POST" else None
        form = TriggerForm(posted, actor=actor_of(request), trigger=trigger)
        if posted is not None and form.is_valid() and form.save():
            messages.success(request, done)
            return redirect(action_path("triggers", runbook))
        context = {
            "form": form,
            "trigger": trigger,
            "kind": trigger.get_kind_display(),
            "begins": self._begins(runbook),
            "on_tickets": trigger.kind in (Trigger.Kind.CLASSIFICATION, Trigger.Kind.ALERT),
            "back_path": action_path("triggers", runbook),
        }
        return self.page(request, runbook, "trigger", f"{trigger.get_kind_display()}: “{runbook.title}”", context)

    def _begins(self, runbook: Runbook) -> bool:
        """Whether it can begin by itself on a ticket: the audience in force, else the draft's, is the agent."""
        version = published_versions([runbook]).get(runbook.pk)
        return (version.audience if version else runbook.audience) == Runbook.Audience.AI

    def _trigger(self, runbook: Runbook, trigger_id: UUID) -> Trigger:
        rows = Trigger.objects.for_organization(runbook.organization).select_related(
            "runbook__company", "runbook__organization"
        )
        found: Trigger | None = rows.filter(runbook=runbook, pk=trigger_id).first()
        if found is None:
            raise Http404("There is no such trigger.")
        return found
