"""A back-test says how right a processor would have been, writes nothing, and leaves the threshold to the Admin."""

from __future__ import annotations

from approvals.models import Action
from signals.back_tests.report import NOTHING, Answer, Share, report
from signals.models import BackTest, ProcessorResult, ReviewItem, Signal
from signals.processing.plans import plans
from signals.tasks import sweep_back_tests
from tests.factories import SignalFactory
from tests.signals.typing_cases import TypingCase

ANSWERS = [
    Answer("1", "Email", "Email", 0.9, "Service Desk"),
    Answer("2", "Email", "Network", 0.8, "Service Desk"),
    Answer("3", "Network", "Network", 0.6, "Alerts"),
    Answer("4", "", "Email", 0.0, "Alerts"),
]


class TestReport:
    def test_below_the_threshold_nothing_is_said(self) -> None:
        found = report(ANSWERS, 0.7)
        assert (found.whole.answered, found.whole.right) == (Share(2, 4), Share(1, 2))
        assert [(line.name, line.answered.hits, line.right.hits) for line in found.boards] == [
            ("Alerts", 0, 0),
            ("Service Desk", 2, 1),
        ]
        assert [(error.said, error.was) for error in found.errors] == [("Email", "Network")]

    def test_the_matrix_counts_every_ticket_once(self) -> None:
        found = report(ANSWERS, 0.7)
        counted = {
            (row.name, column): count
            for row in found.matrix
            for column, (count, _) in zip(found.columns, row.cells, strict=True)
            if count
        }
        assert counted == {
            ("Email", "Email"): 1,
            ("Email", NOTHING): 1,
            ("Network", "Email"): 1,
            ("Network", NOTHING): 1,
        }

    def test_one_error_is_never_rounded_away(self) -> None:
        assert (Share(199, 200).percent, Share(200, 200).percent) == ("99 %", "100 %")
        assert (Share(1, 300).percent, Share(0, 300).percent) == ("1 %", "0 %")
        assert Share(199, 200).interval == "97 to 100 %"
        assert Share(9990, 10000).interval == "99 to 100 %"

    def test_intervals_are_wilsons(self) -> None:
        low, high = Share(8, 10).bounds
        assert (round(low, 3), round(high, 3)) == (0.49, 0.943)
        assert Share(0, 0).bounds == (0.0, 1.0)


class BackTestTests(TypingCase):
    def closed(self, number: int) -> None:
        """As many closed tickets of each of two types, on a board of the vendor's."""
        board = self.arrive("The first ticket brings its board").board
        for each in range(number):
            for kind, words in (
                ("Email", "Outlook mailbox calendar does not open, mail stays unsent"),
                ("Network", "VPN tunnel drops at home, no connection to the firewall"),
            ):
                SignalFactory(
                    company=self.harbor,
                    connection=self.connection,
                    board=board,
                    subject=f"{words} {each}",
                    type=kind,
                    closed_at_source=True,
                    state=Signal.State.RESOLVED,
                )

    def test_it_runs_in_the_background_writes_nothing_and_its_threshold_is_saved_from_the_page(self) -> None:
        self.closed(26)
        self.log_in(self.adam)
        path = self.path("processors/ticket_type/back-test/")
        assert self.client.post(f"{path}start/", {"most": "40"}).status_code == 302
        assert "Running" in self.client.get(path).content.decode()
        self.drain()
        row = BackTest.objects.for_organization(self.northwind).get()
        assert (row.state, row.total, row.position) == (BackTest.State.DONE, 40, 40), row.detail
        page = self.client.get(path, {"threshold": "0.60"}).content.decode()
        assert "100 %" in page
        assert "Use 0.60" in page
        assert self.sandbox.effects() == []
        assert not ProcessorResult.objects.for_organization(self.northwind).filter(processor="ticket_type").exists()
        assert not ReviewItem.objects.for_organization(self.northwind).filter(processor="ticket_type").exists()
        assert not Action.objects.for_organization(self.northwind).exists()
        self.client.post(f"{path}threshold/", {"threshold": "0.60"})
        plan = next(plan for plan in plans(self.northwind) if plan.processor.slug == "ticket_type")
        assert plan.options.model_dump()["confidence"] == 0.6
        assert not plan.enabled

    def test_a_lost_bell_is_found_and_a_second_one_waits_for_the_first(self) -> None:
        self.log_in(self.adam)
        path = self.path("processors/priority/back-test/")
        self.client.post(f"{path}start/", {"most": "40"})
        self.forget_bells()
        answer = self.client.post(f"{path}start/", {"most": "40"}, follow=True)
        assert "under way already" in answer.content.decode()
        sweep_back_tests.call("")
        self.drain()
        assert BackTest.objects.for_organization(self.northwind).get().state == BackTest.State.DONE
        assert "No closed ticket bears a label" in self.client.get(path).content.decode()

    def test_thresholds_that_were_tried_leave_no_higher_bar_for_changing_behind_and_both_are_told(self) -> None:
        self.log_in(self.adam)
        path = self.path("processors/priority/back-test/threshold/")

        def use(threshold: str, **more: str) -> tuple[float, float]:
            answer = self.client.post(path, {"threshold": threshold, **more}, follow=True)
            self.told = answer.content.decode()
            plan = next(plan for plan in plans(self.northwind) if plan.processor.slug == "priority")
            options = plan.options.model_dump()
            return options["certainty"], options["change_certainty"]

        assert use("1.00") == (1.0, 1.0)
        assert use("0.00") == (0.0, 0.15)
        assert "from now on 0.00 to set a value, 0.15 to change one." in self.told
        assert use("0.70") == (0.7, 0.85)
        assert use("0.60", to_change="0.9") == (0.6, 0.9)
        assert use("0.80") == (0.8, 1.0)
        assert use("0.90", to_change="0.5") == (0.8, 1.0)
        assert "set it above 0.90" in self.told

    def test_only_an_admin_has_it(self) -> None:
        path = self.path("processors/ticket_type/back-test/")
        self.log_in(self.mara)
        assert self.client.get(path).status_code == 403
        assert self.client.post(f"{path}start/", {"most": "40"}).status_code == 403
        assert self.client.post(f"{path}threshold/", {"threshold": "0.5"}).status_code == 403
        self.log_in(self.ines)
        assert self.client.get(path).status_code == 404
