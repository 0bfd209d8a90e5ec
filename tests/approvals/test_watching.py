"""News of what a waiting request is about: the target is looked at again, and what changed withdraws it (PRODUCT 7)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from approvals.models import Action
from approvals.services import move_subject
from approvals.tasks import sweep_actions
from tests.approvals.cases import ApprovalTestCase
from tests.approvals.practice import shelf

State = Action.State


class News(ApprovalTestCase):
    """A request of the agent's waits, and its ticket gets a newer revision."""

    def setUp(self) -> None:
        super().setUp()
        self.action = self.ask()

    def news(self, revision: int = 2) -> None:
        """The source told of the ticket."""
        move_subject(organization=self.northwind, subject=self.origin.subject, company=self.harlow, revision=revision)

    def test_a_target_that_changed_withdraws_the_request_before_anybody_decides(self) -> None:
        shelf.things["left"] = "a yellow box"
        self.news()
        withdrawn = self.now(self.action)
        assert (withdrawn.state, withdrawn.reason) == (
            State.DRIFTED,
            "Thing was “a red box”, and is now “a yellow box”.",
        )
        assert self.verbs(self.action)[-1] == "action.drifted"

    def test_news_that_leave_the_target_alone_are_looked_at_once(self) -> None:
        self.news()
        assert self.now(self.action).state == State.WAITING
        looks = shelf.looks
        sweep_actions.call("")
        assert self.now(self.action).state == State.WAITING
        assert shelf.looks == looks

    def test_a_target_that_is_out_of_reach_now_withdraws_it_too(self) -> None:
        action = self.ask(place="right")
        shelf.foreign.add("right")
        self.news()
        withdrawn = self.now(action)
        assert (withdrawn.state, withdrawn.reason) == (State.DRIFTED, "That is not a place of this company.")

    def test_a_system_that_gives_no_answer_withdraws_nothing_and_is_asked_again_later(self) -> None:
        shelf.things["left"] = "a yellow box"
        shelf.down = True
        self.news()
        assert self.now(self.action).state == State.WAITING
        shelf.down = False
        sweep_actions.call("")
        assert self.now(self.action).state == State.WAITING
        Action.unscoped.filter(pk=self.action.pk).update(observed_at=timezone.now() - timedelta(minutes=2))
        sweep_actions.call("")
        assert self.now(self.action).state == State.DRIFTED

    def test_a_lost_bell_is_found_by_the_sweep(self) -> None:
        shelf.things["left"] = "a yellow box"
        self.news()
        self.forget_bells()
        sweep_actions.call("")
        assert self.now(self.action).state == State.DRIFTED

    def test_the_rest_of_the_conversation_goes_on(self) -> None:
        other = self.ask(place="right")
        shelf.things["left"] = "a yellow box"
        self.news()
        assert self.now(self.action).state == State.DRIFTED
        assert self.now(self.decide(other, "approve", self.theo)).state == State.SUCCEEDED
