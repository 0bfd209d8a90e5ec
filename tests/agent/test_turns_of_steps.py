"""A standing approval counts at its own step alone: while that is open, and no question before it is unanswered."""

from __future__ import annotations

from agent.directing import answer_decision, mark_step, skip_step
from agent.loop import advance
from agent.models import AgentSession
from approvals.models import Action
from approvals.policy import OUT_OF_TURN
from tests.agent.replay_cases import Kind, ReplayTestCase
from tests.agent.run_cases import DirectedRunCase
from tests.agent.test_runbook_runs import BODY
from tests.scripted_model import Asks, Says

NOTE, LOOK = "connectwise.add_internal_note", "connectwise.get_ticket"
YES, NO = "Yes", "No: go to step 4"
QUESTION = f"""Use this when a user cannot sign in to the VPN.

1. Read the ticket. @{LOOK}(ticket_id=ticket.id)
2. > [!DECISION] Did they prove who they are?
   > - {YES}
   > - {NO}
3. Note it. @{NOTE}(ticket_id=ticket.id, text="proved")
4. Who is it? @connectwise.find_contact(name="Dana")
"""
OVER = Says("That is all for now.")


class OutOfTurnTest(DirectedRunCase):
    def proved(self) -> Says:
        """The model asks for the note of step 3."""
        return Says("", (self.note("proved"),))

    def begun(self) -> AgentSession:
        """Started by Theo on the ticket; the model follows its script until the run rests."""
        return self.run_it(self.publish(QUESTION, audience="ai"))

    def answer(self, session: AgentSession, option: str) -> AgentSession:
        answer_decision(session=session, actor=self.actor(self.theo), number=2, option=option)
        return self.run_on(session)

    def asked_for(self, session: AgentSession) -> Action:
        """The last note the model asked for."""
        return self.actions(session, NOTE)[-1]

    def test_before_the_answer_the_step_behind_it_waits_for_a_person_and_after_it_runs(self) -> None:
        with self.model(Says("", (self.look(),)), self.proved(), OVER, self.proved(), OVER):
            session = self.begun()
            early = self.asked_for(session)
            assert (early.state, early.why_asked, early.grant) == (Action.State.WAITING, OUT_OF_TURN, None)
            assert early.runbook_step.endswith("step 3")
            session = self.decide(early, "deny", reason="Answer first.")
            session = self.answer(session, YES)
        late = self.asked_for(session)
        assert (late.state, late.grant is not None) == (Action.State.SUCCEEDED, True)
        assert self.written() == ["note"]
        assert self.steps(session) == ["done", "done", "done", "pending"]

    def test_a_step_that_the_answer_passed_over_is_never_done_without_a_person(self) -> None:
        with self.model(Says("", (self.look(),)), OVER, self.proved(), OVER):
            session = self.answer(self.begun(), NO)
        passed = self.asked_for(session)
        assert (passed.state, passed.why_asked) == (Action.State.WAITING, OUT_OF_TURN)
        assert self.written() == []
        assert self.steps(session) == ["done", "done", "skipped", "pending"]

    def test_a_step_that_a_person_skipped_is_never_done_without_a_person(self) -> None:
        with self.model(Says("", (self.look(),)), OVER, self.proved(), OVER):
            session = self.begun()
            for number in (2, 3):
                skip_step(session=session, actor=self.actor(self.theo), number=number, reason="They are known.")
            session = self.run_on(session)
        assert self.asked_for(session).state == Action.State.WAITING
        assert self.written() == []

    def test_a_question_that_is_opened_again_withdraws_what_had_not_begun_behind_it(self) -> None:
        with self.model(Says("", (self.look(),)), OVER, self.proved(), OVER):
            session = self.begun()
            skip_step(session=session, actor=self.actor(self.theo), number=2, reason="They are known.")
            advance(session.pk)
            approved = self.asked_for(session)
            assert approved.state == Action.State.APPROVED
            mark_step(session=session, actor=self.actor(self.theo), number=2, done=False)
            session = self.run_on(session)
        ended = self.asked_for(session)
        assert (ended.pk, ended.state) == (approved.pk, Action.State.CANCELLED)
        assert "does not have its turn" in ended.reason
        assert self.written() == []


class TurnInReplayTest(ReplayTestCase):
    def test_a_draft_whose_question_stands_before_the_change_would_ask_for_it(self) -> None:
        past = self.ran()
        self.draft(BODY.replace("2. Leave", "2. > [!DECISION] Is it urgent?\n   > - Yes\n   > - No\n3. Leave"))
        note = {"ticket_id": int(past.signal.external_id), "text": "Checked."}
        with self.answering(lambda _: Says("", (Asks(NOTE, note),))):
            replay = self.replay(past.signal)
        assert self.changes(replay, Kind.PUBLISHED) == [(NOTE, "runs")]
        assert self.changes(replay, Kind.DRAFT) == [(NOTE, "asks")]
