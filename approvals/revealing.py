"""Secrets that actions set: drawn at the claim or told by the vendor, sealed apart, shown to one person once (I10).

What a password is cannot be seen before it is set, by nobody. It is drawn after the claim and sealed before the request
leaves: so it is known although the answer was lost, and it is wiped when it was read, was too late, or was not set.
"""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from approvals.errors import NotYours, SecretGone
from approvals.models import Action, ActionSecret
from approvals.people import may_decide_action, who_may_decide
from approvals.standing import approvers_of
from integrations.sealing import Place, Unsealable, seal, unseal
from integrations.tools import Flag
from junto.audit.services import record
from junto.inbox.services import notify
from junto.tenants.actors import Actor

#: How long a secret waits for its reader.
HOLDS = timedelta(hours=24)

_LETTERS = "abcdefghijkmnpqrstuvwxyz"
_CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_DIGITS = "23456789"
_GROUPS, _GROUP = 4, 4


def draw_password() -> str:
    """A password that can be read out on the phone: four groups of four, without the letters that look alike.

    Each group holds a capital and a digit, so that it meets every usual rule. About 80 bits.
    """
    return "-".join(_group() for _ in range(_GROUPS))


def _group() -> str:
    every = _LETTERS + _CAPITALS + _DIGITS
    letters = [secrets.choice(_CAPITALS), secrets.choice(_DIGITS), secrets.choice(_LETTERS)]
    letters += [secrets.choice(every) for _ in range(_GROUP - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def draw_secret(action: Action) -> str:
    """Draw the password that a claimed action sets, and keep it sealed before anything is sent."""
    drawn = draw_password()
    keep_secret(action, drawn)
    return drawn


@transaction.atomic
def keep_secret(action: Action, text: str) -> None:
    """Keep what an action set, in place of what was kept for it before."""
    rows = ActionSecret.objects.for_organization(action.organization).filter(action=action)
    rows.delete()
    row = ActionSecret(organization=action.organization, action=action, expires_at=timezone.now() + HOLDS)
    row.sealed = seal(text.encode(), place=_place(row))
    row.save(force_insert=True)


def end_secret(action: Action, *, secret: str) -> None:
    """Called with the end of an action: keeps what was set and tells who may read it; wipes what was not set."""
    if secret:
        keep_secret(action, secret)
    elif action.state != Action.State.UNKNOWN and not may_have_secret(action):
        ActionSecret.objects.for_organization(action.organization).filter(action=action).update(sealed="")
    if may_have_secret(action) and _open(action) is not None:
        notify(
            members=approvers_of(action) or list(who_may_decide(action).members),
            kind="action.secret",
            title=f"To be handed over: {action.title}",
            body="What it set is shown once, to one person, within 24 hours.",
            path=f"approvals/{action.pk}/secret/",
            subject=f"action:{action.pk}",
        )


def may_have_secret(action: Action) -> bool:
    """Whether an action, as it ended, set something that a person may read once."""
    done = action.state == Action.State.SUCCEEDED or (action.state == Action.State.SETTLED and action.settled_done)
    return bool(done and action.is_write and Flag.SECRET in action.flags)


def secret_words(action: Action, *, actor: Actor) -> str:
    """Why there is nothing to show to the actor; empty while there is."""
    if not may_decide_action(actor, action):
        return f"You may not read this. {who_may_decide(action).words}"
    return _gone_words(action)


def _gone_words(action: Action) -> str:
    row = ActionSecret.objects.for_organization(action.organization).filter(action=action)
    found = row.select_related("revealed_by__user").first()
    if not may_have_secret(action) or found is None:
        return "This action set nothing that could be shown, or its answer was lost: do it again if need be."
    if found.revealed_at is not None:
        who = found.revealed_by.user.display_name if found.revealed_by else "somebody who left"
        return f"{who} read it at {found.revealed_at:%H:%M} UTC on {found.revealed_at:%d %B}. It is shown once only."
    if _open(action) is None:
        return "Nobody read it in time, and it was wiped. Do it again if it is needed."
    return ""


@transaction.atomic
def reveal_secret(*, action: Action, actor: Actor) -> str:
    """Show what an action set, once, and wipe it here.

    Raises:
        NotYours: the actor may not decide such an action, and so may not read what it set.
        SecretGone: somebody read it, it waited too long, or there is none.
    """
    if not may_decide_action(actor, action):
        raise NotYours(secret_words(action, actor=actor))
    row = _open(action)
    if row is None or not may_have_secret(action):
        raise SecretGone(_gone_words(action))
    try:
        text = unseal(row.sealed, place=_place(row)).decode()
    except Unsealable as problem:
        raise SecretGone("It does not open here any more: do it again if it is needed.") from problem
    rows = ActionSecret.objects.for_organization(action.organization).filter(pk=row.pk, sealed=row.sealed)
    if not rows.update(sealed="", revealed_at=Now(), revealed_by=actor.membership):
        raise SecretGone(_gone_words(action))
    record(actor, "action.secret_revealed", action, {"tool": action.tool, "title": action.title})
    return text


def _open(action: Action) -> ActionSecret | None:
    rows = ActionSecret.objects.for_organization(action.organization).filter(action=action, expires_at__gt=Now())
    found: ActionSecret | None = rows.exclude(sealed="").first()
    return found


def _place(row: ActionSecret) -> Place:
    return Place(organization_id=row.organization_id, table=ActionSecret._meta.db_table, pk=row.pk, field="sealed")
