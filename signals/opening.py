"""The ticket that is opened here for a signal: what it says, and that one problem gets one, while it stands."""

from __future__ import annotations

from typing import Final

from pydantic import JsonValue

from approvals.subjects import Known, rests_on
from integrations.errors import TargetRefused
from integrations.models import Connection
from junto.tenants.models import Company, Organization
from signals.facts import vendor_id
from signals.intake.clearing import PSA, all_cleared
from signals.models import Board, Signal
from signals.services import joined_ticket

#: The tools that open a ticket.
OPENING_TOOLS: Final = tuple(f"{slug}.create_ticket" for slug in PSA)
#: Most characters of the summary and the description.
SUMMARY_LENGTH: Final = 100
DESCRIPTION_LENGTH: Final = 7_000


@rests_on(*OPENING_TOOLS)
def opening_rests_on(organization: Organization, subject: str) -> Known:
    """Whether the signal has its ticket by now, and whether its alert stands still.

    Raises:
        TargetRefused: somebody else's ticket for the same problem is open in the PSA.
    """
    rows = Signal.objects.for_organization(organization).select_related("organization", "connection")
    key = subject.removeprefix("signal:")
    signal = rows.filter(pk=key).first() if key != subject else None
    if signal is None:
        return Known()
    if words := has_one_already(signal):
        raise TargetRefused(words)
    evidence = []
    state: dict[str, JsonValue] = {"its_ticket": signal.number if signal.has_ticket else None}
    if signal.has_ticket:
        evidence.append(f"{signal.number} is this signal's ticket: this opens another.")
    if signal.alert_type:
        cleared = all_cleared(organization, signal.folded_into_id or signal.pk)
        state["the_alert"] = "cleared" if cleared else "standing"
        evidence += ["The alert has cleared at its source."] if cleared else []
    return Known(state, tuple(evidence))


def has_one_already(signal: Signal) -> str:
    """Why no ticket is to be opened for an alert: the one that is open for it, in words; empty where there is none."""
    ticket = None if signal.has_ticket else joined_ticket(signal)
    if ticket is None or ticket.connection is None:
        return ""
    return (
        f"{ticket.number} is open in {ticket.connection.label} for this alert already. Where that is another problem,"
        f" part the two first: “It is another problem” on the page of the later one."
    )


def ticket_arguments(
    signal: Signal, company: Company, *, by: str = "", at: Connection | None = None
) -> dict[str, JsonValue]:
    """What the ticket of a signal without one says: its subject, its text and a board, `at` one system or anywhere.

    `by` = what opens it, put before the text.
    """
    summary = "".join(letter for letter in signal.subject if letter.isprintable()).strip()[:SUMMARY_LENGTH]
    board = signal.board or usual_board(company, at=at)
    return {
        "summary": summary,
        "description": f"{by} {signal.description}".strip()[:DESCRIPTION_LENGTH],
        "board_id": vendor_id(board.external_id) if board else None,
    }


def usual_board(company: Company, *, at: Connection | None = None) -> Board | None:
    """Where the company's last ticket stands, else the first board there is; `at` = of that system alone."""
    organization = company.organization
    boards = Board.objects.for_organization(organization)
    last = Signal.objects.for_organization(organization).filter(company=company, board__isnull=False)
    if at is not None:
        boards, last = boards.filter(connection=at), last.filter(board__connection=at)
    newest = last.select_related("board").order_by("-source_created_at").first()
    return newest.board if newest else boards.order_by("name").first()
