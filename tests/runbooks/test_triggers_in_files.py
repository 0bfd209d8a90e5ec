"""Triggers in a runbook's file: written and read back the same, by the rules of the admin's forms, said before done."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from junto.audit.models import AuditEntry
from junto.team.services import limit_to_companies
from runbooks.files import read_file
from runbooks.firing import fire_on_signal
from runbooks.importing import Entry, PlanMoved, apply_import, as_file, plan_import
from runbooks.models import Runbook, Trigger
from runbooks.triggers import remove_trigger, save_trigger
from tests.factories import BoardFactory, CompanyFactory, SignalFactory
from tests.runbooks.cases import RunbookCase

DAYS = {"name": "days", "label": "Days kept", "type": "number"}
#: `triggers` stands in line 9, and the first of them in line 10.
FILE = """---
key: clean-up
title: Clean old files up
audience: hybrid
inputs:
- name: days
  label: Days kept
  type: number
triggers:
- kind: classification
  type: Access
---

1. Clean up
"""
SCHEDULE = "- {kind: schedule, cron: 0 3 * * mon, companies: [Harlow & Beck], inputs: {days: 14}}"
FOUND = "- kind: classification\n  type: Access"


class FileCase(RunbookCase):
    def add(self, runbook: Runbook, kind: str, **fields: Any) -> Trigger:
        companies = fields.pop("companies", ())
        trigger = Trigger(runbook=runbook, kind=kind, **fields)
        return save_trigger(actor=self.actor(self.mara), trigger=trigger, companies=companies)

    def plan(self, text: str) -> Entry:
        return plan_import(actor=self.actor(self.mara), files={"a.md": text}).entries[0]

    def read_in(self, text: str) -> Entry:
        return apply_import(actor=self.actor(self.mara), files={"a.md": text}).entries[0]

    def triggers(self) -> list[Trigger]:
        return list(Trigger.objects.for_organization(self.northwind))


class RoundTrip(FileCase):
    def test_triggers_of_every_kind_come_back_as_they_were(self) -> None:
        board = BoardFactory(organization=self.northwind, name="Monitoring")
        runbook = self.draft(inputs=[DAYS])
        self.add(runbook, "classification", type="Access", subtype="VPN", board=board, companies=[self.pinewood])
        self.add(runbook, "alert", alert_type="disk_full", enabled=False)
        self.add(
            runbook,
            "schedule",
            cron="0 3 * * mon",
            time_zone="Europe/Berlin",
            grace_minutes=5,
            inputs={"days": 14},
            companies=[self.pinewood, self.harlow],
        )
        self.add(runbook, "manual", inputs={"days": 30})
        text = as_file(runbook)
        assert self.plan(text).verdict == "unchanged"
        for trigger in self.triggers():
            remove_trigger(actor=self.actor(self.mara), trigger=trigger)
        assert "triggers: []" in as_file(runbook)
        assert [each.change for each in self.read_in(text).triggers] == ["added"] * 4
        assert as_file(runbook) == text
        schedule = next(trigger for trigger in self.triggers() if trigger.kind == "schedule")
        assert schedule.next_due is not None
        assert schedule.local(schedule.next_due).strftime("%a %H:%M") == "Mon 03:00"

    def test_a_file_that_says_nothing_about_triggers_leaves_them(self) -> None:
        self.read_in(FILE)
        self.read_in(FILE.replace(f"triggers:\n{FOUND}\n", "").replace("1. Clean", "1. Sweep"))
        assert Runbook.objects.for_organization(self.northwind).get().body == "1. Sweep up"
        assert [trigger.words for trigger in self.triggers()] == ["Type Access"]

    def test_who_may_not_see_a_triggers_company_gets_a_file_without_triggers(self) -> None:
        runbook = self.published()
        self.add(runbook, "alert", alert_type="x", companies=[self.pinewood])
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        text = as_file(runbook, reader=self.actor(self.mara))
        assert read_file(text).triggers is None
        assert (str(self.pinewood) in text, "# Its triggers are left out" in text) == (False, True)
        self.log_in(self.mara)
        page = self.client.get(self.path(f"admin/runbooks/runbook/{runbook.pk}/triggers/"))
        self.assertNotContains(page, str(self.pinewood))
        self.assertContains(page, "Alert x")


class Planning(FileCase):
    def test_the_plan_tells_each_change_and_saving_does_just_that(self) -> None:
        runbook = self.published(key="clean-up", title="Clean old files up", body="1. Clean up", audience="ai")
        kept = self.add(runbook, "classification", type="Access", companies=[self.harlow])
        fired = self.add(runbook, "classification", type="Hardware")
        self.add(runbook, "alert", alert_type="disk_full")
        fire_on_signal(SignalFactory(company=self.harlow, type="Hardware"))
        text = as_file(runbook)
        head, said = text.split("triggers:\n")
        _, body = said.split("---\n", 1)
        text = f"{head}triggers:\n{FOUND}\n{SCHEDULE.replace(', inputs: {days: 14}', '')}\n---\n{body}"
        entry = self.plan(text)
        assert [each.words for each in entry.triggers] == [
            "Trigger changed: Type Access, for Harlow & Beck → Type Access",
            "Trigger added: Schedule 0 3 * * mon (UTC), late by at most 60 minutes, for Harlow & Beck",
            "Trigger switched off, as its runs refer to it: Type Hardware",
            "Trigger removed: Alert disk_full",
        ]
        assert (entry.verdict, entry.version, entry.differences) == ("changed", 1, None)
        assert len(self.triggers()) == 3
        records = runbook.history.count()
        self.read_in(text)
        kept.refresh_from_db()
        fired.refresh_from_db()
        assert (list(kept.companies.all()), fired.enabled, len(self.triggers())) == ([], False, 3)
        assert (runbook.history.count(), self.plan(text).verdict) == (records, "unchanged")
        assert AuditEntry.unscoped.filter(organization=self.northwind, verb="trigger.removed").count() == 1

    def test_a_plan_whose_triggers_changed_meanwhile_is_not_carried_out(self) -> None:
        self.read_in(FILE)
        files = {"a.md": FILE.replace("type: Access", "type: Access\n  enabled: false")}
        plan = plan_import(actor=self.actor(self.mara), files=files)
        remove_trigger(actor=self.actor(self.mara), trigger=self.triggers()[0])
        with pytest.raises(PlanMoved):
            apply_import(actor=self.actor(self.mara), files=files, stamp=plan.stamp)
        assert not self.triggers()

    def test_the_values_of_a_schedule_are_those_of_the_version_in_force(self) -> None:
        runbook = self.published(key="clean-up", title="Clean old files up", body="1. Clean up", audience="hybrid")
        text = as_file(runbook).replace("triggers: []", f"triggers:\n{SCHEDULE}")
        assert self.plan(text).message == "Trigger 1 inputs: version 1, which is in force, asks for no input days."


class Refusing(FileCase):
    def refusal(self, written: str) -> str:
        entry = self.plan(FILE.replace(FOUND, written))
        assert entry.verdict == "refused", entry
        return f"{entry.line}: {entry.message}"

    def test_what_the_file_cannot_mean_is_named_with_its_line_and_field(self) -> None:
        for written, words in (
            ("- Access", "10: Trigger 1: fields such as kind: schedule are expected."),
            ("- type: Access", "10: Trigger 1: say its kind: classification, alert, schedule or manual."),
            ("- kind: monthly", "10: Trigger 1: its kind is none of classification, alert, schedule and manual."),
            (f"{FOUND}\n- kind: alert", "12: Trigger 2 alert_type: this field is missing."),
            (f"{FOUND}\n  cron: 0 3 * * *", "12: Trigger 1 cron: there is no such field."),
            (f"{FOUND}\n  type: Twice", "12: type is given twice."),
            ("- kind: classification\n  type: 24", "11: Trigger 1 type: a text is expected; put it in quotes."),
            ("- kind: manual\n  inputs: {days: 2026-01-01}", "11: Trigger 1 inputs days: a text is expected"),
            ('- kind: alert\n  alert_type: "\\0"', "11: The front matter holds a NUL"),
            ("", "9: triggers: [] means none; leave the field out to keep those there are."),
        ):
            assert self.refusal(written).startswith(words), self.refusal(written)

    def test_what_the_admins_form_refuses_is_refused_here_and_nothing_is_written(self) -> None:
        one = "- kind: schedule\n  companies: [Harlow & Beck]\n  inputs: {days: 14}\n  cron: "
        for written, words in (
            (f"{one}soon", "13: Trigger 1 cron: Five fields are expected"),
            (f'{one}"* * * * *"', "13: Trigger 1 cron: At most every 5 minutes"),
            (f"{one}0 0 31 2 *", "13: Trigger 1 cron: No such day ever comes"),
            (f"{one}0 3 * * *\n  time_zone: Europe", "14: Trigger 1 time_zone: There is no such time zone"),
            (f"{one}0 3 * * *\n  grace_minutes: 20000", "14: Trigger 1 grace_minutes: At most 10,080 minutes"),
            (SCHEDULE.replace(", companies: [Harlow & Beck]", ""), "10: Trigger 1 companies: Choose for which"),
            (SCHEDULE.replace("Harlow & Beck", "Lost Ltd"), "10: Trigger 1 companies: there is no company called Lost"),
            (SCHEDULE.replace("Harlow & Beck", str(self.quayside)), "10: Trigger 1 companies: there is no company"),
            (SCHEDULE.replace("14", "soon"), "10: Trigger 1 inputs: Days kept: A number is expected."),
            (SCHEDULE.replace("{days: 14}", "{}"), "10: Trigger 1 inputs: Days kept: This is needed."),
            (SCHEDULE.replace("days: 14", "days: 14, weeks: 2"), "10: Trigger 1 inputs: the runbook asks for no"),
            (f"{FOUND}\n  board: Nowhere", "12: Trigger 1 board: there is no board called Nowhere."),
            ("- kind: alert\n  alert_type: ' '", "11: Trigger 1 alert_type: Name the alert type."),
            (f"- kind: classification\n  type: {'x' * 81}", "11: Trigger 1 type: Ensure this value has at most 80"),
            ("- kind: manual\n- kind: manual", "11: Trigger 2 kind: the file says this start by hand twice."),
        ):
            assert self.refusal(written).startswith(words), self.refusal(written)
            self.read_in(FILE.replace(FOUND, written))
        assert not Runbook.objects.for_organization(self.northwind).exists()

    def test_a_name_that_two_have_is_not_guessed(self) -> None:
        for number in range(2):
            BoardFactory(organization=self.northwind, name="Alerts", external_id=str(number))
        assert "there are 2 called alerts" in self.refusal(f"{FOUND}\n  board: alerts")
        CompanyFactory(organization=self.northwind, name="HARLOW & BECK")
        assert self.plan(FILE.replace(FOUND, SCHEDULE)).verdict == "new"
        assert "there are 2" in self.refusal(SCHEDULE.replace("Harlow & Beck", "harlow & beck"))

    def test_a_companys_runbook_counts_for_no_other_company(self) -> None:
        text = FILE.replace("audience: hybrid", f"company: {self.pinewood}").replace(FOUND, SCHEDULE)
        assert "one company only" in self.plan(text).message

    def test_a_stored_trigger_that_an_older_file_changes_needs_the_right_to_write(self) -> None:
        runbook = self.published()
        text = as_file(runbook).replace("triggers: []", f"triggers:\n{FOUND}")
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        assert self.plan(text).message == "You may not write runbooks for all companies."


class Doors(FileCase):
    def test_the_command_prints_what_becomes_of_triggers(self) -> None:
        runbook = self.published(key="clean-up", title="Clean old files up", body="1. Clean up", audience="hybrid")
        text = as_file(runbook).replace("triggers: []", f"triggers:\n{FOUND}")
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "a.md").write_text(text)
            said = io.StringIO()
            options = ("--organization=northwind", "--actor=mara@example.com", "--plan")
            call_command("runbooks", "import", folder, *options, stdout=said)
            assert "Trigger added: Type Access" in said.getvalue()
            assert "triggers count at once, for version 1, which is in force" in said.getvalue()
            (Path(folder) / "a.md").write_text(text.replace(FOUND, SCHEDULE.replace("Harlow & Beck", "Lost Ltd")))
            with pytest.raises(CommandError, match="1 files were refused"):
                call_command("runbooks", "import", folder, *options, stdout=said)
        assert "there is no company called Lost Ltd" in said.getvalue()
        assert not self.triggers()

    def test_the_page_shows_what_becomes_of_triggers_before_they_are_saved(self) -> None:
        runbook = self.published()
        text = as_file(runbook).replace("triggers: []", f"triggers:\n{FOUND}")
        self.log_in(self.mara)
        path = self.path("admin/runbooks/runbook/read-in/")
        page = self.client.post(path, {"files": [SimpleUploadedFile("a.md", text.encode())]})
        self.assertContains(page, "Trigger added: Type Access")
        self.assertContains(page, "Counts at once")
        assert not self.triggers()
        form = {"stamp": page.context["plan"].stamp, "files": page.context["files"]}
        self.assertContains(self.client.post(path, form, follow=True), "1 trigger changed.")
        assert [trigger.words for trigger in self.triggers()] == ["Type Access"]
