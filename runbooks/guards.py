"""What every verb on a runbook asks first: whose row it is, as it is now, and who may write it."""

from __future__ import annotations

import uuid

from junto.tenants.actors import Actor
from junto.tenants.permissions import Permission, require
from runbooks.models import Runbook
from runbooks.querysets import RunbookQuerySet


def rows(actor: Actor) -> RunbookQuerySet:
    """The runbooks of the actor's organization."""
    return Runbook.objects.for_organization(actor.organization)


def locked(runbook: Runbook, actor: Actor) -> Runbook:
    """The row as it is now, locked until the transaction ends. Raises Runbook.DoesNotExist for a stranger's."""
    found: Runbook = rows(actor).select_for_update(of=("self",)).select_related("company").get(pk=runbook.pk)
    return found


def may_read(actor: Actor, company_id: uuid.UUID | None) -> bool:
    """Whether `actor` may read what was written for that company (none = all): a runbook, or one version of it.

    A draft may have been meant for another company before it was published, so each version is asked for its own.
    """
    return company_id is None or actor.companies is None or company_id in actor.companies


def may_author(actor: Actor, runbook: Runbook) -> bool:
    """Whether `actor` may write it; a global runbook needs the right for all companies."""
    return actor.can(Permission.AUTHOR_RUNBOOKS, runbook.company or actor.organization)


def require_author(actor: Actor, runbook: Runbook) -> None:
    """`may_author`, or PermissionDenied."""
    require(actor, Permission.AUTHOR_RUNBOOKS, runbook.company or actor.organization)
