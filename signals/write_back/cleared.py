"""Closing the ticket of an alert that cleared: a board's option, the grant behind it, and the action itself.

A ticket is closed only where an Admin named a status for its board, no alert of it stands any more, and no person
touched it, here or at the source. The change is an action like any other: without a grant in force it waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from pydantic import JsonValue

from approvals.models import Action, Grant
from approvals.services import GrantDraft, NotYours, StaleLease, issue_grants, propose_action, revoke_grants
from integrations.contracts import StatusChoice, TicketRecord
from integrations.models import Connection
from integrations.services import is_ticket_source, open_ticket_source
from integrations.tools import AnyTool, registry
from junto.audit.services import record
from junto.bells import ring
from junto.tenants.actors import Actor
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet
from signals.facts import vendor_id
from signals.intake.clearing import all_cleared
from signals.intake.folding import CLEARED_BUT_KEPT
from signals.intake.touched import touched_by_a_person
from signals.models import Board, Signal
from signals.sync.hints import read_back
from signals.sync.live_lists import live_statuses
from signals.sync.polling import store_read
from signals.write_back.clearings import STEP, closing_wish, unwish_closing

#: Tickets that one board's grant closes within 24 hours.
MOST_A_DAY: Final = 100
_CALL: Final = "close"


class ClearedRefused(ValueError):
    """The option cannot be so; the message says why."""


def closable_boards(organization: Organization) -> list[Board]:
    """The boards whose tickets can be closed from here."""
    boards = Board.objects.for_organization(organization).select_related("connection").order_by("connection", "name")
    return [board for board in boards if _tool(board.connection) is not None]


def closing_statuses(board: Board) -> list[StatusChoice]:
    """The statuses of a board that close a ticket, as its source has them now. Raises IntegrationError."""
    return [status for status in live_statuses(board.connection, board) if status.closes]


def grants_of_cleared(organization: Organization) -> TenantQuerySet[Grant]:
    """Those in force, with who answers for them."""
    rows: TenantQuerySet[Grant] = Grant.objects.for_organization(organization)
    mine = rows.filter(kind=Grant.Kind.PROCESSOR, step=STEP, revoked_at=None)
    return mine.select_related("issued_by__user", "organization", "company").order_by("issued_at", "id")


def set_cleared_statuses(*, actor: Actor, chosen: Mapping[UUID, str]) -> None:
    """Say by board which status (the source's id; empty = none) a ticket gets whose alert cleared; `actor` answers.

    Boards that are not named keep theirs; all grants are given anew. Not to be called inside a transaction: the lists
    of the source are read.

    Raises:
        PermissionDenied: `actor` may not manage integrations.
        ClearedRefused: a status is none that closes, or `actor` may not decide such a change everywhere.
        IntegrationError: the statuses cannot be read.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    boards = closable_boards(actor.organization)
    for board in boards:
        if board.pk in chosen:
            _choose(board, chosen[board.pk])
    drafts = [draft for board in boards if (draft := _draft(board))]
    try:
        with transaction.atomic():
            for board in boards:
                board.save(update_fields=["cleared_status", "cleared_status_id"])
            revoke_grants(actor=actor, grants=grants_of_cleared(actor.organization), reason="It was saved anew.")
            issue_grants(actor=actor, drafts=drafts)
            said: dict[str, JsonValue] = {board.name: board.cleared_status for board in boards if board.cleared_status}
            record(actor, "alerts.cleared_statuses_set", actor.organization, {"statuses": said})
    except NotYours as refusal:
        raise ClearedRefused(str(refusal)) from refusal


def close_cleared(ticket: Signal) -> Action | None:
    """Ask for the close that is wished; None where there is nothing (more) to ask for. Safe to repeat.

    The ticket is read anew first: what somebody did there since counts. Not to be called inside a transaction.

    Raises:
        IntegrationError: the source cannot be read now.
    """
    connection = ticket.connection
    if closing_wish(ticket) is None or connection is None:
        return None
    with closing(open_ticket_source(connection)) as source:
        read = read_back(connection, source, [ticket.external_id])
    store_read(connection, read)
    ticket = (
        Signal.objects.for_organization(ticket.organization)
        .select_related("organization", "company", "board", "connection")
        .get(pk=ticket.pk)
    )
    why = _why_not(ticket, read)
    if why:
        unwish_closing(ticket, why)
        if why == CLEARED_BUT_KEPT:
            open_ones = Signal.objects.for_organization(ticket.organization).filter(state__in=Signal.OPEN)
            open_ones.filter(pk=ticket.pk).update(state_reason=why, changed_at=timezone.now())
            ring("signal.processed", str(ticket.pk))
        return None
    return _propose(ticket, connection)


def _propose(ticket: Signal, connection: Connection) -> Action | None:
    origin, board, tool = closing_wish(ticket), ticket.board, _tool(connection)
    if origin is None or board is None or tool is None:
        return None
    number = vendor_id(ticket.external_id)
    facts: dict[str, JsonValue] = {"ticket.id": number, "ticket.board": str(board.pk), "ticket.untouched": True}
    try:
        return propose_action(
            actor=Actor.system("monitoring", ticket.organization),
            origin=origin,
            fence=origin.fence,
            tool_name=tool.name,
            arguments={"ticket_id": number, "status_id": vendor_id(board.cleared_status_id)},
            call_id=_CALL,
            step=STEP,
            runbook_step="Alert cleared",
            facts=facts,
            expects={"status": ticket.source_status},
        )
    except StaleLease:  # a person, or the alert, came in between
        return None


def _why_not(ticket: Signal, read: list[TicketRecord]) -> str:
    """Why the ticket is not to be closed by itself (any more); empty where it is."""
    told = read[0] if read else None
    if told is None or told.deleted or ticket.closed_at_source:
        return "The ticket is closed or gone, or cannot be read."
    if not all_cleared(ticket.organization, ticket.folded_into_id or ticket.pk):
        return "The alert stands again."
    by_somebody_else = not told.opened_by or told.opened_by.casefold() != told.changed_by.casefold()
    if by_somebody_else or touched_by_a_person(ticket):
        return CLEARED_BUT_KEPT
    if ticket.company is None or ticket.board is None or not ticket.board.cleared_status_id:
        return "Tickets of this board are not closed when their alert clears."
    return ""


def _choose(board: Board, status_id: str) -> None:
    found = next((each for each in closing_statuses(board) if each.id == status_id), None) if status_id else None
    if status_id and found is None:
        raise ClearedRefused(f"{board.name} has no such status that closes a ticket.")
    board.cleared_status_id, board.cleared_status = (found.id, found.name[:80]) if found else ("", "")


def _draft(board: Board) -> GrantDraft | None:
    tool = _tool(board.connection)
    if tool is None or not board.cleared_status_id:
        return None
    return GrantDraft(
        kind="processor",
        tool=tool,
        words=(
            f"A ticket on {board.name} whose alert has cleared may be set to {board.cleared_status}, if no person"
            f" touched it here or there; at most {MOST_A_DAY} times a day."
        ),
        rules={
            "ticket_id": {"kind": "fact", "path": "ticket.id"},
            "status_id": {"kind": "constant", "value": vendor_id(board.cleared_status_id)},
            "?board": {"kind": "among", "path": "ticket.board", "values": [str(board.pk)]},
            "?untouched": {"kind": "among", "path": "ticket.untouched", "values": [True]},
            "?per_day": {"kind": "per_day", "value": MOST_A_DAY},
        },
        step=STEP,
        max_count=None,
    )


def _tool(connection: Connection) -> AnyTool | None:
    """The tool that sets a status at the connection's system; None where it gives no tickets or has none."""
    name = f"{connection.vendor}.set_ticket_status"
    return registry.get(name) if is_ticket_source(connection) and name in registry else None
