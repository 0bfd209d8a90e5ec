"""What was asked and what was decided stays as it is; what somebody swaps behind Junto's back does not run (I2, T6)."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from approvals.models import Action, Decision
from junto.audit.models import AppendOnly
from junto.canonical import digest
from tests.append_only import approvals_unguarded
from tests.approvals.cases import ApprovalTestCase, ApprovalTransactionTestCase
from tests.approvals.practice import shelf

State = Action.State


class AppendOnlyTest(ApprovalTestCase):
    action: Action

    def setUp(self) -> None:
        super().setUp()
        self.action = self.ask()
        self.decide(self.action, "deny", self.theo, reason="Not now")

    def decision(self) -> Decision:
        return Decision.objects.for_organization(self.northwind).get()

    def test_a_decision_is_not_saved_twice_nor_deleted(self) -> None:
        with pytest.raises(AppendOnly):
            self.decision().save()
        with pytest.raises(AppendOnly):
            self.decision().delete()

    def test_the_database_refuses_to_change_or_delete_a_decision(self) -> None:
        rows = Decision.objects.for_organization(self.northwind)
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.update(verdict="approve")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            rows.delete()
        assert self.decision().verdict == "deny"

    def test_what_an_action_says_is_never_changed(self) -> None:
        with pytest.raises(AppendOnly):
            self.action.save()
        rows = Action.objects.for_organization(self.northwind)
        for change in ({"arguments": {}}, {"digest": "0" * 64}, {"tool": "junto.look"}, {"company": self.pinewood}):
            with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
                rows.update(**change)


class SwappedTest(ApprovalTransactionTestCase):
    """Somebody with the database's password writes behind Junto's back between the approval and the run."""

    def run_with(self, **changes: object) -> Action:
        action = self.ask()
        self.decide(action, "approve", self.theo)
        with approvals_unguarded():
            Action.unscoped.filter(pk=action.pk).update(**changes)
        return self.now(action)

    def test_arguments_swapped_together_with_their_digest_do_not_run(self) -> None:
        swapped = {"place": "left", "thing": "a crown", "careful": True}
        action = self.run_with(arguments=swapped, digest=digest(swapped))
        assert action.state == State.CANCELLED
        assert not shelf.changes

    def test_another_tool_put_in_the_place_of_the_approved_one_does_not_run(self) -> None:
        other = self.ask("junto.put_high")
        action = self.run_with(tool=other.tool, tool_pin=other.tool_pin)
        assert action.state == State.CANCELLED
        assert not shelf.changes
