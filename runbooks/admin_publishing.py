"""The organization's rule on publishing, as Admins set it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest

from junto.tenants.access import actor_of
from junto.tenants.options import TenantModelAdmin
from junto.tenants.permissions import Permission
from junto.tenants.sites import site
from runbooks.models import PublishingRule
from runbooks.reviewing import set_publishing_rule


@admin.register(PublishingRule, site=site)
class PublishingRuleAdmin(TenantModelAdmin):
    """Managers see it, Admins change it; it is never deleted, only switched off."""

    write_permission: ClassVar[Permission | None] = Permission.MANAGE_POLICIES
    fields = ("second_person",)
    list_display = ("__str__", "set_by", "set_at")
    list_select_related = ("set_by__user",)
    actions: ClassVar[Any] = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Once."""
        return super().has_add_permission(request) and not self.get_queryset(request).exists()

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whoever may set policies."""
        return actor_of(request).can(Permission.MANAGE_POLICIES)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Never."""
        return False

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool) -> None:
        """Set it, with its entry in the audit log."""
        rule = set_publishing_rule(actor=actor_of(request), second_person=form.cleaned_data["second_person"])
        obj.pk = rule.pk
