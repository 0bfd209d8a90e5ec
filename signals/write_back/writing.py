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
from signals.processors.base import Change, LiveLists, Value, WriteBackOptions
from signals.sync.live_lists import lists_of_signal
from signals.write_back.wishes import WRITE_BACK, close_wish, key_of, wishes


def goes_back(signal: Signal, plan: Plan, value: Value, lists: LiveLists | None) -> bool:
    """Whether this value is to be carried to the source: it is switched on, and the ticket is otherwise there."""
    if not (isinstance(plan.options, WriteBackOptions) and plan.options.write_back):
        return False
    if signal.company_id is None:
        return False
    change = plan.processor.change(value, own_facts(signal), lists or LiveLists(), plan.options)
    return change is not None and bool(tool_name(signal, change))


def tool_name(signal: Signal, change: Change) -> str:
    """The tool of the signal's source that makes this change; empty where it has none."""
    name = f"{signal.connection.vendor}.{change.tool}" if signal.connection else ""
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
    change = _change(result, signal, plan) if stands else None
    name = tool_name(signal, change) if change else ""
    if change is None or not name:
        close_wish(origin)
        return None
    changes_something = any(change.expects.values())
    facts: dict[str, JsonValue] = {
        "ticket.id": vendor_id(signal.external_id),
        "ticket.board": str(signal.board_id or ""),
        "ticket.company": signal.company.name.casefold() if signal.company else "",
        # who has it when the change would leave, which may be long after the processor looked
        "ticket.assignee": signal.assignee,
        "producer": result.producer,
        "confidence": result.confidence,
        # to set what is empty, no more than to set is asked for
        "confidence_to_change": result.confidence if changes_something else 1.0,
    }
    try:
        return propose_action(
            actor=Actor.system("processor", result.organization),
            origin=origin,
            fence=origin.fence,
            tool_name=name,
            arguments={"ticket_id": facts["ticket.id"], **change.arguments},
            call_id=WRITE_BACK,
            step=processor.slug,
            runbook_step=processor.label,
            facts=facts,
            expects=change.expects,
        )
    except StaleLease:  # a person, or another value, came in between
        return None


def _change(result: ProcessorResult, signal: Signal, plan: Plan) -> Change | None:
    try:
        value = read_value(plan.processor, result)
    except ValidationError:
        return None
    lists = lists_of_signal(signal, plan.processor.lists)
    return plan.processor.change(value, own_facts(signal), lists or LiveLists(), plan.options)
