"""The claim: what may still run at the last instant, and that it runs once (I1-I4, I16, I17, I20; C12-C15)."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from approvals import execution
from approvals.budgets import MAX_UNATTENDED_AN_HOUR, MAX_WRITES
from approvals.execution import execute_action, reconcile_action
from approvals.models import Action, Origin
from approvals.services import cancel_actions, move_subject, set_mode, set_open_steps, stop_origin
from approvals.sweeps import READ_BACK_AFTER, give_up_stale_claims, ring_forgotten
from approvals.tasks import run_action, sweep_actions
from junto.team.services import deactivate_member, limit_to_companies
from junto.tenants.models import Company
from tests.append_only import approvals_unguarded
from tests.approvals.cases import ApprovalTestCase
from tests.approvals.practice import shelf

State = Action.State


class Claiming(ApprovalTestCase):
    """An action that Oskar approved and that has not been run."""

    def setUp(self) -> None:
        super().setUp()
        self.action = self.decide(self.ask("junto.put_medium"), "approve", self.oskar)

    def end(self) -> Action:
        """What becomes of it."""
        execute_action(self.action.pk)
        return self.now(self.action)

    def assert_withdrawn(self, *, because: str) -> None:
        """It was cancelled for that reason, and nothing left."""
        ended = self.end()
        assert ended.state == State.CANCELLED
        assert because in ended.reason
        assert not shelf.changes

    def test_it_runs_once_however_often_it_is_asked_to(self) -> None:
        for _ in range(3):
            execute_action(self.action.pk)
            run_action.call(str(self.action.pk))
        assert self.now(self.action).state == State.SUCCEEDED
        assert len(shelf.changes) == 1

    def test_its_mark_is_that_of_the_action(self) -> None:
        assert self.end().state == State.SUCCEEDED
        assert shelf.changes[0][2] == f"[ref:{self.action.pk.hex[:12]}]"

    def test_a_demotion_between_approval_and_claim_voids_it(self) -> None:
        self.demote(self.oskar)
        self.assert_withdrawn(because="Oskar Nowak, who approved this, may no longer decide it.")

    def test_a_company_whose_work_ended_gets_nothing_more(self) -> None:
        Company.unscoped.filter(pk=self.harlow.pk).update(is_active=False)
        self.assert_withdrawn(because="Work for Harlow & Beck has ended.")
        assert self.ask("junto.look").state == State.REFUSED

    def test_an_approver_who_left_voids_it(self) -> None:
        deactivate_member(actor=self.actor(self.olivia), membership=self.oskar)
        self.assert_withdrawn(because="may no longer decide")

    def test_an_approver_who_lost_the_company_voids_it(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.oskar, all_companies=False, companies=[self.pinewood]
        )
        self.assert_withdrawn(because="may no longer decide")

    def test_a_tool_switched_off_meanwhile_does_not_run(self) -> None:
        self.policy("junto.put_medium", "disabled", company=self.harlow)
        self.assert_withdrawn(because="switched off")

    def test_a_tool_that_changed_meanwhile_does_not_run(self) -> None:
        with approvals_unguarded():
            Action.unscoped.filter(pk=self.action.pk).update(tool_pin="of another version")
        self.assert_withdrawn(because="The tool changed")

    def test_arguments_changed_behind_the_approval_do_not_run(self) -> None:
        with approvals_unguarded():
            Action.unscoped.filter(pk=self.action.pk).update(
                arguments={"place": "left", "thing": "a bomb", "careful": True}
            )
        self.assert_withdrawn(because="not what was approved")

    def test_a_state_that_nobody_decided_does_not_run(self) -> None:
        with approvals_unguarded():
            self.action.decisions.all().delete()
        self.assert_withdrawn(because="No decision, policy or grant")

    def test_nothing_runs_after_the_session_was_stopped(self) -> None:
        stop_origin(origin=self.origin, actor=self.actor(self.theo), reason="Stop.")
        assert self.end().state == State.CANCELLED
        assert not shelf.changes

    def test_a_stop_that_nobody_cancelled_by_is_seen_by_the_claim_itself(self) -> None:
        Origin.unscoped.filter(pk=self.origin.pk).update(stopped_at=timezone.now(), stop_reason="Stop.")
        self.assert_withdrawn(because="Stop.")

    def test_nothing_runs_in_a_closed_session(self) -> None:
        Origin.unscoped.filter(pk=self.origin.pk).update(closed_at=timezone.now())
        self.assert_withdrawn(because="closed")

    def test_a_ticket_that_moved_to_another_company_takes_everything_along(self) -> None:
        move_subject(organization=self.northwind, subject=self.origin.subject, company=self.pinewood, revision=2)
        self.assert_withdrawn(because="moved to another company")
        assert Origin.unscoped.get(pk=self.origin.pk).stopped_at is not None

    def test_a_newer_revision_alone_is_looked_at_again_and_runs(self) -> None:
        shelf.after_look = lambda: move_subject(
            organization=self.northwind, subject=self.origin.subject, company=self.harlow, revision=2
        )
        looks = shelf.looks
        assert self.end().state == State.SUCCEEDED
        assert shelf.looks - looks == 2

    def test_an_older_revision_is_no_news(self) -> None:
        move_subject(organization=self.northwind, subject=self.origin.subject, company=self.pinewood, revision=0)
        assert self.end().state == State.SUCCEEDED

    def test_what_could_not_run_in_time_is_too_late(self) -> None:
        Action.unscoped.filter(pk=self.action.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        assert self.end().state == State.EXPIRED
        assert not shelf.changes

    def test_the_writes_of_one_run_are_counted_again_at_the_claim(self) -> None:
        self.policy("junto.put_low", "auto")
        assert self.end().state == State.SUCCEEDED
        shelf.changes.clear()
        self.action = self.ask("junto.put_low")
        assert self.action.state == State.APPROVED
        Origin.unscoped.filter(pk=self.origin.pk).update(writes_used=MAX_WRITES)
        self.assert_withdrawn(because="a person decides on any more")

    def test_what_a_person_approved_runs_whatever_the_run_made_before(self) -> None:
        Origin.unscoped.filter(pk=self.origin.pk).update(writes_used=MAX_WRITES)
        assert self.end().state == State.SUCCEEDED

    def test_a_system_that_is_down_fails_it_for_certain(self) -> None:
        shelf.down = True
        failed = self.end()
        assert (failed.state, failed.reason) == (State.FAILED, "The shelf cannot be reached. Nothing was changed.")

    def test_a_lost_bell_is_found_by_the_sweep(self) -> None:
        Action.unscoped.filter(pk=self.action.pk).update(decided_at=timezone.now() - timedelta(seconds=6))
        self.forget_bells()
        sweep_actions.call("")
        assert self.now(self.action).state == State.SUCCEEDED

    def test_withdrawing_leaves_what_already_ended(self) -> None:
        self.end()
        assert cancel_actions(origin=self.origin, actor=self.actor(self.theo), reason="Over.") == 0


class Unattended(ApprovalTestCase):
    """Runs that nobody sits in front of."""

    def test_what_a_runbook_let_run_is_withdrawn_when_its_step_lost_its_turn(self) -> None:
        self.grant()
        ours = self.open("runbook", runbook="rb:3")
        action = self.ask("junto.put_medium", origin=ours)
        assert action.state == State.APPROVED
        set_open_steps(origin=ours, steps=["2"])
        ended = self.now(action)
        assert (ended.state, ended.claimed_at) == (State.CANCELLED, None)
        assert "does not have its turn" in ended.reason

    def test_what_a_runbook_let_run_is_withdrawn_when_a_person_takes_the_run_over(self) -> None:
        self.grant()
        ours = self.open("runbook", runbook="rb:3")
        action = self.ask("junto.put_medium", origin=ours)
        assert action.state == State.APPROVED
        set_mode(origin=ours, mode=Origin.Mode.TRIAGE)
        ended = self.now(action)
        assert (ended.state, ended.claimed_at) == (State.CANCELLED, None)
        assert "A person took the run over" in ended.reason

    def test_unattended_writes_of_an_organization_are_counted_by_the_hour(self) -> None:
        self.grant()
        ours = self.open("runbook", runbook="rb:3")
        action = self.ask("junto.put_medium", origin=ours)
        assert action.state == State.APPROVED
        assert action.state == State.APPROVED
        Action.objects.bulk_create(
            Action(
                organization=self.northwind,
                origin=ours,
                company=self.harlow,
                call_id=f"earlier-{number}",
                tool="junto.put_low",
                category="write",
                digest="",
                title="",
                unattended=True,
                state=State.SUCCEEDED,
                claimed_at=timezone.now(),
            )
            for number in range(MAX_UNATTENDED_AN_HOUR)
        )
        ended = self.now(action)
        assert ended.state == State.CANCELLED
        assert "within an hour" in ended.reason


class Lost(ApprovalTestCase):
    """A worker died between the claim and the save."""

    def setUp(self) -> None:
        super().setUp()
        self.action = self.decide(self.ask(), "approve", self.theo)

    def die(self, *, after_effect: bool) -> Action:
        """As kill -9 leaves it: claimed, and the effect there or not."""
        self.now(self.action)
        if not after_effect:
            shelf.changes.clear()
        Action.unscoped.filter(pk=self.action.pk).update(
            state=State.CLAIMED, claimed_at=timezone.now() - timedelta(minutes=10), finished_at=None, result=None
        )
        self.forget_bells()
        return self.action

    def test_it_becomes_unknown_and_is_never_sent_again(self) -> None:
        self.die(after_effect=True)
        assert give_up_stale_claims() == 1
        lost = Action.unscoped.get(pk=self.action.pk)
        assert lost.state == State.UNKNOWN
        for _ in range(3):
            execute_action(lost.pk)
        assert len(shelf.changes) == 1

    def test_a_claim_that_may_still_be_running_is_left_alone(self) -> None:
        self.die(after_effect=True)
        Action.unscoped.filter(pk=self.action.pk).update(claimed_at=timezone.now() - timedelta(seconds=20))
        assert give_up_stale_claims() == 0

    def test_an_effect_found_by_its_mark_proves_it_done(self) -> None:
        self.die(after_effect=True)
        sweep_actions.call("")
        sweep_actions.call("")
        recovered = self.now(self.action)
        assert recovered.state == State.SUCCEEDED
        assert recovered.evidence.startswith("Recovered: It carries [ref:")
        assert len(shelf.changes) == 1

    def test_an_effect_that_is_not_found_asks_a_person(self) -> None:
        self.die(after_effect=False)
        sweep_actions.call("")
        sweep_actions.call("")
        asked = self.now(self.action)
        assert asked.state == State.UNKNOWN
        assert "Nothing carries its mark." in asked.evidence
        assert not shelf.changes

    def test_a_system_that_cannot_be_asked_leaves_it_unknown(self) -> None:
        self.die(after_effect=True)
        shelf.down = True
        sweep_actions.call("")
        sweep_actions.call("")
        asked = self.now(self.action)
        assert asked.state == State.UNKNOWN
        assert "cannot be reached" in asked.evidence

    def test_it_is_looked_for_a_few_times_and_then_left_to_people(self) -> None:
        self.die(after_effect=False)
        give_up_stale_claims()
        for _ in range(len(READ_BACK_AFTER) + 3):
            Action.unscoped.filter(pk=self.action.pk).update(read_back_at=timezone.now() - timedelta(hours=1))
            ring_forgotten()
            self.drain()
        assert Action.unscoped.get(pk=self.action.pk).read_backs == len(READ_BACK_AFTER)

    def test_looking_for_what_is_not_lost_changes_nothing(self) -> None:
        done = self.now(self.action)
        reconcile_action(done.pk)
        assert self.now(self.action).evidence == ""

    def test_an_interrupted_read_is_read_again(self) -> None:
        read = self.ask("junto.look")
        Action.unscoped.filter(pk=read.pk).update(
            state=State.PROPOSED, result=None, created_at=timezone.now() - timedelta(minutes=1)
        )
        sweep_actions.call("")
        assert self.now(read).result == {"thing": "a blue box"}


class Results(ApprovalTestCase):
    """What comes back is kept whole, or not at all."""

    def test_characters_that_no_database_keeps_are_shown_replaced(self) -> None:
        shelf.things["left"] = "a\x00b\ud800c"
        assert self.ask("junto.look").result == {"thing": "a\ufffdb\ufffdc"}

    def test_an_answer_that_is_too_large_fails_the_read(self) -> None:
        shelf.things["left"] = "x" * (execution.MAX_RESULT_BYTES + 1)
        action = self.ask("junto.look")
        assert (action.state, action.result) == (State.FAILED, None)
        assert "10 MiB" in action.reason
