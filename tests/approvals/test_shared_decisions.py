"""What several people decide: two pairs of eyes on the gravest actions, and requests that are passed on (PRODUCT 7)."""

from __future__ import annotations

import uuid

import pytest

from approvals.models import Action
from approvals.services import (
    AlreadyDecided,
    DecisionRefused,
    pass_on,
    preview_change,
    waiting_for,
)
from junto.inbox.services import notices_of
from junto.team.services import limit_to_companies
from junto.tenants.actors import Actor
from junto.tenants.permissions import PermissionDenied
from tests.approvals.cases import ApprovalTestCase, as_shown
from tests.approvals.practice import shelf

State = Action.State


class FourEyes(ApprovalTestCase):
    """What cannot be undone is decided by two."""

    def test_one_approval_is_not_enough_and_two_distinct_ones_are(self) -> None:
        action = self.ask("junto.put_for_ever")
        assert self.decide(action, "approve", self.oskar).state == State.WAITING
        with pytest.raises(AlreadyDecided, match="second person"):
            self.decide(action, "approve", self.oskar)
        assert self.decide(action, "approve", self.mara).state == State.APPROVED
        assert self.now(action).state == State.SUCCEEDED
        assert len(shelf.changes) == 1

    def test_the_first_of_two_takes_the_approval_back_and_it_no_longer_counts(self) -> None:
        action = self.ask("junto.put_for_ever")
        self.decide(action, "approve", self.oskar)
        assert self.decide(action, "take_back", self.oskar).state == State.WAITING
        assert self.decide(action, "approve", self.mara).state == State.WAITING
        with pytest.raises(AlreadyDecided, match="took your approval back"):
            self.decide(action, "approve", self.oskar)
        assert self.decide(action, "approve", self.adam).state == State.APPROVED
        assert "action.approval_taken_back" in self.verbs(action)

    def test_only_who_approved_takes_an_approval_back_and_only_while_it_waits(self) -> None:
        action = self.ask("junto.put_for_ever")
        self.decide(action, "approve", self.oskar)
        with pytest.raises(DecisionRefused, match="nothing to take back"):
            self.decide(action, "take_back", self.mara)
        self.decide(action, "approve", self.mara)
        with pytest.raises(AlreadyDecided):
            self.decide(action, "take_back", self.oskar)

    def test_the_first_of_two_may_deny_after_all(self) -> None:
        action = self.ask("junto.put_for_ever")
        self.decide(action, "approve", self.oskar)
        assert self.decide(action, "deny", self.oskar, reason="I read it again.").state == State.DENIED

    def test_what_one_approved_waits_for_the_others_and_no_longer_for_them(self) -> None:
        action = self.ask("junto.put_for_ever")
        self.decide(action, "approve", self.oskar)
        assert not waiting_for(self.actor(self.oskar)).exists()
        assert waiting_for(self.actor(self.mara)).get() == action

    def test_no_policy_lets_it_run_by_itself(self) -> None:
        self.policy("junto.put_for_ever", "auto")
        assert self.ask("junto.put_for_ever").state == State.WAITING

    def test_a_changed_version_still_needs_the_second(self) -> None:
        action = self.ask("junto.put_for_ever")
        changed = {**action.arguments, "thing": "a green box"}
        shown = preview_change(action_id=action.pk, actor=self.actor(self.oskar), arguments=changed)
        version = self.decide(action, "approve", self.oskar, **as_shown(shown))
        assert version.state == State.WAITING
        assert self.decide(version, "approve", self.mara).state == State.APPROVED

    def test_where_only_one_could_decide_one_is_enough(self) -> None:
        for other in (self.adam, self.mara, self.oskar):
            limit_to_companies(actor=self.actor(self.olivia), membership=other, all_companies=False)
        assert self.decide(self.ask("junto.put_for_ever"), "approve", self.olivia).state == State.APPROVED


class PassingOn(ApprovalTestCase):
    """Who may not decide hands it to somebody who may."""

    def test_theo_passes_a_time_entry_on_and_oskar_is_told(self) -> None:
        action = self.ask("junto.put_medium")
        assert pass_on(action_id=action.pk, actor=self.actor(self.theo)) == "Operators and above"
        notice = notices_of(self.oskar).get()
        assert str(action.pk) in notice.path
        assert self.now(action).passed_to == "decide_medium"
        assert self.decide(action, "approve", self.oskar).state == State.APPROVED

    def test_it_can_be_passed_higher_and_never_to_those_who_may_not(self) -> None:
        action = self.ask("junto.put_medium")
        assert (
            pass_on(action_id=action.pk, actor=self.actor(self.theo), permission="decide_high") == "Managers and above"
        )
        assert not notices_of(self.oskar).exists()
        with pytest.raises(DecisionRefused):
            pass_on(action_id=action.pk, actor=self.actor(self.theo), permission="decide_low")

    def test_what_nobody_else_may_decide_cannot_be_passed_on(self) -> None:
        with pytest.raises(DecisionRefused, match="Nobody else"):
            pass_on(action_id=self.ask("junto.put_billed").pk, actor=self.actor(self.olivia))

    def test_a_token_passes_nothing_on(self) -> None:
        token = Actor.token(self.northwind, token_id=uuid.uuid4(), label="Sync", scopes=frozenset({"signals:read"}))
        with pytest.raises(PermissionDenied):
            pass_on(action_id=self.ask().pk, actor=token)
