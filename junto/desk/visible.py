"""No page holds a character that its reader cannot see, whatever a client, a vendor or a model wrote (T3)."""

from __future__ import annotations

import re

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from integrations.llm.fencing import show_escaped
from junto.tenants.access import GetResponse

#: What a form sends back when it is saved. Written otherwise, saving would change it: it is left as it is.
_SENT_BACK = re.compile(
    r"""(<textarea\b[^<>]*>[^<]*</textarea>|(?<=\s)value="[^"<>]*"(?=[^<>]*>))""", re.DOTALL | re.IGNORECASE
)


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
    return "".join(part if index % 2 else show_escaped(part) for index, part in enumerate(_SENT_BACK.split(page)))
