"""What a vendor that knocks is answered; the door as Django has it, which stands behind webhook_door.py."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.webhook_intake import KEY_EVERY, LARGEST_BODY, Knock, Outcome, take_in
from integrations.webhooks import DeliveryRefused, KeyMissing, NoSuchWebhook, Refusal

#: Of the longest length that is read at all.
_DIGITS = len(str(LARGEST_BODY))
#: What the sender is told; no word of why, which is for the connection's page.
_STATUS = {
    Refusal.UNSIGNED: 401,
    Refusal.FORGED: 401,
    Refusal.FOREIGN: 401,
    Refusal.OVERSIZED: 413,
    Refusal.UNREADABLE: 400,
}


def answer_to(outcome: Outcome) -> tuple[int, Mapping[str, str]]:
    """Status and headers. 202 when it is stored, was stored before, or is of no use; 404 where nobody gave it out.

    One that cannot be checked yet is believed by nobody: 503, and when to send it again.
    """
    if isinstance(outcome, NoSuchWebhook):
        return 404, {}
    if isinstance(outcome, DeliveryRefused):
        return _STATUS[outcome.refusal], {}
    if isinstance(outcome, KeyMissing):
        return 503, {"Retry-After": str(int(KEY_EVERY.total_seconds()))}
    return 202, {}


def fits(length: str) -> bool:
    """Whether a body of that `Content-Length` is read at all; without a length it counts as too large."""
    return length.isascii() and length.isdigit() and len(length) <= _DIGITS and int(length) <= LARGEST_BODY


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def webhook(request: HttpRequest, token: str) -> HttpResponse:
    """One delivery."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    body = request.body if fits(headers.get("content-length", "")) else None
    [outcome] = take_in([Knock(token=token, body=body, headers=headers)])
    status, more = answer_to(outcome)
    return HttpResponse(status=status, content_type="text/plain", headers=dict(more))
