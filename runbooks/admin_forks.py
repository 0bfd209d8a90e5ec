"""Forks in the admin: the tree of a runbook, a new fork, and taking over what the original became."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from unfold.decorators import action

from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission
from runbooks.admin_pages import RunbookPages, action_path, change_path, number
from runbooks.comparing import compare_contents
from runbooks.forks import (
    DraftMoved,
    Upstream,
    UpstreamMerge,
    family_of,
    merge_upstream,
    plan_merge,
    skip_upstream,
)
from runbooks.models import Runbook
from runbooks.notes import Note, notes_of
from runbooks.reconciling import Unanswered, read_answers
from runbooks.services import AlreadyForked, NoSuchVersion, fork_runbook
from runbooks.showing_merges import show_merge


class ForkPages(RunbookPages):
    """The pages, for the admin of `Runbook` to inherit."""

    def get_urls(self) -> list[URLPattern]:
        """Taking over is reached from the notice that the original moved on."""
        merge = path(
            "<path:object_id>/merge/", self.admin_site.admin_view(self.merge_view), name="runbooks_runbook_merge"
        )
        return [merge, *super().get_urls()]

    @action(description="Forks…", url_path="fork")
    def fork(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The tree of the runbook; choose a company, and on POST make its own draft of a global runbook."""
        runbook, actor = self.visible(request, object_id), actor_of(request)
        companies = _companies(actor)
        if request.method == "POST":
            chosen = next((each for each in companies if str(each.pk) == request.POST.get("company")), None)
            made = self._fork(request, actor, runbook, chosen)
            if made is not None:
                return redirect(change_path(made))
        original, forks = _tree(actor, runbook)
        context = {"companies": companies, "tree": original, "forks": forks}
        return self.page(request, runbook, "fork", f"Forks of “{runbook.title}”", context)

    def _fork(self, request: HttpRequest, actor: Actor, runbook: Runbook, company: Company | None) -> Runbook | None:
        if company is None:
            messages.error(request, "Choose one of your companies.")
            return None
        try:
            made = fork_runbook(actor=actor, runbook=runbook, company=company)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return None
        except AlreadyForked as error:
            messages.info(request, str(error))
            return error.fork
        messages.success(request, f"This is the draft of {company.name}’s own variant.")
        return made

    def merge_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Both texts side by side; on POST take the original's changes over as decided, or skip its version."""
        runbook = self.writable(request, object_id)
        missing: tuple[str, ...] = ()
        try:
            if request.method == "POST" and "skip" in request.POST:
                return self._skip(request, runbook)
            plan = plan_merge(runbook)
            if request.method == "POST":
                return self._take_over(request, runbook, plan)
        except NoSuchVersion as error:
            messages.info(request, str(error))
            return redirect(action_path("fork", runbook))
        except DraftMoved as error:
            messages.error(request, str(error))
            return redirect(action_path("merge", runbook))
        except Unanswered as error:
            messages.error(request, str(error))
            missing = error.names
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        return self._merge_page(request, runbook, plan, missing)

    def _skip(self, request: HttpRequest, runbook: Runbook) -> HttpResponse:
        skipped = number(request.POST.get("number"))
        skip_upstream(actor=actor_of(request), fork=runbook, number=skipped)
        messages.success(request, f"Version {skipped} of the original is skipped. You will be told of the next one.")
        return redirect(change_path(runbook))

    def _take_over(self, request: HttpRequest, runbook: Runbook, plan: UpstreamMerge) -> HttpResponse:
        seen = (number(request.POST.get("number")), number(request.POST.get("seen")))
        if seen != (plan.number, plan.seen):
            raise DraftMoved("The draft or the original changed since this page was shown. Look again.")
        answers = read_answers(request.POST.dict(), plan.merge)
        merged = merge_upstream(
            actor=actor_of(request), fork=runbook, number=plan.number, seen=plan.seen, answers=answers
        )
        messages.success(
            request, f"Version {plan.number} of the original is taken over into the draft. Read it, then publish."
        )
        newest, before = merged.history.order_by("-history_id").values_list("history_id", flat=True)[:2]
        return redirect(f"{action_path('versions', merged)}?older={before}&newer={newest}")

    def _merge_page(
        self, request: HttpRequest, runbook: Runbook, plan: UpstreamMerge, missing: tuple[str, ...]
    ) -> HttpResponse:
        context: dict[str, Any] = {
            "plan": plan,
            "moved": compare_contents(plan.merge.base, plan.merge.theirs),
            "shown": show_merge(
                plan.merge,
                ours=f"{runbook.company.name if runbook.company else 'This runbook'}’s draft",
                theirs=f"Version {plan.number} of the original",
                form=request.POST.dict(),
                missing=missing,
            ),
        }
        return self.page(request, runbook, "merge", f"Take over into “{runbook.title}”", context)


@dataclass(frozen=True)
class Branch:
    """A runbook in the tree; `upstream` is None for the original."""

    member: Runbook
    upstream: Upstream | None
    notes: tuple[Note, ...]


def _tree(actor: Actor, runbook: Runbook) -> tuple[Branch | None, list[Branch]]:
    """The original and its forks, as far as the actor may see them."""
    family = family_of(actor=actor, runbook=runbook)
    if family is None:
        return None, []
    notes = notes_of([family.original, *(fork for fork, _ in family.forks)])
    forks = [Branch(fork, upstream, notes[fork.pk]) for fork, upstream in family.forks]
    return Branch(family.original, None, notes[family.original.pk]), forks


def _companies(actor: Actor) -> list[Company]:
    """Those the actor may write runbooks for."""
    return [each for each in Company.objects.visible_to(actor) if actor.can(Permission.AUTHOR_RUNBOOKS, each)]
