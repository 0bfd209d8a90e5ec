"""What every page shows around its content: who, where, the menu, and which model answers."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from approvals.services import waiting_for
from integrations.services import model_info
from junto.desk.views import memberships_of
from junto.inbox.models import Notification
from junto.tenants.access import organization_urls
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from junto.tenants.permissions import Permission
from signals.models import ReviewItem, Signal


@dataclass(frozen=True)
class NavPage:
    """One line of the menu."""

    label: str
    path: str
    icon: str
    group: str
    current: bool
    count: int = 0
    tone: str = ""
    phone: bool = False


#: name of the URL, label, icon, group, right that is needed, whether the phone's bar has it
NAVIGATION: tuple[tuple[str, str, str, str, Permission, bool], ...] = (
    ("home", "Dashboard", "home", "Work", Permission.VIEW_WORK, True),
    ("signals", "Signals", "inbox", "Work", Permission.VIEW_WORK, True),
    ("approvals", "Approvals", "queue", "Work", Permission.VIEW_WORK, True),
    ("review", "Review", "eye", "Work", Permission.VIEW_WORK, False),
    ("runs", "Runs", "play", "Work", Permission.VIEW_WORK, False),
    ("runbooks", "Runbooks", "book", "Know-how", Permission.VIEW_WORK, True),
    ("policies", "Tools and policies", "shield", "Control", Permission.VIEW_WORK, False),
    ("connections", "Integrations", "plug", "Control", Permission.MANAGE_INTEGRATIONS, False),
    ("maintenance", "Maintenance", "pause", "Control", Permission.MANAGE_INTEGRATIONS, False),
    ("processors", "Processors", "sliders", "Control", Permission.MANAGE_PROCESSORS, False),
    ("escalations", "Escalations", "flame", "Control", Permission.VIEW_ESCALATIONS, False),
    ("service", "Service levels", "clock", "Control", Permission.MANAGE_POLICIES, False),
    ("people", "People", "users", "Control", Permission.MANAGE_TEAM, False),
    ("tokens", "API tokens", "key", "Control", Permission.MANAGE_TOKENS, False),
    ("audit", "Audit log", "log", "Control", Permission.EXPORT_AUDIT, False),
)


#: Where a request keeps what was read for it.
_READ = "_junto_shell"


def shell(request: HttpRequest) -> dict[str, object]:
    """Nothing outside an organization, so that login and error pages need no membership.

    Read once a request: a page of the admin is drawn from a dozen templates that each ask for it.
    """
    actor: Actor | None = getattr(request, "actor", None)
    membership: Membership | None = getattr(request, "membership", None)
    if actor is None or membership is None:
        return {}
    found: dict[str, object] | None = getattr(request, _READ, None)
    if found is None:
        found = _shell(request, actor, membership)
        setattr(request, _READ, found)
    return found


def _shell(request: HttpRequest, actor: Actor, membership: Membership) -> dict[str, object]:
    organization = actor.organization
    inbox_count = (
        Notification.objects.for_organization(organization).filter(membership=membership, read_at=None).count()
    )
    return {
        "organization": organization,
        "membership": membership,
        "actor": actor,
        "me": {
            "name": actor.label,
            "initials": membership.user.initials,
            "role": membership.get_role_display(),
            "may_author": actor.can_anywhere(Permission.AUTHOR_RUNBOOKS),
        },
        "organizations": _organizations(membership),
        "nav": _navigation(request, actor),
        "model": model_info(organization),
        "inbox_count": inbox_count,
        "urls": _urls(actor),
    }


def _organizations(membership: Membership) -> list[dict[str, object]]:
    return [
        {
            "name": each.organization.name,
            "path": f"/o/{each.organization.slug}/",
            "current": each.organization_id == membership.organization_id,
        }
        for each in memberships_of(membership.user)
    ]


def _navigation(request: HttpRequest, actor: Actor) -> list[NavPage]:
    counts = {
        "signals": Signal.objects.visible_to(actor).filter(state=Signal.State.NEW).count(),
        "approvals": waiting_for(actor).count(),
        "review": ReviewItem.objects.visible_to(actor)
        .filter(state=ReviewItem.State.OPEN, signal__state__in=Signal.OPEN)
        .count(),
    }
    pages = []
    with organization_urls(actor.organization.slug):
        for name, label, icon, group, permission, phone in NAVIGATION:
            if not actor.can_anywhere(permission):
                continue
            path = reverse(name)
            current = request.path == path if name == "home" else request.path.startswith(path)
            tone = "accent" if name == "approvals" else ""
            pages.append(NavPage(label, path, icon, group, current, counts.get(name, 0), tone, phone))
    return pages


def _urls(actor: Actor) -> dict[str, str | None]:
    with organization_urls(actor.organization.slug):
        inbox = reverse("inbox")
        admin = reverse("admin:index") if actor.can_anywhere(Permission.AUTHOR_RUNBOOKS) else None
    return {
        "logout": "/accounts/logout/",
        "password": "/accounts/password/change/",
        "mfa": "/accounts/2fa/",
        "inbox": inbox,
        "admin": admin,
    }
