"""Letting processors read chosen tickets again: which, by which processors, at what cost, and how far it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone
from pytest_django import Settings

from approvals.models import StaleState
from junto.audit.models import AuditEntry
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Role
from signals.models import ModelQuestion, ProcessorResult, ProcessorSetting, Rerun, Signal
from signals.processing.estimate import Estimate, Share, estimate
from signals.processing.pipeline import _run_one
from signals.processing.rerun import advance_rerun, read_again, stop_rerun
from signals.tasks import sweep_reruns
from tests.cases import JuntoTestCase, JuntoTransactionTestCase
from tests.factories import BoardFactory, MembershipFactory, SignalFactory

KIND = "issue_or_request"


class RerunCase(JuntoTestCase):
    @pytest.fixture(autouse=True)
    def _settings(self, settings: Settings) -> None:
        self.settings = settings

    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.adam)

    def ticket(self, subject: str = "Cannot print, printer offline", **fields: Any) -> Signal:
        signal: Signal = SignalFactory(**{"company": self.harlow, "awaits_processors": False} | fields, subject=subject)
        return signal

    def ask(self, *signals: Signal, status: int = 200, **more: Any) -> str:
        query = {"signal": [str(signal.pk) for signal in signals]} if signals else {}
        response = self.client.get(self.path("processors/read-again/"), query | more)
        assert response.status_code == status, response.status_code
        page: str = response.content.decode()
        return page

    def begin(self, *signals: Signal, processors: list[str], key: str = "", **more: Any) -> Any:
        fields = {"key": key or str(uuid4()), "processor": processors, "chosen": "1"}
        fields |= {"signal": [str(signal.pk) for signal in signals]} if signals else {}
        return self.client.post(self.path("processors/read-again/"), fields | more)

    def found(self, signal: Signal) -> set[str]:
        rows = ProcessorResult.objects.for_organization(self.northwind).current().filter(signal=signal)
        return set(rows.values_list("processor", flat=True))

    def runs(self) -> list[Rerun]:
        return list(Rerun.objects.for_organization(self.northwind))


class ChosenTests(RerunCase):
    def test_chosen_tickets_are_read_by_the_chosen_processors_alone_and_the_page_says_how_far_it_is(self) -> None:
        first, second, other = self.ticket(), self.ticket("Please order a phone"), self.ticket("Mail is down")
        page = self.ask(first, second)
        assert "2 chosen tickets" in page
        assert "<b>2</b> tickets, about" in page
        answer = self.begin(first, second, processors=[KIND])
        before = self.client.get(answer.headers["Location"]).content.decode()
        assert "0 of 2 tickets" in before
        assert "every 1s" in before
        self.drain()
        after = self.client.get(answer.headers["Location"]).content.decode()
        assert "2 of 2 tickets" in after
        assert "every 1s" not in after
        assert [self.found(each) for each in (first, second, other)] == [{KIND}, {KIND}, set()]

    def test_a_ticket_that_one_may_not_see_or_that_is_not_there_lets_none_be_read(self) -> None:
        mine, foreign = self.ticket(), SignalFactory(company=self.quayside)
        for ids in ([foreign.pk], [mine.pk, foreign.pk], [mine.pk, uuid4()], [mine.pk, "48288"]):
            query = {"signal": [str(each) for each in ids]}
            asked = self.client.get(self.path("processors/read-again/"), query)
            begun = self.client.post(
                self.path("processors/read-again/"), query | {"processor": [KIND], "key": str(uuid4())}
            )
            for response in (asked, begun):
                self.assertContains(response, "not yours to see. Nothing was read", status_code=404)
                self.assertNotContains(response, foreign.subject, status_code=404)
        assert self.runs() == []

    def test_only_who_may_run_processors_finds_the_ticks_the_action_and_the_pages(self) -> None:
        signal = self.ticket()
        action = f"processors/read-again/?signal={signal.pk}"
        self.assertContains(self.client.get(self.path(f"signals/{signal.pk}/")), action)
        self.assertContains(self.client.get(self.path("signals/")), f'form="choose" value="{signal.pk}"')
        self.begin(signal, processors=[KIND])
        for member in (self.mara, self.theo):
            self.log_in(member)
            self.assertNotContains(self.client.get(self.path(f"signals/{signal.pk}/")), action)
            self.assertNotContains(self.client.get(self.path("signals/")), 'name="signal"')
            self.ask(signal, status=403)
            assert self.begin(signal, processors=[KIND]).status_code == 403
            path = self.path(f"processors/read-again/{self.runs()[0].pk}/")
            assert self.client.get(path).status_code == 403
        self.log_in(self.ines)
        path = self.path(f"processors/read-again/{self.runs()[0].pk}/", organization=self.southgate)
        assert self.client.get(path).status_code == 404

    def test_closed_ones_are_told_apart_and_alone_they_are_refused(self) -> None:
        open_one, closed = self.ticket(), self.ticket(state=Signal.State.RESOLVED)
        page = self.ask(open_one, closed)
        assert "Of them 1 is closed: only open tickets are read." in page
        assert "<b>1</b> ticket, about" in page
        refused = self.begin(closed, processors=[KIND])
        self.assertContains(refused, "None of the chosen tickets is open", status_code=400)
        assert self.runs() == []

    def test_what_repeats_another_was_merged_or_is_gone_is_not_called_closed(self) -> None:
        states, head = Signal.State, self.ticket()
        chosen = [
            self.ticket(state=states.MERGED, folded_into=head),
            self.ticket(state=states.MERGED, folded_into=head, closed_at_source=True),
            self.ticket(state=states.MERGED, merged_into="48300"),
            self.ticket(state=states.GONE),
            self.ticket(state=states.DISMISSED),
        ]
        told = "Of them 2 repeat another signal, 1 is closed, 1 is gone at the source, 1 was merged into another:"
        page = self.ask(head, *chosen)
        assert told in page
        assert "<b>1</b> ticket, about" in page
        assert "1 repeats another signal: only" in self.ask(head, chosen[0])
        refused = self.begin(chosen[0], processors=[KIND])
        self.assertContains(refused, "Of them 1 repeats another signal", status_code=400)

    def test_nothing_chosen_no_processor_too_many_and_a_form_without_its_key_are_refused(self) -> None:
        signal = self.ticket()
        assert "Choose tickets first" in self.ask(status=400)
        assert "Choose at least one processor" in self.ask(signal, chosen="1")
        self.assertContains(self.begin(signal, processors=["poet"]), "at least one processor", status_code=400)
        self.assertContains(self.begin(signal, processors=[KIND], key="x"), "Load the page anew", status_code=400)
        many = {"signal": [str(uuid4()) for _ in range(101)]}
        response = self.client.get(self.path("processors/read-again/"), many)
        self.assertContains(response, "at most 100 tickets one by one; 101 were chosen", status_code=400)
        assert self.runs() == []

    def test_a_button_pressed_twice_is_one_reading(self) -> None:
        signal, key = self.ticket(), str(uuid4())
        first, second = (self.begin(signal, processors=[KIND], key=key) for _ in range(2))
        assert first.headers["Location"] == second.headers["Location"]
        assert len(self.runs()) == 1

    def test_the_same_form_with_other_processors_or_tickets_is_refused_in_words_and_begins_nothing(self) -> None:
        signal, other, key = self.ticket(), self.ticket("Please order a phone"), str(uuid4())
        self.begin(signal, processors=[KIND], key=key)
        for tickets, slugs in (([signal], [KIND, "category"]), ([other], [KIND]), ([signal, other], [KIND])):
            refused = self.begin(*tickets, processors=slugs, key=key)
            self.assertContains(refused, "was sent before, for other processors or tickets", status_code=400)
            self.assertNotContains(refused, key, status_code=400)
        assert [(row.processors, row.tickets) for row in self.runs()] == [([KIND], [str(signal.pk)])]

    def test_a_reading_whose_worker_died_goes_on_where_it_was_and_one_under_way_is_left_alone(self) -> None:
        first, second = self.ticket(), self.ticket("Please order a phone")
        self.begin(first, second, processors=[KIND])
        Rerun.unscoped.update(position=1, fence=1, lease_until=timezone.now() + timedelta(minutes=5))
        self.drain()
        assert (self.found(first), self.found(second)) == (set(), set())
        Rerun.unscoped.update(lease_until=timezone.now() - timedelta(minutes=1))
        sweep_reruns.call()
        self.drain()
        assert (self.found(first), self.found(second)) == (set(), {KIND})
        assert (self.runs()[0].state, self.runs()[0].position) == (Rerun.State.DONE, 2)

    def held(self) -> timedelta:
        """For how long nobody else may read on."""
        until = self.runs()[0].lease_until
        assert until is not None
        return until - timezone.now()

    def test_it_is_held_for_little_more_than_two_minutes_renewed_before_each_processor(self) -> None:
        self.begin(self.ticket(), processors=[KIND, "summary", "sentiment"])
        held = []

        def run(*args: Any) -> Any:
            held.append(self.held())
            Rerun.unscoped.update(lease_until=timezone.now() + timedelta(seconds=1))  # it took long
            return _run_one(*args)

        with patch("signals.processing.pipeline._run_one", run):
            self.drain()
        assert len(held) == 3
        assert all(timedelta(seconds=120) < each <= timedelta(seconds=131) for each in held)
        assert self.runs()[0].state == Rerun.State.DONE

    def test_who_lost_it_to_another_worker_asks_no_further_processor_and_counts_nothing(self) -> None:
        signal = self.ticket()
        self.begin(signal, processors=[KIND, "summary", "sentiment"])
        asked = []

        def run(*args: Any) -> Any:
            asked.append(args)
            Rerun.unscoped.update(fence=F("fence") + 1)
            return _run_one(*args)

        with patch("signals.processing.pipeline._run_one", run):
            advance_rerun(self.runs()[0].pk)
        row = self.runs()[0]
        assert (len(asked), row.position, row.failed, row.state) == (1, 0, 0, Rerun.State.RUNNING)

    def stop(self, row: Rerun) -> str:
        """What the page says then."""
        answer = self.client.post(self.path(f"processors/read-again/{row.pk}/stop/"), follow=True)
        page: str = answer.content.decode()
        return " ".join(page.split())

    def test_any_admin_stops_it_after_the_processor_at_work_and_what_was_found_stays_and_is_counted(self) -> None:
        tickets = [self.ticket(f"Please order phone {number}") for number in range(3)]
        self.begin(*tickets, processors=[KIND, "summary"])
        other: Membership = MembershipFactory(organization=self.northwind, role=Role.ADMIN)
        read = []

        def run(*args: Any) -> Any:
            read.append(args)
            if len(read) == 3:  # the second ticket's first processor
                self.log_in(other)
                assert f"by {other.user.display_name}" in self.stop(self.runs()[0])
            return _run_one(*args)

        with patch("signals.processing.pipeline._run_one", run):
            advance_rerun(self.runs()[0].pk)
        self.drain()
        sweep_reruns.call()
        self.drain()
        [row] = self.runs()
        assert (row.state, row.position, row.found) == (Rerun.State.STOPPED, 1, 3)
        assert [self.found(each) for each in tickets] == [{KIND, "summary"}, {KIND}, set()]
        page = " ".join(self.client.get(self.path(f"processors/read-again/{row.pk}/")).content.decode().split())
        assert "at 1 of 3 tickets" in page
        assert "What was found stays" in page
        assert "every 1s" not in page
        entry = AuditEntry.objects.for_organization(self.northwind).get(verb="processor.reading_stopped")
        assert (entry.detail["read"], entry.detail["of"]) == (1, 3)

    def test_the_second_of_two_who_stop_it_and_one_who_is_too_late_are_told_that_it_is_over(self) -> None:
        self.begin(self.ticket(), processors=[KIND])
        assert "It is over already" not in self.stop(self.runs()[0])
        first = self.runs()[0].stopped_by
        assert "It is over already" in self.stop(self.runs()[0])
        assert self.runs()[0].stopped_by == first
        self.begin(self.ticket("Please order a phone"), processors=[KIND])
        self.drain()
        done = next(row for row in self.runs() if row.state == Rerun.State.DONE)
        assert "It is over already" in self.stop(done)
        assert AuditEntry.objects.for_organization(self.northwind).filter(verb__endswith="_stopped").count() == 1

    def test_who_may_not_begin_one_may_not_stop_one(self) -> None:
        self.begin(self.ticket(), processors=[KIND])
        path = f"processors/read-again/{self.runs()[0].pk}/stop/"
        for member in (self.mara, self.theo):
            assert self.log_in(member).post(self.path(path)).status_code == 403
        self.log_in(self.ines)
        assert self.client.post(self.path(path, organization=self.southgate)).status_code == 404
        assert self.runs()[0].state == Rerun.State.RUNNING

    def test_a_ticket_closed_meanwhile_is_passed_over_and_a_persons_value_stays(self) -> None:
        closed, judged = self.ticket(), self.ticket("Please order a phone")
        self.begin(closed, judged, processors=[KIND])
        self.client.post(self.path(f"signals/{judged.pk}/findings/{KIND}/correct/"), {"kind": "issue"})
        Signal.unscoped.filter(pk=closed.pk).update(state=Signal.State.RESOLVED)
        advance_rerun(self.runs()[0].pk)
        [row] = self.runs()
        assert (row.position, row.passed, row.failed, row.found) == (2, 1, 0, 0)
        assert ProcessorResult.objects.for_organization(self.northwind).get(signal=judged).value["kind"] == "issue"


@pytest.mark.service
class OnPostgresTests(JuntoTransactionTestCase):
    """Where a column of numbers takes nothing else."""

    def test_what_was_read_is_counted_and_what_is_done_cannot_be_stopped(self) -> None:
        actor = Actor.person(self.adam)
        signals = [SignalFactory(company=self.harlow, subject="Please order a phone") for _ in range(2)]
        row = read_again(actor=actor, signals=signals, processors=[KIND], key=uuid4())
        advance_rerun(row.pk)
        row.refresh_from_db()
        assert (row.state, row.position, row.found) == (Rerun.State.DONE, 2, 2)
        with pytest.raises(StaleState):
            stop_rerun(actor=actor, rerun=row)


class EstimateTests(RerunCase):
    def setUp(self) -> None:
        super().setUp()
        self.settings.LLM_BASE_URL = "http://127.0.0.1:9/v1"
        self.settings.LLM_MODEL = "scripted-1"
        self.settings.LLM_PRICES = {"scripted-1": (1, 4)}

    def asked(self, signal: Signal, *, cents: float, slug: str = KIND, revision: int = 1, **fields: Any) -> None:
        """A question whose tokens cost so much."""
        ModelQuestion.unscoped.create(
            organization=self.northwind,
            signal=signal,
            processor=slug,
            revision=revision,
            **{
                "model": "scripted-1",
                "prompt": "?",
                "digest": uuid4().hex,
                "tokens_in": round(cents * 10_000),
                "microcents": round(cents * 1_000_000),
                "milliseconds": 2000,
            }
            | fields,
        )

    def share(self, found: Estimate, slug: str = KIND) -> Share | None:
        return next((share for share in found.shares if share.processor.slug == slug), None)

    def of(self, *signals: Signal, slug: str = KIND) -> Share:
        share = self.share(estimate(self.northwind, signals, only={slug}), slug)
        assert share is not None
        return share

    def test_a_question_asked_anew_for_want_of_a_readable_answer_counts_once(self) -> None:
        ticket = self.ticket()
        for _ in range(3):
            self.asked(ticket, cents=2, digest="same", problem="no JSON")
        assert self.of(ticket).microcents == 2_000_000

    def test_questions_that_led_to_no_value_cost_what_they_cost(self) -> None:
        tickets = [self.ticket() for _ in range(4)]
        self.asked(tickets[0], cents=2, answer="issue")
        self.asked(tickets[1], cents=4, problem="The answer was none.")
        self.asked(tickets[1], cents=6, problem="The answer was none.")  # the second step of the same reading
        assert not ProcessorResult.objects.for_organization(self.northwind).exists()
        share = self.of(*tickets)
        assert (share.asking, share.microcents, share.cost) == (4, 24_000_000, "about 24.00 ¢")
        assert share.seconds == pytest.approx(4 * 3.0, abs=0.1)

    def test_tickets_that_something_cheaper_was_sure_of_are_not_reckoned_as_asked_about(self) -> None:
        tickets = [self.ticket() for _ in range(4)]
        self.judged(tickets[3], state=ProcessorResult.State.SUPERSEDED)  # before any question
        self.asked(tickets[0], cents=2)
        assert self.of(*tickets).cost == "about 8.00 ¢"
        self.judged(tickets[0])  # after its question: it was asked about all the same
        self.judged(tickets[1])
        self.judged(tickets[2], state=ProcessorResult.State.ABSTAINED)  # it may be the answer that was lacking
        self.judged(tickets[3], producer="model")
        share = self.of(*tickets)
        assert (share.asking, share.cost) == (4, "about 4.00 ¢")
        assert share.seconds == pytest.approx(4 * 1.0, abs=0.1)

    def judged(self, signal: Signal, **fields: Any) -> None:
        """A value that a rule gave."""
        ProcessorResult.objects.create(
            organization=self.northwind,
            signal=signal,
            processor=KIND,
            **{"producer": "rule", "value": {"kind": "issue"}, "key": "issue", "revision": 1} | fields,
        )

    def test_what_was_never_asked_is_estimated_by_the_length_of_the_chosen_tickets(self) -> None:
        short, long = self.ticket(), self.ticket(description="The printer is offline. " * 250)
        cheap, dear = self.of(short).microcents, self.of(long).microcents
        assert cheap is not None
        assert dear is not None
        # 6,000 bytes are 2,000 tokens at most, at 1 $ a million
        assert 195_000 <= dear - cheap <= 205_000
        assert cheap > 100 * 400  # an answer of 100 tokens at 4 $ a million, and the question
        assert self.of(short, long).microcents == pytest.approx(cheap + dear, abs=200)
        assert "about 0." in self.ask(long, chosen="1", processor=KIND)
        ProcessorSetting.objects.create(organization=self.northwind, processor=KIND, options={"ask_model": False})
        assert self.of(long).cost == "No cost"

    def test_without_a_price_the_cost_is_not_known_however_much_was_asked(self) -> None:
        signal = self.ticket()
        self.asked(signal, cents=2)
        self.asked(signal, cents=0, tokens_in=5000, microcents=0)
        for prices in ({}, {"another-1": (1, 4)}):
            self.settings.LLM_PRICES = prices
            share = self.of(signal)
            assert (share.microcents, share.cost) == (None, "may be asked")
            page = self.ask(signal, chosen="1", processor=KIND)
            assert "cost not known: no price is set" in page
            assert page.count("no price is set") == 1
            assert "Costs are by" not in page
            assert "¢" not in page
        self.settings.LLM_PRICES = {"scripted-1": (0, 0)}
        assert self.of(signal).cost == "about 0.00 ¢"

    def test_an_unpriced_question_counts_by_its_tokens_once_there_is_a_price(self) -> None:
        signal = self.ticket()
        self.asked(signal, cents=0, tokens_in=30_000, microcents=0)
        assert self.of(signal).microcents == 3_000_000

    def test_a_reading_under_way_tells_what_it_cost_and_without_a_price_that_nobody_knows(self) -> None:
        signal = self.ticket()
        path = self.begin(signal, processors=[KIND]).headers["Location"]

        def told() -> str:
            return " ".join(self.client.get(path).content.decode().split())

        assert "<dt>Cost</dt><dd>None</dd>" in told()
        self.asked(signal, cents=2)
        assert "<dt>Cost</dt><dd>2.00 ¢</dd>" in told()
        self.asked(signal, cents=0, tokens_in=10_000, tokens_out=2_500)
        assert "<dt>Cost</dt><dd>4.00 ¢</dd>" in told()
        self.settings.LLM_PRICES = {}
        assert "<dt>Cost</dt><dd>Not known: no price is set</dd>" in told()

    def test_without_a_language_model_nothing_costs(self) -> None:
        signal = self.ticket()
        self.asked(signal, cents=2)
        self.settings.LLM_BASE_URL = ""
        assert estimate(self.northwind, [signal]).cost == "no cost"

    def test_tickets_whose_board_or_company_is_switched_off_do_not_count(self) -> None:
        board, other = (BoardFactory(organization=self.northwind) for _ in range(2))
        read, elsewhere = self.ticket(board=board), self.ticket(board=other)
        off = self.ticket(board=board, company=self.pinewood)
        setting = ProcessorSetting.objects.create(organization=self.northwind, processor=KIND)
        setting.boards.set([board])
        ProcessorSetting.objects.create(
            organization=self.northwind, processor=KIND, company=self.pinewood, enabled=False
        )
        self.asked(read, cents=2)
        found = estimate(self.northwind, [read, elsewhere, off], only={KIND})
        share = self.share(found)
        assert share is not None
        assert (share.tickets, share.asking, share.microcents) == (1, 1, 2_000_000)
        assert (found.open, found.tickets) == (3, 1)
        assert "2 of the open tickets are read by none" in self.ask(read, elsewhere, off, chosen="1", processor=KIND)

    def test_no_more_is_expected_than_the_questions_that_are_left_today(self) -> None:
        tickets = [self.ticket() for _ in range(5)]
        for ticket in tickets[:2]:
            self.asked(ticket, cents=1)
        ProcessorSetting.objects.create(organization=self.northwind, processor=KIND, options={"model_daily": 4})
        share = self.of(*tickets)
        assert (share.microcents, share.capped) == (2_000_000, True)

    def test_what_is_left_of_a_companys_own_number_is_reckoned_apart(self) -> None:
        tickets = [self.ticket() for _ in range(3)] + [self.ticket(company=self.pinewood) for _ in range(3)]
        for ticket in tickets[2:4]:
            self.asked(ticket, cents=1)
        for place, daily in ((None, 100), (self.pinewood, 2)):
            options = {"model_daily": daily}
            ProcessorSetting.objects.create(organization=self.northwind, processor=KIND, options=options, company=place)
        share = self.of(*tickets)
        assert (share.microcents, share.capped) == (4_000_000, True)

    def test_what_another_model_cost_before_is_not_counted(self) -> None:
        signal = self.ticket()
        self.asked(signal, cents=90, model="dear-1", revision=2)
        self.asked(signal, cents=1)
        assert self.of(signal).microcents == 1_000_000
