"""Whether the agent starts by itself on a new signal: the rule of its board, else the organization's, else prepare."""

from __future__ import annotations

import pytest

from agent.models import AgentSession, StartRule
from agent.start_rules import set_start_rule
from approvals.models import Origin
from junto.bells import ring
from junto.tenants.permissions import PermissionDenied
from signals.models import Board, Signal
from tests.cases import JuntoTestCase
from tests.factories import BoardFactory, SignalFactory


class StartRuleTests(JuntoTestCase):
    """Adam sets the rules."""

    board: Board

    def setUp(self) -> None:
        super().setUp()
        self.board = BoardFactory(organization=self.northwind, name="Alerts")

    def arrive(self, **changes: object) -> list[AgentSession]:
        """A new signal comes in; the sessions that open on it."""
        signal: Signal = SignalFactory(company=self.harlow, board=self.board, **changes)
        ring("signal.changed", str(signal.pk))
        self.drain()
        return list(
            AgentSession.objects.for_organization(self.northwind).filter(signal=signal).select_related("origin")
        )

    def test_a_new_signal_is_prepared_where_no_rule_was_set(self) -> None:
        (session,) = self.arrive()
        assert session.origin.mode == Origin.Mode.PREPARE

    def test_off_means_that_a_person_starts_it(self) -> None:
        set_start_rule(actor=self.actor(self.adam), mode=StartRule.Mode.OFF)
        assert self.arrive() == []

    def test_a_boards_own_rule_goes_before_the_organizations(self) -> None:
        set_start_rule(actor=self.actor(self.adam), mode=StartRule.Mode.OFF)
        set_start_rule(actor=self.actor(self.adam), mode=StartRule.Mode.PREPARE, board=self.board)
        assert len(self.arrive()) == 1

    def test_run_without_a_fitting_runbook_only_prepares(self) -> None:
        set_start_rule(actor=self.actor(self.adam), mode=StartRule.Mode.RUN)
        (session,) = self.arrive()
        assert session.origin.mode == Origin.Mode.PREPARE

    def test_a_signal_that_is_no_longer_new_is_left_alone(self) -> None:
        assert self.arrive(state=Signal.State.RESOLVED) == []

    def test_a_manager_sets_no_rule(self) -> None:
        with pytest.raises(PermissionDenied):
            set_start_rule(actor=self.actor(self.mara), mode=StartRule.Mode.RUN)

    def test_a_rivals_board_is_not_there(self) -> None:
        with pytest.raises(Board.DoesNotExist):
            set_start_rule(actor=self.actor(self.ines), mode=StartRule.Mode.OFF, board=self.board)

    def test_setting_it_again_changes_the_one_rule(self) -> None:
        for mode in (StartRule.Mode.OFF, StartRule.Mode.RUN):
            set_start_rule(actor=self.actor(self.adam), mode=mode)
        assert [rule.mode for rule in StartRule.objects.for_organization(self.northwind)] == ["run"]
