"""The page of one action's result: all that the agent works with, and the vendor's records behind it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe
from pydantic import JsonValue

from approvals.models import Action, ActionRecord
from integrations.llm.fencing import show_escaped
from integrations.marks import without_marks
from integrations.vendors import vendor_label
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor

#: What people know a record by, in the vendors' words; the first that it has.
_NAMES = (
    "name",
    "displayName",
    "summary",
    "subject",
    "hostname",
    "systemName",
    "productName",
    "title",
    "fileName",
    "userPrincipalName",
    "email",
    "text",
    "message",
    "description",
    "_info",
    "id",
)
_LONGEST_NAME = 120


@dataclass(frozen=True)
class ShownRecord:
    """One record as its fold shows it."""

    name: str
    text: str


@require_safe
def action_result(request: HttpRequest, action_id: UUID) -> HttpResponse:
    """The whole result of one action; chat and model see a cut one, and of the records nothing."""
    actor = actor_of(request)
    action = Action.objects.visible_to(actor).select_related("origin").filter(pk=action_id).first()
    if action is None or action.result is None:
        raise Http404("There is no such result.")
    label = vendor_label(action.tool.partition(".")[0]) or "Junto"
    signal_id = action.origin.signal_id
    context = {
        "title": show_escaped(action.title),
        "tool": action.tool,
        "system": label,
        "at": action.finished_at,
        "back_path": reverse("signal", args=[signal_id]) if signal_id else "",
        "text": _as_text(action.result),
        **_records_of(action, actor),
    }
    return render(request, "agent/result.html", context)


def _records_of(action: Action, actor: Actor) -> dict[str, object]:
    """The records behind a result, for the page; empty where none are kept, or not any more."""
    kept = ActionRecord.objects.visible_to(actor).filter(action=action).first()
    content = kept.content if kept else None
    if kept is None or not isinstance(content, dict):
        return {}
    rows = content.get("records")
    records = [ShownRecord(_name_of(one), _as_text(one)) for one in rows] if isinstance(rows, list) else []
    return {"records": records, "left_out": content.get("left_out"), "until": kept.expires_at}


def _name_of(record: JsonValue) -> str:
    """What a record is called; empty where nobody knows."""
    if not isinstance(record, dict):
        return ""
    for name in _NAMES:
        found = record.get(name)
        if isinstance(found, dict):  # what a PSA says of a record that another one names
            found = found.get("name")
        if isinstance(found, str | int) and not isinstance(found, bool) and found:
            return " ".join(show_escaped(without_marks(str(found)[:_LONGEST_NAME])).split())
    return ""


def _as_text(value: JsonValue) -> str:
    """JSON as people read it, hidden characters written out."""
    return show_escaped(without_marks(json.dumps(value, ensure_ascii=False, indent=2)))
