"""Bad input and bad neighbours, seen from where the person is: a clear message, nothing lost, nothing sent twice.

Beside this: deliveries and tokens in tests/signals, decisions in tests/approvals, frames in test_socket, models that
answer nonsense in test_models_that_fail.
"""

from __future__ import annotations

import json
import socket
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from agent import loop
from agent.models import AgentSession
from approvals import execution
from approvals.models import Action
from integrations.models import Connection
from integrations.services import save_connection
from junto.inbox.models import Notification
from junto.tenants.models import Membership
from signals.intake.directory import review_reason
from signals.models import Signal
from tests.agent.cases import SessionTestCase
from tests.agent.model_cases import ModelTestCase
from tests.scripted_model import Asks, Hangs, Says

State = Action.State
MEGABYTE = 1024 * 1024

#: Fault of the vendor -> what the person reads of it.
READ_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "status", "status": 401}, "credentials"),
    ({"kind": "status", "status": 403}, "no right to this"),
    ({"kind": "status", "status": 404}, "no such record"),
    ({"kind": "status", "status": 429, "retry_after": "1"}, "slow down"),
    ({"kind": "status", "status": 500}, "error of its own"),
    ({"kind": "html", "status": 200}, "a web page"),
    ({"kind": "truncated"}, "broke off"),
    ({"kind": "cut_before"}, "broke off"),
]
#: The same for a vendor that keeps us waiting.
SLOW_FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "half_open", "hold_seconds": 20}, "in time"),
    ({"kind": "slow_bytes", "bytes_per_second": 1, "hold_seconds": 20}, "in time"),
]


class TicketsFromTheSourceTest(SessionTestCase):
    def page(self, signal: Signal) -> str:
        """The signal's page as Theo sees it."""
        return self.log_in(self.theo).get(self.path(f"signals/{signal.pk}/")).content.decode()

    def test_a_ticket_of_ten_megabytes_arrives_without_its_text_and_holds_nothing_up(self) -> None:
        big = self.sandbox.plant_ticket("Log file", "x" * 10 * MEGABYTE)
        after = self.sandbox.plant_ticket("Mouse is broken", "It squeaks.")
        self.poll()
        stored = {row.external_id: row for row in Signal.unscoped.filter(connection=self.connection)}
        assert stored[str(after)].description == "It squeaks."
        assert "10 MiB" in self.page(stored[str(big)])
        assert Connection.unscoped.get(pk=self.connection.pk).state == Connection.State.OK

    def test_a_ticket_too_large_to_be_kept_arrives_cut_and_waits_for_a_person_who_may_begin_on_it(self) -> None:
        signal = self.ticket("Log file", "y" * 2 * MEGABYTE)
        assert (signal.state, signal.company) == (Signal.State.NEEDS_REVIEW, self.harbor)
        assert signal.description.startswith("yyy")
        assert len(signal.description) <= MEGABYTE
        listed = self.log_in(self.theo).get(self.path("signals/")).content.decode()
        assert "Log file" in listed
        assert "Needs review" in listed
        assert "holds 2.0 MiB of text" in listed
        assert "holds 2.0 MiB of text" in self.page(signal)
        assert self.start(signal=signal).signal == signal

    def test_the_agent_works_on_a_ticket_of_ten_megabytes_and_says_what_it_could_not_read(self) -> None:
        signal = self.ticket("Log file", "x" * 10 * MEGABYTE)
        session = self.start(signal=signal)
        assert session.state in {
            AgentSession.State.WAITING_FOR_APPROVAL,
            AgentSession.State.WAITING_FOR_TECHNICIAN,
        }
        assert "10 MiB" in self.page(signal)

    def test_html_zero_width_and_control_characters_reach_page_and_agent_as_visible_text(self) -> None:
        signal = self.ticket("<b>Invoice</b>\u200b\u202efdp", "\x07Ring\x1b[31m <img src=x onerror=alert(1)>\u2066")
        self.start(signal=signal)
        page = self.page(signal)
        assert "<img src=x" not in page
        assert "<b>Invoice" not in page
        assert not {"\u200b", "\u202e", "\u2066", "\x07", "\x1b"} & set(page)
        assert "[U+202E]" in page

    def test_a_ticket_of_an_unknown_company_says_what_to_do_and_cannot_be_started(self) -> None:
        Signal.unscoped.filter(pk=self.signal.pk).update(
            company=None,
            company_external_id="99999",
            state=Signal.State.NEEDS_REVIEW,
            state_reason=review_reason("99999", "Larkspur <b>& Sons"),
        )
        page = self.page(self.signal)
        assert "Nobody knows yet which company" in page
        assert "Company Larkspur &lt;b&gt;&amp; Sons (99999) of the source is not linked to a company here." in page
        assert "Not known, 99999 at the source" in page
        answer = self.log_in(self.theo).post(self.path(f"signals/{self.signal.pk}/start/"), follow=True)
        self.assertContains(answer, "choose its company first")
        assert not AgentSession.unscoped.exists()


class VendorFailsWhileReadingTest(ModelTestCase):
    def test_each_failure_is_named_to_people_and_model_and_the_session_goes_on(self) -> None:
        script = [step for _ in READ_FAULTS for step in (Says(calls=[Asks("connectwise.find_contact")]), Says("Hm."))]
        with self.model(
            Says("Ready."), *script, Says(calls=[Asks("connectwise.find_contact")]), Says("Fine.")
        ) as server:
            session = self.start()
            for fault, _ in READ_FAULTS:
                self.sandbox.fault(path="*/contacts", count=None, **fault)
                session = self.say(session, "Who is it?")
                self.sandbox.clear_faults()
            session = self.say(session, "And now?")
        *failed, found = self.actions(session, "connectwise.find_contact")
        page = self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/")).content.decode()
        told = [
            json.loads(str(message["content"]))
            for message in server.requests[-1].messages[2:]
            if message["role"] == "tool"
        ]
        for action, answer, (fault, words) in zip(failed, told, READ_FAULTS, strict=False):
            assert action.state == State.FAILED, fault
            assert words.lower() in action.reason.lower(), (fault, action.reason)
            assert action.reason in page, fault
            assert (answer["status"], answer["reason"]) == ("error", action.reason), fault
        assert found.state == State.SUCCEEDED
        assert session.state == AgentSession.State.WAITING_FOR_TECHNICIAN


class VendorKeepsUsWaitingTest(ModelTestCase):
    @pytest.fixture(autouse=True)
    def _short_deadline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(execution, "CALL_SECONDS", 2.0)

    def test_silence_and_single_bytes_end_at_the_deadline_and_the_session_goes_on(self) -> None:
        script = [step for _ in SLOW_FAULTS for step in (Says(calls=[Asks("connectwise.find_contact")]), Says("Hm."))]
        with self.model(Says("Ready."), *script):
            session = self.start()
            for fault, _ in SLOW_FAULTS:
                self.sandbox.fault(path="*/contacts", count=None, **fault)
                session = self.say(session, "Who is it?")
                self.sandbox.clear_faults()
        page = self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/")).content.decode()
        for action, (fault, words) in zip(self.actions(session, "connectwise.find_contact"), SLOW_FAULTS, strict=True):
            assert action.state == State.FAILED, fault
            assert words in action.reason, (fault, action.reason)
            assert action.reason in page, fault
        assert session.state == AgentSession.State.WAITING_FOR_TECHNICIAN

    def test_an_address_where_nothing_answers_is_named(self) -> None:
        with self.model(Says("Ready."), Says(calls=[Asks("connectwise.find_contact")]), Says("Hm.")):
            session = self.start()
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))  # bound and never listened at: whoever connects is refused
                port = taken.getsockname()[1]
                self.settings.LOCAL_TARGETS = self.settings.LOCAL_TARGETS | {("127.0.0.1", port)}
                for _ in range(2):  # moving to another host wipes the credentials; then they are typed anew
                    save_connection(
                        actor=self.actor(self.adam),
                        vendor="connectwise",
                        label="ConnectWise PSA",
                        base_url=f"http://127.0.0.1:{port}",
                        credentials=self.credentials("northwind"),
                        connection=self.connection,
                    )
                session = self.say(session, "Who is it?")
        (action,) = self.actions(session, "connectwise.find_contact")
        assert (action.state, "nothing answers at its address" in action.reason) == (State.FAILED, True), action.reason
        assert action.reason in self.log_in(self.theo).get(self.path(f"signals/{self.signal.pk}/")).content.decode()


class VendorFailsWhileWritingTest(ModelTestCase):
    def test_a_definite_no_fails_the_action_for_certain_and_the_model_is_told(self) -> None:
        faults = [{"status": 401}, {"status": 403}, {"status": 404}, {"status": 400}]
        script = [step for _ in faults for step in (Says(calls=[self.note()]), Says("Then not."))]
        with self.model(Says("Ready."), *script):
            session = self.start()
            for fault in faults:
                session = self.say(session, "Write a note")
                self.sandbox.fault("status", method="POST", path="*/notes", **fault)
                session = self.decide(self.waiting(session)[0], "approve")
                self.sandbox.clear_faults()
        assert [row.state for row in self.actions(session, "connectwise.add_internal_note")] == [State.FAILED] * 4
        assert all(row.reason for row in self.actions(session, "connectwise.add_internal_note"))
        assert not self.sandbox.effects()

    def test_an_answer_lost_after_the_effect_asks_a_person_and_is_never_sent_again(self) -> None:
        with self.model(Says(calls=[self.note()]), Says("Done.")) as server:
            session = self.start()
            self.sandbox.fault("cut_after", method="POST", path="*/notes")
            session = self.decide(self.waiting(session)[0], "approve")
            (action,) = self.actions(session, "connectwise.add_internal_note")
            assert action.state == State.UNKNOWN
            assert len(server.requests) == 1, "the model is not asked while an outcome is open"
            self.assertContains(self.page(), "Outcome unknown")
            assert Notification.unscoped.filter(kind="action.unknown", membership=self.olivia).exists()
            self.post("settle", action, {"done": True, "evidence": "The note stands in the ticket."})
            session = self.run_on(session)
        assert len(self.sandbox.effects()) == 1
        assert "Done." in self.words(session)

    def test_a_server_error_after_sending_counts_as_unknown_too(self) -> None:
        with self.model(Says(calls=[self.note()])):
            session = self.start()
            self.sandbox.fault("status", status=500, method="POST", path="*/notes")
            session = self.decide(self.waiting(session)[0], "approve")
        (action,) = self.actions(session, "connectwise.add_internal_note")
        assert action.state == State.UNKNOWN
        assert session.state == AgentSession.State.WAITING_FOR_APPROVAL

    def page(self) -> Any:
        """The signal's page as Olivia sees it."""
        return self.log_in(self.olivia).get(self.path(f"signals/{self.signal.pk}/"))

    def post(self, deed: str, action: Action, body: dict[str, Any], by: Membership | None = None) -> None:
        """What the card's buttons send."""
        browser: Client = self.log_in(by or self.olivia)
        answer = browser.post(
            self.path(f"approvals/{action.pk}/{deed}/"), json.dumps(body), content_type="application/json"
        )
        assert answer.status_code == 200, answer.content


class DecidedTooLateTest(SessionTestCase):
    def test_an_expired_request_is_decided_no_more_and_says_so(self) -> None:
        action = self.waiting(self.start())[0]
        Action.unscoped.filter(pk=action.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        answer = self.log_in(self.olivia).post(
            self.path(f"approvals/{action.pk}/decide/"),
            json.dumps({"verdict": "approve", "digest": action.digest}),
            content_type="application/json",
        )
        assert answer.status_code == 409
        assert "waited too long" in json.loads(answer.content)["message"]
        self.drain()
        assert not self.sandbox.effects()


class SlowModelTest(ModelTestCase):
    @pytest.fixture(autouse=True)
    def _short_deadline(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loop, "REPLY_SECONDS", 1.0)

    def test_a_model_that_does_not_answer_in_time_parks_the_session_and_can_be_asked_again(self) -> None:
        with self.model(Hangs(10), *[Says("Here I am.")] * 2):
            session = self.start()
            assert session.state == AgentSession.State.WAITING_FOR_TECHNICIAN
            assert "Nothing is lost" in self.notices(session)
            assert "time" in self.notices(session)
            session = self.say(session, "Try again")
        assert "Here I am." in self.words(session)
