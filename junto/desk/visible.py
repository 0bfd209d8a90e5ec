"""No page holds a character that its reader cannot see, whatever a client, a vendor or a model wrote (T3)."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from integrations.llm.fencing import hides_nothing, show_escaped
from junto.tenants.access import GetResponse

#: Tags, and in them what a form sends back when it is saved: written otherwise, saving would change it. A page is read
#: in one go, without looking ahead, as it may hold ten megabytes of whatever somebody wrote.
_TAG = re.compile(r"(<textarea\b[^<>]*>[^<]*</textarea>|<[^<>]*>)", re.IGNORECASE)
_VALUE = re.compile(r"""((?<=\s)value="[^"<>]*")""", re.IGNORECASE)


class ShowHiddenCharacters:
    """Writes hidden characters of every page as `[U+202E]`: controls, directions, joiners of no width, tags.

    Done to the finished page, so that no template, list of the admin or page added later can forget it.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and response.get("Content-Type", "").startswith("text/html"):
            page = response.content.decode(response.charset)
            shown = show_page(page)
            if shown != page:
                response.content = shown.encode(response.charset)
        return response


def show_page(page: str) -> str:
    """The page with hidden characters written out, but in what its forms send back."""
    if hides_nothing(page) or show_escaped(page) == page:
        return page
    return "".join(_show_tag(part) if index % 2 else show_escaped(part) for index, part in enumerate(_TAG.split(page)))


def _show_tag(tag: str) -> str:
    if tag.lower().endswith("</textarea>"):
        return tag if tag.lower().startswith("<textarea") else show_escaped(tag)
    return "".join(part if index % 2 else show_escaped(part) for index, part in enumerate(_VALUE.split(tag)))
