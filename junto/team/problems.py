"""What the API says when something is wrong: always `application/problem+json` (RFC 9457), never a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from pydantic import JsonValue
from rest_framework.response import Response
from rest_framework.views import exception_handler

CONTENT_TYPE = "application/problem+json"
API_PATH = "/api/"

_WORDS = {
    400: "The request cannot be read.",
    403: "This is not allowed.",
    404: "There is nothing at this address.",
}


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, and not a browser."""
    return request.path_info.startswith(API_PATH)


def problem_page(status: int, *, detail: str = "") -> HttpResponse:
    """The answer where no endpoint was reached: an unknown path, or a failure of our own."""
    body = _problem(status, detail or _WORDS.get(status, ""))
    return HttpResponse(json.dumps(body), status=status, content_type=CONTENT_TYPE)


def answer_with_problem(error: Exception, context: Mapping[str, object]) -> Response | None:
    """DRF's `EXCEPTION_HANDLER`: its own answer in the problem's shape. None = not foreseen, a 500 by Django's handler.

    Errors of single parameters stand in `errors`, by their name; `detail` then tells the first.
    """
    response = exception_handler(error, dict(context))
    if response is None:
        return None
    told: JsonValue = json.loads(json.dumps(response.data, default=str))
    if isinstance(told, dict) and isinstance(told.get("detail"), str):
        body = _problem(response.status_code, str(told["detail"]))
    else:
        body = {**_problem(response.status_code, _first_words(told)), "errors": told}
    response.data = body
    response.content_type = CONTENT_TYPE
    return response


def _problem(status: int, detail: str) -> dict[str, JsonValue]:
    return {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}


def _first_words(told: JsonValue, name: str = "") -> str:
    if isinstance(told, dict) and told:
        name, told = next(iter(told.items()))
        return _first_words(told, name)
    if isinstance(told, list) and told:
        return _first_words(told[0], name)
    return f"{name}: {told}" if name else str(told)
