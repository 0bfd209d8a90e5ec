"""Pages of signals, inside an organization."""

from __future__ import annotations

from django.urls import path

from signals import views
from signals.back_tests import pages as back_test_pages
from signals.files import pages as import_pages
from signals.intake import alert_boards_pages, entry_pages, maintenance_pages
from signals.processing import pages as processor_pages
from signals.processing import rerun_pages, review_pages
from signals.service import escalation_pages
from signals.service import pages as service_pages
from signals.sync import company_pages
from signals.sync import pages as sync_pages
from signals.write_back import cleared_pages

urlpatterns = [
    path("signals/", views.signals, name="signals"),
    path("signals/new/", entry_pages.new_signal, name="signal-new"),
    path("signals/files/", import_pages.imports, name="imports"),
    path("signals/files/<uuid:import_id>/", import_pages.import_page, name="import"),
    path("signals/files/<uuid:import_id>/read/", import_pages.read, name="import-read"),
    path("signals/files/<uuid:import_id>/start/", import_pages.start, name="import-start"),
    path("signals/files/<uuid:import_id>/stop/", import_pages.stop, name="import-stop"),
    path("signals/files/<uuid:import_id>/resume/", import_pages.resume, name="import-resume"),
    path("signals/files/<uuid:import_id>/remove/", import_pages.discard, name="import-remove"),
    path("signals/files/<uuid:import_id>/refused.csv", import_pages.refused_file, name="import-refused"),
    path("signals/<uuid:signal_id>/findings/<str:slug>/", review_pages.finding, name="finding"),
    path("signals/<uuid:signal_id>/findings/<str:slug>/correct/", review_pages.correct, name="finding-correct"),
    path("signals/<uuid:signal_id>/findings/<str:slug>/confirm/", review_pages.confirm, name="finding-confirm"),
    path("signals/<uuid:signal_id>/findings/<str:slug>/dismiss/", review_pages.dismiss, name="finding-dismiss"),
    path("signals/<uuid:signal_id>/findings/<str:slug>/revert/", review_pages.revert_view, name="finding-revert"),
    path("signals/<uuid:signal_id>/findings/<str:slug>/put-back/", review_pages.put_back_view, name="finding-put-back"),
    path("connections/<uuid:connection_id>/sync/", sync_pages.sync, name="connection-sync"),
    path("connections/<uuid:connection_id>/sync/compare/", sync_pages.compare_view, name="connection-compare"),
    path("connections/<uuid:connection_id>/sync/repair/", sync_pages.repair_view, name="connection-repair"),
    path("connections/<uuid:connection_id>/companies/", company_pages.companies, name="connection-companies"),
    path("maintenance/", maintenance_pages.maintenance, name="maintenance"),
    path("maintenance/<uuid:window_id>/end/", maintenance_pages.end, name="maintenance-end"),
    path("maintenance/alert-boards/", alert_boards_pages.set_alert_boards, name="alert-boards"),
    path("maintenance/cleared/", cleared_pages.set_cleared, name="cleared-statuses"),
    path("escalations/", escalation_pages.escalations, name="escalations"),
    path("escalations/rules/", escalation_pages.add_rule_view, name="escalation-add"),
    path("escalations/rules/<uuid:rule_id>/", escalation_pages.change_rule_view, name="escalation-rule"),
    path("service/", service_pages.service, name="service"),
    path("service/hours/", service_pages.set_hours_view, name="service-hours"),
    path("service/targets/", service_pages.set_target_view, name="service-target"),
    path("service/targets/<uuid:target_id>/remove/", service_pages.remove_target_view, name="service-target-remove"),
    path("review/", review_pages.review, name="review"),
    path("processors/", processor_pages.processors, name="processors"),
    path("processors/read-again/", rerun_pages.rerun, name="processors-rerun"),
    path("processors/read-again/<uuid:rerun_id>/", rerun_pages.progress, name="processors-rerun-progress"),
    path("processors/read-again/<uuid:rerun_id>/stop/", rerun_pages.stop, name="processors-rerun-stop"),
    path("processors/rules/<uuid:rule_id>/", processor_pages.change_rule, name="processor-rule"),
    path("processors/<str:slug>/", processor_pages.processor_page, name="processor"),
    path("processors/<str:slug>/back-test/", back_test_pages.back_test, name="back-test"),
    path("processors/<str:slug>/back-test/start/", back_test_pages.start, name="back-test-start"),
    path("processors/<str:slug>/back-test/stop/", back_test_pages.stop, name="back-test-stop"),
    path("processors/<str:slug>/back-test/threshold/", back_test_pages.threshold, name="back-test-threshold"),
    path("processors/<str:slug>/switch/", processor_pages.switch, name="processor-switch"),
    path("processors/<str:slug>/move/", processor_pages.move, name="processor-move"),
    path("processors/<str:slug>/options/", processor_pages.options, name="processor-options"),
    path("processors/<str:slug>/rules/", processor_pages.add_rule_view, name="processor-add-rule"),
    path("processors/<str:slug>/train/", processor_pages.train_view, name="processor-train"),
]
