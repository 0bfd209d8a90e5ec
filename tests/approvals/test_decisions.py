"""A person's word: who may give it, on what, and what it does (PRODUCT 7; I2, I4, I5, T6, T7, T8)."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from approvals.models import Action, Decision, Grant
from approvals.services import (
    AlreadyDecided,
    DecisionRefused,
    DigestMismatch,
    Drifted,
    Expired,
    InvalidArguments,
    NoReason,
    NotForSession,
    NotYours,
    PolicyForbids,
    PreviewFailed,
    TargetNotTyped,
    decide_action,
    pass_on,
    preview_change,
    settle_action,
    stop_origin,
    waiting_for,
)
from approvals.sweeps import expire_actions
from junto.inbox.services import notices_of
from junto.team.services import limit_to_companies, set_billing_tools
from junto.tenants.actors import Actor
from tests.approvals.cases import ApprovalTestCase, as_shown
from tests.approvals.practice import shelf

State = Action.State
CAST = ("olivia", "adam", "mara", "oskar", "theo")
MAY = {
    "junto.put_low": {"olivia", "adam", "mara", "oskar", "theo"},
    "junto.run_low": {"olivia", "adam", "mara", "oskar", "theo"},
    "junto.put_for_client": {"olivia", "adam", "mara", "oskar", "theo"},
    "junto.put_medium": {"olivia", "adam", "mara", "oskar"},
    "junto.put_high": {"olivia", "adam", "mara"},
    "junto.put_billed": {"olivia"},  # an owner begins with the billing flag, nobody else does
}


class Deciding(ApprovalTestCase):
    """Theo's session; everybody of Northwind around it."""

    def test_each_role_approves_exactly_the_risks_of_its_row(self) -> None:
        for tool, allowed in MAY.items():
            for name in CAST:
                action = self.ask(tool)
                try:
                    self.decide(action, "approve", getattr(self, name), target="Place left")
                    decided = True
                except NotYours:
                    decided = False
                assert decided is (name in allowed), f"{name} on {tool}"

    def test_each_role_changes_exactly_the_risks_of_its_row(self) -> None:
        for tool, allowed in MAY.items():
            for name in CAST:
                action = self.ask(tool)
                try:
                    preview_change(
                        action_id=action.pk, actor=self.actor(getattr(self, name)), arguments=action.arguments
                    )
                    shown = True
                except NotYours:
                    shown = False
                assert shown is (name in allowed), f"{name} on {tool}"

    def test_everybody_who_may_run_the_session_may_deny(self) -> None:
        for tool in MAY:
            for name in CAST:
                denied = self.decide(self.ask(tool), "deny", getattr(self, name), reason="No.")
                assert denied.state == State.DENIED

    def test_the_billing_flag_lets_a_member_decide_what_is_billed(self) -> None:
        set_billing_tools(actor=self.actor(self.olivia), membership=self.theo, allowed=True)
        assert self.decide(self.ask("junto.put_billed"), "approve", self.theo).state == State.APPROVED

    def test_a_member_limited_to_other_companies_does_not_find_the_request(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.pinewood]
        )
        with pytest.raises(Action.DoesNotExist):
            self.decide(self.ask(), "approve", self.theo)

    def test_ines_of_southgate_does_not_find_the_request(self) -> None:
        action = self.ask()
        for verdict in ("approve", "deny"):
            with pytest.raises(Action.DoesNotExist):
                self.decide(action, verdict, self.ines)
        with pytest.raises(Action.DoesNotExist):
            preview_change(action_id=action.pk, actor=self.actor(self.ines), arguments={})
        with pytest.raises(Action.DoesNotExist):
            pass_on(action_id=action.pk, actor=self.actor(self.ines))

    def test_an_action_that_never_was_is_not_found(self) -> None:
        action = self.ask()
        action.pk = uuid.uuid4()
        with pytest.raises(Action.DoesNotExist):
            self.decide(action, "approve", self.theo)

    def test_no_token_and_no_worker_decides(self) -> None:
        action = self.ask()
        scopes = frozenset({"sessions:read", "sessions:start", "actions:propose"})
        token = Actor.token(self.northwind, token_id=uuid.uuid4(), label="Sync", scopes=scopes)
        for actor in (token, Actor.system("agent", self.northwind)):
            for verdict in ("approve", "deny"):
                with pytest.raises(NotYours):
                    decide_action(action_id=action.pk, actor=actor, verdict=verdict, digest=action.digest)
        assert self.now(action).state == State.WAITING

    def test_what_was_approved_runs_once_and_byte_for_byte(self) -> None:
        action = self.ask(thing="caf\u00e9 \u202e and more")
        self.decide(action, "approve", self.theo)
        done = self.now(action)
        assert done.state == State.SUCCEEDED
        assert [change[:2] for change in shelf.changes] == [("left", "caf\u00e9 \u202e and more")]
        assert self.verbs(action) == ["action.waiting", "action.approved", "action.claimed", "action.succeeded"]

    def test_a_denial_keeps_its_reason_and_changes_nothing(self) -> None:
        action = self.ask()
        self.decide(action, "deny", self.theo, reason="Wait for Friday.")
        denied = self.now(action)
        assert (denied.state, denied.reason) == (State.DENIED, "Wait for Friday.")
        assert not shelf.changes

    def test_a_denial_without_a_reason_is_refused_and_the_request_waits_on(self) -> None:
        action = self.ask()
        for reason in ("", "  \n", "\u200b\x00"):
            with pytest.raises(NoReason, match="Say why"):
                self.decide(action, "deny", self.theo, reason=reason)
        assert self.now(action).state == State.WAITING
        assert self.verbs(action) == ["action.waiting"]

    def test_another_digest_than_the_stored_one_is_refused(self) -> None:
        action = self.ask()
        for verdict in ("approve", "deny"):
            for wrong in ("", "0" * 64, action.digest[:-1], action.digest + "0", "é"):
                with pytest.raises(DigestMismatch):
                    self.decide(action, verdict, self.theo, digest=wrong)
        assert self.now(action).state == State.WAITING

    def test_the_second_to_press_learns_who_was_first(self) -> None:
        action = self.ask()
        self.decide(action, "approve", self.oskar)
        with pytest.raises(AlreadyDecided, match="Oskar Nowak approved this"):
            self.decide(action, "deny", self.theo)
        assert Decision.objects.for_organization(self.northwind).filter(action=action).count() == 1

    def test_a_request_that_waited_too_long_is_decided_no_more(self) -> None:
        action = self.ask()
        Action.unscoped.filter(pk=action.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        for verdict in ("approve", "deny"):
            with pytest.raises(Expired):
                self.decide(action, verdict, self.theo, reason="Too late.")
        assert expire_actions() == 1
        assert self.now(action).state == State.EXPIRED
        with pytest.raises(Expired):
            self.decide(action, "approve", self.theo)

    def test_a_stopped_session_takes_its_requests_along(self) -> None:
        action = self.ask()
        stop_origin(origin=self.origin, actor=self.actor(self.theo), reason="Enough.")
        with pytest.raises(AlreadyDecided, match="Enough"):
            self.decide(action, "approve", self.theo)

    def test_a_tool_switched_off_meanwhile_is_approved_by_nobody(self) -> None:
        action = self.ask()
        self.policy("junto.put_low", "disabled")
        with pytest.raises(PolicyForbids):
            self.decide(action, "approve", self.olivia)

    def test_a_high_risk_action_asks_for_its_targets_name(self) -> None:
        action = self.ask("junto.put_high")
        for typed in ("", "Place right"):
            with pytest.raises(TargetNotTyped):
                self.decide(action, "approve", self.mara, target=typed)
        assert self.decide(action, "approve", self.mara, target=" place LEFT ").state == State.APPROVED

    def test_what_waits_for_a_member_is_what_the_member_may_decide(self) -> None:
        low, medium = self.ask("junto.put_low"), self.ask("junto.put_medium")
        assert [each.pk for each in waiting_for(self.actor(self.theo))] == [low.pk]
        assert [each.pk for each in waiting_for(self.actor(self.oskar))] == [low.pk, medium.pk]
        assert not waiting_for(self.actor(self.ines)).exists()

    def test_what_waits_for_a_member_follows_the_same_rule_as_the_buttons(self) -> None:
        asked = {tool: self.ask(tool).pk for tool in MAY}
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.adam, all_companies=False, companies=[self.pinewood]
        )
        for name in CAST:
            waits = set(waiting_for(self.actor(getattr(self, name))).values_list("pk", flat=True))
            may = {asked[tool] for tool, allowed in MAY.items() if name in allowed} if name != "adam" else set()
            assert waits == may, name


class ForTheSession(ApprovalTestCase):
    """Once a session: approving is the grant."""

    def test_after_it_the_tool_runs_with_other_arguments_in_this_session_alone(self) -> None:
        self.now(self.decide(self.ask(), "approve_session", self.theo))
        assert self.now(self.ask(thing="a green box")).state == State.SUCCEEDED
        assert self.ask(origin=self.open()).state == State.WAITING
        assert self.ask("junto.run_low").state == State.WAITING

    def test_only_this_one_grants_nothing(self) -> None:
        self.decide(self.ask(), "approve", self.theo)
        assert self.ask().state == State.WAITING

    def test_a_tool_that_always_asks_cannot_be_approved_for_a_session(self) -> None:
        for tool in ("junto.put_high", "junto.put_for_client"):
            action = self.ask(tool)
            with pytest.raises(NotForSession):
                self.decide(action, "approve_session", self.olivia, target="Place left")
        assert not Grant.objects.for_organization(self.northwind).exists()

    def test_changed_and_approved_for_the_session_grants_too(self) -> None:
        action = self.ask()
        changed = {**action.arguments, "thing": "a green box"}
        shown = preview_change(action_id=action.pk, actor=self.actor(self.theo), arguments=changed)
        self.decide(action, "approve_session", self.theo, **as_shown(shown))
        assert self.ask().state == State.APPROVED

    def test_the_grant_ends_when_whoever_gave_it_may_no_longer_decide(self) -> None:
        self.decide(self.ask("junto.put_medium"), "approve_session", self.oskar)
        assert self.ask("junto.put_medium").state == State.APPROVED
        self.demote(self.oskar)
        assert self.ask("junto.put_medium").state == State.WAITING

    def test_a_company_that_always_asks_ends_it(self) -> None:
        self.decide(self.ask(), "approve_session", self.theo)
        self.policy("junto.put_low", "always", company=self.harlow)
        assert self.ask().state == State.WAITING


class Changing(ApprovalTestCase):
    """Modify the arguments, see what they would do, approve them."""

    def test_the_changed_arguments_run_and_the_asked_ones_are_superseded(self) -> None:
        action = self.ask()
        changed = {**action.arguments, "thing": "a green box"}
        shown = preview_change(action_id=action.pk, actor=self.actor(self.theo), arguments=changed)
        assert shown.preview.changes[0] == ("Thing", "a red box", "a green box")
        version = self.decide(action, "approve", self.theo, **as_shown(shown))
        assert (version.replaces_id, version.call_id) == (action.pk, action.call_id)
        assert self.now(version).state == State.SUCCEEDED
        assert self.now(action).state == State.SUPERSEDED
        assert [thing for _, thing, _ in shelf.changes] == ["a green box"]
        decision = Decision.objects.for_organization(self.northwind).get()
        assert (decision.action_id, decision.digest, decision.modified) == (version.pk, shown.digest, True)

    def test_arguments_that_break_the_schema_name_their_field_and_change_nothing(self) -> None:
        action = self.ask()
        bad = {**action.arguments, "thing": 7, "company": "another"}
        with pytest.raises(InvalidArguments) as refused:
            preview_change(action_id=action.pk, actor=self.actor(self.theo), arguments=bad)
        assert refused.value.fields == {"thing": "Must be text.", "company": "Is nothing that this tool takes."}
        with pytest.raises(InvalidArguments):
            self.decide(action, "approve", self.theo, arguments=bad)
        assert self.now(action).state == State.WAITING

    def test_the_digest_of_what_was_asked_does_not_approve_what_was_changed(self) -> None:
        action = self.ask()
        with pytest.raises(DigestMismatch):
            self.decide(action, "approve", self.theo, arguments={**action.arguments, "thing": "a green box"})

    def test_a_change_is_refused_when_the_target_changed_after_it_was_shown(self) -> None:
        action = self.ask()
        changed = {**action.arguments, "thing": "a green box"}
        shown = preview_change(action_id=action.pk, actor=self.actor(self.theo), arguments=changed)
        shelf.things["left"] = "a crown"
        with pytest.raises(Drifted, match="Show it again"):
            self.decide(action, "approve", self.theo, **as_shown(shown))
        assert self.now(action).state == State.WAITING
        assert not shelf.changes
        again = preview_change(action_id=action.pk, actor=self.actor(self.theo), arguments=changed)
        assert self.decide(action, "approve", self.theo, **as_shown(again)).state == State.APPROVED

    def test_a_change_is_not_approved_without_the_target_that_was_shown(self) -> None:
        action = self.ask()
        changed = {**action.arguments, "thing": "a green box"}
        shown = preview_change(action_id=action.pk, actor=self.actor(self.theo), arguments=changed)
        with pytest.raises(Drifted):
            self.decide(action, "approve", self.theo, arguments=changed, digest=shown.digest)

    def test_a_change_to_another_companys_target_is_refused(self) -> None:
        action = self.ask()
        with pytest.raises(PreviewFailed, match="not a place of this company"):
            preview_change(
                action_id=action.pk,
                actor=self.actor(self.theo),
                arguments={**action.arguments, "place": "somebody else's"},
            )

    def test_the_same_arguments_again_are_no_change(self) -> None:
        action = self.ask()
        approved = self.decide(action, "approve", self.theo, arguments=action.arguments)
        assert approved.pk == action.pk

    def test_two_people_changing_at_once_give_one_version(self) -> None:
        action = self.ask()
        self.decide(action, "approve", self.oskar)
        with pytest.raises(AlreadyDecided):
            self.decide(action, "approve", self.theo, arguments={**action.arguments, "thing": "a green box"})


class Settling(ApprovalTestCase):
    """An outcome that nobody knows is settled by a person's word."""

    def lost(self, tool: str = "junto.put_low") -> Action:
        """An approved put that got no answer."""
        shelf.answerless = True
        action = self.ask(tool)
        self.decide(action, "approve", self.olivia, target="Place left")
        return self.now(action)

    def test_a_call_without_an_answer_is_unknown_and_tells_who_approved(self) -> None:
        action = self.lost()
        assert action.state == State.UNKNOWN
        assert notices_of(self.olivia).get().title.startswith("Outcome unknown")
        assert [each.pk for each in waiting_for(self.actor(self.theo))] == [action.pk]

    def test_a_person_settles_it_with_what_they_saw(self) -> None:
        action = self.lost()
        settle_action(action_id=action.pk, actor=self.actor(self.theo), done=True, evidence="It stands there, 14:12.")
        settled = self.now(action)
        assert (settled.state, settled.settled_done) == (State.SETTLED, True)
        assert "It stands there" in settled.evidence
        with pytest.raises(AlreadyDecided):
            settle_action(action_id=action.pk, actor=self.actor(self.oskar), done=False, evidence="No, it does not.")

    def test_settling_needs_the_right_to_decide_and_evidence(self) -> None:
        action = self.lost("junto.put_medium")
        with pytest.raises(NotYours):
            settle_action(action_id=action.pk, actor=self.actor(self.theo), done=True, evidence="Seen.")
        with pytest.raises(DecisionRefused):
            settle_action(action_id=action.pk, actor=self.actor(self.oskar), done=True, evidence="  ")
        with pytest.raises(Action.DoesNotExist):
            settle_action(action_id=action.pk, actor=self.actor(self.ines), done=True, evidence="Seen.")


class Drifting(ApprovalTestCase):
    """The target changed between the question and the answer."""

    def test_what_changed_meanwhile_voids_the_request_and_is_told(self) -> None:
        action = self.ask()
        shelf.things["left"] = "a yellow box"
        self.decide(action, "approve", self.theo)
        drifted = self.now(action)
        assert drifted.state == State.DRIFTED
        assert drifted.reason == "Thing was “a red box”, and is now “a yellow box”."
        assert not shelf.changes
        with pytest.raises(Drifted, match="yellow"):
            self.decide(action, "approve", self.mara)
