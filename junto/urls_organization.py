"""Paths inside `/o/<slug>/`: the pages people work in, and the admin."""

from __future__ import annotations

from django.urls import include, path

from junto.desk import audit_log, member, pages, people, tokens
from junto.tenants.sites import site

urlpatterns = [
    path("", pages.home, name="home"),
    path("inbox/", pages.inbox, name="inbox"),
    path("inbox/read/", pages.mark_inbox_read, name="inbox-read"),
    path("inbox/digest/", pages.set_digest, name="inbox-digest"),
    path("people/", people.people, name="people"),
    path("people/invite/", people.invite_view, name="people-invite"),
    path("people/invitations/<uuid:invitation_id>/revoke/", people.uninvite_view, name="people-uninvite"),
    path("people/<uuid:membership_id>/", member.member_page, name="people-member"),
    path("people/<uuid:membership_id>/companies/", member.companies_view, name="people-companies"),
    path("people/<uuid:membership_id>/billing/", member.billing_view, name="people-billing"),
    path("people/<uuid:membership_id>/psa/", member.psa_view, name="people-psa"),
    path("people/<uuid:membership_id>/password/", member.password_link_view, name="people-password"),
    path("people/<uuid:membership_id>/transfer/", member.transfer_view, name="people-transfer"),
    path("people/<uuid:membership_id>/role/", people.change_role_view, name="people-role"),
    path("people/<uuid:membership_id>/deactivate/", people.deactivate_view, name="people-deactivate"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/create/", tokens.create, name="tokens-create"),
    path("tokens/<uuid:token_id>/revoke/", tokens.revoke, name="tokens-revoke"),
    path("audit/", audit_log.audit_log, name="audit"),
    path("audit/export.csv", audit_log.export, {"form": "csv"}, name="audit-csv"),
    path("audit/export.jsonl", audit_log.export, {"form": "jsonl"}, name="audit-jsonl"),
    path("", include("signals.urls")),
    path("", include("agent.urls")),
    path("", include("runbooks.urls")),
    path("", include("approvals.urls")),
    path("", include("integrations.urls")),
    path("admin/", site.urls),
]

handler400 = "junto.desk.views.bad_request"
handler403 = "junto.desk.views.forbidden"
handler404 = "junto.desk.views.not_found"
handler500 = "junto.desk.views.server_error"
