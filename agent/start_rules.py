"""Whether the agent starts by itself: set by Admins, for the organization or for one board."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from agent.models import StartRule
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from signals.models import Board, Signal


@transaction.atomic
def set_start_rule(*, actor: Actor, mode: StartRule.Mode, board: Board | None = None) -> StartRule:
    """Set the rule of a board, or that of all boards without one of their own (`board` None).

    Raises:
        PermissionDenied: `actor` may not manage policies.
        Board.DoesNotExist: the board is not of the actor's organization.
    """
    require(actor, Permission.MANAGE_POLICIES)
    if board is not None:
        board = Board.objects.for_organization(actor.organization).get(pk=board.pk)
    rules = StartRule.objects.for_organization(actor.organization).select_for_update()
    former = rules.filter(board=board).first()
    rule = former or StartRule(organization=actor.organization, board=board)
    before = former.mode if former else None
    rule.mode = mode
    rule.save()
    record(actor, "start_rule.set", rule, {"board": _name(board), "mode": mode.value, "before": before})
    return rule


@transaction.atomic
def remove_start_rule(*, actor: Actor, rule: StartRule) -> None:
    """Forget a rule: its board follows the organization's again; without that one the agent prepares.

    Raises:
        PermissionDenied: `actor` may not manage policies.
        StartRule.DoesNotExist: it is not of the actor's organization, or gone.
    """
    require(actor, Permission.MANAGE_POLICIES)
    rows = StartRule.objects.for_organization(actor.organization).select_for_update(of=("self",))
    found = rows.select_related("board").get(pk=rule.pk)
    record(actor, "start_rule.removed", found, {"board": _name(found.board), "before": found.mode})
    found.delete()


def start_mode(signal: Signal) -> StartRule.Mode:
    """The start rule in force for the signal's board: its own, else the organization's, else prepare."""
    rows = StartRule.objects.for_organization(signal.organization).values_list("board_id", "mode")
    rules: dict[UUID | None, str] = dict(rows)
    own = rules.get(signal.board_id) if signal.board_id else None
    return StartRule.Mode(own or rules.get(None) or StartRule.Mode.PREPARE)


def _name(board: Board | None) -> str:
    return board.name if board else ""
