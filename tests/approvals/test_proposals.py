"""From a wish to an action: what runs at once, what waits, what is refused, and what is remembered of it."""

from __future__ import annotations

import pytest

from approvals.budgets import MAX_CALLS, MAX_WRITES, renew_budgets
from approvals.models import Action, Origin
from approvals.policy import OUT_OF_TURN
from approvals.services import StaleLease, set_open_steps, take_lease
from junto.audit.services import verify_chain
from junto.canonical import digest
from junto.tenants.actors import Actor
from junto.tenants.permissions import PermissionDenied
from tests.approvals.cases import ApprovalTestCase
from tests.approvals.practice import shelf

State = Action.State


class Proposals(ApprovalTestCase):
    """Theo's session at Harlow & Beck."""

    def test_a_read_runs_at_once_and_keeps_its_whole_answer(self) -> None:
        action = self.ask("junto.look")
        assert (action.state, action.result) == (State.SUCCEEDED, {"thing": "a red box"})
        assert self.verbs(action) == ["action.proposed", "action.succeeded"]

    def test_a_read_of_something_secret_waits_for_a_person(self) -> None:
        action = self.ask("junto.look_inside")
        assert action.state == State.WAITING
        self.decide(action, "approve_session", self.theo)
        assert self.now(action).result == {"thing": "a red box"}

    def test_a_write_waits_with_its_before_and_after_and_touches_nothing(self) -> None:
        action = self.ask("junto.put_low")
        assert action.state == State.WAITING
        assert action.preview["changes"][0] == ["Thing", "a red box", "a blue box"]
        assert self.now(action).state == State.WAITING
        assert not shelf.changes

    def test_arguments_are_frozen_with_their_defaults_before_anybody_sees_them(self) -> None:
        action = self.ask("junto.put_low")
        assert action.arguments == {"place": "left", "thing": "a blue box", "careful": True}
        assert action.digest == digest(action.arguments)

    def test_the_same_call_proposed_again_is_the_same_action(self) -> None:
        first = self.ask("junto.put_low", call_id="1.1")
        again = self.ask("junto.put_low", call_id="1.1", thing="something else")
        assert again.pk == first.pk
        assert again.arguments["thing"] == "a blue box"

    def test_an_unknown_tool_is_refused_and_remembered(self) -> None:
        action = self.ask("junto.put_lоw")  # the o is Cyrillic
        assert action.state == State.REFUSED
        assert "no tool called" in action.reason
        assert self.verbs(action) == ["action.refused"]

    def test_arguments_that_break_the_schema_are_refused_by_name(self) -> None:
        action = self.ask("junto.put_low", thing=["not", "text"], company_id="another")
        assert action.state == State.REFUSED
        assert "thing" in action.reason
        assert "company_id" in action.reason

    def test_arguments_that_no_database_keeps_are_refused(self) -> None:
        assert self.ask("junto.put_low", thing="a\x00b").state == State.REFUSED

    def test_a_target_of_another_company_is_refused(self) -> None:
        action = self.ask("junto.put_low", place="somebody else's")
        assert (action.state, action.reason) == (State.REFUSED, "That is not a place of this company.")

    def test_a_system_that_is_down_fails_the_call_and_says_that_nothing_was_changed(self) -> None:
        shelf.down = True
        action = self.ask("junto.put_low")
        assert action.state == State.FAILED
        assert "Nothing was changed." in action.reason

    def test_a_preparing_session_is_refused_every_write(self) -> None:
        preparing = self.open("prepare")
        assert self.ask("junto.put_low", origin=preparing).state == State.REFUSED
        assert self.ask("junto.look", origin=preparing).state == State.SUCCEEDED

    def test_a_tool_that_is_off_is_refused_without_looking(self) -> None:
        self.policy("junto.put_low", "disabled")
        assert self.ask("junto.put_low").state == State.REFUSED
        assert shelf.looks == 0

    def test_an_automatic_policy_lets_a_write_run_without_a_person(self) -> None:
        self.policy("junto.put_low", "auto")
        action = self.ask("junto.put_low")
        assert action.state == State.APPROVED
        assert self.now(action).state == State.SUCCEEDED
        assert len(shelf.changes) == 1
        assert self.verbs(action) == ["action.approved", "action.claimed", "action.succeeded"]

    def test_a_token_asks_even_where_the_session_was_granted(self) -> None:
        self.decide(self.ask("junto.put_low"), "approve_session", self.theo)
        token = Actor.token(
            self.northwind, token_id=self.harlow.pk, label="Sync", scopes=frozenset({"actions:propose"})
        )
        assert self.ask("junto.put_low", actor=token).state == State.WAITING
        assert self.ask("junto.put_low").state == State.APPROVED

    def test_an_actor_without_the_right_to_propose_is_turned_away(self) -> None:
        reader = Actor.token(self.northwind, token_id=self.harlow.pk, label="BI", scopes=frozenset({"signals:read"}))
        with pytest.raises(PermissionDenied):
            self.ask("junto.look", actor=reader)

    def test_ines_of_southgate_cannot_propose_in_northwinds_session(self) -> None:
        with pytest.raises(PermissionDenied):
            self.ask("junto.look", actor=self.actor(self.ines))

    def test_a_worker_with_an_old_fence_proposes_nothing(self) -> None:
        assert take_lease(self.origin, seconds=20) == 1
        with pytest.raises(StaleLease):
            self.ask("junto.look", fence=0)
        assert not Action.objects.for_organization(self.northwind).exists()

    def test_a_run_that_used_its_calls_parks(self) -> None:
        Origin.unscoped.filter(pk=self.origin.pk).update(calls_used=MAX_CALLS)
        action = self.ask("junto.look")
        assert action.state == State.REFUSED
        assert "parks for a person" in action.reason

    def test_a_run_that_made_its_changes_asks_for_each_further_one_and_may_still_look(self) -> None:
        self.policy("junto.put_low", "auto")
        Origin.unscoped.filter(pk=self.origin.pk).update(writes_used=MAX_WRITES)
        asked = self.ask("junto.put_low")
        assert asked.state == State.WAITING
        assert "a person decides" in asked.why_asked
        assert self.ask("junto.look").state == State.SUCCEEDED
        self.decide(asked, "approve", self.theo)
        assert self.now(asked).state == State.SUCCEEDED

    def test_a_person_who_speaks_renews_calls_and_changes(self) -> None:
        self.policy("junto.put_low", "auto")
        Origin.unscoped.filter(pk=self.origin.pk).update(calls_used=MAX_CALLS, writes_used=MAX_WRITES)
        renew_budgets(origin_id=self.origin.pk, organization=self.northwind)
        assert self.ask("junto.put_low").state == State.APPROVED

    def test_a_runbook_grant_runs_its_one_mention_once_and_only_in_its_own_runbook(self) -> None:
        self.grant()
        ours, other = self.open("runbook", runbook="rb:3"), self.open("runbook", runbook="rb:4")
        assert self.ask("junto.put_medium", origin=other).state == State.WAITING
        assert self.ask("junto.put_medium", origin=ours, thing="anything else").state == State.WAITING
        granted = self.ask("junto.put_medium", origin=ours)
        assert self.now(granted).state == State.SUCCEEDED
        assert self.ask("junto.put_medium", origin=ours).state == State.WAITING

    def test_a_runbook_grant_counts_for_its_own_step_alone_and_while_that_is_open(self) -> None:
        self.grant()
        ours = self.open("runbook", runbook="rb:3")
        for step in ("", "2"):
            assert self.ask("junto.put_medium", origin=ours, step=step).why_asked == OUT_OF_TURN
        set_open_steps(origin=ours, steps=["2"])
        assert self.ask("junto.put_medium", origin=ours).why_asked == OUT_OF_TURN
        set_open_steps(origin=ours, steps=["1", "2"])
        assert self.ask("junto.put_medium", origin=ours).state == State.APPROVED

    def test_an_argument_bound_to_a_fact_runs_with_that_fact_and_with_nothing_a_model_says(self) -> None:
        self.grant(thing={"kind": "fact", "path": "ticket.device"})
        ours, facts = self.open("runbook", runbook="rb:3"), {"ticket.device": "a blue box"}
        assert self.ask("junto.put_medium", origin=ours, facts=facts, thing="another box").state == State.WAITING
        assert self.ask("junto.put_medium", origin=ours).state == State.WAITING
        assert self.ask("junto.put_medium", origin=ours, facts=facts).state == State.APPROVED

    def test_a_grant_is_given_back_when_its_action_failed(self) -> None:
        self.grant()
        ours = self.open("runbook", runbook="rb:3")
        failed = self.ask("junto.put_medium", origin=ours)
        shelf.down = True
        assert self.now(failed).state == State.FAILED
        shelf.down = False
        assert self.ask("junto.put_medium", origin=ours).state == State.APPROVED

    def test_a_grant_ends_when_whoever_issued_it_may_no_longer_decide(self) -> None:
        self.grant()
        self.demote(self.mara)
        assert self.ask("junto.put_medium", origin=self.open("runbook", runbook="rb:3")).state == State.WAITING

    def test_the_audit_chain_holds_after_all_of_it(self) -> None:
        self.now(self.ask("junto.look"))
        self.now(self.decide(self.ask("junto.put_low"), "approve", self.theo))
        assert verify_chain(self.northwind).ok
