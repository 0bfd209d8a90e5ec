"""The context of one step, built fresh every time and kept nowhere (PRODUCT 5, Isolated; I6, I7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.utils import timezone
from pydantic import JsonValue

from agent.events import PersonDirected, RequestedCall, UserSaid
from agent.journal import Progress, read_progress
from agent.models import AgentSession, RunStep
from agent.offering import FIND_TOOLS, Wants, names_found, tool_specs
from agent.openings import StepTold, fact_values, foreign_texts, runbook_facts, standing_instructions
from agent.prompts import Mode, PromptFacts, RunbookFacts, opening
from agent.solutions import similar_texts
from agent.steps import read_steps, step_of_call
from agent.transcript import rebuild
from agent.turns import step_key, tell_turns
from agent.work import session_work
from approvals.models import Origin
from approvals.services import offered_tools
from integrations.llm.chat import ChatMessage, ToolSpec
from integrations.tools import AnyTool
from junto.tenants.actors import Actor
from runbooks.matching import match_signal
from runbooks.services import PublishedVersion, published_document
from signals.facts import SignalFacts, signal_facts


@dataclass(frozen=True)
class Place:
    """Where in its runbook a call stands: the step's key, and words for the card. Empty for a call beside it."""

    key: str = ""
    words: str = ""


@dataclass(frozen=True)
class SessionContext:
    """Everything one step may use. Nothing in it can name another company's data."""

    session: AgentSession
    fence: int
    actor: Actor
    facts: SignalFacts
    tools: Mapping[str, AnyTool]
    version: PublishedVersion | None
    progress: Progress
    steps: Sequence[RunStep] = ()

    @property
    def specs(self) -> list[ToolSpec]:
        """Of the tools it may use those that the model is shown now, in a stable order."""
        return tool_specs(self.tools, self._wants)

    @property
    def _wants(self) -> Wants:
        """What the rows tell of what is needed: the same again whoever takes the session up."""
        rows = self.progress.rows
        found = names_found(row.result for row in rows if row.tool == FIND_TOOLS)
        mentioned = self.version.document.tools if self.version else ()
        said = [event.text for event in self.progress.events if isinstance(event, UserSaid | PersonDirected)]
        return Wants(
            ticket=f"{self.facts.subject}\n{self.facts.description}",
            remarks=said,
            named=found | frozenset(mentioned) | frozenset(row.tool for row in rows),
        )

    def messages(self) -> list[ChatMessage]:
        """The whole request: opening, then the conversation rebuilt from events."""
        conversation = rebuild(self.progress.events, self.progress.actions)
        signal = self.session.signal
        first = opening(
            _prompt_facts(self), foreign_texts(signal, self.facts), similar_texts(signal, self.session.company)
        )
        return [*first, *conversation]

    def read_again(self) -> SessionContext:
        """The same context with the events and actions as they are now."""
        steps = read_steps(self.session) if self.steps else ()
        return replace(self, progress=read_progress(self.session, before=self.progress), steps=steps)

    def fact_values(self) -> dict[str, JsonValue]:
        """Every fact that a runbook may bind an argument to, by its path, as far as the signal has it."""
        return fact_values(self.facts)

    def claim_step(self, call: RequestedCall, arguments: Mapping[str, JsonValue]) -> Place:
        """The runbook step that a call is made for; what has its turn is told to the origin along with it."""
        if self.version is None:
            return Place()
        step = step_of_call(
            steps=self.steps,
            version=self.version,
            call_id=call.call_id,
            tool=call.name,
            arguments=arguments,
            facts=self.facts,
            inputs=self.session.inputs,
            rows=self.progress.rows,
        )
        tell_turns(self.session)
        if step is None:
            return Place()
        words = f"{self.version.title[:80]}, version {self.version.number}, step {step.label}"
        return Place(key=step_key(step.number), words=words)


def load_session(session_id: UUID) -> AgentSession:
    """The session with what a step reads of it, in one query. Raises AgentSession.DoesNotExist."""
    of_signal = [f"signal__{name}" for name in ("connection", "board", "contact", "device")]
    session = AgentSession.unscoped.select_related(
        "organization", "company", "origin", "runbook", "started_by", "signal", *of_signal
    ).get(pk=session_id)
    for row in (session.origin, session.signal):
        if row.organization_id == session.organization_id:
            row.organization = session.organization
        if row.company_id == session.company_id:
            row.company = session.company
    return session


def build_context(session: AgentSession, *, fence: int) -> SessionContext:
    """A fresh context for one step of `session` under lease `fence`."""
    mode = Origin.Mode(session.origin.mode)
    offered = offered_tools(
        organization=session.organization, company=session.company, reads_only=mode == Origin.Mode.PREPARE
    )
    return SessionContext(
        session=session,
        fence=fence,
        actor=Actor.system("agent", session.organization),
        facts=signal_facts(session.signal),
        tools={tool.name: tool for tool in offered},
        version=_version(session),
        progress=read_progress(session),
        steps=read_steps(session) if session.runbook_record else (),
    )


def _prompt_facts(context: SessionContext) -> PromptFacts:
    session, facts = context.session, context.facts
    member = session.started_by.psa_member if session.started_by else ""
    now = timezone.now()
    told = zip(context.progress.times, context.progress.events, strict=True)
    work = session_work(told, opened=session.created_at, now=now)
    return PromptFacts(
        mode=_mode(session),
        organization=session.organization.name,
        company=facts.company_as_dict(),
        ticket=facts.ticket_as_dict(),
        member={"identifier": member} if member else None,
        runbook=_runbook_facts(context),
        other_matches=[
            {"title": match.title, "score": round(match.score, 2)}
            for match in match_signal(session.signal)
            if match.runbook.pk != session.runbook_id
        ],
        now=now,
        work={"began": work.began.isoformat(), "minutes": work.minutes},
        instructions=standing_instructions(session.organization, session.company),
    )


def _mode(session: AgentSession) -> Mode:
    modes: dict[str, Mode] = {Origin.Mode.PREPARE: "prepare", Origin.Mode.RUNBOOK: "runbook"}
    return modes.get(session.origin.mode, "triage")


def _version(session: AgentSession) -> PublishedVersion | None:
    if session.runbook is None or session.runbook_record is None:
        return None
    return published_document(session.runbook, record=session.runbook_record)


def _runbook_facts(context: SessionContext) -> RunbookFacts | None:
    session, version = context.session, context.version
    if version is None:
        return None
    return runbook_facts(
        version,
        facts=context.facts,
        inputs=session.inputs,
        told={row.number: StepTold(row.state, row.answer, row.attempt) for row in context.steps},
        score=session.runbook_score,
        reason=session.runbook_reason,
    )
