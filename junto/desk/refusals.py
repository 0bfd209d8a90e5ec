"""A page in words where Django answers with nothing: an address that was opened and only takes what a button sends."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render

from junto.tenants.access import GetResponse


class MethodNotAllowedPage:
    """Gives an empty 405 its page; `Allow` stays. One that says something already, as the API's does, is left alone."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        page = render(request, "405.html", {"home_path": "/"}, status=response.status_code)
        page.headers["Allow"] = response.headers["Allow"]
        return page
