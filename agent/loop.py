"""One step of thought: lease, fresh context, ask the model, propose what it asked for, let go (HOUSE 3, 4 to 8)."""

from __future__ import annotations

from uuid import UUID

import structlog
from django.db import OperationalError, transaction
from django.db.models import F

from agent.attention import ring_session
from agent.context import SessionContext, build_context, load_session
from agent.events import CallRefused, ModelReplied, Notice, RequestedCall
from agent.journal import append_event, last_number, read_progress, record_action
from agent.lease import Lease, LeaseBusy
from agent.models import AgentSession
from agent.services import complete_run, fail_session
from agent.stream import StopPressed, Stream
from approvals.models import Action, Origin, StaleState
from approvals.services import StaleLease, propose_action
from integrations.llm.chat import ChatMessage, ModelError, ModelReply
from integrations.llm.spend import estimate_tokens
from integrations.llm.strict import JsonRefused, strict_json
from integrations.models import ModelUsage
from integrations.services import chat_model, model_info, reserve_usage, settle_usage
from junto.bells import ring
from junto.crashpoints import crashpoint
from junto.tenants.actors import Actor

log = structlog.get_logger(__name__)

#: Budgets of one session (I15; defaults of TRUST): replies of the model, and seconds one reply may take.
MOST_STEPS = 50
REPLY_SECONDS = 180.0
#: Tokens set aside for an answer before it is known.
RESERVED_ANSWER_TOKENS = 4_000
#: Replies in a row that may break off before the agent waits for a person.
MOST_ABORTED = 2


def advance(session_id: UUID) -> None:
    """Take one step of a session if it is its turn and nobody else is at it; rings again when there is more to do.

    Safe to call at any time, any number of times, from any process: the rows decide.
    """
    session = load_session(session_id)
    if not session.is_live:
        return
    try:
        with Lease(session.origin) as lease:
            seen, more = _step(session, lease)
    except LeaseBusy:
        return
    except (StaleLease, StaleState, StopPressed) as reason:
        log.info("step given up", session=str(session_id), reason=str(reason) or type(reason).__name__)
        return
    except OperationalError:
        raise  # the database is away or busy: the sweep takes the session up again (C25)
    except Exception:
        # a fault of ours must neither be asked again every five seconds nor leave a page that waits for ever
        log.exception("step failed", session=str(session_id))
        fail_session(session=load_session(session_id), actor=Actor.system("agent", session.organization))
        return
    # looked at after the lease is gone: whoever wrote meanwhile found it taken and went away
    if more or last_number(session) != seen:
        ring_session(session_id)
    else:
        ring("session.rested", str(session.organization_id))


def _step(session: AgentSession, lease: Lease) -> tuple[int, bool]:
    """The step itself. Returns the number of the last event it took into account, and whether there is more to do."""
    context = build_context(session, fence=lease.fence)
    for action in context.progress.untold:
        record_action(session, action)
    crashpoint("C5")
    if context.progress.unproposed:
        _propose_open(context)
    elif context.progress.models_turn and _within_budget(context, lease):
        _set_state(session, AgentSession.State.RUNNING)
        if _ask(context, lease):
            _propose_open(context.read_again())
    return _rest(session)


def _propose_open(context: SessionContext) -> None:
    for call in context.progress.unproposed:
        _propose(context, call)


def _propose(context: SessionContext, call: RequestedCall) -> None:
    """Turn one call into an action; a call that is no JSON object is refused in the transcript."""
    session = context.session
    try:
        arguments = strict_json(call.arguments_text or "{}")
        if not isinstance(arguments, dict):
            raise JsonRefused("the arguments are not a JSON object")
    except JsonRefused as problem:
        with transaction.atomic():
            append_event(
                session,
                CallRefused(call_id=call.call_id, name=call.name[:120], reason=f"Malformed arguments: {problem}."),
            )
        return
    action = propose_action(
        actor=context.actor,
        origin=session.origin,
        fence=context.fence,
        tool_name=call.name,
        arguments=arguments,
        call_id=call.call_id,
        runbook_step=context.step_words(call.name),
        facts=context.fact_values(),
    )
    record_action(session, action)


def _ask(context: SessionContext, lease: Lease) -> bool:
    """Ask the model and write its reply down; False when it gave none and the session waits for a person."""
    session = context.session
    messages = context.messages()
    usage = _reserve(context, messages)
    stream = Stream(session)
    try:
        model, _ = chat_model(session.organization)
        reply = model.complete(messages, context.specs, on_delta=stream, deadline_seconds=REPLY_SECONDS)
    except ModelError as problem:
        settle_usage(usage, tokens_in=0, tokens_out=0)
        _park(session, lease, f"{problem} Nothing is lost: write a message to try again.")
        return False
    finally:
        stream.end()
    crashpoint("C7")
    cost = settle_usage(usage, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out)
    with transaction.atomic():
        lease.check()
        _count(session, reply, cost)
        append_event(session, _event_of(session, reply))
    crashpoint("C8")
    if reply.aborted and context.progress.aborted_in_a_row + 1 >= MOST_ABORTED:
        _park(session, lease, "The model's answer broke off twice. Write a message to try again.")
        return False
    return True


def _reserve(context: SessionContext, messages: list[ChatMessage]) -> ModelUsage:
    return reserve_usage(
        organization=context.session.organization,
        company=context.session.company,
        subject=f"session:{context.session.pk}",
        model=model_info(context.session.organization).model,
        tokens_in=estimate_tokens(messages, context.specs),
        tokens_out=RESERVED_ANSWER_TOKENS,
    )


def _event_of(session: AgentSession, reply: ModelReply) -> ModelReplied:
    session.refresh_from_db(fields=["last_number"])
    number = session.last_number + 1
    return ModelReplied(
        text=reply.text.replace("\x00", ""),
        # our own ids: models repeat theirs, and an action is unique by (origin, call id)
        calls=tuple(
            RequestedCall(
                call_id=f"{number}.{position}",
                name=call.name.replace("\x00", ""),
                arguments_text=call.arguments_text.replace("\x00", ""),
            )
            for position, call in enumerate(reply.tool_calls, start=1)
        ),
        model=reply.model,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        aborted=reply.aborted,
    )


def _count(session: AgentSession, reply: ModelReply, cost: int) -> None:
    AgentSession.objects.for_organization(session.organization).filter(pk=session.pk).update(
        steps_used=F("steps_used") + 1,
        tokens_in=F("tokens_in") + reply.tokens_in,
        tokens_out=F("tokens_out") + reply.tokens_out,
        cost_microcents=F("cost_microcents") + cost,
    )


def _within_budget(context: SessionContext, lease: Lease) -> bool:
    if context.session.steps_used < MOST_STEPS:
        return True
    text = f"This session used its {MOST_STEPS} steps. Close it and start a new one to go on."
    _park(context.session, lease, text)
    return False


def _park(session: AgentSession, lease: Lease, text: str) -> None:
    with transaction.atomic():
        lease.check()
        append_event(session, Notice(tone="danger", text=text, parks=True))


def _rest(session: AgentSession) -> tuple[int, bool]:
    """Put the session into the state its rows say: needs approval, working, or waiting for a reply."""
    progress = read_progress(session)
    more = bool(progress.unproposed) or progress.models_turn
    if any(row.state in (Action.State.WAITING, Action.State.UNKNOWN) for row in progress.rows):
        _set_state(session, AgentSession.State.WAITING_FOR_APPROVAL)
    elif progress.open_calls or more:
        _set_state(session, AgentSession.State.RUNNING)
    elif session.origin.mode == Origin.Mode.RUNBOOK:
        complete_run(session=session, actor=Actor.system("agent", session.organization))
    else:
        _set_state(session, AgentSession.State.WAITING_FOR_TECHNICIAN)
    return progress.last_number, more


def _set_state(session: AgentSession, state: AgentSession.State) -> None:
    """Move the session if it is not there. No event: the head of the chat shows it, the conversation does not."""
    if session.state != state:
        session.move(to=state)
        ring("session.events", str(session.signal_id))
