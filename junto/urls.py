"""Paths without an organization in front: login, health, API, static help. The rest is junto/urls_organization.py."""

from __future__ import annotations

from django.urls import include, path

from integrations.company_consent_views import returned
from junto.desk import invitations, views
from signals.sync.webhooks import webhook

urlpatterns = [
    path("", views.start, name="start"),
    path("healthz", views.healthz, name="healthz"),
    path("invitation/<str:secret>/", invitations.invitation, name="invitation"),
    path("hooks/<str:token>/", webhook, name="webhook"),
    path("consented/<slug:organization>/", returned, name="consent-answered"),
    # in place of allauth's pages, which promise a mail
    path("accounts/password/reset/", views.password_help, name="password-help"),
    path("accounts/email/", views.no_such_page),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("junto.urls_api")),
]

handler400 = "junto.desk.views.bad_request"
handler403 = "junto.desk.views.forbidden"
handler404 = "junto.desk.views.not_found"
handler500 = "junto.desk.views.server_error"
