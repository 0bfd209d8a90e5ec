"""The pages technicians live in, the approvals queue among them; inside an organization."""

from __future__ import annotations

from django.urls import path

from agent import by_hand_pages, queue, result_page, run_forms, runs_pages, secret_page, views

urlpatterns = [
    path("signals/<uuid:signal_id>/", views.signal_page, name="signal"),
    path("signals/<uuid:signal_id>/elsewhere/", views.elsewhere, name="signal-elsewhere"),
    path("signals/<uuid:signal_id>/start/", views.start, name="signal-start"),
    path("signals/<uuid:signal_id>/map-company/", views.map_company_view, name="signal-map-company"),
    path("signals/<uuid:signal_id>/dismiss/", views.dismiss, name="signal-dismiss"),
    path("signals/<uuid:signal_id>/part/", views.part, name="signal-part"),
    path("signals/<uuid:signal_id>/resolve/", views.resolve_view, name="signal-resolve"),
    path("signals/<uuid:signal_id>/choose-runbook/", views.choose_runbook_view, name="signal-choose-runbook"),
    path("signals/<uuid:signal_id>/tools/", by_hand_pages.pick, name="signal-tools"),
    path("signals/<uuid:signal_id>/tools/<str:tool>/", by_hand_pages.run, name="signal-tool"),
    path("actions/<uuid:action_id>/result/", result_page.action_result, name="action-result"),
    path("runs/", runs_pages.runs, name="runs"),
    path("runs/<uuid:session_id>/", runs_pages.run_page, name="run"),
    path("runs/<uuid:session_id>/direct/", runs_pages.direct, name="run-direct"),
    path("runs/queue/<uuid:firing_id>/drop/", runs_pages.drop, name="run-drop"),
    path("runbooks/<uuid:runbook_id>/run/", run_forms.start_run, name="runbook-run"),
    path("approvals/deny/", queue.deny_many, name="approvals-deny"),
    path("approvals/", queue.approvals_queue, name="approvals"),
    path("approvals/<uuid:action_id>/decide/", queue.decide, name="approval-decide"),
    path("approvals/<uuid:action_id>/preview/", queue.preview, name="approval-preview"),
    path("approvals/<uuid:action_id>/pass-on/", queue.pass_on_view, name="approval-pass-on"),
    path("approvals/<uuid:action_id>/secret/", secret_page.secret, name="action-secret"),
    path("approvals/<uuid:action_id>/settle/", queue.settle, name="approval-settle"),
]
