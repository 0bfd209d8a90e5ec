"""The page on which one person reads, once, what an action set: a password, a pass."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from approvals.cards import system_label
from approvals.models import Action
from approvals.services import DecisionRefused, may_have_secret, reveal_secret, secret_words
from integrations.llm.fencing import show_escaped
from junto.tenants.access import actor_of


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def secret(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """What it is about, and a button; behind the button the secret, which is wiped at that moment."""
    actor = actor_of(request)
    rows = Action.objects.visible_to(actor).select_related("organization", "company", "origin")
    action = rows.filter(pk=action_id).first()
    if action is None or not may_have_secret(action):
        raise Http404("There is no such secret.")
    text, problem = "", secret_words(action, actor=actor)
    if request.method == "POST" and not problem:
        try:
            text = reveal_secret(action=action, actor=actor)
        except DecisionRefused as refusal:
            problem = str(refusal)
    context = {
        "title": show_escaped(action.title),
        "system": system_label(action.tool),
        "company": show_escaped(action.company.name),
        "text": text,
        "problem": problem,
        "back_path": f"{reverse('approvals')}?action={action.pk}",
    }
    response = render(request, "agent/secret.html", context)
    response["Referrer-Policy"] = "no-referrer"
    return response
