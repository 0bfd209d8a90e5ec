"""Who may do what: PRODUCT 1's table as data, and the one question the code asks.

Role names appear in `ROLE_PERMISSIONS` and nowhere else; everything else asks for a permission on an object.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from django.core import exceptions

if TYPE_CHECKING:
    from junto.tenants.actors import Actor
    from junto.tenants.models import Company, Organization


class Role(StrEnum):
    """The five roles of an organization, highest first; each inherits the ones after it (PRODUCT 1)."""

    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"
    OPERATOR = "operator"
    TECHNICIAN = "technician"

    @property
    def rank(self) -> int:
        """0 for the highest role (Owner), 4 for the lowest (Technician)."""
        return list(Role).index(self)

    @classmethod
    def top(cls) -> Role:
        """The role that an organization never goes without."""
        return next(iter(cls))

    @property
    def below(self) -> Role:
        """The next lower role; the lowest stays itself."""
        return list(Role)[min(self.rank + 1, len(Role) - 1)]


class Permission(StrEnum):
    """Codenames of the guardian object permissions."""

    VIEW_WORK = "view_work"
    RUN_SESSIONS = "run_sessions"
    DECIDE_LOW = "decide_low"
    DECIDE_MEDIUM = "decide_medium"
    DECIDE_HIGH = "decide_high"
    AUTHOR_RUNBOOKS = "author_runbooks"
    MANAGE_TEAM = "manage_team"
    VIEW_ANALYTICS = "view_analytics"
    VIEW_ESCALATIONS = "view_escalations"
    MANAGE_INTEGRATIONS = "manage_integrations"
    MANAGE_PROCESSORS = "manage_processors"
    MANAGE_POLICIES = "manage_policies"
    MANAGE_MODEL = "manage_model"
    MANAGE_TOKENS = "manage_tokens"
    EXPORT_AUDIT = "export_audit"
    MANAGE_BILLING = "manage_billing"
    MANAGE_ORGANIZATION = "manage_organization"
    TRANSFER_OWNERSHIP = "transfer_ownership"
    WRITE_SIGNALS = "write_signals"
    SYNC_COMPANIES = "sync_companies"
    PROPOSE_ACTIONS = "propose_actions"


#: Permissions that are asked of one company; they have rows on Company objects as well as on the Organization.
COMPANY_PERMISSIONS: frozenset[Permission] = frozenset(
    {
        Permission.VIEW_WORK,
        Permission.RUN_SESSIONS,
        Permission.DECIDE_LOW,
        Permission.DECIDE_MEDIUM,
        Permission.DECIDE_HIGH,
        Permission.AUTHOR_RUNBOOKS,
        Permission.PROPOSE_ACTIONS,
    }
)

#: Permissions that reach into every company at once: who is limited to some companies holds none of them.
EVERYWHERE_PERMISSIONS: frozenset[Permission] = frozenset(
    {
        Permission.MANAGE_INTEGRATIONS,
        Permission.MANAGE_PROCESSORS,
        Permission.MANAGE_POLICIES,
        Permission.MANAGE_MODEL,
        Permission.MANAGE_TOKENS,
        Permission.EXPORT_AUDIT,
        Permission.MANAGE_ORGANIZATION,
        Permission.WRITE_SIGNALS,
        Permission.SYNC_COMPANIES,
    }
)

_TECHNICIAN = frozenset(
    {Permission.VIEW_WORK, Permission.RUN_SESSIONS, Permission.DECIDE_LOW, Permission.PROPOSE_ACTIONS}
)
_OPERATOR = _TECHNICIAN | {Permission.DECIDE_MEDIUM}
_MANAGER = _OPERATOR | {
    Permission.DECIDE_HIGH,
    Permission.AUTHOR_RUNBOOKS,
    Permission.MANAGE_TEAM,
    Permission.VIEW_ANALYTICS,
    Permission.VIEW_ESCALATIONS,
}
_ADMIN = _MANAGER | {
    Permission.MANAGE_INTEGRATIONS,
    Permission.MANAGE_PROCESSORS,
    Permission.MANAGE_POLICIES,
    Permission.MANAGE_MODEL,
    Permission.MANAGE_TOKENS,
    Permission.EXPORT_AUDIT,
    Permission.WRITE_SIGNALS,
    Permission.SYNC_COMPANIES,
}
_OWNER = _ADMIN | {Permission.MANAGE_BILLING, Permission.MANAGE_ORGANIZATION, Permission.TRANSFER_OWNERSHIP}

#: PRODUCT 1's table. The only place where a role's name decides anything.
ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.OWNER: _OWNER,
    Role.ADMIN: _ADMIN,
    Role.MANAGER: _MANAGER,
    Role.OPERATOR: _OPERATOR,
    Role.TECHNICIAN: _TECHNICIAN,
}

#: What an API token's scope allows (PRODUCT 1). No scope holds a DECIDE permission: a token never decides.
SCOPE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "signals:read": frozenset({Permission.VIEW_WORK}),
    "signals:write": frozenset({Permission.WRITE_SIGNALS}),
    "companies:sync": frozenset({Permission.SYNC_COMPANIES}),
    "runbooks:read": frozenset({Permission.VIEW_WORK}),
    "sessions:read": frozenset({Permission.VIEW_WORK}),
    "sessions:start": frozenset({Permission.RUN_SESSIONS}),
    "actions:propose": frozenset({Permission.PROPOSE_ACTIONS}),
    "audit:read": frozenset({Permission.EXPORT_AUDIT}),
}

#: Named system actors and all they may do. None decides an action.
SYSTEM_PERMISSIONS: dict[str, frozenset[Permission]] = {
    "sync": frozenset({Permission.VIEW_WORK, Permission.WRITE_SIGNALS, Permission.SYNC_COMPANIES}),
    "agent": frozenset({Permission.VIEW_WORK, Permission.RUN_SESSIONS, Permission.PROPOSE_ACTIONS}),
    "processor": frozenset({Permission.VIEW_WORK, Permission.RUN_SESSIONS, Permission.PROPOSE_ACTIONS}),
    # alerts that cleared: may wish their tickets closed
    "monitoring": frozenset({Permission.VIEW_WORK, Permission.RUN_SESSIONS, Permission.PROPOSE_ACTIONS}),
    # what a rule of a Manager wishes waits for a person, unless policy lets it run
    "escalation": frozenset({Permission.VIEW_WORK, Permission.PROPOSE_ACTIONS}),
    "clock": frozenset({Permission.VIEW_WORK, Permission.RUN_SESSIONS}),
    # these only write in the audit log: who runs what others decided, who turned somebody away, who blocked a tool
    "worker": frozenset(),
    "login": frozenset(),
    "mcp": frozenset(),
}


#: Each right as it is said to whoever lacks it: "You may not ...".
WORDS: dict[Permission, str] = {
    Permission.VIEW_WORK: "see signals, companies and runbooks",
    Permission.RUN_SESSIONS: "start or guide the agent",
    Permission.DECIDE_LOW: "decide low-risk actions",
    Permission.DECIDE_MEDIUM: "decide medium-risk actions",
    Permission.DECIDE_HIGH: "decide high-risk actions",
    Permission.AUTHOR_RUNBOOKS: "write and publish runbooks",
    Permission.MANAGE_TEAM: "change the team",
    Permission.VIEW_ANALYTICS: "see the figures",
    Permission.VIEW_ESCALATIONS: "see escalations",
    Permission.MANAGE_INTEGRATIONS: "change connections",
    Permission.MANAGE_PROCESSORS: "change processors",
    Permission.MANAGE_POLICIES: "change policies",
    Permission.MANAGE_MODEL: "change the language model",
    Permission.MANAGE_TOKENS: "make or end API tokens",
    Permission.EXPORT_AUDIT: "read the audit log",
    Permission.MANAGE_BILLING: "change billing",
    Permission.MANAGE_ORGANIZATION: "change the organization",
    Permission.TRANSFER_OWNERSHIP: "hand the organization over",
    Permission.WRITE_SIGNALS: "write signals",
    Permission.SYNC_COMPANIES: "sync companies",
    Permission.PROPOSE_ACTIONS: "propose actions",
}


def _who_may(permission: Permission) -> str:
    """Whom to ask: the roles that hold the right, lowest first."""
    names = [role.name.capitalize() for role in reversed(Role) if permission in ROLE_PERMISSIONS[role]]
    *others, last = names
    who = f"{', '.join(others)} or {last}" if others else last
    everywhere = " who reaches all companies" if permission in EVERYWHERE_PERMISSIONS else ""
    return f"It takes the role of {who}{everywhere}."


class PermissionDenied(exceptions.PermissionDenied):
    """The actor is known here but lacks the right; says which right, and what it takes."""

    def __init__(self, actor: Actor, permission: Permission) -> None:
        self.permission = permission
        words = f"{actor.label} may not {WORDS[permission]} here"
        if permission in COMPANY_PERMISSIONS and actor.companies is not None and actor.can_anywhere(permission):
            super().__init__(f"{words}, only for the companies they are limited to.")
        else:
            super().__init__(f"{words}. {_who_may(permission)}")


def require(actor: Actor, permission: Permission, target: Organization | Company | None = None) -> None:
    """Return only when `actor` holds `permission` on `target` (default: the actor's organization) at this moment.

    Raises:
        PermissionDenied: the right is not there. A target of another organization is always denied.
    """
    if not actor.can(permission, target):
        raise PermissionDenied(actor, permission)
