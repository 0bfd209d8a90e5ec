"""The demo's story of an alert: what it switches on, and the alert that comes and goes. Its middle is the server's."""

from __future__ import annotations

from junto.desk.demo.alerts import ALERT_TYPE, DEVICE, RUNBOOK, AlertStory
from junto.desk.demo.loading import DemoFailed, run_of_sandbox
from signals.models import Board
from signals.write_back.cleared import grants_of_cleared
from tests.factories import RunbookFactory
from tests.signals.test_cleared_tickets import ClearedTestCase


class DemoAlertTests(ClearedTestCase):
    def setUp(self) -> None:
        """The demo's runbook, and what the story tells."""
        super().setUp()
        self.said: list[str] = []
        self.story = AlertStory(base_url="http://127.0.0.1:8000", say=self.said.append)

    def test_what_it_needs_is_switched_on_once_and_by_those_who_may(self) -> None:
        runbook = RunbookFactory(organization=self.northwind, title=RUNBOOK)

        self.story.prepare()
        told = list(self.said)
        self.story.prepare()

        assert self.said == told
        assert [one.alert_type for one in runbook.triggers.all()] == [ALERT_TYPE]
        assert Board.objects.for_organization(self.northwind).get(name="Alerts").cleared_status == "Closed"
        assert [grant.issued_by for grant in grants_of_cleared(self.northwind)] == [self.adam]

    def test_it_says_what_is_missing(self) -> None:
        with self.assertRaisesMessage(DemoFailed, RUNBOOK):
            self.story.prepare()

    def test_an_alert_is_raised_on_a_device_and_clears(self) -> None:
        place = ["monitoring", "--sandbox", self.sandbox.base_url]
        uid = run_of_sandbox([*place, "raise", "--device", "HBR-WS-LAB"]).strip()
        self.poll()
        assert self.signal(uid).alert_type == ALERT_TYPE

        run_of_sandbox([*place, "clear", "--uid", uid])
        self.poll()
        assert self.signal(uid).closed_at_source
        with self.assertRaisesMessage(DemoFailed, "NinjaOne has none"):
            run_of_sandbox([*place, "raise", "--device", f"{DEVICE}-of-nobody"])
