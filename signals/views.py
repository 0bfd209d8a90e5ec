"""The list of signals. A signal's own page is the agent's (agent/views.py)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from junto.tenants.access import actor_of
from junto.tenants.permissions import Permission, PermissionDenied
from signals import listing
from signals.intake.refused import refused_line
from signals.list_filters import Filters, find_fitting, find_rows

#: The element that htmx replaces when only the rows are asked for.
ROWS_TARGET = "signal-rows"


@require_safe
@vary_on_headers("HX-Request", "HX-Target")
def signals(request: HttpRequest) -> HttpResponse:
    """The list; only its rows when htmx asks for them.

    Raises:
        PermissionDenied: the member may see no work at all.
    """
    actor = actor_of(request)
    if not actor.can_anywhere(Permission.VIEW_WORK):
        raise PermissionDenied(actor, Permission.VIEW_WORK)
    filters = Filters.read(request.GET)
    fitting = find_fitting(actor, filters)
    found = find_rows(fitting, filters, actor.organization)
    page = found.get_page(request.GET.get("page"))
    rows = listing.rows(list(page.object_list))
    asked = request.GET.copy()
    asked.pop("page", None)
    context = {
        "signals": rows,
        "page_obj": page,
        "total": found.total,
        "count": found.count,
        "query_string": asked.urlencode(),
        "filters": filters,
        "may_read_again": bool(rows) and actor.can(Permission.MANAGE_PROCESSORS),
        "newest": max((row.updated_at for row in rows), default=None),
    }
    if request.headers.get("HX-Target") == ROWS_TARGET:
        return render(request, "signals/_rows.html", context)
    context |= {
        "views": listing.views(fitting, filters, request.GET),
        "attention_views": listing.attention_views(fitting, filters, actor.organization, request.GET),
        "choices": listing.choices(actor),
        "read_line": listing.read_line(actor),
        "refused_line": refused_line(actor),
        "may_enter": actor.can_anywhere(Permission.RUN_SESSIONS),
        "may_import": actor.can(Permission.WRITE_SIGNALS),
    }
    return render(request, "signals/list.html", context)
