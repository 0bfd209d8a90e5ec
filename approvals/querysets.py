"""Questions about many rows of approvals; each knows the way from its row to the company that owns it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from junto.tenants.scoping import TenantQuerySet

if TYPE_CHECKING:
    pass


class OriginQuerySet(TenantQuerySet["Origin"]):
    """Sessions, processor runs and hand-made actions."""

    company_path = "company"


class PolicyQuerySet(TenantQuerySet["ApprovalPolicy"]):
    """Policies; a member limited to some companies sees those of its companies."""

    company_path = "company"


class GrantQuerySet(TenantQuerySet["Grant"]):
    """Standing approvals."""

    company_path = "company"


class ActionQuerySet(TenantQuerySet["Action"]):
    """Intended calls."""

    company_path = "company"


class DecisionQuerySet(TenantQuerySet["Decision"]):
    """People's words on actions."""

    company_path = "action__company"
