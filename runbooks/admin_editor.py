"""What the editor in the admin asks the server while somebody writes: a check, the tools, keeping, pictures."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_POST

from junto.tenants.access import actor_of
from runbooks.admin_lifecycle import LifecyclePages
from runbooks.admin_pages import in_words
from runbooks.catalogue import facts, mentionable_tools
from runbooks.editing import TooMuchToKeep, forget_edit, keep_edit, kept_edit, surroundings
from runbooks.editor import Typed, review_typed
from runbooks.forms import KEPT_FIELDS, MINE, RunbookForm
from runbooks.guards import locked
from runbooks.images import ImageRefused, store_image
from runbooks.models import Runbook
from runbooks.reconciling import ContentMerge
from runbooks.rendering import IMAGE_SCHEME
from runbooks.services import plan_publication, save_draft
from runbooks.showing_merges import show_merge

#: Problems of a draft named after a save; the publish page lists all.
NAMED_PROBLEMS = 8

#: In the address of the form: show what was typed and not saved in place of what was saved.
RESTORE = "kept"


class EditorPages(LifecyclePages):
    """The paths behind the editor, for the admin of `Runbook` to inherit. All answer with JSON."""

    def get_urls(self) -> list[URLPattern]:
        """Before Django's own, the last of which takes any path for an id."""
        wrap = self.admin_site.admin_view
        own = [
            path("tools/", wrap(require_GET(self.tools)), name="runbooks_runbook_tools"),
            path("check/", wrap(require_POST(self.check_typed)), name="runbooks_runbook_check"),
            path("images/", wrap(require_POST(self.add_image)), name="runbooks_runbook_images"),
            path("keep/", wrap(require_POST(self.keep_new)), name="runbooks_runbook_keep_new"),
            path("<uuid:object_id>/keep/", wrap(require_POST(self.keep)), name="runbooks_runbook_keep"),
        ]
        return [*own, *super().get_urls()]

    def get_form(self, request: HttpRequest, obj: models.Model | None = None, **kwargs: Any) -> type[ModelForm[Any]]:
        """The form, knowing who writes and, where they ask for it, what they typed and did not save."""
        form: type[ModelForm[Any]] = super().get_form(request, obj, **kwargs)
        if not issubclass(form, RunbookForm):
            raise TypeError(f"{form.__name__} is no form of a runbook")
        form.actor = actor_of(request)
        form.kept = kept_edit(form.actor, obj if isinstance(obj, Runbook) else None) if RESTORE in request.GET else None
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Say above the form that something typed earlier was never saved."""
        runbook, form = kwargs.get("obj"), context["adminform"].form
        if isinstance(runbook, Runbook) and isinstance(form, RunbookForm) and form.meeting is not None:
            return self._settle(request, runbook, form, form.meeting)
        kept = kept_edit(actor_of(request), runbook if isinstance(runbook, Runbook) else None)
        context |= {"kept": kept, "restored": kept is not None and RESTORE in request.GET}
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> models.Model | None:
        """Django's; before a save the row is locked, so that two people's saves come one after the other."""
        found: models.Model | None = super().get_object(request, object_id, from_field)
        if request.method == "POST" and isinstance(found, Runbook):
            return locked(found, actor_of(request))
        return found

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool) -> None:
        """Save a draft version, and say what would keep it from being published."""
        if not isinstance(obj, Runbook) or not isinstance(form, RunbookForm):
            raise TypeError(f"{type(obj).__name__} is no runbook")
        actor = actor_of(request)
        save_draft(actor=actor, runbook=obj, reason=form.cleaned_data.get("reason", ""))
        forget_edit(actor=actor, runbook=obj if change else None)
        if form.joined_with:
            messages.info(request, f"{form.joined_with} had saved meanwhile: both of your changes are in it now.")
        for problem in plan_publication(actor=actor, runbook=obj).problems[:NAMED_PROBLEMS]:
            messages.warning(request, in_words(problem))

    def _settle(self, request: HttpRequest, runbook: Runbook, form: RunbookForm, meeting: ContentMerge) -> HttpResponse:
        """The page on which an author says what becomes of what two people changed."""
        latest = runbook.history.select_related("history_user").latest("history_id")
        author = latest.history_user.display_name if latest.history_user else "Junto"
        typed = form.data
        context = {
            "shown": show_merge(meeting, ours="Yours", theirs=f"{author}’s", form=form.settled, missing=form.unsettled),
            "author": author,
            "at": latest.history_date,
            "against": latest.history_id,
            "mine": [(f"{MINE}{name}", typed[name]) for name in (*KEPT_FIELDS, "based_on") if name in typed],
        }
        return self.page(request, runbook, "settle", f"Save “{runbook.title}”", context)

    def tools(self, request: HttpRequest) -> HttpResponse:
        """What may be mentioned, and the facts that arguments may be bound to."""
        found = mentionable_tools(actor_of(request).organization)
        return JsonResponse({"tools": [asdict(tool) for tool in found], "facts": [asdict(fact) for fact in facts()]})

    def check_typed(self, request: HttpRequest) -> HttpResponse:
        """The text drawn as its readers see it, and what publishing would say to it."""
        typed = Typed(
            body=request.POST.get("body", ""),
            inputs=request.POST.get("inputs", ""),
            audience=request.POST.get("audience", ""),
            company_id=request.POST.get("company", ""),
        )
        review = review_typed(actor=actor_of(request), typed=typed)
        return JsonResponse(
            {
                "html": render_to_string("runbooks/_document.html", {"drawn": review.drawn}),
                "problems": [asdict(problem) for problem in review.problems],
                "steps": review.steps,
                "approvals": review.approvals,
            }
        )

    def add_image(self, request: HttpRequest) -> HttpResponse:
        """Take one picture, and say how the text names it."""
        upload = request.FILES.get("image")
        if upload is None:
            return JsonResponse({"error": "Choose a picture."}, status=400)
        try:
            image = store_image(actor=actor_of(request), content=upload.read())
        except ImageRefused as refusal:
            return JsonResponse({"error": str(refusal)}, status=400)
        return JsonResponse({"address": f"{IMAGE_SCHEME}{image.pk}"})

    def keep_new(self, request: HttpRequest) -> HttpResponse:
        """Keep what is typed for a runbook that was never saved."""
        return self._kept(request, None)

    def keep(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Keep what is typed, and say who else is here."""
        found = self.require_visible(request, str(object_id))
        return self._kept(request, found if isinstance(found, Runbook) else None)

    def _kept(self, request: HttpRequest, runbook: Runbook | None) -> HttpResponse:
        actor = actor_of(request)
        based_on = request.POST.get("based_on", "")
        record = int(based_on) if based_on.isascii() and based_on.isdigit() and len(based_on) < 16 else None
        if "forget" in request.POST:
            forget_edit(actor=actor, runbook=runbook)
            return JsonResponse({})
        content = {name: request.POST[name] for name in KEPT_FIELDS if name in request.POST}
        try:
            keep_edit(actor=actor, runbook=runbook, content=content, based_on=record)
        except TooMuchToKeep as error:
            return JsonResponse({"error": str(error)}, status=400)
        around = surroundings(actor, runbook, based_on=record) if runbook else None
        return JsonResponse(asdict(around) if around else {"others": [], "saved_by": "", "saved_at": None})
