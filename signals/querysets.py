"""Questions about many signals."""

from __future__ import annotations

from typing import Any

from junto.tenants.scoping import TenantQuerySet


class SignalQuerySet(TenantQuerySet[Any]):
    """Signals; one without a company is seen only by members who reach all companies."""

    company_path = "company"


class OfSignalQuerySet(TenantQuerySet[Any]):
    """Rows that belong to one signal."""

    company_path = "signal__company"
