"""The page on which an administrator of a tenant consents to an app, once for everybody in it."""

from __future__ import annotations

import re
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from integrations.sandbox.json_types import Record
from integrations.sandbox.microsoft365.problems import LoginProblem
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Effect, Request

_REGISTERED = re.compile(r"/consented/[-\w]+/")
_PAGE = (
    "<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Permissions requested</title></head><body>"
    "<h1>{title}</h1><p>{text}</p>{form}</body></html>"
)
_FORM = (
    '<form method="post"><button name="decision" value="accept">Accept for {name}</button>'
    '<button name="decision" value="cancel">Cancel</button></form>'
)


def consent_page(request: Request, tenant: Record | None, world: World, app: str) -> Answer:
    """The page, and what is answered on it. Raises LoginProblem."""
    asked = dict(request.query)
    back = asked.get("redirect_uri", "")
    if back and not _REGISTERED.fullmatch(urlsplit(back).path):
        raise LoginProblem(400, "invalid_request", 50011, f"The redirect URI '{back}' does not match those of the app.")
    if tenant is None:
        raise LoginProblem(400, "invalid_request", 90002, "Tenant not found.")
    name = escape(str(tenant["displayName"]))
    if request.method != "POST":
        text = f"{escape(app)} asks for access to {name}."
        return _html(_PAGE.format(title="Permissions requested", text=text, form=_FORM.format(name=name)))
    accepted = dict(parse_qsl(request.body.decode("utf-8", "replace"))).get("decision") != "cancel"
    effect = None
    if accepted:
        tenant["consented"] = True
        effect = Effect("updated", "tenant", world.save("tenants", tenant))
    if back:
        return Answer(302, b"", (("Location", f"{back}?{_answer(asked, tenant, accepted=accepted)}"),), effect)
    title = "Accepted" if accepted else "Cancelled"
    return _html(_PAGE.format(title=title, text=f"{escape(app)}, {name}.", form=""), effect)


def _answer(asked: dict[str, str], tenant: Record, *, accepted: bool) -> str:
    """What goes back in the address. The vendor says `admin_consent=True` beside an error, too."""
    told = {"admin_consent": "True", "tenant": str(tenant["tenantId"])}
    if not accepted:
        told |= {
            "error": "access_denied",
            "error_description": "AADSTS65004: The resource owner or authorization server denied the request.",
        }
    if "state" in asked:
        told["state"] = asked["state"]
    return urlencode(told)


def _html(page: str, effect: Effect | None = None) -> Answer:
    return Answer(200, page.encode(), (("Content-Type", "text/html; charset=utf-8"),), effect)
