"""Questions about many rows of approvals; each knows the way from its row to the company that owns it."""

from __future__ import annotations

from typing import Any

from junto.tenants.scoping import TenantQuerySet


class OriginQuerySet(TenantQuerySet[Any]):
    """Sessions, processor runs and hand-made actions."""

    company_path = "company"


class PolicyQuerySet(TenantQuerySet[Any]):
    """Policies; a member limited to some companies sees those of its companies."""

    company_path = "company"


class GrantQuerySet(TenantQuerySet[Any]):
    """Standing approvals."""

    company_path = "company"


class ActionQuerySet(TenantQuerySet[Any]):
    """Intended calls."""

    company_path = "company"


class DecisionQuerySet(TenantQuerySet[Any]):
    """People's words on actions."""

    company_path = "action__company"


class RecordQuerySet(TenantQuerySet[Any]):
    """The vendors' records behind answers."""

    company_path = "action__company"
