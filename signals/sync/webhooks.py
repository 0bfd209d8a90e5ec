"""Where vendors knock: a delivery is checked and stored in one short transaction; nobody outside is asked meanwhile."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.webhooks import (
    KEY_EVERY,
    LARGEST_BODY,
    DeliveryRefused,
    KeyMissing,
    NoSuchWebhook,
    Refusal,
    refuse_oversized,
    take_in,
)

#: What the sender is told; no word of why, which is for the connection's page.
_STATUS = {
    Refusal.UNSIGNED: 401,
    Refusal.FORGED: 401,
    Refusal.FOREIGN: 401,
    Refusal.OVERSIZED: 413,
    Refusal.UNREADABLE: 400,
}


@csrf_exempt
@login_not_required
@never_cache
@require_POST
def webhook(request: HttpRequest, token: str) -> HttpResponse:
    """202 when it is stored, was stored before, or is of no use; an address nobody gave out is a 404."""
    try:
        if _announced_length(request) > LARGEST_BODY:
            refuse_oversized(token=token)
            return _answer(413)
        headers = {name.lower(): value for name, value in request.headers.items()}
        take_in(token=token, body=request.body, headers=headers)
    except NoSuchWebhook:
        return _answer(404)
    except DeliveryRefused as refused:
        return _answer(_STATUS[refused.refusal])
    except KeyMissing:
        answer = _answer(503)
        answer["Retry-After"] = str(int(KEY_EVERY.total_seconds()))
        return answer
    return _answer(202)


def _announced_length(request: HttpRequest) -> int:
    """Bytes of the body; without a length it counts as too large."""
    length = request.headers.get("Content-Length", "")
    return int(length) if length.isascii() and length.isdigit() else LARGEST_BODY + 1


def _answer(status: int) -> HttpResponse:
    return HttpResponse(status=status, content_type="text/plain")
