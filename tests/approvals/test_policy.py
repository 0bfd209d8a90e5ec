"""What runs without asking, over every mixture of tools, policies, grants and runs (PRODUCT 7, I1, I8)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from approvals.policy import (
    OUT_OF_TURN,
    Allow,
    Ask,
    EffectivePolicy,
    GrantRule,
    Mode,
    OriginMode,
    PolicyRule,
    Proposal,
    Refuse,
    ToolFacts,
    effective_policy,
    evaluate,
    rules_hold,
)
from integrations.tools import Category, Flag, Risk, default_policy

COMPANIES = ["harlow", "pemberton"]
TOOLS = ["psa.add_note", "psa.close_ticket"]
PINS = ["pin-1", "pin-2"]
ORIGINS = ["session-1", "session-2"]
FACTS = {"ticket.contact": "dana"}
VALUES = st.sampled_from(["a", "b", 1, True, 1.5, None])


@st.composite
def tools(draw: st.DrawFn) -> ToolFacts:
    category = draw(st.sampled_from(Category))
    risk = draw(st.sampled_from(Risk))
    flags = draw(st.frozensets(st.sampled_from(Flag)))
    floor = Mode(default_policy(category, risk, flags))
    stricter = [mode for mode in (Mode.AUTO, Mode.ONCE, Mode.ALWAYS) if mode.strictness >= floor.strictness]
    return ToolFacts(
        name=draw(st.sampled_from(TOOLS)),
        pin=draw(st.sampled_from(PINS)),
        category=category,
        risk=risk,
        flags=flags,
        default=draw(st.sampled_from(stricter)),
    )


proposals = st.builds(
    Proposal,
    tool=tools(),
    arguments=st.dictionaries(st.sampled_from(["text", "user"]), VALUES, max_size=2),
    company=st.sampled_from(COMPANIES),
    origin=st.sampled_from(ORIGINS),
    mode=st.sampled_from(OriginMode),
    runbook=st.sampled_from(["", "rb:1", "rb:2"]),
    step=st.sampled_from(["", "1", "2"]),
    open_steps=st.frozensets(st.sampled_from(["1", "2"])),
    facts=st.dictionaries(st.sampled_from(["ticket.contact"]), VALUES, max_size=1),
    inputs=st.dictionaries(st.sampled_from(["who"]), VALUES, max_size=1),
    by_token=st.booleans(),
    four_eyes=st.booleans(),
)
policies = st.lists(
    st.builds(
        PolicyRule,
        ref=st.uuids().map(str),
        tool=st.sampled_from(TOOLS),
        mode=st.sampled_from(Mode),
        company=st.sampled_from([None, *COMPANIES]),
        never_unattended=st.booleans(),
    ),
    max_size=4,
    unique_by=lambda rule: (rule.tool, rule.company),
)
grants = st.lists(
    st.builds(
        GrantRule,
        ref=st.uuids().map(str),
        kind=st.sampled_from(["session", "runbook", "processor"]),
        tool=st.sampled_from(TOOLS),
        pin=st.sampled_from(PINS),
        company=st.sampled_from([None, *COMPANIES]),
        origin=st.sampled_from([None, *ORIGINS]),
        runbook=st.sampled_from(["", "rb:1", "rb:2"]),
        step=st.sampled_from(["", "1"]),
        rules=st.sampled_from([{}, {"*": {"kind": "any"}}, {"text": {"kind": "constant", "value": "a"}}]),
        left=st.sampled_from([None, 0, 1]),
    ),
    max_size=5,
)

NOTE = ToolFacts(
    name="psa.add_note", pin="pin-1", category=Category.WRITE, risk=Risk.LOW, flags=frozenset(), default=Mode.ONCE
)
IN_TRIAGE = Proposal(tool=NOTE, arguments={"text": "a"}, company="harlow", origin="session-1", mode=OriginMode.TRIAGE)
SESSION_GRANT = GrantRule(ref="g", kind="session", tool=NOTE.name, pin=NOTE.pin, company="harlow", origin="session-1")
RUNBOOK_GRANT = GrantRule(
    ref="g",
    kind="runbook",
    tool=NOTE.name,
    pin=NOTE.pin,
    runbook="rb:1",
    step="1",
    rules={"text": {"kind": "any"}},
    left=1,
)
IN_RUNBOOK = replace(IN_TRIAGE, mode=OriginMode.RUNBOOK, runbook="rb:1", step="1", open_steps=frozenset({"1", "2"}))


def policy(mode: Mode, *, company: str | None = None, never_unattended: bool = False) -> PolicyRule:
    return PolicyRule(
        ref=f"{company}-{mode}", tool=NOTE.name, mode=mode, company=company, never_unattended=never_unattended
    )


@given(proposals, policies, grants)
def test_a_write_runs_unasked_only_by_an_automatic_policy_of_the_organization_or_by_a_grant(
    proposal: Proposal, rules: list[PolicyRule], standing: list[GrantRule]
) -> None:
    verdict = evaluate(proposal, rules, standing)
    if isinstance(verdict, Allow) and not proposal.tool.reads_only:
        by_policy = [rule.ref for rule in rules if rule.mode is Mode.AUTO and rule.company is None]
        assert verdict.ref in ([grant.ref for grant in standing] if verdict.by == "grant" else by_policy)


@given(proposals, policies, grants)
def test_a_grant_lets_run_only_its_own_tool_at_its_pin_for_its_company_in_its_kind_of_run(
    proposal: Proposal, rules: list[PolicyRule], standing: list[GrantRule]
) -> None:
    verdict = evaluate(proposal, rules, standing)
    if not isinstance(verdict, Allow) or verdict.by != "grant":
        return
    grant = next(each for each in standing if each.ref == verdict.ref)
    assert (grant.tool, grant.pin) == (proposal.tool.name, proposal.tool.pin)
    assert grant.company in (None, proposal.company)
    assert grant.left != 0
    if grant.kind == "session":
        assert grant.origin == proposal.origin
        assert effective_policy(proposal.tool, proposal.company, rules).mode is Mode.ONCE
    elif grant.kind == "runbook":
        assert proposal.mode is OriginMode.RUNBOOK
        assert grant.runbook == proposal.runbook != ""
        assert grant.step == proposal.step in proposal.open_steps
    else:
        assert proposal.mode is OriginMode.PROCESSOR


@given(proposals, policies, grants)
def test_a_disabled_tool_never_runs_whatever_else_is_written(
    proposal: Proposal, rules: list[PolicyRule], standing: list[GrantRule]
) -> None:
    if effective_policy(proposal.tool, proposal.company, rules).mode is Mode.DISABLED:
        assert isinstance(evaluate(proposal, rules, standing), Refuse)


@given(proposals, policies, grants)
def test_a_preparing_session_never_writes(
    proposal: Proposal, rules: list[PolicyRule], standing: list[GrantRule]
) -> None:
    if proposal.mode is OriginMode.PREPARE and not proposal.tool.reads_only:
        assert isinstance(evaluate(proposal, rules, standing), Refuse)


@given(proposals, policies, grants)
def test_a_token_runs_only_what_a_policy_runs_by_itself(
    proposal: Proposal, rules: list[PolicyRule], standing: list[GrantRule]
) -> None:
    verdict = evaluate(replace(proposal, by_token=True), rules, standing)
    if isinstance(verdict, Allow):
        assert verdict.by != "grant"
        assert effective_policy(proposal.tool, proposal.company, rules).mode is Mode.AUTO
    if isinstance(verdict, Ask):
        assert not verdict.session_grant


@given(proposals, policies, grants)
def test_what_may_never_run_unattended_is_asked_for_in_an_unattended_run_and_of_a_token(
    proposal: Proposal, rules: list[PolicyRule], standing: list[GrantRule]
) -> None:
    if proposal.unattended and not effective_policy(proposal.tool, proposal.company, rules).unattended:
        assert not isinstance(evaluate(proposal, rules, standing), Allow)


@given(proposals, policies, grants)
def test_rules_of_other_tools_and_companies_change_nothing(
    proposal: Proposal, rules: list[PolicyRule], standing: list[GrantRule]
) -> None:
    mine = [rule for rule in rules if rule.tool == proposal.tool.name and rule.company in (None, proposal.company)]
    assert evaluate(proposal, rules, standing) == evaluate(proposal, mine, standing)


@given(tools(), policies, st.sampled_from(COMPANIES))
def test_a_company_is_never_milder_than_its_organization(
    tool: ToolFacts, rules: list[PolicyRule], company: str
) -> None:
    everywhere = effective_policy(tool, None, rules)
    here = effective_policy(tool, company, rules)
    assert here.mode.strictness >= everywhere.mode.strictness
    assert everywhere.unattended or not here.unattended


LENIENCE = {Allow: 0, Ask: 1, Refuse: 2}


@given(proposals, policies)
def test_tightening_a_company_never_makes_anything_run_that_did_not(
    proposal: Proposal, rules: list[PolicyRule]
) -> None:
    others = [rule for rule in rules if rule.company != proposal.company]
    before = LENIENCE[type(evaluate(proposal, others, []))]
    for mode in Mode:
        tightened = [*others, PolicyRule("t", proposal.tool.name, mode, company=proposal.company)]
        assert LENIENCE[type(evaluate(proposal, tightened, []))] >= before


def test_of_several_reasons_to_ask_high_risk_is_told_first() -> None:
    flags = frozenset({Flag.CLIENT_VISIBLE, Flag.IRREVERSIBLE})
    felt = replace(NOTE, risk=Risk.MEDIUM, flags=flags, default=Mode.ALWAYS)
    for tool, words in ((felt, "The client sees it"), (replace(felt, risk=Risk.HIGH), "High risk is always asked")):
        verdict = evaluate(replace(IN_TRIAGE, tool=tool), [], [])
        assert isinstance(verdict, Ask)
        assert words in verdict.reason


def test_an_internal_low_risk_write_asks_once_a_session() -> None:
    verdict = evaluate(IN_TRIAGE, [], [])
    assert isinstance(verdict, Ask)
    assert verdict.session_grant


def test_a_session_grant_covers_other_arguments_in_its_session() -> None:
    assert evaluate(replace(IN_TRIAGE, arguments={"text": "other"}), [], [SESSION_GRANT]) == Allow("grant", "g")


def test_a_session_grant_says_nothing_in_another_session() -> None:
    assert isinstance(evaluate(replace(IN_TRIAGE, origin="session-2"), [], [SESSION_GRANT]), Ask)


def test_a_session_grant_ends_when_the_tool_is_set_to_always_ask() -> None:
    assert isinstance(evaluate(IN_TRIAGE, [policy(Mode.ALWAYS)], [SESSION_GRANT]), Ask)


def test_a_session_grant_ends_when_the_tool_changes() -> None:
    changed = replace(IN_TRIAGE, tool=replace(NOTE, pin="pin-2"))
    assert isinstance(evaluate(changed, [], [SESSION_GRANT]), Ask)


def test_an_admin_may_let_an_internal_note_run_by_itself() -> None:
    verdict = evaluate(IN_TRIAGE, [policy(Mode.AUTO)], [])
    assert verdict == Allow("policy", "None-auto")


def test_an_automatic_policy_does_not_let_an_unattended_run_write_beyond_its_grants() -> None:
    assert isinstance(evaluate(IN_RUNBOOK, [policy(Mode.AUTO)], []), Ask)


def test_a_company_policy_cannot_let_run_what_the_organization_asks_for() -> None:
    assert isinstance(evaluate(IN_TRIAGE, [policy(Mode.AUTO, company="harlow")], []), Ask)


def test_a_runbook_grant_overrides_always_ask_in_its_own_runbook() -> None:
    assert evaluate(IN_RUNBOOK, [policy(Mode.ALWAYS)], [RUNBOOK_GRANT]) == Allow("grant", "g")


def test_a_runbook_grant_of_another_version_covers_nothing() -> None:
    assert isinstance(evaluate(replace(IN_RUNBOOK, runbook="rb:2"), [], [RUNBOOK_GRANT]), Ask)


def test_a_runbook_grant_covers_its_own_step_and_only_while_that_is_open() -> None:
    for elsewhere in ({"step": "2"}, {"step": ""}, {"open_steps": frozenset({"2"})}):
        verdict = evaluate(replace(IN_RUNBOOK, **elsewhere), [], [RUNBOOK_GRANT])
        assert verdict == Ask(OUT_OF_TURN, session_grant=True)


def test_a_runbook_grant_of_no_step_covers_nothing() -> None:
    no_step = replace(RUNBOOK_GRANT, step="")
    assert isinstance(evaluate(replace(IN_RUNBOOK, step=""), [], [no_step]), Ask)


def test_a_runbook_grant_that_is_used_up_covers_nothing() -> None:
    assert isinstance(evaluate(IN_RUNBOOK, [], [replace(RUNBOOK_GRANT, left=0)]), Ask)


def test_never_unattended_beats_a_runbook_grant() -> None:
    rules = [policy(Mode.ONCE, never_unattended=True)]
    assert isinstance(evaluate(IN_RUNBOOK, rules, [RUNBOOK_GRANT]), Ask)


def test_the_source_of_a_policy_is_told() -> None:
    rules = [policy(Mode.AUTO), policy(Mode.ALWAYS, company="harlow")]
    assert effective_policy(NOTE, "harlow", rules) == EffectivePolicy(Mode.ALWAYS, "company", True, "harlow-always")
    assert effective_policy(NOTE, "pemberton", rules) == EffectivePolicy(Mode.AUTO, "organization", True, "None-auto")


@pytest.mark.parametrize(
    ("rule", "value", "holds"),
    [
        ({"kind": "constant", "value": "a"}, "a", True),
        ({"kind": "constant", "value": "a"}, "b", False),
        ({"kind": "constant", "value": 1}, True, False),
        ({"kind": "fact", "path": "ticket.contact"}, "dana", True),
        ({"kind": "fact", "path": "ticket.contact"}, "mallory", False),
        ({"kind": "fact", "path": "ticket.device"}, "dana", False),
        ({"kind": "fact"}, "dana", False),
        ({"kind": "input", "name": "who"}, "robin", True),
        ({"kind": "input", "name": "who"}, "dana", False),
        ({"kind": "input", "name": "ticket.contact"}, "dana", False),
        ({"kind": "enum", "values": ["x", "y"]}, "y", True),
        ({"kind": "enum", "values": ["x", "y"]}, "z", False),
        ({"kind": "text", "max_length": 3}, "abc", True),
        ({"kind": "text", "max_length": 3}, "abcd", False),
        ({"kind": "any"}, {"deep": [1]}, True),
        ({"kind": "unheard of"}, "a", False),
    ],
)
def test_each_argument_is_held_against_its_rule(rule: dict, value: object, holds: bool) -> None:
    assert rules_hold({"user": rule}, {"user": value}, facts=FACTS, inputs={"who": "robin"}) is holds


def test_an_argument_without_a_rule_is_not_covered() -> None:
    assert not rules_hold({"user": {"kind": "any"}}, {"user": "dana", "cc": "mallory"}, facts={}, inputs={})


def test_a_bound_argument_must_not_be_left_out() -> None:
    assert not rules_hold({"user": {"kind": "constant", "value": "dana"}}, {}, facts={}, inputs={})


@pytest.mark.parametrize(
    ("known", "holds"),
    [
        ({"board": "1", "sure": 0.7}, True),
        ({"board": "2", "sure": 0.7}, False),
        ({"board": "1", "sure": 0.69}, False),
        ({"board": "1", "sure": True}, False),
        ({"sure": 0.9}, False),
    ],
)
def test_a_grants_conditions_are_on_what_the_server_knows(known: dict[str, JsonValue], holds: bool) -> None:
    rules: dict[str, dict[str, JsonValue]] = {
        "type": {"kind": "enum", "values": [3]},
        "?board": {"kind": "among", "path": "board", "values": ["1"]},
        "?sure": {"kind": "at_least", "path": "sure", "value": 0.7},
    }
    assert rules_hold(rules, {"type": 3}, facts=known, inputs={}) is holds
    assert not rules_hold({**rules, "?what": {"kind": "unknown"}}, {"type": 3}, facts=known, inputs={})
