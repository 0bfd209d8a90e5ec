"""Every page of the admin: made by our bases, closed to those who manage nothing, and never a way to edit history."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.admin import ModelAdmin
from django.db import models
from django.test import Client

from agent.models import SessionEvent
from approvals.models import Action, Decision
from junto.audit.models import AuditEntry
from junto.tenants.options import ReadOnlyModelAdmin, TenantModelAdmin
from junto.tenants.permissions import Role
from junto.tenants.sites import site
from tests.architecture.planting import Garden
from tests.cases import JuntoTestCase
from tests.factories import MembershipFactory

#: Fields whose value no page may ever show.
SECRETS = {"password", "token_hash", "sealed_credentials"}
#: What happened is never edited (HOUSE 4).
HISTORY = (SessionEvent, Action, Decision, AuditEntry)


def registered() -> dict[type[models.Model], ModelAdmin]:  # type: ignore[type-arg]
    return dict(site._registry)


def test_every_registration_is_made_by_our_base() -> None:
    for model, options in registered().items():
        assert isinstance(options, TenantModelAdmin), model._meta.label


def test_what_can_be_searched_comes_in_an_order() -> None:
    """Or else the pages of a field's completion could show a row twice and another never."""
    for model, options in registered().items():
        assert not options.search_fields or options.ordering or model._meta.ordering, model._meta.label


def test_what_happened_is_registered_and_read_only() -> None:
    for model in HISTORY:
        assert isinstance(registered()[model], ReadOnlyModelAdmin), model._meta.label


class AdminTestCase(JuntoTestCase):
    """Northwind has a row of everything."""

    garden: Garden

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.garden = Garden(cls.northwind, cls.olivia)
        cls.garden.plant_all()

    def page(self, model: type[models.Model], *rest: str) -> str:
        parts = "".join(f"{part}/" for part in rest)
        return self.path(f"admin/{model._meta.app_label}/{model._meta.model_name}/{parts}")

    def id_of(self, model: type[models.Model]) -> str:
        return str(self.garden.rows[model].pk)


class ManagerTests(AdminTestCase):
    """Who manages something may look at it."""

    @pytest.mark.slow
    def test_the_owner_opens_every_list_and_every_row(self) -> None:
        browser = self.log_in(self.olivia)
        for model in registered():
            for path in (self.page(model), self.page(model, self.id_of(model), "change")):
                answer = browser.get(path)
                assert answer.status_code == 200, f"{path}: {answer.status_code}"

    @pytest.mark.slow
    def test_a_missing_row_is_a_404_and_no_redirect(self) -> None:
        browser = self.log_in(self.olivia)
        for model in registered():
            for action in ("change", "delete", "history"):
                for key in (str(uuid.uuid4()), "nonsense", "1"):
                    answer = browser.get(self.page(model, key, action))
                    assert answer.status_code == 404, f"{model._meta.label} {key} {action}: {answer.status_code}"

    @pytest.mark.slow
    def test_no_page_shows_a_secret_even_to_the_owner(self) -> None:
        browser = self.log_in(self.olivia)
        for model in registered():
            row = self.garden.rows[model]
            secrets = [getattr(row, field.name) for field in model._meta.fields if field.name in SECRETS]
            for path in (self.page(model), self.page(model, str(row.pk), "change")):
                page = browser.get(path).content.decode()
                assert not [secret for secret in secrets if secret in page], path

    @pytest.mark.slow
    def test_those_who_manage_nothing_are_turned_away_everywhere(self) -> None:
        for membership in (self.theo, self.oskar):
            browser = self.log_in(membership, Client())
            for model in registered():
                for path in (self.page(model), self.page(model, "add"), self.page(model, self.id_of(model), "change")):
                    for method in ("get", "post"):
                        answer = getattr(browser, method)(path)
                        assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
            assert browser.get(self.path("admin/")).status_code == 403

    def test_a_member_limited_to_one_company_finds_no_row_of_another(self) -> None:
        garden_company = self.garden.rows[type(self.harlow)]
        elsewhere = self.pinewood if garden_company.pk == self.harlow.pk else self.harlow
        limited = MembershipFactory(
            organization=self.northwind, role=Role.MANAGER, all_companies=False, companies=[elsewhere]
        )
        browser = self.log_in(limited)
        for model in registered():
            if model.objects.all().company_path == "company":  # type: ignore[attr-defined]
                answer = browser.get(self.page(model, self.id_of(model), "change"))
                assert answer.status_code in {403, 404}, f"{model._meta.label}: {answer.status_code}"


class ReadOnlyTests(AdminTestCase):
    """Nobody edits what happened, whatever their browser posts."""

    @pytest.mark.slow
    def test_no_read_only_row_is_added_changed_or_deleted(self) -> None:
        browser = self.log_in(self.olivia)
        for model, options in registered().items():
            if not isinstance(options, ReadOnlyModelAdmin):
                continue
            before = list(model.unscoped.order_by("pk").values_list())  # type: ignore[attr-defined]
            key = self.id_of(model)
            posts = [
                (self.page(model, "add"), {}),
                (self.page(model, key, "change"), {"state": "succeeded", "verb": "nothing", "_save": "1"}),
                (self.page(model, key, "delete"), {"post": "yes"}),
                (self.page(model), {"action": "delete_selected", "_selected_action": key, "post": "yes"}),
            ]
            for path, form in posts:
                answer = browser.post(path, form)
                assert answer.status_code in {302, 403, 405, 200}, f"{path}: {answer.status_code}"
            assert list(model.unscoped.order_by("pk").values_list()) == before, model._meta.label  # type: ignore[attr-defined]
