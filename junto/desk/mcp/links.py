"""Where people look at what a tool tells of."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from junto.tenants.access import organization_urls
from junto.tenants.models import Organization


def page_address(organization: Organization, name: str, *holes: object) -> str:
    """The whole address of one of the organization's pages."""
    with organization_urls(organization.slug):
        return f"{settings.PUBLIC_URL}{reverse(name, args=list(holes))}"
