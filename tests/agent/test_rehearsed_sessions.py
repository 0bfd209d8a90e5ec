"""A whole session with the built-in rehearsal model, from a ticket in the PSA to approved writes there."""

from __future__ import annotations

import pytest

from agent.models import AgentSession
from agent.services import SessionRefused, close_session, open_session, post_message, stop_session
from approvals.models import Action
from junto.tenants.permissions import PermissionDenied
from signals.models import Signal
from tests.agent.cases import SessionTestCase

State = AgentSession.State
NOTE, TIME = "connectwise.add_internal_note", "connectwise.add_time_entry"


class GatherTest(SessionTestCase):
    def test_the_agent_reads_the_companys_contact_or_devices_before_it_judges(self) -> None:
        self.start()
        read = {row["path"].rsplit("/", 1)[-1] for row in self.sandbox.log() if row["method"] == "GET"}
        assert read & {"contacts", "configurations"}

    def test_a_prepared_session_reads_and_reports_and_proposes_nothing(self) -> None:
        session = self.start(mode="prepare")
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert self.words(session)
        assert not self.sandbox.effects()
        assert not [action for action in Action.unscoped.filter(origin_id=session.origin_id) if action.is_write]

    def test_a_person_goes_on_with_a_prepared_session_in_the_same_session(self) -> None:
        prepared = self.start(mode="prepare")
        continued = self.start()
        assert continued.pk == prepared.pk
        assert continued.started_by == self.theo
        assert continued.state == State.WAITING_FOR_APPROVAL

    def test_events_are_numbered_from_one_without_a_gap(self) -> None:
        session = self.start()
        numbers = list(session.events.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, session.last_number + 1))


class ActTest(SessionTestCase):
    def test_it_proposes_a_classification_a_note_a_time_entry_and_a_closing_note(self) -> None:
        session = self.approve_everything(self.start())
        assert session.state == State.WAITING_FOR_TECHNICIAN
        for tool in ("classify_ticket", "add_internal_note", "add_time_entry"):
            states = {action.state for action in self.actions(session, f"connectwise.{tool}")}
            assert Action.State.SUCCEEDED in states, tool
        assert len(self.actions(session, "connectwise.add_internal_note")) >= 2

    def test_nothing_is_written_at_the_vendor_before_somebody_approved(self) -> None:
        session = self.start()
        assert session.state == State.WAITING_FOR_APPROVAL
        assert not self.sandbox.effects()

    def test_the_vendors_log_holds_exactly_the_approved_effects(self) -> None:
        session = self.approve_everything(self.start())
        done = Action.unscoped.filter(origin_id=session.origin_id, state=Action.State.SUCCEEDED).exclude(
            category="read"
        )
        assert len(self.sandbox.effects()) == done.count() > 0

    def test_a_denied_proposal_is_not_repeated_and_its_reason_is_taken_up(self) -> None:
        session = self.start()
        first = self.waiting(session)[0]
        session = self.decide(first, "deny", reason="Leave that to the network team")
        assert first.tool not in {action.tool for action in self.waiting(session) if action.digest == first.digest}
        assert not self.sandbox.effects()

    def test_approving_for_the_session_lets_the_closing_note_through(self) -> None:
        session = self.start()
        while waiting := self.waiting(session):
            verdict = "approve" if waiting[0].tool.endswith("time_entry") else "approve_session"
            session = self.decide(waiting[0], verdict)
        notes = self.actions(session, "connectwise.add_internal_note")
        assert [note.state for note in notes] == [Action.State.SUCCEEDED] * len(notes)
        assert notes[-1].grant is not None

    def test_a_question_while_a_request_waits_is_answered_and_closes_nothing(self) -> None:
        session = self.start()
        while (waiting := self.waiting(session)) and waiting[0].tool != TIME:
            session = self.decide(waiting[0], "approve_session")
        notes = len(self.actions(session, NOTE))
        session = self.say(session, "Which devices does he have?")
        assert [each.tool for each in self.waiting(session)] == [TIME]
        assert len(self.actions(session, NOTE)) == notes
        session = self.decide(waiting[0], "approve")
        assert "Time entry (1 min): done" in self.actions(session, NOTE)[-1].arguments["text"]

    def test_a_follow_up_is_answered_from_the_transcript(self) -> None:
        session = self.approve_everything(self.start())
        before = len(self.words(session))
        session = self.say(session, "Which devices does this company have?")
        assert session.state == State.WAITING_FOR_TECHNICIAN
        assert len(self.words(session)) > before

    def approve_everything(self, session: AgentSession) -> AgentSession:
        for _ in range(20):
            waiting = self.waiting(session)
            if not waiting:
                return session
            session = self.decide(waiting[0], "approve")
        raise AssertionError("It keeps asking.")


class EndTest(SessionTestCase):
    def test_stopping_withdraws_what_waits_and_frees_the_signal(self) -> None:
        session = self.start()
        stop_session(session=session, actor=self.actor(self.theo))
        session = self.run_on(session)
        assert session.state == State.STOPPED
        assert not self.waiting(session)
        assert self.reload(self.signal).state == Signal.State.IN_REVIEW

    def test_nothing_more_is_asked_of_the_model_after_a_stop(self) -> None:
        session = self.start()
        stop_session(session=session, actor=self.actor(self.theo))
        before = self.run_on(session).steps_used
        assert self.run_on(session).steps_used == before

    def test_closing_ends_the_session_and_a_new_one_may_open(self) -> None:
        session = self.start()
        close_session(session=session, actor=self.actor(self.theo))
        assert self.start().pk != session.pk

    def test_a_message_to_a_closed_session_is_refused_in_words(self) -> None:
        session = self.start()
        close_session(session=session, actor=self.actor(self.theo))
        with pytest.raises(SessionRefused, match="over"):
            post_message(session=session, actor=self.actor(self.theo), text="Hello?")

    def test_two_people_who_start_at_once_meet_in_one_session(self) -> None:
        assert self.start(self.theo).pk == self.start(self.mara).pk

    def test_a_signal_without_a_company_gets_no_session(self) -> None:
        Signal.unscoped.filter(pk=self.signal.pk).update(company=None, state=Signal.State.NEEDS_REVIEW)
        with pytest.raises(SessionRefused, match="choose its company"):
            open_session(signal=self.reload(self.signal), actor=self.actor(self.theo))

    def test_ines_cannot_open_a_session_on_northwinds_signal(self) -> None:
        with pytest.raises(PermissionDenied):
            open_session(signal=self.reload(self.signal), actor=self.actor(self.ines))

    def test_a_ticket_that_moves_to_another_company_stops_the_session_and_withdraws_its_requests(self) -> None:
        session = self.start()
        assert self.waiting(session)
        self.sandbox.change_ticket(int(self.signal.external_id), company={"id": 251})
        self.poll()
        session = self.run_on(session)
        assert session.state == State.STOPPED
        assert not self.waiting(session)
        assert self.reload(self.signal).company == self.kessler
