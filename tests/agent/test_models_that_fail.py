"""Language models that are down, slow, wrong or mad: people are told where they are, and nothing is lost."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import groupby

import pytest
from freezegun import freeze_time

from agent.events import CallRefused
from agent.models import AgentSession
from agent.outages import ASK_AGAIN_AFTER, try_again
from agent.services import SessionRefused, open_session, stop_session
from agent.tasks import sweep_sessions
from approvals.models import Action
from junto.tenants.actors import Actor
from tests.agent.model_cases import ModelTestCase
from tests.scripted_model import Asks, Cuts, Fails, RefusesStreaming, Says, Sends

State = AgentSession.State


class WorkingModelTest(ModelTestCase):
    def test_a_real_endpoint_plays_the_same_session_streaming(self) -> None:
        with self.model(Says("I look.", calls=[self.look()]), Says(calls=[self.note()]), Says("Done.")) as server:
            session = self.start()
            session = self.decide(self.waiting(session)[0], "approve")
        assert all(request.body.get("stream") for request in server.requests)
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert "Done." in self.words(session)
        assert len(self.sandbox.effects()) == 1
        assert not session.rehearsal

    def test_a_real_endpoint_that_cannot_stream_plays_the_same_session(self) -> None:
        with self.model(RefusesStreaming(then=Says("I look.", calls=[self.look()])), Says("Done.")):
            session = self.start()
        assert "Done." in self.words(session)

    def test_parallel_calls_are_all_answered_before_the_model_is_asked_again(self) -> None:
        with self.model(Says(calls=[self.look(), self.look(), self.note()]), Says("Done.")) as server:
            session = self.start()
            assert len(server.requests) == 1
            self.decide(self.waiting(session)[0], "approve")
        answers = [message for message in server.requests[1].messages if message["role"] == "tool"]
        assert len(answers) == 3

    def test_only_offered_tools_and_fenced_foreign_text_reach_the_model(self) -> None:
        with self.model(Says("Nothing to do.")) as server:
            self.start()
        assert all(name.split(".")[0] in {"connectwise", "junto"} for name in server.requests[0].offered)
        assert "<<<FOREIGN" in str(server.requests[0].messages[1]["content"])
        assert self.credentials("northwind")["private_key"] not in str(server.requests[0].body)

    def test_each_answer_is_signed_by_the_model_that_gave_it(self) -> None:
        session = self.start(mode="prepare")
        with self.model(Says("A real word.")):
            session = self.say(session, "And now?")
            assert (session.rehearsal, session.model_label) == (False, "scripted-1")
        self.settings.LLM_BASE_URL = ""
        session = self.say(session, "And again?")
        assert (session.rehearsal, session.model_label) == (True, "Rehearsal model")
        page = self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/")).content.decode()
        signed = re.findall(r"<strong>Agent</strong><time[^>]*>[^<]*</time><span>([^<]*)</span>", page)
        assert [name for name, _ in groupby(signed)] == ["Rehearsal model", "scripted-1", "Rehearsal model"]


class WrongCallsTest(ModelTestCase):
    def test_malformed_arguments_are_refused_and_told_to_the_model(self) -> None:
        with self.model(Says(calls=[Asks("connectwise.get_ticket", '{"ticket_id": ')]), Says("Sorry.")) as server:
            session = self.start()
        assert "cannot be read" in str(server.requests[1].messages[-1]["content"])
        assert any(isinstance(event, CallRefused) for event in self.events(session))

    def test_a_key_named_twice_is_refused(self) -> None:
        twice = '{"ticket_id": 1, "ticket_id": 2}'
        with self.model(Says(calls=[Asks("connectwise.get_ticket", twice)]), Says("Sorry.")):
            session = self.start()
        assert "twice" in str([event for event in self.events(session) if isinstance(event, CallRefused)])

    def test_an_unknown_tool_is_refused_without_any_request(self) -> None:
        with self.model(Says(calls=[Asks("bank.send_money", {"to": "me"})]), Says("Sorry.")):
            session = self.start()
        (action,) = self.actions(session, "bank__send_money")
        assert action.state == Action.State.REFUSED
        assert not self.sandbox.effects()

    def test_arguments_that_break_the_schema_are_refused_with_the_fields_name(self) -> None:
        with self.model(Says(calls=[Asks("connectwise.get_ticket", {"ticket": 1})]), Says("Sorry.")) as server:
            self.start()
        assert "ticket_id" in str(server.requests[1].messages[-1]["content"])

    @pytest.mark.slow
    def test_a_model_that_never_ends_stops_at_its_budget(self) -> None:
        script = [Says(calls=[Asks("connectwise.list_members")]) for _ in range(60)]
        with self.model(*script) as server:
            session = self.start()
        assert len(server.requests) <= 51
        assert session.state == State.WAITING_FOR_TECHNICIAN


class FailingModelTest(ModelTestCase):
    def test_an_endpoint_that_answers_with_errors_parks_the_session_with_words(self) -> None:
        with self.model(*[Fails(500)] * 10):
            session = self.start()
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert "Nothing is lost" in self.notices(session)

    def test_everybody_reads_what_to_do_and_administrators_the_technical_cause(self) -> None:
        with self.model(*[Fails(500)] * 10):
            self.start()
        for member, told in ((self.theo, False), (self.adam, True)):
            page = self.log_in(member).get(self.path(f"signals/{self.signal.pk}/"))
            self.assertContains(page, "The language model does not answer at present. Nothing is lost.")
            assert ("has trouble of its own (500)" in page.content.decode()) is told

    def test_after_a_failure_a_message_makes_the_model_try_again(self) -> None:
        with self.model(Fails(401), Says("Here I am.")):
            session = self.start()
            session = self.say(session, "Try again")
        assert "Here I am." in self.words(session)

    def test_a_login_page_instead_of_an_answer_is_named_as_such(self) -> None:
        with self.model(*[Sends("<html>Please log in</html>", "text/html")] * 5):
            session = self.start()
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert "no valid JSON" in self.notices(session)

    def test_an_endpoint_that_is_down_parks_the_session(self) -> None:
        with self.model(Says("never asked")) as server:
            address = server.base_url
        self.settings.LLM_BASE_URL = address
        session = self.start()
        assert "Nothing is lost" in self.notices(session)

    def test_an_answer_that_breaks_off_twice_parks_with_what_had_arrived(self) -> None:
        with self.model(*[Cuts("The gateway sa")] * 6):
            session = self.start()
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert not self.actions(session, "connectwise.get_ticket")


class AskedAgainTest(ModelTestCase):
    """A model that was away for a while: what the agent began by itself goes on without anybody's word."""

    def begun(self) -> AgentSession:
        """A session of the agent's own, on which nobody waits."""
        session = open_session(signal=self.signal, actor=Actor.system("agent", self.northwind), mode="prepare")
        return self.run_on(session)

    def minutes_later(self, session: AgentSession, minutes: int) -> AgentSession:
        """What the clock does so long after the session came to rest."""
        with freeze_time(session.changed_at + timedelta(minutes=minutes, seconds=1)):
            sweep_sessions.call("")
            return self.run_on(session)

    def list_word(self) -> str:
        """What the list of signals says of the agent."""
        rows = self.log_in(self.theo).get(self.path("signals/")).context["signals"]
        return str(next(row.session_word for row in rows if row.id == self.signal.pk))

    def test_the_agents_own_session_is_asked_again_after_a_minute_and_says_so_until_then(self) -> None:
        with self.model(Fails(401), Says("Here I am.")):
            session = self.begun()
            assert "tries again by itself in 1 minute or soon after" in self.notices(session)
            assert self.list_word() == "Model did not answer"
            session = self.minutes_later(session, 0)
            assert not self.words(session)
            session = self.minutes_later(session, 1)
        assert "Here I am." in self.words(session)
        assert self.list_word() == "Waiting for reply"

    @pytest.mark.slow
    def test_the_waits_grow_and_end(self) -> None:
        with self.model(*[Fails(401)] * (len(ASK_AGAIN_AFTER) + 1)) as server:
            session = self.begun()
            for number, seconds in enumerate(ASK_AGAIN_AFTER, start=1):
                assert len(server.requests) == number
                session = self.minutes_later(session, seconds // 60 - 1)
                assert len(server.requests) == number
                session = self.minutes_later(session, seconds // 60)
            session = self.minutes_later(session, 10_000)
            assert len(server.requests) == len(ASK_AGAIN_AFTER) + 1
        assert "press Try again or write a message" in self.notices(session)

    def test_a_session_that_a_person_started_is_asked_again_by_a_press_and_not_by_the_clock(self) -> None:
        with self.model(Fails(401), Says("Here I am.")) as server:
            session = self.minutes_later(self.start(), 2)
            assert len(server.requests) == 1
            try_again(session=session, actor=self.actor(self.theo))
            session = self.run_on(session)
        assert "Here I am." in self.words(session)
        with pytest.raises(SessionRefused):
            try_again(session=session, actor=self.actor(self.theo))

    def test_what_a_person_stopped_is_not_asked_again(self) -> None:
        with self.model(Fails(401)) as server:
            session = self.begun()
            stop_session(session=session, actor=self.actor(self.theo))
            self.minutes_later(session, 2)
        assert len(server.requests) == 1
