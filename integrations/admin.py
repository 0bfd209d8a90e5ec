"""Connections and what came through them, to look at. Changes are made on the connections page, which tries them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from integrations.models import CompanyLink, Connection, Contact, Device
from junto.tenants.options import ReadOnlyModelAdmin
from junto.tenants.permissions import Permission
from junto.tenants.sites import site


@admin.register(Connection, site=site)
class ConnectionAdmin(ReadOnlyModelAdmin):
    """Never shows credentials, sealed or not."""

    view_permission = Permission.MANAGE_INTEGRATIONS
    list_display = ("label", "vendor", "base_url", "state", "checked_at")
    fields = ("label", "vendor", "base_url", "state", "state_detail", "checked_at", "succeeded_at", "created_at")

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[str]:
        """Exactly the fields that are shown."""
        return list(self.fields)


@admin.register(CompanyLink, site=site)
class CompanyLinkAdmin(ReadOnlyModelAdmin):
    """Which company is which at a vendor."""

    view_permission = Permission.MANAGE_INTEGRATIONS
    list_display = ("company", "connection", "external_id", "external_name")
    list_select_related = ("company", "connection")
    ordering = ("company__name", "connection__label", "external_id")
    search_fields = ("company__name", "external_id", "external_name")


class _OfCompanyAdmin(ReadOnlyModelAdmin):
    view_permission = Permission.VIEW_WORK
    list_filter: ClassVar = ("company",)
    list_select_related = ("company",)


@admin.register(Contact, site=site)
class ContactAdmin(_OfCompanyAdmin):
    """People of client companies."""

    list_display = ("name", "company", "email", "phone", "title")
    search_fields = ("name", "email")


@admin.register(Device, site=site)
class DeviceAdmin(_OfCompanyAdmin):
    """Devices of client companies."""

    list_display = ("name", "company", "kind", "operating_system", "serial_number")
    search_fields = ("name", "serial_number")
