"""One step of thought: lease, fresh context, ask the model, propose what it asked for, let go (HOUSE 3, 4 to 8)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, transaction

from agent.attention import ring_session
from agent.budgets import spent, stuck
from agent.compaction import compact
from agent.context import SessionContext, build_context, load_session
from agent.events import CallRefused, ModelReplied, RequestedCall
from agent.journal import append_event, last_number, note_seen, record_action
from agent.lease import Lease, LeaseBusy
from agent.models import AgentSession
from agent.outages import AnswerBrokeOff, park_unanswered
from agent.running import go_on, make_ticket, needs_ticket, park
from agent.services import fail_session
from agent.steps import move_steps
from agent.stream import MOST_TEXT, StopPressed, Stream
from approvals.budgets import MAX_CALLS_AT_ONCE
from approvals.models import Action, StaleState
from approvals.services import StaleLease, propose_action
from integrations.llm.chat import ChatMessage, ModelError, ModelOverBudget, ModelReply, ToolCall
from integrations.llm.spend import estimate_text_tokens, estimate_tokens
from integrations.llm.strict import JsonRefused, strict_json
from integrations.models import ModelUsage
from integrations.services import chat_model, model_info, reserve_usage, settle_usage
from junto.bells import ring
from junto.crashpoints import crashpoint
from junto.tenants.actors import Actor

log = structlog.get_logger(__name__)

#: Seconds one reply may take.
REPLY_SECONDS = 180.0
#: Tokens of a conversation above which old results are left out before it is sent.
CONTEXT_TOKENS = 100_000
#: Characters of one call's arguments, and of its tool's name, that are kept.
MOST_ARGUMENTS, MOST_NAME = 60_000, 200
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
    began = time.monotonic()
    try:
        with Lease(session.origin) as lease:
            seen, more = _step(session, lease)
    except LeaseBusy:
        return
    except (StaleLease, StaleState, StopPressed) as reason:
        log.info("step given up", session=str(session_id), reason=str(reason) or type(reason).__name__)
        return
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy: the sweep takes the session up again (C25)
    except Exception:
        # a fault of ours must neither be asked again every five seconds nor leave a page that waits for ever
        log.exception("step failed", session=str(session_id))
        fail_session(session=load_session(session_id), actor=Actor.system("agent", session.organization))
        return
    note_seen(session, seen, seconds=time.monotonic() - began)
    # looked at after the lease is gone: whoever wrote meanwhile found it taken and went away
    if more or last_number(session) != seen:
        ring_session(session)
    elif session.started_by_id is None or not session.is_live:  # what a person waits for took no room from others
        ring("session.rested", str(session.organization_id))


def _step(session: AgentSession, lease: Lease) -> tuple[int, bool]:
    """The step itself. Returns the number of the last event it took into account, and whether there is more to do."""
    context = build_context(session, fence=lease.fence)
    untold = context.progress.untold
    for action in untold:
        record_action(session, action)
    if untold:
        context = context.read_again()  # what the model is shown includes them
    crashpoint("C5")
    if context.progress.unproposed:
        _propose_all(context, context.progress.unproposed)
    elif needs_ticket(context):
        make_ticket(context, lease)
    elif context.progress.models_turn and _within_budget(context, lease):
        _set_state(session, AgentSession.State.RUNNING)
        calls = _ask(context, lease)
        if calls and context.steps:
            context = context.read_again()  # people may have had a hand in the steps meanwhile
        _propose_all(context, calls)
    return _rest(context.read_again(), lease)


def _propose_all(context: SessionContext, calls: Sequence[RequestedCall]) -> None:
    for call in calls:
        _propose(context, call)


def _propose(context: SessionContext, call: RequestedCall) -> None:
    """Turn one call into an action; a call that is no JSON object is refused in the transcript."""
    session = context.session
    try:
        if call.too_long:
            raise JsonRefused(f"they have {call.too_long} characters, of which {MOST_ARGUMENTS} fit, and were not kept")
        arguments = strict_json(call.arguments_text or "{}")
        if not isinstance(arguments, dict):
            raise JsonRefused("the arguments are not a JSON object")
    except JsonRefused as problem:
        with transaction.atomic():
            append_event(
                session,
                CallRefused(call_id=call.call_id, name=call.name[:120], reason=f"The call cannot be read: {problem}."),
            )
        return
    place = context.claim_step(call, arguments)
    action = propose_action(
        actor=context.actor,
        origin=session.origin,
        fence=context.fence,
        tool_name=call.name,
        arguments=arguments,
        call_id=call.call_id,
        step=place.key,
        runbook_step=place.words,
        facts=context.fact_values(),
        inputs=session.inputs,
    )
    record_action(session, action, new=True)


def _ask(context: SessionContext, lease: Lease) -> Sequence[RequestedCall]:
    """Ask the model and write its reply down; the calls in it, none where the session waits for a person."""
    session = context.session
    messages = context.messages()
    _note_model(session)
    usage = _reserve(context, messages)
    stream = Stream(session)
    try:
        reply = _complete(context, messages, stream)
    except ModelError as problem:
        settle_usage(usage, tokens_in=0, tokens_out=0)
        park_unanswered(context, lease, problem)
        return ()
    except StopPressed:
        tokens_out = estimate_text_tokens(stream.text)
        settle_usage(usage, tokens_in=usage.tokens_in, tokens_out=tokens_out)
        _keep_cut_off(session, stream.text, usage)
        raise
    finally:
        stream.end()
    crashpoint("C7")
    try:
        with transaction.atomic():
            lease.check()
            settle_usage(usage, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out)
            said = _event_of(session, reply, usage.cost_microcents, shown=context.progress.last_number)
            append_event(session, said)
    except StaleLease:
        settle_usage(usage, tokens_in=reply.tokens_in, tokens_out=reply.tokens_out)
        if not load_session(session.pk).is_live:
            _keep_cut_off(session, reply.text, usage)
        raise
    crashpoint("C8")
    if reply.aborted and context.progress.aborted_in_a_row + 1 >= MOST_ABORTED:
        park_unanswered(context, lease, AnswerBrokeOff("The answer broke off twice."))
        return ()
    return said.calls


def _note_model(session: AgentSession) -> None:
    """Write down which model is asked now: the operator may have connected another since the last step."""
    info = model_info(session.organization)
    if (session.model_label, session.rehearsal) != (info.label, info.rehearsal):
        session.model_label, session.rehearsal = info.label, info.rehearsal
        session.save(update_fields=["model_label", "rehearsal"])


def _complete(context: SessionContext, messages: list[ChatMessage], stream: Stream) -> ModelReply:
    """The model's reply; a conversation that is too long for it is made shorter, twice at the most."""
    model, _ = chat_model(context.session.organization)
    for shorter in (1, 2, 4):
        limit = CONTEXT_TOKENS if shorter == 1 else estimate_tokens(messages) // shorter
        try:
            return model.complete(
                compact(messages, limit_tokens=limit), context.specs, on_delta=stream, deadline_seconds=REPLY_SECONDS
            )
        except ModelOverBudget as problem:
            too_long = problem
    raise too_long


def _keep_cut_off(session: AgentSession, text: str, usage: ModelUsage) -> None:
    """What a model had written when its session was stopped: kept, marked as cut off (C6)."""
    if text.strip():
        said = ModelReplied(
            text=_kept(text),
            model=usage.model,
            tokens_in=usage.tokens_in,
            tokens_out=usage.tokens_out,
            cost_microcents=usage.cost_microcents,
            aborted=True,
        )
        with transaction.atomic():
            append_event(session, said)


def _kept(text: str) -> str:
    """The text of a reply as it is kept: without what no database keeps, and not endless."""
    text = text.replace("\x00", "")
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}\n\n(cut: {len(text) - MOST_TEXT} more characters were not kept)"


def _call(call_id: str, call: ToolCall) -> RequestedCall:
    text = call.arguments_text.replace("\x00", "")
    too_long = len(text) if len(text) > MOST_ARGUMENTS else 0
    name = call.name.replace("\x00", "")[:MOST_NAME]
    return RequestedCall(call_id=call_id, name=name, arguments_text="{}" if too_long else text, too_long=too_long)


def _reserve(context: SessionContext, messages: list[ChatMessage]) -> ModelUsage:
    return reserve_usage(
        organization=context.session.organization,
        company=context.session.company,
        subject=f"session:{context.session.pk}",
        model=model_info(context.session.organization).model,
        tokens_in=estimate_tokens(messages, context.specs),
        tokens_out=RESERVED_ANSWER_TOKENS,
    )


def _event_of(session: AgentSession, reply: ModelReply, cost: int, *, shown: int) -> ModelReplied:
    number = session.last_number + 1
    return ModelReplied(
        text=_kept(reply.text),
        # our own ids: models repeat theirs, and an action is unique by (origin, call id)
        calls=tuple(
            _call(f"{number}.{position}", call)
            for position, call in enumerate(reply.tool_calls[:MAX_CALLS_AT_ONCE], start=1)
        ),
        model=reply.model,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        aborted=reply.aborted,
        cost_microcents=cost,
        shown=shown,
        left_out=max(0, len(reply.tool_calls) - MAX_CALLS_AT_ONCE),
    )


def _within_budget(context: SessionContext, lease: Lease) -> bool:
    words = spent(context.session, context.progress) or stuck(context.progress)
    if not words:
        return True
    park(context.session, lease, words)
    return False


def _rest(context: SessionContext, lease: Lease) -> tuple[int, bool]:
    """Put the session into the state its rows say: needs approval, working, or waiting for a reply."""
    session, progress = context.session, context.progress
    if context.version is not None:
        move_steps(context.steps, context.version, progress.rows)
    more = bool(progress.unproposed) or progress.models_turn
    if any(row.state in (Action.State.WAITING, Action.State.UNKNOWN) for row in progress.rows):
        _set_state(session, AgentSession.State.WAITING_FOR_APPROVAL)
        # a run without its ticket asks no model: until somebody decided about the ticket there is nothing to do
        more = more and not needs_ticket(context)
    elif any(row.state not in Action.TERMINAL for row in progress.rows):
        # the server's own calls stand in no reply of the model
        _set_state(session, AgentSession.State.RUNNING)
        more = bool(progress.unproposed)
    elif progress.open_calls or more:
        _set_state(session, AgentSession.State.RUNNING)
    else:
        rest = go_on(context, lease)
        more = rest.more
        if rest.state is not None:
            _set_state(session, rest.state)
    return progress.last_number, more


def _set_state(session: AgentSession, state: AgentSession.State) -> None:
    """Move the session if it is not there. No event: the head of the chat shows it, the conversation does not."""
    if session.state != state:
        session.move(to=state)
        ring("session.events", str(session.signal_id))
