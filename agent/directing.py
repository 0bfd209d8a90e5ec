"""What a person does with a run: answers a decision, skips, retries or ticks off a step, takes over, hands back.

Every deed is guarded by the state of the row it changes, so that of two people at once one is told what the other did.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from django.db import transaction
from django.db.models.functions import Now

from agent.closing import CLOSING_CALL
from agent.events import Notice, PersonDirected
from agent.journal import append_event
from agent.models import AgentSession, RunStep
from agent.services import SessionRefused, complete_run
from agent.steps import mentions_of, read_steps
from agent.turns import tell_turns
from approvals.models import Action, Origin
from approvals.services import cancel_actions, lock_origin, set_mode
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission, require
from runbooks.document import Mention, Step
from runbooks.models import Runbook
from runbooks.services import PublishedVersion, published_document

Deed = Literal["answer", "skip", "retry", "done", "undone", "take_over", "hand_back"]
State = RunStep.State

#: Characters of a reason that are kept.
REASON_LENGTH = 500

_BUSY = {
    Action.State.WAITING: "waits for a decision: decide or deny that first",
    Action.State.UNKNOWN: "has an unknown outcome: say first whether it was done",
}


def is_run(session: AgentSession) -> bool:
    """Whether the session carries out a runbook, also while a person has taken it over."""
    return bool(session.origin.runbook)


def is_taken_over(session: AgentSession) -> bool:
    """Whether a person has a run in hand: the agent waits, and what it proposes when it is asked needs approval."""
    return is_run(session) and session.origin.mode == Origin.Mode.TRIAGE


@transaction.atomic
def answer_decision(*, session: AgentSession, actor: Actor, number: int, option: str) -> None:
    """Choose one of the options of decision `number`; the run goes on with it.

    An option that leads to a later step skips those between; one that stops the run, all behind it.

    Raises:
        SessionRefused: it is answered or skipped already, not asked yet, or has no such option.
        PermissionDenied: `actor` may not run sessions for the company. So for every deed here.
    """
    run = _Run.of(session, actor)
    step, written = run.step(number)
    chosen = next((each for each in written.options if each[:300] == option[:300]), None)
    if not step.decision:
        raise SessionRefused(f"Step {step.label} asks nothing.")
    if chosen is None:
        raise SessionRefused(f"Step {step.label} has no such answer. Choose one of those that are shown.")
    if step.state == State.PENDING and not run.for_people:
        raise SessionRefused(f"Step {step.label} is not asked yet: something before it is still to be done.")
    wanted = () if run.for_people else mentions_of(written, chosen)
    looked = run.looked_up(wanted)
    after = len(looked) < len(wanted)
    run.change(
        step,
        frm=[State.PENDING, State.WAITING],
        state=State.RUNNING if after else State.DONE,
        answer=chosen[:300],
        calls=[*step.calls, *looked],
        by=run.member,
        finished_at=None if after else Now(),
    )
    for passed in run.between(number, written.leads.get(chosen)):
        run.skip(passed, _passed_words(written, chosen))
    run.tell("answer", number, f"{run.member.user.display_name} chose “{chosen}” for “{step.title}”.", option=chosen)


@transaction.atomic
def skip_step(*, session: AgentSession, actor: Actor, number: int, reason: str, rest: bool = False) -> None:
    """Call a step over without its work, for a reason that stays with it; `rest` = and every open one behind it.

    Raises:
        SessionRefused: it is over already, something of it is under way, or no reason was given.
    """
    run = _Run.of(session, actor)
    reason = " ".join(reason.split())[:REASON_LENGTH]
    if not reason:
        raise SessionRefused("Say why: the reason stands in the run and in its closing note.")
    step, _ = run.step(number)
    later = [each for each in run.steps if rest and each.number > number and each.state not in RunStep.OVER]
    for each in (step, *later):
        run.skip(each, reason)
    name = run.member.user.display_name
    what = f"step {step.label}, “{step.title}”" if not later else f"step {step.label} and {len(later)} behind it"
    run.tell("skip", number, f"{name} skipped {what}: {reason}", reason=reason, rest=rest)


@transaction.atomic
def retry_step(*, session: AgentSession, actor: Actor, number: int) -> None:
    """Let the agent try a step again. What an earlier attempt got done stays done.

    Raises:
        SessionRefused: people carry this runbook out, the step is a decision, done or under way.
    """
    run = _Run.of(session, actor)
    step, _ = run.step(number)
    if run.for_people:
        raise SessionRefused("People carry out this runbook: untick the step instead.")
    if step.decision:
        raise SessionRefused(f"Step {step.label} is a decision: there is nothing of it to try again.")
    run.require_idle(step)
    wrong = sum(row.state in Action.TERMINAL and row.state != Action.State.SUCCEEDED for row in run.actions_of(step))
    run.change(
        step,
        frm=[State.FAILED, State.SKIPPED, State.PENDING, State.RUNNING],
        state=State.PENDING,
        attempt=max(step.attempt, wrong) + 1,
        answer="",
        reason="",
        by=None,
        finished_at=None,
    )
    run.tell("retry", number, f"{run.member.user.display_name} lets step {step.label}, “{step.title}”, be tried again.")


@transaction.atomic
def mark_step(*, session: AgentSession, actor: Actor, number: int, done: bool) -> None:
    """Tick a step that a person carried out, or take the tick away; that of a decision opens what its answer skipped.

    Raises:
        SessionRefused: it is in that state already, the agent did it or went on with its answer, or something of it is
            under way.
    """
    run = _Run.of(session, actor)
    step, written = run.step(number)
    if step.decision and done:
        raise SessionRefused(f"Step {step.label} is a decision: choose one of its answers.")
    run.require_idle(step)
    name = run.member.user.display_name
    if done:
        frm = [State.PENDING, State.RUNNING, State.WAITING, State.FAILED, State.PASSED]
        run.change(step, frm=frm, state=State.DONE, by=run.member, reason="", finished_at=Now())
        run.tell("done", number, f"{name} did step {step.label}, “{step.title}”.")
        return
    if step.by_id is None:
        raise SessionRefused(f"Nobody ticked step {step.label}.")
    if step.answer and not run.for_people:
        raise SessionRefused(f"The agent went on with the answer to step {step.label}: stop the run to start anew.")
    frm = [State.DONE, State.SKIPPED]
    run.change(step, frm=frm, state=State.PENDING, by=None, answer="", reason="", finished_at=None)
    for passed in run.passed_over(number, _passed_words(written, step.answer)):
        run.change(passed, frm=[State.SKIPPED], state=State.PENDING, by=None, reason="", finished_at=None)
    run.tell("undone", number, f"{name} opened step {step.label}, “{step.title}”, again.")


@transaction.atomic
def take_over(*, session: AgentSession, actor: Actor) -> None:
    """Let the agent wait: a person goes on by hand. What it is asked to do from now on needs approval.

    Raises:
        SessionRefused: it is no run, one for people, or taken over already.
    """
    run = _Run.of(session, actor)
    if not is_run(session) or run.for_people:
        raise SessionRefused("The agent carries out no runbook here that could be taken over.")
    run.switch(frm=Origin.Mode.RUNBOOK, to=Origin.Mode.TRIAGE, refusal="Somebody has taken it over already.")
    run.tell("take_over", 0, f"{run.member.user.display_name} took over. The agent waits.")


@transaction.atomic
def hand_back(*, session: AgentSession, actor: Actor) -> None:
    """Let the agent go on with a run that was taken over, from its first step that is not over.

    Raises:
        SessionRefused: nobody took it over.
    """
    run = _Run.of(session, actor)
    if not is_run(session) or run.for_people:
        raise SessionRefused("There is no run here to hand back.")
    run.switch(frm=Origin.Mode.TRIAGE, to=Origin.Mode.RUNBOOK, refusal="The agent has this run in hand already.")
    run.tell("hand_back", 0, f"{run.member.user.display_name} handed the run back. Go on with what is open.")


@transaction.atomic
def finish_run(*, session: AgentSession, actor: Actor) -> None:
    """End a run that people carried out, every step of which is over; resolves the signal where the runbook says so.

    Raises:
        SessionRefused: a step is open, or the agent carries the run out and ends it itself.
    """
    run = _Run.of(session, actor)
    if not run.for_people:
        raise SessionRefused("The agent ends this run itself when every step is over.")
    undone = [step for step in run.steps if step.state not in RunStep.OVER]
    if undone:
        more = f" and {len(undone) - 1} more are" if len(undone) > 1 else " is"
        raise SessionRefused(f"Step {undone[0].label}{more} open: tick or skip what is left, or press Stop.")
    cancel_actions(origin=session.origin, actor=actor, reason=f"{actor.label} finished the run.")
    complete_run(session=session, actor=actor, version=run.version, succeeded=True)


@dataclass(frozen=True)
class _Run:
    """A live session with its runbook, and the person who directs it."""

    session: AgentSession
    actor: Actor
    member: Membership
    version: PublishedVersion
    steps: Sequence[RunStep]

    @classmethod
    def of(cls, session: AgentSession, actor: Actor) -> Self:
        """Raises SessionRefused where there is nothing to direct."""
        require(actor, Permission.RUN_SESSIONS, session.company)
        if actor.membership is None:
            raise SessionRefused("Only people direct a run.")
        lock_origin(session.origin)  # first, as a claim does: what is directed here is seen there, or waits for it
        session.refresh_from_db(fields=["state", "runbook", "runbook_record", "last_number"])
        session.origin.refresh_from_db(fields=["mode", "runbook", "stopped_at"])
        if not session.is_live or session.origin.stopped_at is not None:
            raise SessionRefused("This run is over: nothing in it can be changed any more.")
        if session.runbook is None or session.runbook_record is None:
            raise SessionRefused("No runbook is followed here.")
        version = published_document(session.runbook, record=session.runbook_record)
        return cls(session, actor, actor.membership, version, read_steps(session))

    @property
    def for_people(self) -> bool:
        """Whether people carry out the steps and the agent none."""
        return self.version.audience == Runbook.Audience.HUMAN

    def step(self, number: int) -> tuple[RunStep, Step]:
        """The row and the text of a step. Raises SessionRefused for a number that is not there."""
        row = next((each for each in self.steps if each.number == number), None)
        if row is None:
            raise SessionRefused("There is no such step.")
        return row, self.version.document.steps[number - 1]

    def between(self, number: int, target: int | None) -> list[RunStep]:
        """The open steps after `number` and before a later step `target`; none where there is none."""
        if target is None:
            return []
        return [each for each in self.steps if number < each.number < target and each.state not in RunStep.OVER]

    def passed_over(self, number: int, reason: str) -> list[RunStep]:
        """The steps after `number` that were skipped for just this reason."""
        rows = [each for each in self.steps if each.number > number and each.state == State.SKIPPED]
        return [each for each in rows if each.reason == reason]

    def actions_of(self, step: RunStep) -> list[Action]:
        """The step's actions as they are now."""
        rows = Action.objects.for_organization(self.session.organization)
        return list(rows.filter(origin_id=self.session.origin_id, call_id__in=step.calls))

    def looked_up(self, wanted: Iterable[Mention]) -> list[str]:
        """The calls by which an option's look-ups were made already, before the option was chosen."""
        claimed = {call_id for step in self.steps for call_id in step.calls}
        rows = Action.objects.for_organization(self.session.organization).filter(
            origin_id=self.session.origin_id, category="read", state=Action.State.SUCCEEDED
        )
        by_tool = {row.tool: row.call_id for row in rows.order_by("-created_at") if row.call_id not in claimed}
        tools = dict.fromkeys(mention.tool for mention in wanted if not mention.bindings)
        return [by_tool[tool] for tool in tools if tool in by_tool]

    def require_idle(self, step: RunStep) -> None:
        """Raises SessionRefused while a call of the step is open."""
        for row in self.actions_of(step):
            if row.state not in Action.TERMINAL:
                why = _BUSY.get(Action.State(row.state), "is being carried out: wait for its end")
                raise SessionRefused(f"“{row.title}” of step {step.label} {why}.")

    def skip(self, step: RunStep, reason: str) -> None:
        """Call one open step over."""
        self.require_idle(step)
        frm = [State.PENDING, State.RUNNING, State.WAITING, State.FAILED, State.PASSED]
        self.change(step, frm=frm, state=State.SKIPPED, by=self.member, reason=reason, finished_at=Now())

    def change(self, step: RunStep, *, frm: Iterable[State], **values: object) -> None:
        """Change the row if it still is in one of `frm`, else raise SessionRefused with what it is by now."""
        rows = RunStep.objects.for_organization(self.session.organization)
        if not rows.filter(pk=step.pk, state__in=list(frm), answer=step.answer, attempt=step.attempt).update(**values):
            now = rows.select_related("by__user").get(pk=step.pk)
            by = f" by {now.by.user.display_name}" if now.by else ""
            raise SessionRefused(f"Step {step.label} is “{now.get_state_display()}”{by}: nothing was changed.")

    def switch(self, *, frm: Origin.Mode, to: Origin.Mode, refusal: str) -> None:
        """Change how the run goes on, once among all who try."""
        rows = Origin.objects.for_organization(self.session.organization)
        if not rows.filter(pk=self.session.origin_id, mode=frm).update(mode=to):
            raise SessionRefused(refusal)
        set_mode(origin=self.session.origin, mode=to)

    def tell(self, deed: Deed, number: int, text: str, **detail: bool | str) -> None:
        """Write down what was done, for people, model and audit; the agent goes on unless a person has it in hand.

        What of the closing set has not left yet told of the steps as they were: it is withdrawn, to be made anew.
        """
        said = f"{self.actor.label} gave the run another course: what closes it is made anew."
        cancel_actions(origin=self.session.origin, actor=self.actor, reason=said, calls=CLOSING_CALL)
        tell_turns(self.session)
        if self.for_people:
            append_event(self.session, Notice(tone="quiet", text=text))
        else:
            told = PersonDirected(
                membership_id=self.member.pk,
                name=self.actor.label,
                role=self.member.get_role_display(),
                deed=deed,
                step=number,
                text=text,
                goes_on=not is_taken_over(self.session),
            )
            append_event(self.session, told)
            ring("session.ready", str(self.session.pk))
        record(self.actor, f"run.{deed}", self.session, {"step": number, **detail})


def _passed_words(written: Step, answer: str) -> str:
    """Why the steps are skipped that an answer passes over."""
    return f"The answer “{answer}” {'stops the run before it' if answer in written.stops else 'passes over it'}."
