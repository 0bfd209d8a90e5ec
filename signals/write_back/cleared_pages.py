"""The card of what happens to tickets whose alert cleared, for those who manage integrations."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from integrations.errors import IntegrationError
from integrations.llm.fencing import show_escaped
from junto.tenants.access import MemberRequest
from junto.tenants.models import Organization
from junto.tenants.permissions import Permission, require
from signals.models import Board
from signals.sync.live_lists import for_a_page
from signals.write_back.cleared import (
    ClearedRefused,
    closable_boards,
    closing_statuses,
    grants_of_cleared,
    set_cleared_statuses,
)

STAYS_OPEN = "The ticket stays open"


class ClearedForm(forms.Form):
    """A status for each board, chosen among those that close a ticket there."""

    def __init__(self, data: object = None, *, boards: list[Board]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        for board in boards:
            choices = [(each.id, each.name) for each in closing_statuses(board)]
            field = forms.ChoiceField(choices=[("", STAYS_OPEN), *choices], required=False, label=board.name)
            field.initial = board.cleared_status_id
            field.widget.attrs |= {"class": "input"}
            self.fields[f"board-{board.pk}"] = field

    def chosen(self) -> dict[UUID, str]:
        """The status by board, as it was entered."""
        return {UUID(name.removeprefix("board-")): status for name, status in self.cleaned_data.items()}


def cleared_card(organization: Organization) -> dict[str, object]:
    """What the card shows; nothing where no system is connected whose tickets could be closed."""
    boards = closable_boards(organization)
    if not boards:
        return {}
    grants: list[dict[str, object]] = [
        {
            "words": show_escaped(grant.words),
            "by": show_escaped(grant.issued_by.user.display_name),
            "since": grant.issued_at,
        }
        for grant in grants_of_cleared(organization)
    ]
    try:
        with for_a_page():
            return {"cleared_form": ClearedForm(boards=boards), "cleared_grants": grants}
    except IntegrationError as problem:
        return {"cleared_problem": show_escaped(str(problem)), "cleared_grants": grants}


@require_POST
def set_cleared(request: MemberRequest) -> HttpResponse:
    """Keep the statuses, and give the standing approvals that they need."""
    require(request.actor, Permission.MANAGE_INTEGRATIONS)
    try:
        form = ClearedForm(request.POST, boards=closable_boards(request.actor.organization))
        if form.is_valid():
            set_cleared_statuses(actor=request.actor, chosen=form.chosen())
            messages.success(request, "Saved. You answer for the standing approvals below.")
        else:
            messages.error(request, "A status is none of its board that closes a ticket: choose again.")
    except (IntegrationError, ClearedRefused) as problem:
        messages.error(request, f"Nothing was saved. {problem}")
    return redirect("maintenance")
