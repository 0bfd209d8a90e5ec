"""What people see: facts from stored arguments, hidden characters shown, and the reader's own buttons (I18, T7)."""

from __future__ import annotations

from dataclasses import replace

from django.template.loader import render_to_string

from approvals.cards import ActionCard, action_card, preview_card
from approvals.fields import schema_fields
from approvals.models import Action
from approvals.services import pass_on, preview_change, stop_origin
from integrations.tools import registry
from junto.tenants.models import Membership
from tests.approvals.cases import ApprovalTestCase
from tests.approvals.practice import shelf

State = Action.State


class Cards(ApprovalTestCase):
    """One action, several readers."""

    def card(self, action: Action, reader: Membership) -> ActionCard:
        return action_card(self.now(action), actor=self.actor(reader))

    def test_it_shows_before_and_after_who_sees_it_and_exactly_what_is_sent(self) -> None:
        card = self.card(self.ask(), self.theo)
        assert card.title == "Put something left"
        assert card.changes == [("Thing", "a red box", "a blue box")]  # and nothing thrown away, before as after
        assert card.arguments == [
            ("place", "left", "string"),
            ("thing", "a blue box", "string"),
            ("careful", "true", "boolean"),
        ]
        assert (card.company, card.seen_by, card.undo) == (
            "Harlow & Beck",
            "Whoever walks by.",
            "Put the old thing back.",
        )
        assert card.short_code == f"{card.digest[:4]} {card.digest[4:8]}"
        assert card.ends_at is not None

    def test_a_runbooks_step_is_named_as_its_writer_wrote_it(self) -> None:
        card = replace(self.card(self.ask(), self.theo), runbook_step="Reset a password, version 1, step 8 of 9")
        html = render_to_string("agent/_approval_facts.html", {"card": card})
        assert "<dd>Reset a password, version 1, step 8 of 9</dd>" in html

    def test_hidden_characters_are_written_out(self) -> None:
        shelf.things["left"] = "harm\u202eless"
        card = self.card(self.ask(thing="rm\u200b -rf\x07"), self.theo)
        assert card.changes[0] == ("Thing", "harm[U+202E]less", "rm[U+200B] -rf[U+0007]")
        assert ("thing", "rm[U+200B] -rf[U+0007]", "string") in card.arguments
        assert next(field for field in card.schema_fields if field.name == "thing").value == "rm[U+200B] -rf[U+0007]"

    def test_each_reader_gets_their_own_buttons(self) -> None:
        action = self.ask("junto.put_medium")
        theirs, his = self.card(action, self.oskar), self.card(action, self.theo)
        assert (theirs.may_decide, theirs.may_modify, theirs.may_deny) == (True, True, True)
        assert (his.may_decide, his.may_modify, his.may_deny) == (False, False, True)
        assert his.who_may == "Operators and above may decide."
        assert his.roles_to_pass == [("decide_medium", "Operators and above"), ("decide_high", "Managers and above")]
        assert not his.schema_fields

    def test_who_approved_first_sees_who_is_missing_and_may_take_it_back(self) -> None:
        action = self.ask("junto.put_for_ever")
        self.decide(action, "approve", self.oskar)
        his, hers = self.card(action, self.oskar), self.card(action, self.mara)
        assert (his.may_decide, his.may_modify, his.may_take_back, his.may_deny) == (False, False, True, True)
        assert (hers.may_decide, hers.may_take_back) == (True, False)
        for card in (his, hers):
            assert card.approved_first.startswith("Oskar Nowak approved this at ")
            assert card.approved_first.endswith("one more person must approve it.")
        assert (his.why_not_you, hers.why_not_you) == ("You approved this.", "")
        self.decide(action, "take_back", self.oskar)
        his = self.card(action, self.oskar)
        assert (his.approved_first, his.may_take_back, his.may_decide) == ("", False, False)
        assert his.why_not_you == "You took your approval back."

    def test_both_who_approved_are_named(self) -> None:
        action = self.ask("junto.put_for_ever")
        self.decide(action, "approve", self.oskar)
        self.decide(action, "approve", self.mara)
        card = self.card(action, self.theo)
        assert (card.decision_word, card.decided_by) == ("Approved", f"Oskar Nowak and {self.mara.user.display_name}")

    def test_a_session_is_offered_only_where_the_tool_asks_once(self) -> None:
        assert self.card(self.ask(), self.theo).session_grant_allowed
        high = self.card(self.ask("junto.put_high"), self.mara)
        assert not high.session_grant_allowed
        assert high.session_only_reason
        assert high.needs_target_typed == "Place left"

    def test_a_request_by_hand_says_that_there_is_no_session_to_approve_it_for(self) -> None:
        by_hand = self.ask(origin=self.open("by_hand", kind="by_hand"), actor=self.actor(self.theo))
        card = self.card(by_hand, self.theo)
        assert not card.session_grant_allowed
        assert card.session_only_reason.endswith("this request belongs to none.")

    def test_the_modify_form_has_a_field_for_every_argument(self) -> None:
        fields = {field.name: field for field in self.card(self.ask(), self.theo).schema_fields}
        assert {name: field.kind for name, field in fields.items()} == {
            "place": "string",
            "thing": "text",
            "careful": "boolean",
        }
        assert (fields["place"].required, fields["careful"].required, fields["careful"].value) == (True, False, True)
        assert fields["thing"].help == "What to put there."

    def test_every_tool_there_is_has_fields_for_its_form(self) -> None:
        for tool in registry.all():
            names = [field.name for field in schema_fields(tool.schema, {})]
            assert names == list(tool.arguments.model_fields), tool.name

    def test_each_state_is_told_in_its_own_words(self) -> None:
        waiting = self.ask()
        assert self.card(waiting, self.theo).state_word == "Waiting for a decision"
        denied = self.decide(self.ask(), "deny", self.theo, reason="Not today.")
        card = self.card(denied, self.oskar)
        assert (card.state_word, card.decision_word, card.decided_by) == ("Denied", "Denied", "Theo Okafor")
        assert card.reason == "Not today."
        done = self.card(self.decide(self.ask(), "approve_session", self.theo), self.oskar)
        assert (done.state_word, done.decision_word) == ("Done", "Approved for this session")
        assert done.result == "Put it left."

    def test_one_that_waits_says_what_would_withdraw_it(self) -> None:
        assert self.card(self.ask(), self.theo).withdrawn_when == (
            "If thing changes first, other than by what is approved here, this request is withdrawn and shows what "
            "changed."
        )

    def test_a_drifted_one_says_what_changed(self) -> None:
        action = self.decide(self.ask(), "approve", self.theo)
        shelf.things["left"] = "a yellow box"
        card = self.card(action, self.theo)
        assert card.state_word == "Withdrawn"
        assert card.what_changed == ["Thing was “a red box”, and is now “a yellow box”."]

    def test_one_that_was_changed_says_so(self) -> None:
        action = self.ask()
        changed = {**action.arguments, "thing": "a green box"}
        shown = preview_change(action_id=action.pk, actor=self.actor(self.theo), arguments=changed)
        assert preview_card(shown).changes[0] == ("Thing", "a red box", "a green box")
        version = self.decide(
            action, "approve", self.theo, arguments=changed, digest=shown.digest, target_digest=shown.target_digest
        )
        assert self.card(version, self.theo).decision_word == "Changed and approved"
        assert self.card(action, self.theo).result == "Theo Okafor changed the arguments."

    def test_an_unknown_outcome_asks_those_who_may_settle_it(self) -> None:
        shelf.answerless = True
        action = self.decide(self.ask("junto.put_medium"), "approve", self.oskar)
        theirs, his = self.card(action, self.oskar), self.card(action, self.theo)
        assert (theirs.unknown, theirs.may_settle, his.may_settle) == (True, True, False)
        assert "no answer" in theirs.result

    def test_every_state_can_be_drawn(self) -> None:
        action = self.ask()
        pass_on(action_id=action.pk, actor=self.actor(self.theo))
        stop_origin(origin=self.origin, actor=self.actor(self.theo), reason="Stop.")
        for state in State:
            Action.unscoped.filter(pk=action.pk).update(state=state)
            html = render_to_string("agent/_approval_card.html", {"card": self.card(action, self.theo)})
            assert str(action.pk) in html

    def test_nothing_foreign_is_markup(self) -> None:
        shelf.things["left"] = "<img src=x onerror=alert(1)>"
        card = self.card(self.ask(thing="<script>alert(1)</script>"), self.theo)
        html = render_to_string("agent/_approval_card.html", {"card": card})
        assert "<script>" not in html
        assert "<img" not in html
