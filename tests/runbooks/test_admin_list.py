"""The list in the admin: filters, search, many at once, and what it costs."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

from junto.team.services import limit_to_companies
from runbooks.models import Runbook
from runbooks.services import archive_runbook, save_draft
from tests.runbooks.cases import RESET
from tests.runbooks.test_admin import AdminCase

BROKEN = "1. @connectwise.fix_all"


class FilterTests(AdminCase):
    def setUp(self) -> None:
        super().setUp()
        self.reset = self.draft(title="Reset a password", tags=["password", "outlook"], category="access")
        self.disk = self.draft(title="Free a full disk", body="1. @ninjaone.run_script", audience="human")
        self.clinic = self.published(title="Call the clinic first", body="1. Call", company=self.pinewood, tags=["vip"])

    def titles(self, **query: str) -> set[str]:
        page = self.client.get(self.admin(), query)
        assert page.status_code == 200
        return {row.title for row in page.context["cl"].result_list}

    def test_each_filter_finds_its_runbooks(self) -> None:
        reset, disk, clinic = self.reset.title, self.disk.title, self.clinic.title
        assert self.titles(scope="global") == {reset, disk}
        assert self.titles(scope="company") == {clinic}
        assert self.titles(company__id__exact=str(self.pinewood.pk)) == {clinic}
        assert self.titles(category__exact="access") == {reset}
        assert self.titles(audience__exact="human") == {disk}
        assert self.titles(status__exact="published") == {clinic}
        assert self.titles(system="ninjaone") == {disk}
        assert self.titles(tag="outlook") == {reset}
        assert self.titles(tag="outlook", system="ninjaone") == set()
        assert self.titles(q="full disk") == {disk}

    def test_the_search_passes_over_case_and_ways_to_write_a_letter(self) -> None:
        self.draft(title="Größe des Postfachs ändern", body="1. ＭＦＡ prüfen")
        for words in ("GRÖSSE", "größe", "A\u0308NDERN", "mfa PRÜFEN"):
            assert self.titles(q=words) == {"Größe des Postfachs ändern"}, words
        assert self.titles(q="100%") == set()

    def test_the_pages_of_a_search_hold_what_it_found_in_order(self) -> None:
        for number in range(60):
            self.draft(title=f"Clean printer {number:02}", company=self.harlow if number % 2 else None)
        found = [
            [row.title for row in self.client.get(self.admin(), {"q": "printer", "p": page}).context["cl"].result_list]
            for page in (1, 2)
        ]
        assert [title for page in found for title in page] == [f"Clean printer {number:02}" for number in range(60)]
        assert len(found[0]) == 50
        assert len(self.titles(q="printer", all="")) == 60
        assert self.titles(q="printer 07") == {"Clean printer 07"}

    def test_show_all_is_offered_only_where_something_is_left_out(self) -> None:
        self.assertNotContains(self.client.get(self.admin()), "Show all")
        self.assertContains(self.client.get(self.admin(), {"q": "full disk"}), "Show all")

    def test_filters_follow_each_save(self) -> None:
        self.reset.tags, self.reset.body = ["mailbox"], "1. Do it by hand"
        save_draft(actor=self.actor(self.mara), runbook=self.reset)
        assert self.titles(tag="outlook") == self.titles(system="connectwise") == set()
        assert self.titles(tag="mailbox") == {self.reset.title}

    def test_a_filter_offers_no_word_of_a_company_out_of_reach(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        page = self.client.get(self.admin()).content.decode()
        assert "outlook" in page
        assert "vip" not in page

    def test_the_list_costs_the_same_however_long_it_is(self) -> None:
        changed = self.published(title="Published and changed", body="1. Call")
        changed.body = "1. Call them"
        save_draft(actor=self.actor(self.mara), runbook=changed)
        self.client.get(self.admin())
        with CaptureQueriesContext(connection) as few:
            self.client.get(self.admin())
        for number in range(12):
            self.draft(title=f"Runbook {number}", tags=[f"tag{number}"], company=self.harlow)
            self.published(title=f"Published {number}", body="1. Call")
        with CaptureQueriesContext(connection) as many:
            self.client.get(self.admin())
        assert len(many) == len(few)


class ManyTests(AdminCase):
    def act(self, action: str, *runbooks: Runbook, **fields: str) -> Any:
        chosen = {"action": action, "_selected_action": [str(runbook.pk) for runbook in runbooks]}
        return self.client.post(self.admin(), {**chosen, **fields}, follow=True)

    def seen(self, *runbooks: Runbook) -> dict[str, str]:
        return {f"seen-{each.pk}": str(each.history.latest("history_id").history_id) for each in runbooks}

    def status(self, runbook: Runbook) -> str:
        return str(Runbook.objects.for_organization(self.northwind).get(pk=runbook.pk).status)

    def test_publishing_many_first_lists_every_grant_and_problem(self) -> None:
        good, bad = self.draft(title="Good one"), self.draft(title="Bad one", body=BROKEN)
        page = self.act("publish_many", good, bad)
        self.assertContains(page, "1 of 2 can be published")
        self.assertContains(page, "with ticket_id = the ticket and text = “Your password was reset.”")
        self.assertContains(page, "Line 1: There is no tool called @connectwise.fix_all.")
        assert self.status(good) == "draft"

    def test_more_than_go_at_once_are_told_of_before_anything_is_done(self) -> None:
        many = [self.draft(title=f"Runbook {number:02}", body="1. Call") for number in range(53)]
        for action in ("publish_many", "archive_many"):
            self.assertContains(self.act(action, *many), "The other 3 stay as they are")
            self.assertNotContains(self.act(action, *many[:50]), "stay as they are: choose them again")

    def test_those_that_can_be_published_are_and_each_is_reported(self) -> None:
        good, bad = self.draft(title="Good one"), self.draft(title="Bad one", body=BROKEN)
        page = self.act("publish_many", good, bad, agree="1", note="Together", **self.seen(good, bad))
        assert [(each.title, each.done) for each in page.context["reports"]] == [("Bad one", False), ("Good one", True)]
        self.assertContains(page, "Published as version 1.")
        self.assertContains(page, "no tool called")
        assert (self.status(good), self.status(bad)) == ("published", "draft")

    def test_what_is_archived_or_in_force_as_it_is_is_left_out_and_what_changed_is_linked(self) -> None:
        same, gone, moved = self.published(title="Same one"), self.published(title="Gone one"), self.published()
        archive_runbook(actor=self.actor(self.mara), runbook=gone)
        moved.body = "1. @connectwise.get_ticket(ticket_id=ticket.id)"
        save_draft(actor=self.actor(self.mara), runbook=moved)
        page = self.act("publish_many", same, gone, moved)
        self.assertContains(page, "1 of 3 can be published")
        self.assertContains(page, "Left out. Nothing changed since version 1")
        self.assertContains(page, "Left out. It is archived")
        newest = moved.history.latest("history_id").history_id
        self.assertContains(page, f"?older={moved.published_record}&amp;newer={newest}")
        done = self.act("publish_many", same, gone, moved, agree="1", **self.seen(same, gone, moved))
        assert {each.title for each in done.context["reports"] if each.done} == {moved.title}
        assert self.status(gone) == "archived"

    def test_a_draft_saved_after_the_page_was_shown_is_not_published(self) -> None:
        good = self.draft(title="Good one")
        seen = self.seen(good)
        good.body = RESET + "4. @connectwise.set_ticket_status(ticket_id=ticket.id, status_id=1)\n"
        save_draft(actor=self.actor(self.adam), runbook=good)
        page = self.act("publish_many", good, agree="1", **seen)
        assert not page.context["reports"][0].done
        assert self.status(good) == "draft"

    def test_many_are_archived_and_reported(self) -> None:
        one, two = self.published(title="First one"), self.draft(title="Second one")
        self.assertContains(self.act("archive_many", one, two), "no longer matched")
        assert self.status(one) == "published"
        page = self.act("archive_many", one, two, agree="1", note="Old")
        assert page.context["done"] == 2
        assert (self.status(one), self.status(two)) == ("archived", "archived")

    def test_what_a_limited_manager_may_not_write_stays_as_it_is(self) -> None:
        everywhere, clinic = self.published(title="Everywhere"), self.draft(title="For Harlow", company=self.harlow)
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        self.assertContains(self.act("archive_many", everywhere, clinic), "Archive 1<")
        page = self.act("archive_many", everywhere, clinic, agree="1")
        assert {each.title: each.done for each in page.context["reports"]} == {"Everywhere": False, "For Harlow": True}
        assert self.status(everywhere) == "published"

    def test_foreign_runbooks_are_not_reached(self) -> None:
        mine = self.published()
        self.log_in(self.ines)
        chosen = {"action": "archive_many", "_selected_action": [str(mine.pk)], "agree": "1"}
        self.client.post(self.path("admin/runbooks/runbook/", organization=self.southgate), chosen)
        assert self.status(mine) == "published"
