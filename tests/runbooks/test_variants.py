"""A company's own published variant stands in for the global runbook when a schedule of that comes due."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from junto.tenants.models import Company
from runbooks.firing import fire_due
from runbooks.models import Runbook, Trigger, TriggerFiring
from runbooks.schedules import next_moment
from runbooks.services import archive_runbook, fork_runbook, publish_runbook
from runbooks.triggers import save_trigger
from tests.runbooks.cases import RunbookCase


class ScheduleTests(RunbookCase):
    original: Runbook
    variant: Runbook

    def setUp(self) -> None:
        super().setUp()
        self.original = self.published()
        self.variant = fork_runbook(actor=self.actor(self.mara), runbook=self.original, company=self.harlow)
        self.schedule(self.original, self.harlow, self.pinewood)

    def schedule(self, runbook: Runbook, *companies: Company) -> None:
        trigger = Trigger(runbook=runbook, kind=Trigger.Kind.SCHEDULE, cron="0 3 * * *")
        save_trigger(actor=self.actor(self.mara), trigger=trigger, companies=companies)

    def started(self) -> dict[str, Runbook]:
        """What the next night starts, by company."""
        fire_due(next_moment("0 3 * * *", "UTC", timezone.now()) + timedelta(seconds=10))
        firings = TriggerFiring.objects.for_organization(self.northwind).select_related("runbook", "company")
        return {firing.company.name: firing.runbook for firing in firings.exclude(state="skipped")}

    def publish_variant(self) -> None:
        publish_runbook(actor=self.actor(self.mara), runbook=self.variant)

    def test_the_variant_runs_for_its_company_and_the_original_for_the_others(self) -> None:
        self.publish_variant()
        assert self.started() == {self.harlow.name: self.variant, self.pinewood.name: self.original}

    def test_a_variant_that_is_a_draft_stands_in_for_nothing(self) -> None:
        assert self.started()[self.harlow.name] == self.original

    def test_one_that_was_archived_stands_in_for_nothing_any_more(self) -> None:
        self.publish_variant()
        archive_runbook(actor=self.actor(self.mara), runbook=self.variant)
        assert self.started()[self.harlow.name] == self.original

    def test_a_variant_with_a_schedule_of_its_own_follows_that_one_alone(self) -> None:
        self.publish_variant()
        self.schedule(self.variant)
        assert self.started()[self.harlow.name] == self.variant
        firings = TriggerFiring.objects.for_organization(self.northwind).filter(company=self.harlow)
        assert {firing.trigger.runbook for firing in firings} == {self.variant}
