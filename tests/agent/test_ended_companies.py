"""A company whose work has ended: what goes on there stops, nothing begins there, and the pages say so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agent.models import AgentSession, StartRule
from agent.services import SessionRefused
from agent.tasks import open_waiting
from approvals.models import Action
from junto.audit.models import AuditEntry
from junto.inbox.models import Notification
from junto.team.organizations import end_company, reopen_company
from junto.team.services import limit_to_companies
from junto.tenants.models import Company
from runbooks.firing import fire_due
from runbooks.matching import match_signal
from runbooks.models import Runbook, Trigger, TriggerFiring
from runbooks.triggers import save_trigger
from signals.models import Signal
from tests.agent.run_cases import HUMAN, DirectedRunCase
from tests.cases import JuntoTestCase
from tests.scripted_model import Says

DUE = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


class EndedCompanyTest(DirectedRunCase):
    """Harbor is the company of the planted ticket; Mara ends it."""

    harbor: Company

    def setUp(self) -> None:
        super().setUp()
        assert self.signal.company is not None
        self.harbor = self.signal.company

    def end(self) -> None:
        end_company(actor=self.actor(self.mara), company=self.harbor)
        self.drain()

    def test_its_session_stops_and_what_waited_for_a_decision_is_withdrawn(self) -> None:
        with self.model(Says(calls=[self.note()])):
            session = self.start()
        (asked,) = self.waiting(session)
        self.end()
        session, asked = self.run_on(session), Action.unscoped.get(pk=asked.pk)
        assert (session.origin.stopped_at is not None, asked.state) == (True, "cancelled")
        assert asked.reason == f"Work for {self.harbor.name} has ended."
        assert not self.written()

    def test_nothing_is_matched_or_started_there_by_people_or_by_itself_until_it_is_opened_again(self) -> None:
        self.publish(HUMAN, audience="human", title=self.signal.subject)
        StartRule.objects.for_organization(self.northwind).update(mode=StartRule.Mode.PREPARE)
        assert match_signal(self.reload(self.signal))
        self.end()
        open_waiting.call(str(self.northwind.pk))
        assert not match_signal(self.reload(self.signal))
        with pytest.raises(SessionRefused, match=r"has ended\. A manager may open it again"):
            self.start()
        assert self.reload(self.signal).state == Signal.State.NEW
        reopen_company(actor=self.actor(self.mara), company=self.harbor)
        open_waiting.call(str(self.northwind.pk))
        assert AgentSession.unscoped.filter(signal=self.signal).exists()

    def test_its_schedules_are_skipped_and_their_publisher_is_told(self) -> None:
        runbook = self.publish(HUMAN, audience="human")
        row = Trigger(organization=self.northwind, runbook=runbook, kind="schedule", cron="0 3 1 * *", time_zone="UTC")
        trigger = save_trigger(actor=self.actor(self.mara), trigger=row, companies=[self.harbor])
        Runbook.objects.for_organization(self.northwind).update(published_at=datetime(2026, 1, 1, tzinfo=UTC))
        Trigger.unscoped.filter(pk=trigger.pk).update(next_due=DUE)
        self.end()
        fire_due(DUE)
        self.drain()
        firing = TriggerFiring.unscoped.get()
        assert firing.state == "skipped"
        assert firing.reason.startswith(f"Work for {self.harbor.name} has ended.")
        assert Notification.unscoped.filter(membership=self.mara, kind="run.skipped").exists()

    def test_the_pages_say_that_it_has_ended(self) -> None:
        self.end()
        self.log_in(self.theo)
        assert f"{self.harbor.name} (ended)" in self.client.get(self.path("signals/")).content.decode()
        page = self.client.get(self.path(f"signals/{self.signal.pk}/")).content.decode()
        assert "has ended. A manager may open it again" in page
        assert "data-start>" not in page


class CompaniesInTheAdminTest(JuntoTestCase):
    """Mara ends work for Harlow & Beck, and begins it again."""

    def change(self, **form: str) -> int:
        path = self.path(f"admin/tenants/company/{self.harlow.pk}/change/")
        status: int = self.client.post(path, form).status_code
        self.harlow.refresh_from_db()
        return status

    def test_a_manager_ends_a_company_and_opens_it_again_with_both_in_the_audit_log(self) -> None:
        self.log_in(self.mara)
        assert (self.change(), self.harlow.is_active) == (302, False)
        page = self.client.get(self.path("admin/tenants/company/")).content.decode()
        assert "Ended" in page
        assert (self.change(is_active="on"), self.harlow.is_active) == (302, True)
        rows = AuditEntry.objects.for_organization(self.northwind).filter(target_id=str(self.harlow.pk))
        assert list(rows.order_by("number").values_list("verb", flat=True))[1:] == ["company.ended", "company.reopened"]

    def test_who_is_limited_to_other_companies_does_not(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.pinewood]
        )
        self.log_in(self.mara)
        assert (self.change(), self.harlow.is_active) == (404, True)
