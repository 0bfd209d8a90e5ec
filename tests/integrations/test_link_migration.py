"""The upgrade that brings the ids of linked companies into one form keeps the first of two links to one company."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from integrations.models import CompanyLink
from integrations.services import link_company
from junto.audit.models import AuditEntry
from junto.audit.services import verify_chain
from junto.tenants.models import Company
from tests.integrations.cloud import CloudTestCase

TENANT = "3b0c1d2e-0001-4a2b-8c3d-0000000000aa"


class LinkMigrationTests(CloudTestCase):
    def test_of_two_links_to_one_tenant_the_first_stays_and_the_other_goes_with_an_entry(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX company_link_external_once")
        first, second, alone = self.linked("252"), self.linked("253"), self.pinewood
        self.link(first, TENANT)
        self.link(second, TENANT)  # the later one by the log
        self.link(alone, "3b0c1d2e-0001-4a2b-8c3d-0000000000bb")
        self.write(first, TENANT.upper())
        self.write(alone, "3B0C1D2E-0001-4a2b-8c3d-0000000000bb ")

        self.upgrade()

        links = CompanyLink.objects.for_organization(self.northwind).filter(connection=self.cloud)
        told = dict(links.values_list("company_id", "external_id"))
        assert told[first.pk] == TENANT
        assert second.pk not in told
        assert told[alone.pk] == "3b0c1d2e-0001-4a2b-8c3d-0000000000bb"
        assert len(told) == 4
        entry = AuditEntry.objects.for_organization(self.northwind).get(verb="company.unlinked")
        assert (entry.target_id, entry.detail["kept_by"]) == (str(second.pk), str(first.pk))
        assert verify_chain(self.northwind).ok

    def test_ids_that_are_in_order_stay_as_they_are(self) -> None:
        rows = CompanyLink.objects.for_organization(self.northwind).order_by("pk")
        before = list(rows.values_list("pk", "external_id"))
        self.upgrade()
        assert list(rows.values_list("pk", "external_id")) == before
        with pytest.raises(IntegrityError), transaction.atomic():
            self.write(self.harbor, self.tenant(self.kessler.name)["tenantId"].upper())

    def link(self, company: Company, external_id: str) -> None:
        """Link as an admin did before the upgrade: nothing looked at the case."""
        taken = CompanyLink.objects.for_organization(self.northwind).filter(external_id=external_id)
        taken.update(external_id="aside")
        link_company(actor=self.actor(self.adam), connection=self.cloud, company=company, external_id=external_id)
        CompanyLink.objects.for_organization(self.northwind).filter(external_id="aside").update(
            external_id=external_id.upper()
        )

    def write(self, company: Company, external_id: str) -> None:
        """The id as it stands in the row."""
        rows = CompanyLink.objects.for_organization(self.northwind).filter(connection=self.cloud, company=company)
        rows.update(external_id=external_id)

    def upgrade(self) -> None:
        """What the migration does to the rows."""
        module = import_module("integrations.migrations.0010_company_link_ids")
        at = [("integrations", "0009_mcp_tools"), ("audit", "0002_append_only")]
        states = MigrationExecutor(connection).loader.project_state(at)
        module.straighten(states.apps, None)
