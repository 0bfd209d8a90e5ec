"""The card that says on which boards tickets are alerts, for those who manage integrations."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from junto.tenants.access import MemberRequest
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require
from signals.intake.alert_boards import choose_alert_boards, ticket_boards
from signals.models import Board


class AlertBoardsForm(forms.Form):
    """The boards that hold alerts."""

    boards = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Tickets of these boards are alerts",
        help_text=(
            "What is wrong is read from the ticket's summary, without the device's name, quantities, dates and times: "
            "“SRV-01: disk K: 97 % full” and “SRV-01: disk K: 98 % full” are one problem, disk C: is another. Type and "
            "subtype do not count, as they change while a ticket is worked on. The device is the ticket's "
            "configuration, else the one device of the company that the summary names."
        ),
    )

    def __init__(self, data: object = None, *, boards: list[Board]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        several = len({board.connection_id for board in boards}) > 1
        field = self.fields["boards"]
        field.choices = [  # type: ignore[attr-defined]
            (str(board.pk), f"{board.name} ({board.connection.label})" if several else board.name) for board in boards
        ]
        field.initial = [str(board.pk) for board in boards if board.holds_alerts]


def alert_boards_card(organization: Organization) -> dict[str, object]:
    """What the card shows; nothing where no board is known."""
    boards = list(ticket_boards(organization))
    return {"alert_boards_form": AlertBoardsForm(boards=boards)} if boards else {}


@require_POST
def set_alert_boards(request: MemberRequest) -> HttpResponse:
    """Keep the choice, and read the open tickets of boards that are new in it."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    form = AlertBoardsForm(request.POST, boards=list(ticket_boards(request.actor.organization)))
    if not form.is_valid():
        messages.error(request, "Nothing was saved: one of the boards is not there any more. Choose again.")
        return redirect("maintenance")
    folded = choose_alert_boards(
        actor=request.actor, chosen={UUID(board_id) for board_id in form.cleaned_data["boards"]}
    )
    many = f" {folded} open {'ticket repeats' if folded == 1 else 'tickets repeat'} another." if folded else ""
    messages.success(request, f"Saved.{many}")
    return redirect("maintenance")
