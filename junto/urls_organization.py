"""Paths inside `/o/<slug>/`: the pages people work in, and the admin."""

from __future__ import annotations

from django.urls import include, path

from junto.desk import pages
from junto.tenants.sites import site

urlpatterns = [
    path("", pages.home, name="home"),
    path("inbox/", pages.inbox, name="inbox"),
    path("inbox/read/", pages.mark_inbox_read, name="inbox-read"),
    path("", include("signals.urls")),
    path("", include("agent.urls")),
    path("", include("runbooks.urls")),
    path("", include("integrations.urls")),
    path("admin/", site.urls),
]

handler400 = "junto.desk.views.bad_request"
handler403 = "junto.desk.views.forbidden"
handler404 = "junto.desk.views.not_found"
handler500 = "junto.desk.views.server_error"
