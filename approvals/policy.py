"""What may run without asking, as pure functions of what was proposed and what was written down before (PRODUCT 7).

Precedence: disabled > never unattended > grant > company policy > organization policy > the tool's own declaration.
No database, no clock: the caller brings only rules in force now (not revoked, not expired, issuer still entitled).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, Self

from pydantic import JsonValue

from integrations.tools import AnyTool, Category, Flag, Risk

#: Why a call is asked for that a runbook's grant would cover at its own step.
OUT_OF_TURN = "The runbook lets this run only at its own step, and that does not have its turn now."
#: The argument name under which a grant's rule for every argument it does not name stands.
ANY_OTHER_ARGUMENT = "*"
#: What the name of a rule begins with that is no argument's: a condition on what the server knows.
CONDITION = "?"


class Mode(StrEnum):
    """What a tool may do without asking; the values of `ApprovalPolicy.Mode`, mildest first."""

    AUTO = "auto"
    ONCE = "once"
    ALWAYS = "always"
    DISABLED = "disabled"

    @property
    def strictness(self) -> int:
        """0 for the mildest."""
        return list(Mode).index(self)


class OriginMode(StrEnum):
    """In what kind of run the call was proposed; the values of `Origin.Mode`."""

    PREPARE = "prepare"
    TRIAGE = "triage"
    RUNBOOK = "runbook"
    PROCESSOR = "processor"
    BY_HAND = "by_hand"

    @property
    def unattended(self) -> bool:
        """Whether nobody sits in front of such a run."""
        return self in (OriginMode.RUNBOOK, OriginMode.PROCESSOR)


@dataclass(frozen=True)
class ToolFacts:
    """What a tool declares of itself. `default` = how often it asks where no Admin said otherwise."""

    name: str
    pin: str
    category: Category
    risk: Risk
    flags: frozenset[Flag]
    default: Mode

    @classmethod
    def of(cls, tool: AnyTool) -> Self:
        """The facts of a registered tool."""
        return cls(
            name=tool.name,
            pin=tool.pin,
            category=tool.category,
            risk=tool.risk,
            flags=tool.flags,
            default=Mode(tool.policy),
        )

    @property
    def reads_only(self) -> bool:
        """Whether running it changes nothing at the vendor."""
        return self.category is Category.READ


@dataclass(frozen=True)
class Proposal:
    """One call that somebody wants to make.

    `runbook` is the pinned version (`<id>:<number>`) in runbook mode, `step` the key of the step that the call is made
    for, `open_steps` the keys of those whose turn it is. `facts` (by path) and `inputs` (by name) are what
    the server itself knows of the signal and the run: a bound argument is held against them. `four_eyes` = two people
    must agree.
    """

    tool: ToolFacts
    arguments: Mapping[str, JsonValue]
    company: str
    origin: str
    mode: OriginMode
    runbook: str = ""
    step: str = ""
    open_steps: frozenset[str] = frozenset()
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    inputs: Mapping[str, JsonValue] = field(default_factory=dict)
    by_token: bool = False
    four_eyes: bool = False

    @property
    def unattended(self) -> bool:
        """Whether nobody sits in front of it: a program that holds a token is no person."""
        return self.mode.unattended or self.by_token


@dataclass(frozen=True)
class PolicyRule:
    """An Admin's word on one tool; `company` None = the whole organization."""

    ref: str
    tool: str
    mode: Mode
    company: str | None = None
    never_unattended: bool = False


@dataclass(frozen=True)
class GrantRule:
    """A standing approval in force. `left` = how often it may still be used in this origin, None = any number.

    `step`: of a runbook its step, of a processor which one.
    """

    ref: str
    kind: Literal["session", "runbook", "processor"]
    tool: str
    pin: str
    company: str | None = None
    origin: str | None = None
    runbook: str = ""
    step: str = ""
    rules: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    left: int | None = None


@dataclass(frozen=True)
class Allow:
    """It may run now. `by` says what decided; `ref` is that row's id, empty for the tool's own declaration."""

    by: Literal["default", "policy", "grant"]
    ref: str = ""


@dataclass(frozen=True)
class Ask:
    """A person decides. `session_grant` = approving may cover the same tool for the rest of the session."""

    reason: str
    session_grant: bool = False


@dataclass(frozen=True)
class Refuse:
    """It does not run, whoever agrees."""

    reason: str


Verdict = Allow | Ask | Refuse


@dataclass(frozen=True)
class EffectivePolicy:
    """What is in force for one tool at one company. `source` says where it came from, `ref` which row."""

    mode: Mode
    source: Literal["tool", "organization", "company"]
    unattended: bool = True
    ref: str = ""


def effective_policy(tool: ToolFacts, company: str | None, policies: Iterable[PolicyRule]) -> EffectivePolicy:
    """The policy in force for `tool` at `company` (None: for the organization as a whole).

    The organization's row overrides the declaration; the company's row only tightens what it finds.
    """
    mine = [rule for rule in policies if rule.tool == tool.name and rule.company in (None, company)]
    found = EffectivePolicy(mode=tool.default, source="tool")
    for rule in (rule for rule in mine if rule.company is None):
        found = EffectivePolicy(mode=rule.mode, source="organization", ref=rule.ref)
    for rule in (rule for rule in mine if rule.company is not None):
        if rule.mode.strictness > found.mode.strictness:
            found = EffectivePolicy(mode=rule.mode, source="company", ref=rule.ref)
    unattended = not any(rule.never_unattended for rule in mine)
    return EffectivePolicy(mode=found.mode, source=found.source, unattended=unattended, ref=found.ref)


def evaluate(proposal: Proposal, policies: Iterable[PolicyRule], grants: Iterable[GrantRule]) -> Verdict:
    """Whether `proposal` may run, must be asked for, or never runs. Rules of other tools and companies say nothing."""
    tool = proposal.tool
    policy = effective_policy(tool, proposal.company, policies)
    if policy.mode is Mode.DISABLED:
        return Refuse(f"{tool.name} is switched off here by your {_place(policy)}.")
    if proposal.mode is OriginMode.PREPARE and not tool.reads_only:
        return Refuse("This session only prepares: it looks things up and reports, and changes nothing.")
    if proposal.unattended and not policy.unattended:
        return Ask("This tool never runs unattended here; a person decides.")
    speaking = [] if proposal.by_token else [each for each in grants if _speaks_of(each, proposal, policy)]
    grant = next((each for each in speaking if _has_its_turn(each, proposal)), None)
    if grant is not None:
        return Allow(by="grant", ref=grant.ref)
    verdict = _without_grant(proposal, policy)
    return replace(verdict, reason=OUT_OF_TURN) if speaking and isinstance(verdict, Ask) else verdict


def covers(grant: GrantRule, proposal: Proposal, policy: EffectivePolicy) -> bool:
    """Whether `grant` speaks for `proposal`: the tool at its pin, the company, its own kind of run and step, its rules.

    That of a runbook counts for a call of its own step alone, and while that step has its turn.
    """
    return _speaks_of(grant, proposal, policy) and _has_its_turn(grant, proposal)


def _has_its_turn(grant: GrantRule, proposal: Proposal) -> bool:
    # one without a step belongs to none, so it never has a turn
    return grant.kind != "runbook" or (grant.step == proposal.step and grant.step in proposal.open_steps)


def _speaks_of(grant: GrantRule, proposal: Proposal, policy: EffectivePolicy) -> bool:
    """Whether `grant` covers `proposal` but for the step."""
    if (grant.tool, grant.pin) != (proposal.tool.name, proposal.tool.pin):
        return False
    if grant.company not in (None, proposal.company) or (grant.left is not None and grant.left < 1):
        return False
    if grant.kind == "session":
        return grant.origin == proposal.origin and policy.mode is Mode.ONCE and not proposal.four_eyes
    if grant.kind == "runbook" and (
        proposal.mode is not OriginMode.RUNBOOK or not grant.runbook or grant.runbook != proposal.runbook
    ):
        return False
    if grant.kind == "processor" and (
        proposal.mode is not OriginMode.PROCESSOR
        or grant.origin not in (None, proposal.origin)
        or grant.step != proposal.step
    ):
        return False
    return rules_hold(grant.rules, proposal.arguments, facts=proposal.facts, inputs=proposal.inputs)


def rules_hold(
    rules: Mapping[str, Mapping[str, JsonValue]],
    arguments: Mapping[str, JsonValue],
    *,
    facts: Mapping[str, JsonValue],
    inputs: Mapping[str, JsonValue],
) -> bool:
    """Whether every argument satisfies its rule (I8). An argument that no rule speaks of is not covered.

    A `computed` argument is the server's own value at `path` among the facts; where it computed none, the argument must
    be left out. Conditions (`CONDITION`) are on facts and must hold too.
    """
    if not all(_condition_holds(rule, facts) for name, rule in rules.items() if name.startswith(CONDITION)):
        return False
    required = {name for name, rule in rules.items() if rule.get("kind") in ("constant", "input", "fact")}
    required |= {name for name, rule in rules.items() if rule.get("kind") == "computed" and rule.get("path") in facts}
    if not required <= arguments.keys():
        return False
    other = rules.get(ANY_OTHER_ARGUMENT)
    for name, value in arguments.items():
        rule = None if name.startswith(CONDITION) else rules.get(name, other)
        if rule is None or not _rule_holds(rule, value, facts, inputs):
            return False
    return True


def _condition_holds(rule: Mapping[str, JsonValue], facts: Mapping[str, JsonValue]) -> bool:
    path = rule.get("path")
    known = facts.get(path) if isinstance(path, str) else None
    match rule.get("kind"):
        case "among":
            values = rule.get("values")
            return known is not None and isinstance(values, list) and any(_same(known, each) for each in values)
        case "at_least":
            least = rule.get("value")
            numbers = isinstance(known, int | float) and isinstance(least, int | float)
            return numbers and not isinstance(known, bool) and known >= least  # type: ignore[operator]
        case "per_day":
            return True  # counted over all origins, in `GrantRule.left`
        case _:
            return False


def _rule_holds(
    rule: Mapping[str, JsonValue], value: JsonValue, facts: Mapping[str, JsonValue], inputs: Mapping[str, JsonValue]
) -> bool:
    match rule.get("kind"):
        case "constant":
            return _same(value, rule.get("value"))
        case "fact" | "computed":
            return _is_known(value, rule.get("path"), facts)
        case "input":
            return _is_known(value, rule.get("name"), inputs)
        case "enum":
            values = rule.get("values")
            return isinstance(values, list) and any(_same(value, each) for each in values)
        case "text":
            limit = rule.get("max_length")
            return isinstance(value, str) and isinstance(limit, int) and len(value) <= limit
        case "any":
            return True
        case _:
            return False


def _is_known(value: JsonValue, name: JsonValue, known: Mapping[str, JsonValue]) -> bool:
    return isinstance(name, str) and name in known and _same(value, known[name])


def _same(left: JsonValue, right: JsonValue) -> bool:
    # True == 1 in Python, and never in JSON
    return type(left) is type(right) and left == right


def _without_grant(proposal: Proposal, policy: EffectivePolicy) -> Verdict:
    if policy.mode is Mode.AUTO:
        return _automatic(proposal, policy)
    if policy.mode is Mode.ONCE and proposal.by_token:
        return Ask("Asked every time a program wants it.")
    if policy.mode is Mode.ONCE:
        reason = "Asked once a session." if policy.source == "tool" else f"Your {_place(policy)} asks once a session."
        return Ask(reason, session_grant=_may_last_for_session(proposal))
    return Ask(_why_always(proposal.tool, policy))


def _automatic(proposal: Proposal, policy: EffectivePolicy) -> Verdict:
    tool = proposal.tool
    if not tool.reads_only:
        if policy.source == "tool":
            return Ask(_why_always(tool, policy))  # no declaration of its own lets a tool write unasked
        if proposal.mode.unattended:
            # I8: in an unattended run a write is covered by a compiled grant, or asked for
            return Ask("An unattended run does only what its grants cover; a person decides.")
        if proposal.four_eyes:
            return Ask("Cannot be undone: two people decide.")
    return Allow(by="default" if policy.source == "tool" else "policy", ref=policy.ref)


def _may_last_for_session(proposal: Proposal) -> bool:
    return proposal.mode in (OriginMode.PREPARE, OriginMode.TRIAGE, OriginMode.RUNBOOK) and not (
        proposal.by_token or proposal.four_eyes
    )


def _place(policy: EffectivePolicy) -> str:
    return "policy for this company" if policy.source == "company" else "organization's policy"


def _why_always(tool: ToolFacts, policy: EffectivePolicy) -> str:
    if policy.source != "tool":
        return f"Your {_place(policy)} always asks."
    billed = Flag.BILLING_EFFECT in tool.flags
    reasons = [
        (tool.risk is Risk.HIGH, "High risk is always asked."),
        (Flag.CLIENT_VISIBLE in tool.flags, "The client sees it, so it is always asked."),
        (Flag.IRREVERSIBLE in tool.flags, "It cannot be undone, so it is always asked."),
        (billed and tool.reads_only, "It shows what is billed, so it is always asked."),
        (billed, "It changes what is billed, so it is always asked."),
        (tool.category is Category.EXECUTE, "It runs something on a system, so it is always asked."),
    ]
    return next((words for applies, words in reasons if applies), "This tool is always asked for.")
