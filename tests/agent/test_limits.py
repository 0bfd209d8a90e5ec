"""Models that ask for too much, write too much, or cannot read all of it: every run ends at a limit (I15, T16)."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from agent.models import AgentSession
from approvals.budgets import MAX_CALLS, MAX_CALLS_AT_ONCE, MAX_STEPS, MAX_TOKENS, MAX_WORK_SECONDS, MAX_WRITES
from approvals.models import Action, ApprovalPolicy
from approvals.policy import Mode
from integrations.models import ModelUsage
from tests.agent.model_cases import ModelTestCase
from tests.scripted_model import Asks, Fails, Says

State = AgentSession.State
TOO_LONG = Fails(400, body=json.dumps({"error": {"message": "too long", "code": "context_length_exceeded"}}))


class BudgetTest(ModelTestCase):
    def test_of_hundreds_of_calls_at_once_the_first_are_taken_up_and_everybody_is_told(self) -> None:
        with self.model(Says(calls=[self.look() for _ in range(300)]), Says("Done.")) as server:
            session = self.start()
        assert Action.unscoped.filter(origin_id=session.origin_id).count() == MAX_CALLS_AT_ONCE
        assert "300 calls at once" in str(server.requests[1].messages[-1]["content"])
        page = self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/"))
        self.assertContains(page, "300 calls at once")

    @pytest.mark.slow
    def test_a_person_who_writes_gives_a_session_at_its_limit_new_steps(self) -> None:
        endless = [Says(calls=[Asks("connectwise.list_members")]) for _ in range(MAX_STEPS)]
        with self.model(*endless, Says("Now I am through.")) as server:
            session = self.start()
            assert len(server.requests) == MAX_STEPS
            assert "Write a message" in self.notices(session)
            session = self.say(session, "Go on")
        assert "Now I am through." in self.words(session)

    def test_a_run_that_made_its_changes_asks_for_the_next_one_and_the_model_is_not_asked_again(self) -> None:
        ApprovalPolicy(
            organization=self.northwind, tool="connectwise.add_internal_note", mode=Mode.AUTO, set_by=self.adam
        ).save()
        with self.model(*[Says(calls=[self.note(f"Note {number}")]) for number in range(30)]) as server:
            session = self.start()
            assert len(server.requests) == MAX_WRITES + 1
            (asked,) = self.waiting(session)
            assert "a person decides" in asked.why_asked
        assert len(self.sandbox.effects()) == MAX_WRITES


class RepeatedCallTest(ModelTestCase):
    """A model that cannot let go of a call that fails (T16)."""

    def test_the_same_failing_call_three_times_running_parks_the_session_and_says_so(self) -> None:
        wrong = Asks("connectwise.get_ticket", {"ticket_id": 999_999})
        with self.model(*[Says(calls=[self.look(), wrong]) for _ in range(5)], Says("I leave it.")) as server:
            session = self.start()
            assert len(server.requests) == 3
            assert session.state == State.WAITING_FOR_TECHNICIAN
            told = [str(message["content"]) for message in server.requests[2].messages if message["role"] == "user"]
            assert sum("connectwise.get_ticket twice with the same arguments" in words for words in told) == 1
            notice = self.notices(session)
            assert "same call of connectwise.get_ticket 3 times running" in notice
            assert "999999 is not a ticket of" in notice
            self.say(session, "Go on")
            assert len(server.requests) == 6

    def test_other_arguments_or_a_success_in_between_are_no_repetition(self) -> None:
        wrong = [Asks("connectwise.get_ticket", {"ticket_id": number}) for number in (999_999, 999_998)]
        script = [Says(calls=[call]) for call in (wrong[0], wrong[0], wrong[1], wrong[0], self.look(), wrong[0])]
        with self.model(*script, Says("Done.")) as server:
            session = self.start()
            assert len(server.requests) == 7
        assert not self.notices(session)


class SpentBudgetTest(ModelTestCase):
    """The first budget that is spent parks the session: the model is not asked again before a person speaks."""

    def assert_parks(self, session: AgentSession, words: str) -> None:
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert words in self.notices(session)

    def test_tokens_end_and_a_persons_word_renews_them(self) -> None:
        read = Says(calls=[self.look()], tokens=(MAX_TOKENS, 20))
        with self.model(read, read, Says("Through.")) as server:
            session = self.start()
            assert len(server.requests) == 1
            self.assert_parks(session, "its 2,000,000 tokens")
            session = self.say(session, "Go on")
            assert len(server.requests) == 2
        assert session.tokens_in == 2 * MAX_TOKENS

    def test_money_ends_where_the_operator_set_prices_and_the_cost_is_shown(self) -> None:
        self.settings.LLM_PRICES = {"scripted-1": (Decimal("2.50"), Decimal(10))}
        with self.model(Says(calls=[self.look()], tokens=(1_000_000, 250_000))) as server:
            session = self.start()
        assert len(server.requests) == 1
        self.assert_parks(session, "its 5 $")
        usage = ModelUsage.unscoped.get(subject=f"session:{session.pk}")
        assert (usage.cost_microcents, usage.reserved) == (session.cost_microcents, False)
        page = self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/"))
        self.assertContains(page, "5.00 $")

    def test_without_prices_a_model_costs_no_money(self) -> None:
        with self.model(Says("Done.", tokens=(1_000_000, 250_000))):
            session = self.start()
        assert session.cost_microcents == 0
        assert session.tokens_out == 250_000

    def test_hours_of_work_end_while_waiting_for_people_does_not_count(self) -> None:
        with self.model(Says(calls=[self.note()]), Says("Through.")) as server:
            session = self.start()
            assert session.work_seconds < MAX_WORK_SECONDS
            AgentSession.unscoped.filter(pk=session.pk).update(work_seconds=MAX_WORK_SECONDS)
            session = self.decide(self.waiting(session)[0], "deny", reason="Not now")
            assert len(server.requests) == 1
            self.assert_parks(session, "60 minutes of work")
            self.say(session, "Go on")
            assert len(server.requests) == 2

    @pytest.mark.slow
    def test_calls_end_and_none_of_the_next_is_looked_up(self) -> None:
        reads = Asks("connectwise.list_members")
        with self.model(*[Says(calls=[reads] * MAX_CALLS_AT_ONCE)] * (MAX_CALLS // MAX_CALLS_AT_ONCE + 1)) as server:
            session = self.start()
        assert len(server.requests) == MAX_CALLS // MAX_CALLS_AT_ONCE
        self.assert_parks(session, f"its {MAX_CALLS} tool calls")


@pytest.mark.slow
class HugeAnswerTest(ModelTestCase):
    def test_megabytes_of_text_are_cut_on_the_page_and_for_the_model(self) -> None:
        with self.model(Says("A" * 300_000), Says("Short.")) as server:
            session = self.start()
            self.say(session, "Shorter, please")
        page = self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/"))
        assert len(page.content) < 200_000
        assert "more characters were not kept" in self.words(session)
        assert len(json.dumps(server.requests[1].body)) < 200_000

    def test_megabytes_of_arguments_are_refused_and_neither_kept_nor_sent_again(self) -> None:
        with self.model(Says(calls=[self.note("B" * 300_000)]), Says("Sorry.")) as server:
            session = self.start()
        assert not Action.unscoped.filter(origin_id=session.origin_id).exists()
        assert "were not kept" in str(server.requests[1].messages[-1]["content"])
        assert "BBBB" not in json.dumps(server.requests[1].body)


class LongConversationTest(ModelTestCase):
    def test_a_conversation_that_is_too_long_is_shortened_and_goes_on(self) -> None:
        script = [Says("I look.", calls=[self.look()]), TOO_LONG, Says("The gateway is fine.")]
        with self.model(*script) as server:
            session = self.start()
        assert "The gateway is fine." in self.words(session)
        answers = [each for each in server.requests[2].messages if each["role"] == "tool"]
        assert "Left out" in str(answers[0]["content"])
        assert '"status": "ok"' in str(answers[0]["content"])

    def test_one_that_no_shortening_helps_says_what_does(self) -> None:
        with self.model(*[TOO_LONG] * 3):
            session = self.start()
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert "start a new one" in self.notices(session)
