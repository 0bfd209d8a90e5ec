"""Carrying a processor's value to the ticket's source, as an action like any other: previewed, allowed or asked, once.

Which values go is decided here; whether one may leave is decided in approvals, by policy and by the processor's grant.
Never inside a transaction: the source is read before it is changed.
"""

from __future__ import annotations

from pydantic import JsonValue, ValidationError

from approvals.models import Action
from approvals.services import StaleLease, propose_action
from integrations.tools import registry
from junto.tenants.actors import Actor
from signals.facts import vendor_id
from signals.models import ProcessorResult, Signal
from signals.processing.plans import Plan, plan_of
from signals.processing.results import read_value
from signals.processing.ticket_facts import own_facts
from signals.processors import processor_of
from signals.processors.base import AnyProcessor, Change, LiveLists, Value, WriteBackOptions
from signals.sync.live_lists import lists_of_signal
from signals.write_back.wishes import WRITE_BACK, close_wish, key_of, wishes


def goes_back(signal: Signal, plan: Plan, value: Value, lists: LiveLists | None) -> bool:
    """Whether this value is to be carried to the source: it is switched on, and the ticket is otherwise there."""
    if not (isinstance(plan.options, WriteBackOptions) and plan.options.write_back):
        return False
    if signal.company_id is None or not tool_name(signal, plan.processor):
        return False
    return plan.processor.change(value, own_facts(signal), lists or LiveLists()) is not None


def tool_name(signal: Signal, processor: AnyProcessor) -> str:
    """The tool of the signal's source that carries values back; empty where it has none."""
    name = f"{signal.connection.vendor}.{processor.writes}" if signal.connection and processor.writes else ""
    return name if name in registry else ""


def write_back(result: ProcessorResult) -> Action | None:
    """Ask for the change that `result` wishes; None where there is nothing (more) to ask for. Safe to repeat.

    The action is APPROVED under a grant, WAITING for a person, or REFUSED where somebody changed the ticket first.

    Raises:
        IntegrationError: the source's lists cannot be read now.
    """
    signal = result.signal
    processor = processor_of(result.processor)
    origin = wishes(result.organization).filter(key=key_of(result), stopped_at=None, closed_at=None).first()
    plan = plan_of(signal.organization, processor, signal.company)
    if origin is None:
        return None
    stands = result.state == ProcessorResult.State.CURRENT and plan.applies(signal.board_id)
    change = _change(result, signal, processor) if stands and tool_name(signal, processor) else None
    if change is None:
        close_wish(origin)
        return None
    changes_something = any(change.expects.values())
    facts: dict[str, JsonValue] = {
        "ticket.id": vendor_id(signal.external_id),
        "ticket.board": str(signal.board_id or ""),
        "confidence": result.confidence,
        # to set what is empty, no more than to set is asked for
        "confidence_to_change": result.confidence if changes_something else 1.0,
    }
    try:
        return propose_action(
            actor=Actor.system("processor", result.organization),
            origin=origin,
            fence=origin.fence,
            tool_name=tool_name(signal, processor),
            arguments={"ticket_id": facts["ticket.id"], **change.arguments},
            call_id=WRITE_BACK,
            step=processor.slug,
            runbook_step=processor.label,
            facts=facts,
            expects=change.expects,
        )
    except StaleLease:  # a person, or another value, came in between
        return None


def _change(result: ProcessorResult, signal: Signal, processor: AnyProcessor) -> Change | None:
    try:
        value = read_value(processor, result)
    except ValidationError:
        return None
    lists = lists_of_signal(signal, processor.lists)
    return processor.change(value, own_facts(signal), lists or LiveLists())
