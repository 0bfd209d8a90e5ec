"""A person's word on a value, carried to the ticket's source: an action of that person's own, decided by a person.

Only what the processor's write-back is on for goes there. The ticket is read anew first: what somebody set there since
the person looked is left as it is, and told.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace

from django.db import transaction
from pydantic import JsonValue

from approvals.models import Action, Origin
from approvals.services import DecisionRefused, StaleLease, Verdict, decide_action, open_origin, propose_action
from integrations.contracts import TicketRecord
from integrations.errors import IntegrationError
from integrations.llm.fencing import show_escaped
from integrations.models import Connection
from integrations.services import open_ticket_source
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from signals.facts import vendor_id
from signals.intake.set_by_people import set_by_others
from signals.models import ProcessorResult, Signal
from signals.processing.plans import plan_of
from signals.processing.ticket_facts import own_facts
from signals.processors.base import AnyProcessor, Change, LiveLists, TicketFacts, Value, WriteBackOptions
from signals.sync.live_lists import lists_of_signal
from signals.sync.polling import store_read
from signals.write_back.put_back import came_to_nothing
from signals.write_back.wishes import WRITE_BACK, key_of
from signals.write_back.writing import tool_name

State = Action.State

#: So long a person waits for the source; the word is kept however long that takes, and can be written there later.
_SECONDS = 10.0


@dataclass(frozen=True)
class Told:
    """What came of a word at the source, in a sentence. `goes` = it is done there, without anybody else."""

    words: str
    goes: bool = False


def carries(signal: Signal, processor: AnyProcessor) -> bool:
    """Whether a person's word on this value goes to the ticket's source: an open ticket, its write-back switched on."""
    if signal.company is None or signal.closed_at_source or not _may_differ(signal, processor):
        return False
    plan = plan_of(signal.organization, processor, signal.company)
    options = plan.options
    return plan.applies(signal.board_id) and isinstance(options, WriteBackOptions) and options.write_back


def still_there(signal: Signal, processor: AnyProcessor, value: Value) -> str:
    """What the ticket has at its source in place of `value`, in a sentence, as last read; empty where it has that."""
    if not _may_differ(signal, processor):
        return ""
    label = processor.label_of_types(signal.type, signal.subtype, signal.item, signal.priority)
    if not label:
        return f"The PSA still has no {processor.label.lower()}."
    if processor.value_of_label(label).key() == value.key():
        return ""
    return f"The PSA still has {show_escaped(label)}."


def send_word(result: ProcessorResult, processor: AnyProcessor, value: Value, *, actor: Actor) -> Told | None:
    """Ask the source for what `result`, a person's word, says of the ticket; None where it is so there.

    The person decides it too, where they may; else it waits for one who may. Where write-back is off nothing is asked,
    and they are told what the source keeps. Asked for again it is the same action. Not to be called inside a
    transaction.

    Raises:
        PermissionDenied: `actor` may not propose actions for the ticket's company.
    """
    signal = result.signal
    company, connection = signal.company, signal.connection
    if company is None or connection is None or not carries(signal, processor):
        kept = still_there(signal, processor, value)
        return Told(f"Noted here. {kept} {why_not(signal)}") if kept else None
    try:
        ticket = _as_it_is(signal, connection)
        now = _facts(signal, ticket)
        change = _change(signal, processor, value, now)
    except IntegrationError as problem:
        return Told(f"Noted here, and not written to the PSA: {show_escaped(str(problem))}")
    name = tool_name(signal, change) if change else ""
    if change is None:
        store_read(connection, [ticket])  # so that no page says that the source still has another
        return None
    if set_by_others(signal, _values(processor, now), read_at=ticket.read_at):
        there = processor.label_of_types(now.type, now.subtype, now.item, now.priority)
        found = f"now has {show_escaped(there)}" if there else "has none now"
        return Told(f"Noted here. The PSA stays as it is: somebody changed it there first, and it {found}.")
    if not name:
        return Told(f"Noted here. {connection.label} takes no such change from Junto: do it there.")
    origin = _origin(result, company)
    if origin is None:
        return Told("Something else stands by now. It is shown as it is.")
    try:
        action = propose_action(
            actor=actor,
            origin=origin,
            fence=origin.fence,
            tool_name=name,
            arguments={"ticket_id": vendor_id(signal.external_id), **change.arguments},
            call_id=WRITE_BACK,
            expects=change.expects,
        )
    except StaleLease:  # another word took its place
        return Told("Something else stands by now. It is shown as it is.")
    return _told(_decided(action, actor))


def why_not(signal: Signal) -> str:
    """Why a word that `carries` leaves here does not go to the source, in a sentence."""
    if signal.closed_at_source:
        return "The ticket is closed there."
    if signal.company is None:
        return "The ticket is of no known company."
    return "Writing it there is off: change it there."


def _may_differ(signal: Signal, processor: AnyProcessor) -> bool:
    """Whether a system of tickets is connected that has this value of its own."""
    return bool(processor.fields) and signal.has_ticket and signal.state != Signal.State.GONE


def _as_it_is(signal: Signal, connection: Connection) -> TicketRecord:
    """The ticket as its source has it this moment. Raises IntegrationError."""
    with closing(open_ticket_source(connection, seconds=_SECONDS)) as source:
        return source.ticket(signal.external_id)


def _facts(signal: Signal, ticket: TicketRecord) -> TicketFacts:
    """What we know of the ticket, with the values that its source has."""
    return replace(
        own_facts(signal), type=ticket.type, subtype=ticket.subtype, item=ticket.item, priority=ticket.priority
    )


def _change(signal: Signal, processor: AnyProcessor, value: Value, now: TicketFacts) -> Change | None:
    """As the processor has it; a part that the ticket has below a person's word is taken out. None where all is so.

    Raises:
        IntegrationError: the source's lists cannot be read.
    """
    options = plan_of(signal.organization, processor, signal.company).options
    change = processor.change(value, now, lists_of_signal(signal, processor.lists) or LiveLists(), options)
    if change is not None:
        return change
    wanted = value.model_dump()
    over = {name: has for name, has in _values(processor, now).items() if has and not wanted[name]}
    empty: dict[str, JsonValue] = {"empty": list(over)}
    return Change(tool=processor.writes[0], arguments=empty, expects=over) if over else None


def _values(processor: AnyProcessor, facts: TicketFacts) -> Mapping[str, str]:
    """The fields that the processor says something of."""
    every = {"type": facts.type, "subtype": facts.subtype, "item": facts.item, "priority": facts.priority}
    return {name: every[name] for name in processor.fields}


def _origin(result: ProcessorResult, company: Company) -> Origin | None:
    """What the action stands on, while the word does: whoever says another one, or takes it back, stops it."""
    signal = result.signal
    with transaction.atomic():
        rows = ProcessorResult.objects.for_organization(result.organization).current()
        if rows.filter(pk=result.pk).select_for_update().first() is None:
            return None
        return open_origin(
            organization=result.organization,
            kind=Origin.Kind.PROCESSOR,
            key=key_of(result),
            subject=signal.origin_subject,
            mode=Origin.Mode.BY_HAND,  # the person who said it sits in front of it
            company=company,
            revision=signal.revision,
        )


def _decided(action: Action, actor: Actor) -> Action:
    if action.state != State.WAITING:
        return action
    try:
        return decide_action(action_id=action.pk, actor=actor, verdict=Verdict.APPROVE, digest=action.digest)
    except DecisionRefused:
        action.refresh_from_db()
        return action


def _told(action: Action) -> Told:
    if came_to_nothing(action):
        return Told(f"Noted here. The PSA stays as it is. {show_escaped(action.reason)}".strip())
    if action.state == State.WAITING:
        return Told("Noted here. Writing it to the PSA waits for somebody who may decide it, under Approvals.")
    return Told("Noted, and being written to the PSA.", goes=True)
