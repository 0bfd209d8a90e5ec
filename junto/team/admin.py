"""The companies in the admin: they come from the PSA; here work for one is ended and begun again."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db import models
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.widgets import UnfoldBooleanWidget

from junto.team.organizations import end_company, reopen_company
from junto.tenants.access import actor_of
from junto.tenants.models import Company
from junto.tenants.options import TenantModelAdmin
from junto.tenants.permissions import Permission
from junto.tenants.sites import site


class CompanyForm(forms.ModelForm[Company]):
    """Whether we work for a company."""

    is_active = forms.BooleanField(
        label="We work for it",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Without the tick its work has ended: sessions and runs stop, waiting requests are withdrawn, the "
        "agent starts nothing and asks for nothing, schedules skip it with a notice. Tickets still come in to be read. "
        "With the tick, work begins again with the next ticket and the next moment of a schedule.",
    )

    class Meta:
        model = Company
        fields = ("is_active",)


@admin.register(Company, site=site)
class CompanyAdmin(TenantModelAdmin):
    """Clients; ending one is all that can be changed here."""

    form = CompanyForm
    fields = ("name", "is_active", "created_at")
    readonly_fields = ("name", "created_at")
    list_display = ("name", "work", "created_at")
    ordering: ClassVar = ["name"]
    search_fields = ("name",)
    actions: ClassVar[Any] = None

    @admin.display(description="State", ordering="is_active")
    def work(self, company: Company) -> str:
        """Whether we work for it."""
        return "We work for it" if company.is_active else "Ended"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Companies come with the first read of the PSA, or through the API."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Whoever authors what runs there."""
        actor = actor_of(request)
        if isinstance(obj, Company):
            return actor.can(Permission.AUTHOR_RUNBOOKS, obj)
        return actor.can_anywhere(Permission.AUTHOR_RUNBOOKS)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """What was done for a company is kept."""
        return False

    def save_model(self, request: HttpRequest, obj: models.Model, form: ModelForm[Any], change: bool) -> None:
        """By the service."""
        assert isinstance(obj, Company)
        change_work = reopen_company if obj.is_active else end_company
        change_work(actor=actor_of(request), company=obj)
