"""Starting from a template: the library as a page of the admin, a look at each, and drafts made of those chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET
from unfold.decorators import action

from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission
from runbooks.admin_pages import RunbookPages, change_path
from runbooks.comparing import Differences, compare_contents
from runbooks.contents import Content, input_words
from runbooks.models import Runbook
from runbooks.rendering import draw_document
from runbooks.templates import NoSuchTemplate, Offer, add_templates, offers

#: What the list can be narrowed to: the word in the address, and what it is called.
SHOWN: Final = {
    "": "All",
    "ready": "Ready to publish here",
    "lacking": "Something is missing",
    "new": "Not added yet",
}


@dataclass(frozen=True)
class Shown:
    """A template as a row of the page. `runbook_path` leads to what was made of it."""

    offer: Offer
    title: str
    description: str
    category: str
    audience: str
    state: str
    path: str
    runbook_path: str


class TemplatePages(RunbookPages):
    """The pages, for the admin of `Runbook` to inherit."""

    def get_urls(self) -> list[URLPattern]:
        """Before Django's own, the last of which takes any path for an id."""
        view = self.admin_site.admin_view(require_GET(self.template_view))
        return [path("templates/<slug:name>/", view, name="runbooks_runbook_template"), *super().get_urls()]

    @action(description="Start from a template…", url_path="templates")
    def templates(self, request: HttpRequest) -> HttpResponse:
        """The library; on POST drafts of the templates chosen, or of the one whose button was pressed."""
        if request.method == "POST":
            return self._add(request)
        actor = actor_of(request)
        every = offers(organization=actor.organization, reader=actor)
        only = request.GET.get("show", "")
        rows = [_shown(each) for each in every if _fits(each, only)]
        context = {
            "groups": [(words, list(some)) for words, some in groupby(rows, lambda row: row.category)],
            "total": len(every),
            "added": sum(each.added for each in every),
            "filters": [(word, name, sum(_fits(each, word) for each in every)) for word, name in SHOWN.items()],
            "only": only if only in SHOWN else "",
            "may_add": _may_add(actor),
            "addable": sum(not row.offer.added for row in rows),
            "back_path": reverse("admin:runbooks_runbook_changelist"),
        }
        return self._page(request, "templates", "Start from a template", context)

    def template_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """One template as its readers will see it; and what is different in what was made of it."""
        actor = actor_of(request)
        found = offers(organization=actor.organization, reader=actor)
        offer = next((each for each in found if each.template.name == name), None)
        if offer is None:
            raise Http404("There is no such template.")
        context = {
            "row": _shown(offer),
            "drawn": draw_document(offer.template.content.body),
            "inputs": [input_words(each) for each in offer.template.content.declarations],
            "differences": _differences(offer),
            "may_add": _may_add(actor),
            "back_path": reverse("admin:runbooks_runbook_templates"),
        }
        return self._page(request, "template", offer.template.content.title, context)

    def _add(self, request: HttpRequest) -> HttpResponse:
        names = [request.POST["only"]] if "only" in request.POST else request.POST.getlist("name")
        try:
            made = add_templates(actor=actor_of(request), names=names)
        except NoSuchTemplate as error:
            raise Http404(str(error)) from error
        if not made:
            words = "They are here already; nothing was changed." if names else "Choose a template first."
            messages.info(request, words)
        elif len(made) == 1:
            messages.success(request, f"“{made[0].title}” is a draft of yours now. Nothing is published by this.")
            return redirect(change_path(made[0]))
        else:
            messages.success(request, f"{len(made)} drafts added. Nothing is published by this.")
        return redirect(reverse("admin:runbooks_runbook_templates"))

    def _page(self, request: HttpRequest, name: str, title: str, context: dict[str, Any]) -> HttpResponse:
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return TemplateResponse(request, f"admin/runbooks/runbook/{name}.html", {**shared, **context})


def _may_add(actor: Actor) -> bool:
    """Templates are for all companies."""
    return actor.can(Permission.AUTHOR_RUNBOOKS)


def _fits(offer: Offer, only: str) -> bool:
    return {"ready": offer.is_ready, "lacking": not offer.is_ready, "new": not offer.added}.get(only, True)


def _shown(offer: Offer) -> Shown:
    content, runbook = offer.template.content, offer.runbook
    return Shown(
        offer=offer,
        title=content.title,
        description=content.description,
        category=content.words("category"),
        audience=content.words("audience"),
        state=_state(runbook, offer),
        path=reverse("admin:runbooks_runbook_template", args=[offer.template.name]),
        runbook_path=change_path(runbook) if runbook else "",
    )


def _state(runbook: Runbook | None, offer: Offer) -> str:
    if not offer.added:
        return ""
    words: Sequence[str] = ["Added"]
    if runbook is not None:
        words = [str(runbook.get_status_display()), *(["edited here"] if offer.differs else [])]
    return ", ".join(words)


def _differences(offer: Offer) -> Differences | None:
    """From the template to what the organization made of it."""
    if offer.runbook is None or not offer.differs:
        return None
    return compare_contents(offer.template.content, Content.of(offer.runbook))
