"""Pages of connections, inside an organization."""

from __future__ import annotations

from django.urls import path

from integrations import company_consent_views, company_views, consent_views, server_views, views, webhook_views

urlpatterns = [
    path("connections/", views.connections, name="connections"),
    path("connections/consent/", consent_views.returned, name="connection-consented"),
    path("connections/consent/company/", company_consent_views.answered, name="connection-company-consented"),
    path("connections/<uuid:connection_id>/consent/", consent_views.begin, name="connection-consent"),
    path("connections/<uuid:connection_id>/consent/withdraw/", consent_views.withdraw, name="connection-withdraw"),
    path("connections/add/<slug:vendor>/", views.add, name="connection-add"),
    path("connections/<uuid:connection_id>/", views.change, name="connection-change"),
    path("connections/<uuid:connection_id>/remove/", views.remove, name="connection-remove"),
    path("connections/<uuid:connection_id>/test/", views.test, name="connection-test"),
    path("connections/<uuid:connection_id>/pause/", views.pause, name="connection-pause"),
    path("connections/<uuid:connection_id>/alerts/", views.alerts, name="connection-alerts"),
    path("connections/<uuid:connection_id>/webhook/", webhook_views.register, name="connection-webhook"),
    path(
        "connections/<uuid:connection_id>/webhook/remove/", webhook_views.unregister, name="connection-webhook-remove"
    ),
    path("connections/<uuid:connection_id>/tools/", server_views.tools, name="mcp-tools"),
    path("connections/<uuid:connection_id>/tools/read/", server_views.read, name="mcp-read"),
    path("connections/<uuid:connection_id>/tools/<uuid:tool_id>/", server_views.tool, name="mcp-tool"),
    path("connections/<uuid:connection_id>/tools/<uuid:tool_id>/block/", server_views.block, name="mcp-tool-block"),
    path("connections/<uuid:connection_id>/companies/link/", company_views.link, name="connection-link"),
    path("connections/<uuid:connection_id>/companies/accept/", company_views.accept, name="connection-accept"),
    path(
        "connections/<uuid:connection_id>/companies/check/",
        company_consent_views.check_companies,
        name="connection-check-companies",
    ),
    path(
        "connections/<uuid:connection_id>/companies/<uuid:link_id>/check/",
        company_consent_views.check,
        name="connection-link-check",
    ),
    path(
        "connections/<uuid:connection_id>/companies/<uuid:link_id>/consent/",
        company_consent_views.ask,
        name="connection-link-consent",
    ),
    path(
        "connections/<uuid:connection_id>/companies/<uuid:link_id>/unlink/",
        company_views.unlink,
        name="connection-unlink",
    ),
]
