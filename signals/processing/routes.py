"""What comes of a route that a person accepted: the company here, or a change in the PSA through the one door."""

from __future__ import annotations

from typing import Final, NamedTuple

from pydantic import JsonValue

from approvals.models import Action, Origin
from approvals.services import DecisionRefused, Verdict, decide_action, open_origin, propose_action
from integrations.contracts import StatusChoice
from integrations.errors import IntegrationError
from integrations.llm.fencing import show_escaped
from integrations.models import CompanyLink, Connection
from integrations.services import is_ticket_source
from integrations.tools import registry
from junto.tenants.actors import Actor
from junto.tenants.models import Company
from junto.tenants.permissions import Permission, require
from signals.facts import vendor_id
from signals.models import ProcessorResult, Signal
from signals.processing.plans import plan_of
from signals.processors import processor_of
from signals.processors.boards import BoardNow
from signals.processors.router import Route, RouterOptions
from signals.services import map_company
from signals.sync.live_lists import live_boards
from signals.write_back.wishes import WRITE_BACK, key_of

State = Action.State

LEFT: Final = "It stays where it is."


class RouteRefused(ValueError):
    """The route cannot be sent to the PSA; the message says why, and what is left to a person."""


class _Call(NamedTuple):
    tool: str
    arguments: dict[str, JsonValue]
    expects: dict[str, str]


def targets(actor: Actor, signal: Signal) -> list[str]:
    """Where a person may route the ticket: the boards of its source as they are now, and the companies of theirs."""
    found: list[str] = []
    if signal.connection is not None and is_ticket_source(signal.connection):
        try:
            found = list(live_boards(signal.connection).names())
        except IntegrationError:
            found = list(signal.connection.boards.values_list("name", flat=True))
    companies = Company.objects.visible_to(actor).filter(is_active=True).order_by("name")
    return list(dict.fromkeys([*found, *companies.values_list("name", flat=True)]))


def place(signal: Signal, value: Route, *, actor: Actor) -> str:
    """Give a ticket of no known company the one that an accepted route names; what was done in words, or nothing.

    Raises:
        PermissionDenied: `actor` may not work for that company.
        StaleState: the ticket is closed.
    """
    if value.action != "move_company" or signal.company_id is not None:
        return ""
    company = _company(value, actor)
    if company is None:  # the word is refused then, where it is kept
        return ""
    map_company(signal=signal, company=company, actor=actor)
    return f"The ticket belongs to {company.name} now, here in Junto."


def send_route(result: ProcessorResult, value: Route, *, actor: Actor) -> Action | None:
    """Ask for what an accepted route needs in the PSA; None where that is nothing.

    The person who accepted it decides it too, where they may and it is not high risk, which is decided on its card;
    else it waits for one who may. REFUSED where somebody changed the ticket first. Not to be called inside a
    transaction.

    Raises:
        RouteRefused: it cannot be sent; the message says why.
        PermissionDenied: `actor` may not propose actions for the ticket's company, or not work for the one it goes to.
    """
    signal = result.signal
    if value.action == "skip":
        return None
    if signal.company is None or signal.connection is None or not signal.has_ticket:
        raise RouteRefused("Noted. The ticket is of no known company, or in no connected PSA: nothing is done there.")
    try:
        call = _call(signal, signal.connection, value, actor)
    except IntegrationError as problem:
        raise RouteRefused(f"Noted, and not done in the PSA: {problem}") from problem
    name = f"{signal.connection.vendor}.{call.tool}"
    if name not in registry:
        raise RouteRefused(f"Noted. {signal.connection.label} takes no such change from Junto: do it there.")
    origin = open_origin(
        organization=signal.organization,
        kind=Origin.Kind.PROCESSOR,
        key=key_of(result),
        subject=signal.origin_subject,
        mode=Origin.Mode.BY_HAND,  # the person who accepted it sits in front of it
        company=signal.company,
        revision=signal.revision,
    )
    action = propose_action(
        actor=actor,
        origin=origin,
        fence=origin.fence,
        tool_name=name,
        arguments={"ticket_id": vendor_id(signal.external_id), **call.arguments},
        call_id=WRITE_BACK,
        expects=call.expects,
    )
    if action.state != State.WAITING:
        return action
    try:
        return decide_action(action_id=action.pk, actor=actor, verdict=Verdict.APPROVE, digest=action.digest)
    except DecisionRefused:
        return action


def route_words(action: Action) -> str:
    """What came of sending it, for the person who accepted the route."""
    if action.state in (State.REFUSED, State.FAILED):
        return f"Noted. The PSA stays as it is. {show_escaped(action.reason)}"
    if action.state == State.WAITING:
        return "Noted. Doing it in the PSA waits for somebody who may decide it, under Approvals."
    return "Accepted, and being done in the PSA."


def _call(signal: Signal, connection: Connection, value: Route, actor: Actor) -> _Call:
    """What to ask the PSA for. Raises RouteRefused and IntegrationError."""
    if value.action == "close":
        status = _closing(signal, connection)
        return _Call("set_ticket_status", {"status_id": vendor_id(status.id)}, {"status": signal.source_status})
    if value.action == "move_board":
        board, status = _new_board(connection, value)
        there: dict[str, JsonValue] = {"board_id": vendor_id(board.id), "status_id": vendor_id(status.id)}
        return _Call("move_to_board", there, {"board": signal.board.name if signal.board else ""})
    company = _company(value, actor)
    links = CompanyLink.objects.for_organization(signal.organization).filter(connection=connection, company=company)
    link = links.order_by("pk").first() if company is not None else None
    if company is None or link is None:
        raise RouteRefused(f"Noted. {value.target} is no company that Junto knows in {connection.label}.")
    require(actor, Permission.RUN_SESSIONS, company)
    return _Call("move_to_company", {"company_id": vendor_id(link.external_id)}, {})


def _closing(signal: Signal, connection: Connection) -> StatusChoice:
    """The status that the router's options name, as the ticket's board has it."""
    named = _options(signal).closed_status.strip()
    if signal.board is None:
        raise RouteRefused(f"Noted. The ticket is on no board that Junto knows: close it in {connection.label}.")
    board = live_boards(connection).named(signal.board.name)
    status = board.closing(named) if board else None
    if status is not None:
        return status
    raise RouteRefused(
        f"Noted. {signal.board.name} has no status “{named}” that closes a ticket: close it in {connection.label}."
    )


def _new_board(connection: Connection, value: Route) -> tuple[BoardNow, StatusChoice]:
    """The board, and the status that new tickets have there."""
    board = live_boards(connection).named(value.target)
    if board is None:
        raise RouteRefused(f"Noted. {connection.label} has no board {value.target} (any more).")
    status = board.opening()
    if status is None:
        raise RouteRefused(f"Noted. {board.name} has no status for open tickets: move it in {connection.label}.")
    return board, status


def _options(signal: Signal) -> RouterOptions:
    plan = plan_of(signal.organization, processor_of("router"), signal.company)
    return plan.options if isinstance(plan.options, RouterOptions) else RouterOptions()


def _company(value: Route, actor: Actor) -> Company | None:
    found: Company | None = Company.objects.visible_to(actor).filter(name__iexact=value.target, is_active=True).first()
    return found
