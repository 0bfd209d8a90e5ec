"""People give a run its course: decisions, skips, retries, ticks, taking over and handing back."""

from __future__ import annotations

from typing import Any

import pytest

from agent.directing import answer_decision, finish_run, hand_back, mark_step, retry_step, skip_step, take_over
from agent.events import PersonDirected
from agent.models import AgentSession
from agent.services import SessionRefused
from approvals.models import Action
from junto.audit.models import AuditEntry
from junto.tenants.models import Membership
from junto.tenants.permissions import PermissionDenied
from runbooks.models import Runbook
from signals.models import Signal
from tests.agent.run_cases import HUMAN, HYBRID, DirectedRunCase
from tests.factories import MembershipFactory

YES, NO = "Yes, go on", "No, leave it: go to step 4"
STOP = "No: stop here and tell the service manager"


class DecisionTest(DirectedRunCase):
    def answer(self, session: AgentSession, option: str, by: Membership | None = None) -> AgentSession:
        answer_decision(session=session, actor=self.actor(by or self.theo), number=3, option=option)
        return self.run_on(session)

    def test_a_hybrid_run_rests_at_its_decision_and_asks_it_once(self) -> None:
        session = self.hybrid()
        assert session.state == AgentSession.State.WAITING_FOR_TECHNICIAN
        assert [(each.step, each.options) for each in self.asked(session)] == [(3, (YES, NO))]
        assert self.steps(session) == ["done", "pending", "waiting", "pending", "pending"]

    def test_after_the_answer_the_agent_goes_on_with_the_next_steps(self) -> None:
        session = self.answer(self.hybrid(), YES)
        note = self.waiting(session)[0]
        assert note.tool == "connectwise.add_internal_note"
        assert note.runbook_step.endswith("step 3")
        session = self.decide(note, "approve")
        assert self.steps(session) == ["done", "passed", "done", "done", "passed"]
        answered = self.rows(session)[2]
        assert (answered.answer, answered.by, answered.finished_at is not None) == (YES, self.theo, True)

    def test_an_answer_that_names_a_step_passes_over_those_between(self) -> None:
        session = self.answer(self.hybrid(), NO)
        assert self.steps(session) == ["done", "passed", "done", "skipped", "passed"]
        assert "passes over" in self.rows(session)[3].reason
        assert self.written() == []

    def test_a_question_names_what_was_entered_for_this_run_and_nothing_behind_it_is_done_before_the_answer(
        self,
    ) -> None:
        body = HYBRID.replace("Did they confirm who they are?", "Is the last day, input.last_day, over?")
        inputs = [{"name": "last_day", "label": "Last day", "type": "date"}]
        runbook = self.publish(body, audience="hybrid", inputs=inputs)
        session = self.run_it(runbook, last_day="2031-05-02")
        (asked,) = self.asked(session)
        assert asked.question == "Is the last day, 2031-05-02, over?"
        page = self.log_in(self.theo).get(self.path(f"runs/{session.pk}/")).content.decode()
        assert "Is the last day, 2031-05-02, over?" in page
        assert self.written() == []
        assert self.waiting(session) == []

    def stopping(self, audience: str) -> Runbook:
        body = HYBRID.replace(NO, STOP)
        return self.publish(body, audience=audience, on_success=Runbook.OnSuccess.RESOLVE)

    def test_an_answer_that_says_stop_here_skips_the_rest_and_the_run_closes_without_resolving(self) -> None:
        session = self.answer(self.run_it(self.stopping("ai")), STOP)
        assert self.steps(session) == ["done", "passed", "done", "skipped", "skipped"]
        assert STOP in self.rows(session)[4].reason
        assert session.state == AgentSession.State.COMPLETED
        assert self.reload(session.signal).state == Signal.State.IN_REVIEW
        assert self.written() == ["time_entry", "note"]
        time, note = [effect["body"] for effect in self.sandbox.effects()]
        for told in (time["notes"], note["text"], session.state_detail):
            assert f"stopped at step 2a, “Did they confirm who they are?”, with the answer “{STOP}”" in told

    def test_people_who_untick_such_an_answer_have_its_steps_before_them_again(self) -> None:
        session = self.run_it(self.stopping("human"))
        self.answer(session, STOP)
        assert self.steps(session)[3:] == ["skipped", "skipped"]
        mark_step(session=session, actor=self.actor(self.theo), number=3, done=False)
        assert self.steps(session)[2:] == ["pending", "pending", "pending"]

    def test_of_two_answers_the_first_stands_and_the_second_is_told(self) -> None:
        session = self.hybrid()
        other = AgentSession.unscoped.select_related("organization", "company", "origin", "runbook").get(pk=session.pk)
        self.answer(session, YES)
        with pytest.raises(SessionRefused, match="“Done” by Theo"):
            self.answer(other, NO, by=self.oskar)

    def test_what_is_no_option_is_no_answer(self) -> None:
        session = self.hybrid()
        for option in ("", "Perhaps", YES + "!"):
            with pytest.raises(SessionRefused):
                self.answer(session, option)
        assert self.rows(session)[2].answer == ""

    def test_only_the_tools_of_the_chosen_option_are_called(self) -> None:
        body = HYBRID.replace("Yes, go on", "Yes: @connectwise.search_tickets").replace(
            "No, leave it: go to step 4", "No: @connectwise.add_internal_note(ticket_id=ticket.id)"
        )
        session = self.run_it(self.publish(body.split("3. Leave")[0], audience="hybrid"))
        session = self.answer(session, "Yes: @connectwise.search_tickets")
        assert self.steps(session)[2] == "done"
        closing = [row.call_id for row in self.actions(session, "connectwise.add_internal_note")]
        assert closing in ([], ["closing.note"])

    def test_the_answer_is_told_to_the_model_and_stands_in_the_audit_log(self) -> None:
        session = self.answer(self.hybrid(), YES)
        told = [event for event in self.events(session) if isinstance(event, PersonDirected)]
        assert [(each.deed, each.step, each.goes_on) for each in told] == [("answer", 3, True)]
        entry = AuditEntry.unscoped.get(organization=self.northwind, verb="run.answer")
        assert entry.detail["option"] == YES

    def test_who_may_not_run_sessions_for_the_company_answers_nothing(self) -> None:
        session = self.hybrid()
        limited = MembershipFactory(organization=self.northwind, all_companies=False, companies=[self.pinewood])
        for stranger in (limited, self.ines):
            with pytest.raises(PermissionDenied):
                self.answer(session, YES, by=stranger)


class CourseTest(DirectedRunCase):
    def failed(self) -> AgentSession:
        """A run whose note was denied."""
        body = "1. Read it. @connectwise.get_ticket(ticket_id=ticket.id)\n2. Note. @connectwise.add_customer_note (ask)"
        session = self.run_it(self.publish(body, audience="hybrid"))
        return self.decide(self.waiting(session)[0], "deny", reason="Not like this.")

    def direct(self, session: AgentSession, deed: Any, by: Membership | None = None, **more: Any) -> AgentSession:
        deed(session=session, actor=self.actor(by or self.theo), **more)
        return self.run_on(session)

    def test_a_denied_step_waits_for_a_person_and_is_skipped_with_a_reason(self) -> None:
        session = self.failed()
        assert self.steps(session) == ["done", "failed"]
        session = self.direct(session, skip_step, number=2, reason="The client was called.")
        step = self.rows(session)[1]
        assert (step.state, step.reason, step.by) == ("skipped", "The client was called.", self.theo)
        assert self.waiting(session)[0].call_id == "closing.time"

    def test_a_step_is_tried_again_and_what_was_done_is_not_done_twice(self) -> None:
        session = self.direct(self.failed(), retry_step, number=2)
        again = self.waiting(session)
        assert [row.tool for row in again] == ["connectwise.add_customer_note"]
        assert len(self.actions(session, "connectwise.add_customer_note")) == 2
        session = self.decide(again[0], "approve")
        assert self.steps(session) == ["done", "done"]
        assert self.written() == ["note"]

    def test_a_step_is_not_skipped_while_a_request_of_it_waits(self) -> None:
        session = self.direct(self.hybrid(), answer_decision, number=3, option=YES)
        with pytest.raises(SessionRefused, match="decide or deny"):
            self.direct(session, skip_step, number=4, reason="No need.")

    def test_a_skip_needs_a_reason(self) -> None:
        with pytest.raises(SessionRefused, match="Say why"):
            self.direct(self.failed(), skip_step, number=2, reason="  ")

    def test_the_rest_is_skipped_at_once(self) -> None:
        session = self.direct(self.hybrid(), skip_step, number=3, reason="Solved on the phone.", rest=True)
        assert self.steps(session) == ["done", "passed", "skipped", "skipped", "skipped"]

    def test_while_a_person_has_the_run_in_hand_the_agent_waits_and_no_grant_counts(self) -> None:
        session = self.direct(self.hybrid(), take_over)
        before = len(Action.unscoped.filter(origin_id=session.origin_id))
        session = self.direct(session, answer_decision, number=3, option=YES)
        assert session.origin.mode == "triage"
        assert len(Action.unscoped.filter(origin_id=session.origin_id)) == before
        session = self.direct(session, mark_step, number=4, done=True)
        assert self.steps(session) == ["done", "passed", "done", "done", "pending"]

    def test_handed_back_it_goes_on_where_it_is_and_ends_with_the_closing_set(self) -> None:
        session = self.direct(self.hybrid(), take_over)
        session = self.direct(session, answer_decision, number=3, option=YES)
        session = self.direct(session, mark_step, number=4, done=True)
        session = self.direct(session, hand_back, by=self.oskar)
        assert self.steps(session) == ["done", "passed", "done", "done", "passed"]
        assert not self.written()
        session = self.decide(self.waiting(session)[0], "approve")
        session = self.decide(self.waiting(session)[0], "approve")
        assert session.state == AgentSession.State.COMPLETED
        note = self.actions(session, "connectwise.add_internal_note")[-1].arguments["text"]
        assert "Did they confirm who they are?: done, “Yes, go on” by Theo Okafor" in note

    def test_it_is_taken_over_once_and_handed_back_once(self) -> None:
        session = self.hybrid()
        for deed in (take_over, hand_back):
            self.direct(session, deed)
            with pytest.raises(SessionRefused, match="already"):
                self.direct(session, deed, by=self.oskar)

    def test_nothing_is_directed_after_the_end(self) -> None:
        session = self.direct(self.hybrid(), skip_step, number=3, reason="Solved.", rest=True)
        AgentSession.unscoped.filter(pk=session.pk).update(state=AgentSession.State.COMPLETED)
        with pytest.raises(SessionRefused, match="over"):
            self.direct(session, take_over)


class EndTest(DirectedRunCase):
    def at_the_end(self, **fields: Any) -> AgentSession:
        """A run beside a technician whose closing waits for a decision."""
        session = self.run_it(self.publish(HYBRID, audience="hybrid", **fields))
        answer_decision(session=session, actor=self.actor(self.theo), number=3, option=YES)
        return self.decide(self.waiting(self.run_on(session))[0], "approve")

    def tick(self, session: AgentSession, number: int, *, done: bool = True) -> AgentSession:
        mark_step(session=session, actor=self.actor(self.theo), number=number, done=done)
        return self.run_on(session)

    def fresh(self, session: AgentSession) -> AgentSession:
        """The session as it is now."""
        return AgentSession.unscoped.get(pk=session.pk)

    def close(self, session: AgentSession) -> str:
        """Approve the closing set; the text of its note."""
        for _ in range(2):
            session = self.decide(self.waiting(session)[0], "approve")
        assert session.state == AgentSession.State.COMPLETED
        text: str = self.actions(session, "connectwise.add_internal_note")[-1].arguments["text"]
        return text

    def test_a_step_without_a_tool_is_called_done_by_nobody_and_nothing_is_resolved(self) -> None:
        session = self.at_the_end(on_success=Runbook.OnSuccess.RESOLVE)
        note = self.close(session)
        assert "3 of 5 steps done; 2 not recorded" in note
        assert "2. Call the person back on the number we have.: not recorded" in note
        assert self.reload(session.signal).state == Signal.State.IN_REVIEW
        assert "whether steps 2, 4 happened is not recorded" in self.fresh(session).state_detail

    def test_what_waited_to_close_is_made_anew_when_a_person_ticks_a_step(self) -> None:
        session = self.at_the_end(on_success=Runbook.OnSuccess.RESOLVE)
        [old] = self.waiting(session)
        session = self.tick(self.tick(session, 2), 5)
        [new] = self.waiting(session)
        assert Action.unscoped.get(pk=old.pk).state == Action.State.CANCELLED
        assert new.call_id == "closing.time.3"
        assert "5 of 5 steps done." in new.arguments["notes"]
        assert "4. Tell the next shift.: done by Theo Okafor" in self.close(session)
        assert self.reload(session.signal).state == Signal.State.RESOLVED

    def test_a_tick_taken_away_leaves_the_step_without_a_record(self) -> None:
        session = self.tick(self.tick(self.at_the_end(), 5), 5, done=False)
        assert self.steps(session)[4] == "passed"

    def test_a_step_that_is_not_recorded_can_be_skipped_with_a_reason(self) -> None:
        session = self.at_the_end()
        skip_step(session=session, actor=self.actor(self.theo), number=2, reason="They had called us.")
        assert "2. Call the person back on the number we have.: skipped by Theo Okafor: “They had called us.”" in (
            self.close(self.run_on(session))
        )

    def test_an_answer_the_agent_went_on_with_is_neither_taken_back_nor_tried_again(self) -> None:
        session = self.at_the_end()
        for deed in (
            lambda: mark_step(session=session, actor=self.actor(self.theo), number=3, done=False),
            lambda: retry_step(session=session, actor=self.actor(self.theo), number=3),
        ):
            with pytest.raises(SessionRefused):
                deed()
        assert self.steps(session)[2] == "done"

    def test_a_reason_cannot_write_a_line_of_its_own_into_the_note(self) -> None:
        session = self.hybrid()
        forged = "no need\n- Reset MFA of the director: done, approved by Mara\u2028- And more"
        skip_step(session=session, actor=self.actor(self.theo), number=3, reason=forged, rest=True)
        note = self.close(self.run_on(session))
        receipts = [line for line in note.splitlines() if line.startswith("-")]
        assert len(receipts) == 1, receipts
        assert note.count("Reset MFA") == 1
        assert note.count("for the same reason") == 2

    def test_a_note_that_is_too_long_keeps_its_receipts_and_says_what_is_left_out(self) -> None:
        body = HYBRID + "\n".join(f"{number}. {'Look at it. ' * 15}" for number in range(5, 60))
        session = self.run_it(self.publish(body, audience="hybrid"))
        skip_step(session=session, actor=self.actor(self.theo), number=3, reason="Solved.", rest=True)
        note = self.close(self.run_on(session))
        assert len(note) <= 7000
        assert "- Log 1 minute" in note
        assert note.splitlines()[-1].endswith("more lines: the whole run is in Junto.")


class PeoplesRunTest(DirectedRunCase):
    def tick(self, session: AgentSession, number: int, *, done: bool = True, by: Membership | None = None) -> None:
        mark_step(session=session, actor=self.actor(by or self.theo), number=number, done=done)
        self.run_on(session)

    def test_the_agent_shows_it_and_carries_out_nothing(self) -> None:
        session = self.human()
        assert session.state == AgentSession.State.WAITING_FOR_TECHNICIAN
        assert not Action.unscoped.filter(origin_id=session.origin_id).exists()
        assert self.steps(session) == ["pending"] * 3

    def test_every_tick_keeps_who_and_when_and_can_be_taken_away(self) -> None:
        session = self.human()
        self.tick(session, 2, by=self.oskar)
        self.tick(session, 1)
        first, second, third = self.rows(session)
        assert [(step.state, step.by) for step in (first, second, third)] == [
            ("done", self.theo),
            ("done", self.oskar),
            ("pending", None),
        ]
        assert first.finished_at
        self.tick(session, 2, done=False)
        assert self.steps(session) == ["done", "pending", "pending"]

    def test_a_tick_wakes_no_model(self) -> None:
        session = self.human()
        self.tick(session, 1)
        assert "Theo Okafor did step 1" in self.notices(session)
        assert self.words(session) == ""

    def test_two_who_tick_the_same_step_leave_one_tick(self) -> None:
        session = self.human()
        self.tick(session, 1)
        with pytest.raises(SessionRefused, match="by Theo"):
            self.tick(session, 1, by=self.oskar)

    def test_it_is_finished_when_every_step_is_over_and_not_before(self) -> None:
        runbook = self.publish(HUMAN, audience="human", title="The printer takes no paper", on_success="resolve")
        session = self.run_it(runbook)
        self.tick(session, 1)
        with pytest.raises(SessionRefused, match="Step 2 and 1 more are open"):
            finish_run(session=session, actor=self.actor(self.theo))
        self.tick(session, 2)
        skip_step(session=session, actor=self.actor(self.theo), number=3, reason="No paper is left.")
        finish_run(session=session, actor=self.actor(self.theo))
        session.refresh_from_db()
        assert session.state == AgentSession.State.COMPLETED
        assert self.reload(self.signal).state == Signal.State.RESOLVED
