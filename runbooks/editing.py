"""People at the editor: what they typed is kept against a crash, and each is told of the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission, PermissionDenied, require
from runbooks.models import Runbook, RunbookEdit

#: Who was not heard of for so long has left; an open editor reports every 15 s.
GONE_AFTER: Final = timedelta(seconds=45)
#: All that one person may keep of one runbook, in characters.
KEPT_LIMIT: Final = 4 * Runbook.BODY_LIMIT


class TooMuchToKeep(ValueError):
    """More was sent than any runbook may hold."""


@dataclass(frozen=True)
class Surroundings:
    """Who else is at the same runbook, and the last save by somebody else that the text on screen does not hold."""

    others: tuple[str, ...]
    saved_by: str = ""
    saved_at: datetime | None = None


def keep_edit(*, actor: Actor, runbook: Runbook | None, content: dict[str, str], based_on: int | None) -> RunbookEdit:
    """Say that somebody is at the editor, and keep what they typed (nothing = only that they are there).

    This makes no version: only saving does.

    Raises:
        PermissionDenied: `actor` may not author there.
        TooMuchToKeep: the content is longer than any runbook.
    """
    member = _author(actor, runbook)
    if sum(map(len, content.values())) > KEPT_LIMIT:
        raise TooMuchToKeep(f"At most {KEPT_LIMIT:,} characters are kept.")
    now = timezone.now()
    values: dict[str, object] = {"seen_at": now}
    if content:
        values |= {"content": content, "saved_at": now, "based_on": based_on}
    rows = RunbookEdit.objects.for_organization(actor.organization)
    try:
        with transaction.atomic():
            edit: RunbookEdit = rows.update_or_create(
                member=member,
                runbook=runbook,
                defaults=values,
                create_defaults={**values, "organization": actor.organization},
            )[0]
    except IntegrityError:  # two windows of one person made the row at once: the other one's words are as good
        edit = rows.get(member=member, runbook=runbook)
    return edit


def forget_edit(*, actor: Actor, runbook: Runbook | None) -> None:
    """Throw away what the actor typed and did not save.

    Raises:
        PermissionDenied: `actor` may not author there.
    """
    member = _author(actor, runbook)
    rows = RunbookEdit.objects.for_organization(actor.organization).filter(member=member, runbook=runbook)
    rows.update(content={}, saved_at=None, based_on=None)


def kept_edit(actor: Actor, runbook: Runbook | None) -> RunbookEdit | None:
    """What the actor typed there and did not save, if anything."""
    found: RunbookEdit | None = (
        RunbookEdit.objects.for_organization(actor.organization)
        .filter(member=actor.membership, runbook=runbook)
        .exclude(saved_at=None)
        .first()
    )
    return found


def surroundings(actor: Actor, runbook: Runbook, *, based_on: int | None) -> Surroundings:
    """Who else has this runbook open, and who saved it since the record `based_on`."""
    here = (
        RunbookEdit.objects.for_organization(actor.organization)
        .filter(runbook=runbook, seen_at__gte=timezone.now() - GONE_AFTER)
        .exclude(member=actor.membership)
        .select_related("member__user")
    )
    others = tuple(sorted(edit.member.user.display_name for edit in here))
    latest = runbook.history.select_related("history_user").order_by("-history_id").first()
    if latest is None or based_on is None or latest.history_id <= based_on:
        return Surroundings(others)
    author = latest.history_user.display_name if latest.history_user else "Junto"
    return Surroundings(others, saved_by=author, saved_at=latest.history_date)


def _author(actor: Actor, runbook: Runbook | None) -> Membership:
    """The person, who must be allowed to write there: for a new runbook anywhere."""
    if runbook is not None:
        require(actor, Permission.AUTHOR_RUNBOOKS, runbook.company or actor.organization)
    elif not actor.can_anywhere(Permission.AUTHOR_RUNBOOKS):
        raise PermissionDenied(actor, Permission.AUTHOR_RUNBOOKS)
    if actor.membership is None:
        raise PermissionDenied(actor, Permission.AUTHOR_RUNBOOKS)
    return actor.membership
