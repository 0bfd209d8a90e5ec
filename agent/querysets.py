"""Questions about many sessions."""

from __future__ import annotations

from typing import Any

from junto.tenants.scoping import TenantQuerySet


class SessionQuerySet(TenantQuerySet[Any]):
    """Sessions of the companies an actor reaches."""

    company_path = "company"


class OfSessionQuerySet(TenantQuerySet[Any]):
    """Rows of one session."""

    company_path = "session__company"
