"""The approvals queue: what waits, over all sessions, decided with the same cards as in the chat."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers
from pydantic import ValidationError

from agent.answers import FrameRefused, answer
from agent.frames import REASON_LIMIT, read_frame, refusal_words
from agent.rendering import card_html, session_cards
from approvals.cards import ActionCard
from approvals.models import Action
from approvals.querysets import ActionQuerySet
from approvals.services import DecisionRefused, Verdict, decide_action, waiting_for
from integrations.llm.strict import JsonRefused, strict_json
from junto.tenants.access import actor_of
from junto.tenants.actors import Actor
from junto.tenants.models import Company

#: Rows shown of what waits, soonest to end first; and of what was decided lately.
WAITING_SHOWN = 200
DECIDED_SHOWN = 20
LATELY = timedelta(days=1)
RISKS = [("low", "Low"), ("medium", "Medium"), ("high", "High")]


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def approvals_queue(request: HttpRequest) -> HttpResponse:
    """What waits for this member, what waits for others, and what was decided lately."""
    actor = actor_of(request)
    filters = {"risk": request.GET.get("risk", ""), "company": request.GET.get("company", "")}
    companies = list(Company.objects.visible_to(actor).values_list("id", "name"))
    waiting = _filtered(waiting_for(actor), filters, companies)
    mine = _cards(waiting.order_by("expires_at")[:WAITING_SHOWN], actor)
    open_actions = Action.objects.visible_to(actor).filter(state__in=[Action.State.WAITING, Action.State.UNKNOWN])
    elsewhere = _filtered(open_actions, filters, companies).exclude(pk__in=waiting.values("pk"))
    others = _cards(elsewhere.order_by("expires_at")[:WAITING_SHOWN], actor)
    decided_lately = (
        _filtered(Action.objects.visible_to(actor), filters, companies)
        .filter(decided_at__gt=timezone.now() - LATELY)
        .exclude(state=Action.State.WAITING)
        .exclude(category="read")
    )
    decided = _cards(decided_lately.order_by("-decided_at")[:DECIDED_SHOWN], actor)
    partial = request.headers.get("HX-Request") == "true"
    context = {
        "partial": partial,
        "waiting_count": waiting.count(),
        "cards_mine": mine,
        "cards_others": others,
        "decided": decided,
        "decided_count": decided_lately.count(),
        "selected": _selected(request.GET.get("action", ""), [*mine, *others, *decided], actor),
        "filters": filters,
        "choices": {"risks": RISKS, "companies": companies},
        "most_reason": REASON_LIMIT,
    }
    return render(request, "agent/_queue.html" if partial else "agent/approvals.html", context)


@require_POST
def decide(request: HttpRequest, action_id: UUID) -> JsonResponse:
    """Approve, deny, or approve with changed arguments."""
    return _answer(request, action_id, "decide")


@require_POST
def deny_many(request: HttpRequest) -> HttpResponse:
    """Deny the chosen ones with one reason: each is decided for itself, as it was shown. Fields `shown`, `reason`.

    `shown` = an action's id, a colon, and the digest that the page had of it.
    """
    actor, reason = actor_of(request), request.POST.get("reason", "").strip()
    chosen = [shown.partition(":") for shown in request.POST.getlist("shown")[:WAITING_SHOWN]]
    if not chosen or not reason or len(reason) > REASON_LIMIT:
        words = f"Choose at least one, and give a reason of up to {REASON_LIMIT} letters. Nothing was denied."
        messages.error(request, words)
        return redirect("approvals")
    denied, left = 0, []
    for action_id, _, digest in chosen:
        try:
            decide_action(action_id=UUID(action_id), actor=actor, verdict=Verdict.DENY, digest=digest, reason=reason)
            denied += 1
        except (DecisionRefused, ValueError, Action.DoesNotExist) as refusal:
            left.append(str(refusal) if isinstance(refusal, DecisionRefused) else "It is not there any more.")
    if denied:
        messages.success(request, f"{denied} denied. Who asked was given the reason.")
    if left:
        messages.warning(request, f"{len(left)} not denied: {' '.join(dict.fromkeys(left))}")
    return redirect("approvals")


@require_POST
def preview(request: HttpRequest, action_id: UUID) -> JsonResponse:
    """Before and after of changed arguments."""
    return _answer(request, action_id, "preview_change")


@require_POST
def pass_on_view(request: HttpRequest, action_id: UUID) -> JsonResponse:
    """Hand the decision to those who may."""
    return _answer(request, action_id, "pass_on")


@require_POST
def settle(request: HttpRequest, action_id: UUID) -> JsonResponse:
    """Say whether an action of unknown outcome was done."""
    return _answer(request, action_id, "settle")


def _answer(request: HttpRequest, action_id: UUID, kind: str) -> JsonResponse:
    actor = actor_of(request)
    try:
        body = strict_json(request.body.decode() or "{}")
        if not isinstance(body, dict):
            raise JsonRefused("it is not a JSON object")
        frame = read_frame({**body, "type": kind, "action": str(action_id)})
        message = answer(frame, actor=actor, signal=None)
    except (JsonRefused, UnicodeDecodeError) as problem:
        return _refused(FrameRefused("not_json", f"The request is no JSON ({problem})."), 400)
    except ValidationError as problem:
        return _refused(FrameRefused("bad_frame", *refusal_words(problem)), 400)
    except FrameRefused as refusal:
        return _refused(refusal, {"not_found": 404, "forbidden": 403}.get(refusal.code, 409))
    if message["type"] == "ack":
        message["html"] = card_html(action_id, actor=actor, in_queue=True)
    return JsonResponse(message)


def _refused(refusal: FrameRefused, status: int) -> JsonResponse:
    return JsonResponse(refusal.as_frame(""), status=status)


def _filtered(rows: ActionQuerySet, filters: dict[str, str], companies: list[tuple[UUID, str]]) -> ActionQuerySet:
    if filters["risk"] in dict(RISKS):
        rows = rows.filter(risk=filters["risk"])
    if filters["company"] in {str(key) for key, _ in companies}:
        rows = rows.filter(company=filters["company"])
    return _rows(rows)


def _rows(rows: ActionQuerySet) -> ActionQuerySet:
    return rows.select_related("company", "origin", "organization", "policy", "grant")


def _cards(rows: ActionQuerySet, actor: Actor) -> list[ActionCard]:
    return session_cards(list(rows), actor=actor)


def _selected(wanted: str, cards: list[ActionCard], actor: Actor) -> ActionCard | None:
    for card in cards:
        if str(card.id) == wanted:
            return card
    try:
        found = _rows(Action.objects.visible_to(actor)).filter(pk=UUID(wanted)).first() if wanted else None
    except ValueError:
        found = None
    if found is not None:
        return session_cards([found], actor=actor)[0]
    return cards[0] if cards else None
