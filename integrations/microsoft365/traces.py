"""What in a tenant was our doing, as its log tells: somebody else's change is not taken for a write that was lost.

Source: Microsoft Graph 1.0, directoryAudit (`initiatedBy.app`); the names of the activities are those of Core
Directory in Microsoft's "audit log categories and activities". Where Microsoft changes a name, an outcome becomes
unclear and never done.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from integrations.errors import ToolUnavailable, VendorForbidden
from integrations.microsoft365 import endpoints
from integrations.microsoft365.schemas_watch import Audit
from integrations.microsoft365.targets import moment, tenant_of
from integrations.tools import Outcome, ToolContext

ADDED = "Add user"
PASSWORD_SET = "Reset user password"  # noqa: S105  # the name of an activity
SESSIONS_ENDED = "Update StsRefreshTokenValidFrom Timestamp"

NEAR = timedelta(minutes=2)
"""How far a line of the log may lie from the moment that the account shows for the same change."""


def settled_by_log(
    context: ToolContext, activity: str, target: str, *, at: str, was: str = "", found: Outcome
) -> Outcome:
    """`found` where the log says that our app did it at that moment, and unclear where it does not, or cannot be read.

    `at` and `was` are the moments that the account shows now and showed before, `target` is its id.
    """
    try:
        ours = _is_ours(context, activity, target, at=_parsed(at), was=_parsed(was))
    except (VendorForbidden, ToolUnavailable) as refused:
        return Outcome("unclear", f"{found.evidence} Whose doing that was, the directory's log did not tell: {refused}")
    if ours:
        return replace(found, evidence=f"{found.evidence} The directory's log says that Junto's app did it.")
    words = "The directory's log does not say that Junto's app did it: somebody else may have."
    return Outcome("unclear", f"{found.evidence} {words}")


def _is_ours(context: ToolContext, activity: str, target: str, *, at: datetime | None, was: datetime | None) -> bool:
    if at is None:
        return False
    tenant = tenant_of(context)
    ids = {tenant.client.app_id, tenant.client.principal(tenant.id)} - {""}
    asked = f"activityDateTime ge {moment(at - NEAR)} and activityDateTime le {moment(at + NEAR)}"
    for line in tenant.rows(Audit, endpoints.AUDITS, [("$filter", asked), ("$top", "100")]):
        done = _parsed(line.at)
        names_us = bool({line.by.app.app_id.lower(), line.by.app.principal.lower()} & ids)
        about = line.activity == activity and target.lower() in {one.id.lower() for one in line.targets}
        if names_us and about and done is not None and _belongs(done, at=at, was=was):
            return True
    return False


def _belongs(done: datetime, *, at: datetime, was: datetime | None) -> bool:
    """Whether a line tells of the change that is seen now, and not of the one before it."""
    off = abs(done - at)
    return off <= NEAR and (was is None or off < abs(done - was))


def _parsed(text: str) -> datetime | None:
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        return None
    return told if told.tzinfo else None
