"""Starting from a template: what the library shows an organization, and the drafts that are made of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from integrations.models import Connection
from integrations.tools import registry
from junto.audit.models import AuditEntry
from junto.team.services import limit_to_companies
from junto.tenants.permissions import PermissionDenied
from runbooks.models import Runbook
from runbooks.services import archive_runbook, publish_runbook, save_draft
from runbooks.templates import NoSuchTemplate, Offer, add_templates, offers, template, templates
from tests.runbooks.test_admin import AdminCase

FIRST = "printer"


@contextmanager
def without_tools(vendor: str) -> Iterator[None]:
    """As in a Junto that has no tools for this system yet."""
    kept = {name: tool for name, tool in registry._tools.items() if tool.vendor == vendor}
    for name in kept:
        del registry._tools[name]
    try:
        yield
    finally:
        registry._tools.update(kept)


class TemplateCase(AdminCase):
    def add_from_library(self, *names: str) -> tuple[Runbook, ...]:
        return add_templates(actor=self.actor(self.mara), names=names)

    def own(self) -> list[Runbook]:
        """Northwind's runbooks."""
        return list(Runbook.objects.for_organization(self.northwind))

    def offer(self, name: str) -> Offer:
        found = offers(organization=self.northwind, reader=self.actor(self.mara))
        return next(each for each in found if each.template.name == name)


class AddingTests(TemplateCase):
    def test_a_template_becomes_a_draft_for_all_companies_with_all_that_it_says(self) -> None:
        (draft,) = self.add_from_library("offboarding")
        content = template("offboarding").content
        assert (draft.status, draft.company, draft.audience) == ("draft", None, "hybrid")
        assert (draft.title, draft.body, draft.inputs) == (content.title, content.body, content.inputs)
        newest = draft.history.latest("history_id")
        assert newest.history_user == self.mara.user
        assert newest.history_change_reason == "Read from template offboarding.md"

    def test_adding_again_never_touches_what_was_made_of_it(self) -> None:
        (draft,) = self.add_from_library(FIRST)
        draft.title, draft.body = "Our printers", "1. Call the leasing company"
        save_draft(actor=self.actor(self.mara), runbook=draft)
        assert [made.key for made in self.add_from_library(FIRST, "vpn")] == ["library-vpn"]
        draft.refresh_from_db()
        assert (draft.title, draft.history.count()) == ("Our printers", 2)
        archive_runbook(actor=self.actor(self.mara), runbook=draft)
        assert self.add_from_library(FIRST) == ()
        assert len(self.own()) == 2

    def test_all_thirty_are_added_at_once_and_the_audit_log_names_them(self) -> None:
        assert len(self.add_from_library(*templates())) == len(templates()) == len(self.own())
        entry = AuditEntry.objects.for_organization(self.northwind).get(verb="runbook.imported")
        assert len(entry.detail["keys"]) == len(templates())

    def test_each_organization_has_its_own(self) -> None:
        self.add_from_library(FIRST)
        add_templates(actor=self.actor(self.ines), names=[FIRST])
        assert Runbook.objects.for_organization(self.southgate).count() == len(self.own()) == 1

    def test_who_may_not_write_for_all_companies_adds_nothing(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        for member in (self.theo, self.oskar, self.mara):
            with pytest.raises(PermissionDenied):
                add_templates(actor=self.actor(member), names=[FIRST])
        assert not self.own()

    def test_an_unknown_name_adds_nothing_of_the_others_either(self) -> None:
        with pytest.raises(NoSuchTemplate, match="no template called fax"):
            self.add_from_library(FIRST, "fax")
        assert not self.own()


class OfferTests(TemplateCase):
    def test_an_offer_says_what_is_missing_and_what_is_not_connected(self) -> None:
        assert self.offer(FIRST).is_ready
        with without_tools("microsoft365"):
            reset = self.offer("password-reset")
            assert not reset.is_ready
            assert reset.missing_systems == ("Microsoft 365",)
        assert self.offer("password-reset").unconnected == ("Microsoft 365",)
        Connection.objects.for_organization(self.northwind).delete()
        assert self.offer(FIRST).unconnected == ("ConnectWise PSA",)
        assert self.offer("new-workstation").is_ready

    def test_it_is_ready_exactly_when_publishing_takes_it_as_it_is(self) -> None:
        for each in offers(organization=self.northwind):
            if each.template.name in {FIRST, "wifi", "quarterly-access-review"}:
                assert each.is_ready
                (draft,) = self.add_from_library(each.template.name)
                assert publish_runbook(actor=self.actor(self.mara), runbook=draft).published_number == 1

    def test_edits_of_ones_own_are_told_from_the_template(self) -> None:
        (draft,) = self.add_from_library(FIRST)
        assert not self.offer(FIRST).differs
        draft.tags = ["leasing"]
        save_draft(actor=self.actor(self.mara), runbook=draft)
        assert self.offer(FIRST).differs

    def test_what_was_moved_to_a_company_out_of_reach_is_added_and_not_shown(self) -> None:
        (draft,) = self.add_from_library(FIRST)
        draft.company = self.pinewood
        save_draft(actor=self.actor(self.mara), runbook=draft)
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        assert (self.offer(FIRST).added, self.offer(FIRST).runbook) == (True, None)


class PageTests(TemplateCase):
    def press(self, **form: Any) -> Any:
        return self.client.post(self.admin("templates/"), form, follow=True)

    def test_the_list_of_runbooks_leads_to_the_library(self) -> None:
        self.assertContains(self.client.get(self.admin()), self.admin("templates/"))
        with without_tools("microsoft365"):
            page = self.client.get(self.admin("templates/"))
        self.assertContains(page, "0 of 30 are added")
        self.assertContains(page, template(FIRST).content.title)
        self.assertContains(page, "No tools for Microsoft 365 yet")

    def test_one_is_added_by_its_button_and_opens(self) -> None:
        page = self.press(only=FIRST)
        (draft,) = self.own()
        assert page.redirect_chain == [(self.admin(f"{draft.pk}/change/"), 302)]
        self.assertContains(page, "is a draft of yours now")

    def test_the_chosen_are_added_and_marked_in_the_list(self) -> None:
        page = self.press(name=[FIRST, "vpn", "wifi"])
        assert "3 drafts added" in self.words(page)
        self.assertContains(page, "3 of 30 are added")
        self.assertNotContains(page, f'value="{FIRST}"')
        assert "nothing was changed" in self.words(self.press(name=[FIRST, "vpn"]))
        assert "Choose a template first" in self.words(self.press())

    def test_the_list_is_narrowed(self) -> None:
        self.add_from_library(FIRST)
        counts = {only: self.shown(only) for only in ("", "ready", "lacking", "new")}
        assert counts["ready"] + counts["lacking"] == counts[""] == 30
        assert counts["new"] == 29

    def shown(self, only: str) -> int:
        groups = self.client.get(self.admin("templates/"), {"show": only}).context["groups"]
        return sum(len(rows) for _, rows in groups)

    def test_a_template_is_read_before_it_is_added(self) -> None:
        with without_tools("microsoft365"):
            page = self.client.get(self.admin("templates/mfa-reset/"))
        self.assertContains(page, "Is the identity proved")
        self.assertContains(page, "@microsoft365.temporary_access_pass")
        self.assertContains(page, "It stays a draft until these tools exist")
        assert not self.own()

    def test_what_was_made_of_it_is_compared_with_it(self) -> None:
        (draft,) = self.add_from_library(FIRST)
        draft.title = "Our printers"
        save_draft(actor=self.actor(self.mara), runbook=draft)
        page = self.client.get(self.admin(f"templates/{FIRST}/"))
        self.assertContains(page, "How yours differs from the template")
        self.assertContains(page, "Draft, edited here")

    def test_a_name_that_is_none_is_not_there(self) -> None:
        assert self.client.get(self.admin("templates/fax/")).status_code == 404
        assert self.client.post(self.admin("templates/"), {"name": ["fax"]}).status_code == 404

    def test_a_manager_of_one_company_reads_the_library_and_adds_nothing(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        page = self.client.get(self.admin("templates/"))
        self.assertContains(page, "You may write runbooks for single companies only")
        self.assertNotContains(page, "Add as draft")
        assert self.client.post(self.admin("templates/"), {"only": FIRST}).status_code == 403

    def test_theo_and_ines_do_not_come_in(self) -> None:
        for member, status in ((self.theo, {302, 403, 404}), (self.ines, {404})):
            self.log_in(member)
            assert self.client.get(self.admin("templates/")).status_code in status
            assert self.client.post(self.admin("templates/"), {"only": FIRST}).status_code in status
        assert not self.own()


class CommandTests(TemplateCase):
    def run_command(self, *options: str) -> str:
        said = io.StringIO()
        call_command("runbooks", "library", "--organization", "northwind", *options, stdout=said)
        return said.getvalue()

    def test_it_lists_the_library_with_what_each_lacks(self) -> None:
        said = self.run_command()
        assert f"new       {FIRST}: {template(FIRST).content.title}\n" in said
        assert "before it can be published: NinjaOne is not connected" in said
        assert not self.own()

    def test_it_adds_those_named_or_all(self) -> None:
        assert "1 drafts added" in self.run_command("--add", FIRST, "--actor", "mara@example.com")
        said = self.run_command("--add", "all", "--actor", "mara@example.com")
        assert "29 drafts added" in said
        assert not [line for line in said.splitlines() if line.startswith("new ")]
        assert len(self.own()) == 30

    def test_it_asks_for_a_member_with_the_right_and_for_a_name_there_is(self) -> None:
        for options in ((), ("--actor", "theo@example.com"), ("--actor", "ines@example.com")):
            with pytest.raises(CommandError):
                self.run_command("--add", FIRST, *options)
        with pytest.raises(CommandError, match="no template called fax"):
            self.run_command("--add", "fax", "--actor", "mara@example.com")
        with pytest.raises(CommandError, match="which folder"):
            call_command("runbooks", "export", "--organization", "northwind")
        assert not self.own()
