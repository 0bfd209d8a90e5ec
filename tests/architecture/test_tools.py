"""Every tool that changes something asks a person wherever neither a policy nor a grant speaks (PRODUCT 7)."""

from __future__ import annotations

import itertools

import pytest

from approvals.policy import Allow, Ask, OriginMode, Proposal, ToolFacts, evaluate
from integrations.tools import AnyTool, Category, DefaultPolicy, Flag, Risk, registry
from integrations.vendors import VENDORS


def tools(*categories: Category) -> list[AnyTool]:
    """Registered tools of these categories."""
    return [tool for tool in registry.all() if tool.category in categories]


def proposal(tool: AnyTool, mode: OriginMode, *, by_token: bool = False) -> Proposal:
    return Proposal(tool=ToolFacts.of(tool), arguments={}, company="harlow", origin="1", mode=mode, by_token=by_token)


def test_there_are_tools_of_every_vendor() -> None:
    assert set(VENDORS) <= {tool.name.partition(".")[0] for tool in registry.all()}
    assert tools(Category.READ)
    assert tools(Category.WRITE)


@pytest.mark.parametrize("tool", tools(Category.WRITE, Category.EXECUTE), ids=lambda tool: tool.name)
def test_a_tool_that_changes_something_never_runs_by_itself(tool: AnyTool) -> None:
    for mode, by_token in itertools.product(OriginMode, (False, True)):
        verdict = evaluate(proposal(tool, mode, by_token=by_token), policies=[], grants=[])
        assert not isinstance(verdict, Allow), f"{mode} {'token' if by_token else 'person'}"


@pytest.mark.parametrize("tool", tools(Category.WRITE, Category.EXECUTE), ids=lambda tool: tool.name)
def test_where_somebody_sits_in_front_it_asks(tool: AnyTool) -> None:
    for mode in (OriginMode.TRIAGE, OriginMode.BY_HAND):
        assert isinstance(evaluate(proposal(tool, mode), policies=[], grants=[]), Ask)


@pytest.mark.parametrize("tool", tools(Category.WRITE, Category.EXECUTE), ids=lambda tool: tool.name)
def test_approval_for_a_session_is_offered_for_harmless_writes_only(tool: AnyTool) -> None:
    verdict = evaluate(proposal(tool, OriginMode.TRIAGE), policies=[], grants=[])
    assert isinstance(verdict, Ask)
    harmful = {Flag.CLIENT_VISIBLE, Flag.IRREVERSIBLE, Flag.BILLING_EFFECT}
    if tool.risk is Risk.HIGH or tool.flags & harmful:
        assert not verdict.session_grant


@pytest.mark.parametrize("tool", tools(Category.READ), ids=lambda tool: tool.name)
def test_a_look_up_runs_by_itself_unless_its_answer_is_a_secret_or_it_says_so(tool: AnyTool) -> None:
    verdict = evaluate(proposal(tool, OriginMode.TRIAGE), policies=[], grants=[])
    assert isinstance(verdict, Ask if Flag.SECRET in tool.flags or tool.policy is not DefaultPolicy.AUTO else Allow)


@pytest.mark.parametrize("tool", registry.all(), ids=lambda tool: tool.name)
def test_a_tool_declares_all_that_a_person_needs(tool: AnyTool) -> None:
    vendor, _, verb = tool.name.partition(".")
    assert vendor in {*VENDORS, "junto"}
    assert "_" in verb or tool.category is Category.READ, "vendor.verb_noun"
    assert tool.description.endswith(".")
    assert len(tool.pin) == 64
    if tool.category is not Category.READ:
        assert tool.preview is not None, "a change has a before and an after"
