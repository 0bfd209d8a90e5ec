"""The page on which an administrator of a tenant consents to an app, once for everybody in it."""

from __future__ import annotations

from html import escape

from integrations.sandbox.json_types import Record
from integrations.sandbox.microsoft365.problems import LoginProblem
from integrations.sandbox.store import World
from integrations.sandbox.wire import Answer, Effect, Request

_PAGE = (
    "<!DOCTYPE html><html lang=en><head><title>Permissions requested</title></head><body><h1>{title}</h1><p>{text}</p>"
    "{form}</body></html>"
)
_FORM = '<form method="post"><button type="submit">Accept for {name}</button></form>'


def consent_page(request: Request, tenant: Record | None, world: World, app: str) -> Answer:
    """The page, and what is answered on it. Raises LoginProblem."""
    if tenant is None:
        raise LoginProblem(400, "invalid_request", 90002, "Tenant not found.")
    name = escape(str(tenant["displayName"]))
    effect = None
    if request.method == "POST":
        tenant["consented"] = True
        effect = Effect("updated", "tenant", world.save("tenants", tenant))
        page = _PAGE.format(title="Accepted", text=f"{escape(app)} may be used in {name}.", form="")
    else:
        asked = f"{escape(app)} asks for access to {name}."
        page = _PAGE.format(title="Permissions requested", text=asked, form=_FORM.format(name=name))
    return Answer(200, page.encode(), (("Content-Type", "text/html; charset=utf-8"),), effect)
