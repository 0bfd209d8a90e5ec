"""Questions about many rows of approvals."""

from __future__ import annotations

from typing import Any

from junto.tenants.scoping import TenantQuerySet


class OfCompanyQuerySet(TenantQuerySet[Any]):
    """Rows that one company owns."""

    company_path = "company"


class ActionQuerySet(OfCompanyQuerySet):
    """Questions about actions."""


class OfActionQuerySet(TenantQuerySet[Any]):
    """Rows that belong to one action's company."""

    company_path = "action__company"
