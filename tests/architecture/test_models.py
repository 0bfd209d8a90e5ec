"""Every model is of one organization, or on the short list of those that stand above organizations."""

from __future__ import annotations

from io import StringIO

from django.apps import apps
from django.core.management import call_command
from django.db import models

from junto.tenants.models import Company, Organization, User
from junto.tenants.scoping import TenantModel, TenantQuerySet
from tests.architecture.source import PACKAGES
from tests.cases import JuntoTestCase

#: Models of ours that no organization owns, and why.
ABOVE = {
    User: "a person; belongs to organizations by memberships",
    Organization: "the border itself",
}
#: Models with a company that are asked for by organization only, and why.
COMPANY_IS_NO_LIMIT = {
    "integrations.CompanyLink": "settings of a connection, seen by those who manage integrations",
    "integrations.ModelUsage": "billing, seen by who manages billing",
    "integrations.McpTool": "what an Admin said of a tool, seen by those who manage integrations",
    "agent.Instruction": "those of the organization, which have no company, are seen by every member",
    "runbooks.Runbook": "global ones, which have no company, are seen by every member",
}


def our_models() -> list[type[models.Model]]:
    """Models of our apps, those that Django and simple-history make for us among them."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model.__module__.split(".")[0] in PACKAGES and not model._meta.proxy
    ]


def tenant_models() -> list[type[TenantModel]]:
    """Those of one organization."""
    return [model for model in our_models() if issubclass(model, TenantModel)]


def test_every_model_belongs_to_an_organization_or_is_listed() -> None:
    stray = [
        model._meta.label
        for model in our_models()
        if not issubclass(model, TenantModel)
        and model not in ABOVE
        and not model._meta.auto_created  # a many-to-many table: both its ends are asked here
        and not hasattr(model, "history_object")  # a version of a row; carries the row's organization
    ]
    assert not stray


def test_every_history_carries_the_organization() -> None:
    for model in our_models():
        if hasattr(model, "history_object"):
            assert model._meta.get_field("organization"), model._meta.label


def test_every_tenant_model_has_the_guarded_manager_and_the_plain_default() -> None:
    for model in tenant_models():
        assert isinstance(model.objects.all(), TenantQuerySet), model._meta.label
        assert model._meta.default_manager_name == "unscoped", (
            f"{model._meta.label}: Meta must inherit TenantModel.Meta"
        )
        assert model._meta.base_manager_name == "unscoped", f"{model._meta.label}: Meta must inherit TenantModel.Meta"


def test_every_model_with_a_company_hides_it_from_members_of_others() -> None:
    for model in tenant_models():
        has_company = any(field.related_model is Company for field in model._meta.fields)
        if has_company and model._meta.label not in COMPANY_IS_NO_LIMIT:
            assert model.objects.all().company_path == "company", model._meta.label


def test_every_tenant_row_has_a_random_key() -> None:
    for model in tenant_models():
        assert isinstance(model._meta.pk, models.UUIDField), model._meta.label


class MigrationTests(JuntoTestCase):
    """The migrations say what the models say."""

    def test_no_migration_is_missing(self) -> None:
        output = StringIO()
        try:
            call_command("makemigrations", check=True, dry_run=True, stdout=output)
        except SystemExit:
            self.fail(output.getvalue())
