"""A back-test says how right a processor would have been, writes nothing, and leaves the threshold to the Admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import patch

from approvals.models import Action
from integrations.models import ModelUsage
from junto.audit.models import AuditEntry
from signals.back_tests.report import NOTHING, Answer, Share, report
from signals.models import BackTest, ModelQuestion, ProcessorResult, ProcessorSetting, ReviewItem, Signal
from signals.processing.asking import SignalAsker
from signals.processing.plans import plans
from signals.tasks import sweep_back_tests
from tests.agent.model_cases import ModelEndpoint
from tests.factories import SignalFactory
from tests.scripted_model import Asks, Fails, Says, SeenRequest, Step
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

    def test_what_is_said_second_counts_where_the_first_is_not_sure_enough_and_is_counted_apart(self) -> None:
        asked = [
            Answer("1", "Email", "Network", 0.5, "", "Network", 0.8, by_model=True, asked=True),
            Answer("2", "Email", "Email", 0.9, ""),
            Answer("3", "", "Email", 0.0, "", asked=True),
        ]
        found = report(asked, 0.7)
        assert [(line.name, line.answered, line.right) for line in found.producers] == [
            ("Rules and what was learned", Share(1, 3), Share(1, 1)),
            ("Language model", Share(1, 2), Share(1, 1)),
        ]
        assert report(asked, 0.4).whole.right == Share(1, 2)  # the first is sure enough: nobody else is asked
        assert [tuple(float(each) for each in point.split(",")) for point in found.plot.points.split()] == [
            (184.0, 4.0),
            (324.0, 4.0),
            (324.0, 114.0),
        ]
        assert report(ANSWERS, 0.7).producers == ()

    def test_intervals_are_wilsons(self) -> None:
        low, high = Share(8, 10).bounds
        assert (round(low, 3), round(high, 3)) == (0.49, 0.943)
        assert Share(0, 0).bounds == (0.0, 1.0)


class BackTestCase(TypingCase):
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


class BackTestTests(BackTestCase):
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
        assert self.client.post(f"{path}stop/").status_code == 403
        self.log_in(self.ines)
        assert self.client.get(path).status_code == 404


class ModelBackTestCase(ModelEndpoint, BackTestCase):
    """Too few tickets of each type to learn from: whatever is said is the language model's."""

    def setUp(self) -> None:
        super().setUp()
        self.settings.LLM_PRICES = {"scripted-1": (2, 8)}
        self.closed(12)
        self.log_in(self.adam)
        self.where = self.path("processors/ticket_type/back-test/")

    def start(self, **fields: str) -> BackTest:
        self.client.post(f"{self.where}start/", {"most": "40", **fields})
        self.drain()
        return BackTest.objects.for_organization(self.northwind).first()  # type: ignore[no-any-return]

    def page(self) -> str:
        """In one line."""
        return " ".join(self.client.get(self.where).content.decode().split())


class ModelBackTestTests(ModelBackTestCase):
    def test_unless_an_admin_says_so_it_is_not_asked_and_the_page_says_how_many_are_left_out(self) -> None:
        with self.answering(says("Email"), always=True) as server:
            assert "Ask the language model too" in self.page()
            self.start(model_most="5")
            assert "24 tickets would go to the language model, for about" in self.page()
        assert server.requests == []

    def test_it_is_asked_as_on_a_new_ticket_of_as_many_as_wanted_and_its_answers_and_cost_are_told(self) -> None:
        with self.answering(says("Email"), always=True) as server:
            before = self.page()
            row = self.start(ask_model="1", model_most="5")
            page = self.page()
        assert "¢ for 50" in before
        assert (row.state, row.total, row.model_microcents) == (BackTest.State.DONE, 24, 5 * (1000 * 200 + 50 * 800))
        assert len(server.requests) == 5
        right = sum(answer[1] == "" and answer[5] == answer[2] for answer in row.answers)
        assert 0 < right < 5
        assert "(scripted-1) was asked of 5 tickets, those below 0.70, for 1.20 ¢." in page
        assert "19 tickets more would go to the language model, for about 4.56 ¢." in page
        assert f"{right} of 5" in page
        rules, text = (str(message["content"]) for message in server.requests[0].messages)
        assert text.startswith("<<<FOREIGN ")
        assert "drops at home" in text or "calendar does not open" in text
        assert "Email" not in text
        assert "type" in rules
        usage = ModelUsage.objects.for_organization(self.northwind)
        assert usage.filter(reserved=False, cost_microcents=240_000).count() == 5
        assert not ProcessorResult.objects.for_organization(self.northwind).filter(processor="ticket_type").exists()
        assert not ReviewItem.objects.for_organization(self.northwind).filter(processor="ticket_type").exists()
        assert not Action.objects.for_organization(self.northwind).exists()
        assert self.sandbox.effects() == []

    def test_the_same_question_is_paid_for_once(self) -> None:
        with self.answering(says("Email"), always=True) as server:
            self.start(ask_model="1", model_most="5")
            row = self.start(ask_model="1", model_most="5")
            assert "asked of 5 tickets, those below 0.70, for 0.00 ¢." in self.page()
        assert (len(server.requests), row.model_microcents) == (5, 0)

    def test_the_number_of_questions_a_day_holds_for_it_too(self) -> None:
        self.switch("ticket_type", model_daily=2)
        with self.answering(says("Email"), always=True) as server:
            row = self.start(ask_model="1", model_most="5")
            page = self.page()
            again = self.start(ask_model="1", model_most="5")
            ModelQuestion.unscoped.update(digest="of other words")  # so no answer that is kept fits
            none = self.start(ask_model="1", model_most="5")
            last = self.page()
        assert (len(server.requests), row.state) == (2, BackTest.State.DONE)
        assert "was asked of 2 tickets" in page
        assert "No more was asked: The language model was asked 2 times today, which is the most that" in page
        assert "22 tickets more would go to the language model" in page
        assert [sum(each[8] for each in one.answers) for one in (row, again, none)] == [2, 2, 0]
        assert "The language model was asked of no ticket" in last

    def test_a_model_that_does_not_answer_is_asked_once_and_the_page_says_what_it_said(self) -> None:
        with self.answering(lambda _: Fails(400, "no such deployment"), always=True) as server:
            row = self.start(ask_model="1", model_most="5")
            page = self.page()
        assert (len(server.requests), row.state, sum(each[8] for each in row.answers)) == (1, BackTest.State.DONE, 1)
        assert "was asked of 1 ticket," in page
        assert "No more was asked: The language model gave no answer." in page
        assert "no such deployment" in page

    def test_a_company_that_asks_no_model_is_left_out_here_too(self) -> None:
        ProcessorSetting.objects.create(
            organization=self.northwind, processor="ticket_type", company=self.harbor, options={"ask_model": False}
        )
        with self.answering(says("Email"), always=True) as server:
            row = self.start(ask_model="1")
            ProcessorSetting.objects.for_organization(self.northwind).update(options={}, enabled=False)
            self.start(ask_model="1")
        assert server.requests == []
        assert row.state == BackTest.State.DONE

    def test_stopped_it_asks_no_more_keeps_what_was_said_and_what_that_cost_and_the_next_may_begin(self) -> None:
        told: list[str] = []

        ask = SignalAsker.ask

        def stops(asker: SignalAsker, question: Any) -> Any:
            if not told:
                pressed = (self.client.post(f"{self.where}stop/", follow=True) for _ in range(2))
                told.extend(page.content.decode() for page in pressed)
            return ask(asker, question)

        with self.answering(says("Email"), always=True) as server:
            with patch.object(SignalAsker, "ask", stops):
                row = self.start(ask_model="1", model_most="5")
            page = self.page()
            assert len(server.requests) == 1
            self.start()
        assert ("It is over already" in told[0], "It is over already" in told[1]) == (False, True)
        assert "the ticket at hand is tested to its end" in told[0]
        assert (row.state, row.position, row.total, len(row.answers)) == (BackTest.State.STOPPED, 1, 24, 1)
        assert row.model_microcents == 240_000
        assert "Stopped" in page
        assert f"by {self.adam.user.display_name}" in page
        assert "at 1 of 24 tickets; what follows is of those" in page
        assert "was asked of 1 ticket, those below 0.70, for 0.24 ¢" in page
        assert "1 of 24 closed tickets, tested" in page
        assert "every 1s" not in page
        entry = AuditEntry.objects.for_organization(self.northwind).get(verb="processor.back_test_stopped")
        assert entry.actor_label == self.adam.user.display_name
        states = set(BackTest.objects.for_organization(self.northwind).values_list("state", flat=True))
        assert states == {BackTest.State.STOPPED, BackTest.State.DONE}

    def test_without_a_model_nothing_is_offered_and_nothing_begins(self) -> None:
        assert "Ask the language model too" not in self.page()
        answer = self.client.post(f"{self.where}start/", {"most": "40", "ask_model": "1"}, follow=True)
        assert "no language model that it asks" in answer.content.decode()
        with self.answering(says("Email"), always=True):
            answer = self.client.post(f"{self.where}start/", {"most": "40", "ask_model": "1", "model_most": "9999"})
            self.settings.LLM_PRICES = {}
            assert "no price is set for it" in self.page()
        assert answer.status_code == 400
        assert not BackTest.objects.for_organization(self.northwind).exists()


def says(label: str) -> Callable[[SeenRequest], Step]:
    """The model gives every ticket this label."""
    call = Asks("answer", {"label": label, "confidence": 0.9, "reason": "It says so."})
    return lambda _: Says(calls=[call], tokens=(1000, 50))
