"""What a dry run stands on, read from rows: the ticket as it was, the tools, the rules, what people chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from pydantic import JsonValue

from agent.closing import CLOSING_CALL
from agent.dry_run import Answered, Ground
from agent.lanes import LaneCall, LaneResult, Verdict
from agent.models import AgentSession, RunStep
from agent.openings import StepTold, fact_values, foreign_texts, runbook_facts, standing_instructions
from agent.prompts import PromptFacts, opening
from agent.recordings import Recordings
from approvals.models import Action, Decision
from approvals.people import needs_two
from approvals.policy import GrantRule, OriginMode
from approvals.services import offered_tools, policy_rules
from integrations.llm.chat import ChatMessage
from junto.tenants.models import Company, Membership
from runbooks.grants import compile_grants
from runbooks.matching import Match, match_signal
from runbooks.models import Runbook
from runbooks.publication import connected_vendors, usable_tool
from runbooks.values import prefill
from runbooks.versions import PublishedVersion
from signals.facts import signal_facts
from signals.models import Signal

#: Words for the reason why a replayed runbook is followed, where a session tells how it was matched.
CHOSEN = "Chosen by a person."


@dataclass(frozen=True)
class PastTicket:
    """A signal and its last run: what every lane of it has in common."""

    signal: Signal
    company: Company
    session: AgentSession | None

    @property
    def moment(self) -> datetime:
        """When the agent looked at the ticket: later notes are not shown to the lanes."""
        return self.session.created_at if self.session else self.signal.source_updated_at

    @cached_property
    def matches(self) -> list[Match]:
        """The runbooks that fit it now."""
        return match_signal(self.signal)


def ground_of(ticket: PastTicket, version: PublishedVersion, *, asker: Membership) -> Ground:
    """What a run of `version` on the ticket would stand on. Reads rows, asks no vendor."""
    signal, company, session = ticket.signal, ticket.company, ticket.session
    facts = signal_facts(signal)
    inputs = prefill(version.inputs, facts)
    if session is not None and session.runbook_id == version.runbook_id:
        declared = {each.name for each in version.inputs}
        inputs |= {name: value for name, value in session.inputs.items() if name in declared}
    tools = offered_tools(organization=signal.organization, company=company)
    return Ground(
        version=version,
        facts=facts,
        known=fact_values(facts),
        inputs=inputs,
        tools={tool.name: tool for tool in tools},
        mode=OriginMode.RUNBOOK if _is_run(version) else OriginMode.TRIAGE,
        company=company,
        policies=policy_rules(organization=signal.organization),
        grants=_grants(version, signal) if version.audience == Runbook.Audience.AI else (),
        answers=_answers(session),
        asker=_answered(asker),
        needs_two=lambda tool: needs_two(flags=tool.flags, company=company, risk=tool.risk),
        recorded=Recordings(signal, company).of,
        opening=_opening(ticket, version, inputs=inputs),
    )


def what_happened(session: AgentSession | None) -> LaneResult:
    """The lane of the past run: its actions, without the closing set, which the server makes by itself."""
    if session is None:
        return LaneResult(end="No session: nobody ran a published runbook on this ticket.")
    rows = (
        Action.objects.for_organization(session.organization)
        .filter(origin_id=session.origin_id)
        .exclude(call_id__startswith=CLOSING_CALL)
        .exclude(state=Action.State.SUPERSEDED)
        .prefetch_related("decisions")
        .order_by("created_at", "id")
    )
    title = session.runbook.title if session.runbook else "a runbook that is gone"
    return LaneResult(
        calls=[_past_call(row) for row in rows],
        end=f"{session.get_state_display()}, with version {session.runbook_number} of “{title}”.",
        tokens_in=session.tokens_in,
        tokens_out=session.tokens_out,
        cost_microcents=session.cost_microcents,
    )


def _past_call(row: Action) -> LaneCall:
    asked = bool(row.why_asked)
    verdict: Verdict = "asks" if asked else "runs" if row.is_write else "read"
    if row.state == Action.State.REFUSED:
        verdict = "refused"
    decision = next(iter(row.decisions.all()), None)
    denied = decision is not None and decision.verdict == Decision.Verdict.DENY
    return LaneCall(
        tool=row.tool,
        title=row.title,
        arguments=row.arguments,
        verdict=verdict,
        reason=row.reason if verdict == "refused" or denied else row.why_asked,
        near="ticket" if verdict == "read" else "",
        outcome=f"{row.get_state_display()}{', changed by a person' if row.replaces_id else ''}",
    )


def _is_run(version: PublishedVersion) -> bool:
    """Whether the agent carries it out: of a runbook for people it only shows the steps."""
    return version.audience != Runbook.Audience.HUMAN


def _grants(version: PublishedVersion, signal: Signal) -> tuple[GrantRule, ...]:
    """The grants that publishing the version would issue; each once a run."""
    connected = connected_vendors(signal.organization)
    compiled = compile_grants(version.document, lambda name: usable_tool(name, signal.organization, connected))
    return tuple(
        GrantRule(
            ref=str(number),
            kind="runbook",
            tool=grant.tool.name,
            pin=grant.tool.pin,
            company=str(version.company_id) if version.company_id else None,
            runbook=version.pin,
            step=grant.step,
            rules=grant.rules,
            left=1,
        )
        for number, grant in enumerate(compiled.grants)
        if grant.line  # the closing set is the server's: no call of a model is covered by it
    )


def _answers(session: AgentSession | None) -> dict[str, Answered]:
    if session is None:
        return {}
    rows = RunStep.objects.for_organization(session.organization).filter(session=session, decision=True)
    return {
        row.title: _answered(row.by, row.answer)
        for row in rows.exclude(answer="").select_related("by__user")
        if row.by is not None
    }


def _answered(member: Membership, option: str = "") -> Answered:
    return Answered(member.pk, member.user.display_name, member.get_role_display(), option)


def _opening(
    ticket: PastTicket, version: PublishedVersion, *, inputs: Mapping[str, JsonValue]
) -> Callable[[Mapping[int, StepTold]], list[ChatMessage]]:
    """The opening of a session on the ticket that is pinned to `version`, as a function of how far the steps are."""
    signal, session = ticket.signal, ticket.session
    facts = signal_facts(signal)
    texts = foreign_texts(signal, facts, until=ticket.moment)
    others = [match for match in ticket.matches if match.runbook.pk != version.runbook_id]
    instructions = standing_instructions(signal.organization, ticket.company)
    member = session.started_by.psa_member if session and session.started_by else ""
    same = session is not None and session.runbook_id == version.runbook_id

    def messages(told: Mapping[int, StepTold]) -> list[ChatMessage]:
        runbook = runbook_facts(
            version,
            facts=facts,
            inputs=inputs,
            told=told,
            score=session.runbook_score if session and same else None,
            reason=session.runbook_reason if session and same else CHOSEN,
        )
        prompt = PromptFacts(
            mode="runbook" if _is_run(version) else "triage",
            organization=signal.organization.name,
            company=facts.company_as_dict(),
            ticket=facts.ticket_as_dict(),
            member={"identifier": member} if member else None,
            runbook=runbook,
            other_matches=[{"title": match.title, "score": round(match.score, 2)} for match in others],
            now=ticket.moment,
            work={"began": ticket.moment.isoformat(), "minutes": 1},
            instructions=instructions,
        )
        return opening(prompt, texts)

    return messages
