"""Authoring in the admin, as Mara does it; and who is kept out."""

from __future__ import annotations

import json
import re
from typing import Any

from junto.team.services import limit_to_companies
from runbooks.models import Runbook
from runbooks.services import publish_runbook, published_document, save_draft
from runbooks.views import PAGE_SIZE
from tests.factories import RunbookFactory
from tests.runbooks.cases import RESET, RunbookCase

FORM = {
    "title": "Reset a password",
    "description": "For locked accounts.",
    "body": RESET,
    "reason": "First draft",
    "audience": "ai",
    "company": "",
    "category": "access",
    "tags": "password, account, password",
    "on_success": "review",
    "inputs": "[]",
}


class AdminCase(RunbookCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.mara)

    def admin(self, rest: str = "") -> str:
        return self.path(f"admin/runbooks/runbook/{rest}")

    def add(self, **fields: str) -> Any:
        return self.client.post(self.admin("add/"), {**FORM, **fields})

    def words(self, response: Any) -> str:
        """The messages that the next page shows."""
        return " ".join(str(message) for message in response.context["messages"])


class WritingTests(AdminCase):
    def test_a_manager_writes_a_draft_with_author_and_reason(self) -> None:
        assert self.add().status_code == 302
        runbook = Runbook.objects.for_organization(self.northwind).get()
        newest = runbook.history.latest("history_id")
        assert (runbook.status, runbook.tags) == ("draft", ["password", "account"])
        assert (newest.history_user, newest.history_change_reason) == (self.mara.user, "First draft")

    def test_what_would_keep_it_from_being_published_is_said_with_the_line(self) -> None:
        response = self.client.post(
            self.admin("add/"), {**FORM, "body": "1. One\n2. @connectwise.fix_all"}, follow=True
        )
        assert "Line 2: There is no tool called @connectwise.fix_all." in self.words(response)

    def test_inputs_that_cannot_be_kept_are_refused_with_a_sentence(self) -> None:
        def number(default: str, kind: str = "number") -> str:
            return f'[{{"name": "a", "label": "A", "type": "{kind}", "default": {default}}}]'

        for inputs, words in (
            (number("NaN"), "cannot be stored"),
            (number("1e400"), "cannot be stored"),
            (number("9" * 400), "A number is expected."),
            (number("9" * 5000), "Enter a valid JSON."),
            ("[" * 100_000, "Enter a valid JSON."),
            (number('"a\\u0000"', "string"), "NUL character"),
            (number('"\\ud800"', "string"), "cannot be stored"),
            (number('"' + "a" * 10_000 + '"', "string"), "at most 10,000 fit"),
        ):
            response = self.add(inputs=inputs)
            assert response.status_code == 200, words
            assert words in str(response.context["adminform"].form.errors["inputs"])
        assert not Runbook.objects.for_organization(self.northwind).exists()

    def test_a_default_is_of_the_type_of_its_input(self) -> None:
        def declared(kind: str, default: object) -> str:
            options = ["red", "green"] if kind == "select" else []
            each = {"name": "a", "label": "A", "type": kind, "default": default, "options": options}
            return json.dumps([each])

        for kind, wrong, words, right in (
            ("number", "abc", "A number is expected.", 3),
            ("select", "blue", "Choose one of red, green.", "red"),
            ("email", "nobody", "An e-mail address is expected.", "ticket.contact.email"),
            ("date", "tomorrow", "A date such as", "2026-12-01"),
            ("date", "2026-W01-1", "A date such as", "2026-12-01"),
            ("date", "20260101", "A date such as", "2026-12-01"),
            ("boolean", "perhaps", "Yes or no is expected.", True),
            ("string", "a" * 501, "At most 500 characters fit.", ""),
        ):
            errors = self.add(inputs=declared(kind, wrong)).context["adminform"].form.errors
            assert f"The default of the input a does not fit: {words}" in str(errors["inputs"])
            asked = {"body": "1. One", "inputs": declared(kind, wrong), "audience": "human"}
            assert words in self.client.post(self.admin("check/"), asked).json()["problems"][0]["message"]
            assert self.add(inputs=declared(kind, right)).status_code == 302

    def test_a_select_offers_each_option_once(self) -> None:
        select = {"name": "way", "label": "Way", "type": "select", "options": ["mail", "phone", "mail "]}
        errors = self.add(inputs=json.dumps([select])).context["adminform"].form.errors
        assert "The input way offers “mail” twice." in str(errors["inputs"])

    def test_a_text_or_tag_longer_than_a_file_may_hold_is_refused(self) -> None:
        for field, value in (("description", "a" * 5001), ("tags", "t" * 61), ("tags", ",".join(map(str, range(51))))):
            assert field in self.add(**{field: value}).context["adminform"].form.errors

    def test_what_was_kept_of_inputs_that_cannot_be_read_is_shown_again(self) -> None:
        self.client.post(self.admin("keep/"), {"body": "1. Kept", "inputs": "[" * 100_000})
        page = self.client.get(self.admin("add/"), {"kept": "1"})
        self.assertContains(page, "1. Kept")

    def test_a_field_that_cannot_be_is_marked(self) -> None:
        response = self.add(title="Abc", inputs='[{"name": "A b"}]')
        assert response.status_code == 200
        assert {"title", "inputs"} <= response.context["adminform"].form.errors.keys()

    def test_the_list_is_searched_and_filtered(self) -> None:
        self.draft(title="Reset a password")
        self.published(title="Free a full disk")
        page = self.client.get(self.admin(), {"q": "full disk"})
        self.assertContains(page, "Free a full disk")
        self.assertNotContains(page, "Reset a password")
        page = self.client.get(self.admin(), {"status__exact": "draft"})
        self.assertNotContains(page, "Free a full disk")

    def test_saving_a_published_runbook_leaves_what_is_in_force(self) -> None:
        runbook = self.published()
        self.client.post(self.admin(f"{runbook.pk}/change/"), {**FORM, "body": "1. Something else"})
        runbook.refresh_from_db()
        assert (runbook.body, published_document(runbook).body) == ("1. Something else", RESET)

    def test_no_runbook_is_deleted(self) -> None:
        assert self.client.post(self.admin(f"{self.draft().pk}/delete/"), {"post": "yes"}).status_code == 403


class PublishTests(AdminCase):
    def test_the_page_lists_every_grant_and_publishes_only_when_agreed(self) -> None:
        runbook = self.draft()
        path = self.admin(f"{runbook.pk}/publish/")
        page = self.client.get(path)
        self.assertContains(page, "By publishing you approve in advance")
        self.assertContains(page, "with ticket_id = the ticket and text = “Your password was reset.”")
        self.client.post(path, {"note": "First"})
        runbook.refresh_from_db()
        assert runbook.status == "draft"
        self.client.post(path, {"note": "First", "agree": "1"})
        runbook.refresh_from_db()
        assert (runbook.status, runbook.published_number, runbook.published_by) == ("published", 1, self.mara)

    def test_problems_are_shown_with_their_line_and_nothing_is_published(self) -> None:
        runbook = self.draft(body="1. One\n2. @connectwise.add_customer_note")
        path = self.admin(f"{runbook.pk}/publish/")
        self.assertContains(
            self.client.get(path), "Line 2: @connectwise.add_customer_note: the client sees what it does"
        )
        self.client.post(path, {"agree": "1"})
        runbook.refresh_from_db()
        assert runbook.status == "draft"

    def test_archiving_asks_first(self) -> None:
        runbook = self.published()
        path = self.admin(f"{runbook.pk}/archive/")
        self.assertContains(self.client.get(path), "standing approvals end at once")
        runbook.refresh_from_db()
        assert runbook.status == "published"
        self.client.post(path, {"note": "Replaced"})
        runbook.refresh_from_db()
        assert runbook.status == "archived"


class VersionsTests(AdminCase):
    def test_versions_are_listed_compared_and_restored(self) -> None:
        runbook = self.published()
        runbook.body = RESET.replace("was reset", "is new")
        save_draft(actor=self.actor(self.mara), runbook=runbook, reason="Friendlier")
        newer, older = runbook.history.order_by("-history_id").values_list("history_id", flat=True)[:2]
        path = self.admin(f"{runbook.pk}/versions/")
        page = self.client.get(path, {"newer": newer, "older": older})
        self.assertContains(page, "Friendlier")
        self.assertContains(page, "1, in force")
        self.assertContains(page, "<del>was reset</del><ins>is new</ins>")
        self.assertContains(page, "Step 3 changed")
        self.client.post(path, {"record": older})
        runbook.refresh_from_db()
        assert runbook.body == RESET

    def test_a_version_that_is_not_of_this_runbook_is_a_404(self) -> None:
        other = self.draft(title="Another one").history.latest("history_id").history_id
        path = self.admin(f"{self.draft().pk}/versions/")
        assert self.client.post(path, {"record": other}).status_code == 404
        assert self.client.get(path, {"newer": other, "older": other}).status_code == 404
        assert self.client.get(path, {"newer": "x", "older": "1"}).status_code == 404

    def test_a_fork_is_made_for_a_company_of_ones_own(self) -> None:
        runbook = self.published()
        path = self.admin(f"{runbook.pk}/fork/")
        self.assertContains(self.client.get(path), "Pinewood Clinic")
        self.client.post(path, {"company": str(self.quayside.pk)})
        assert not runbook.forks.exists()
        self.client.post(path, {"company": str(self.harlow.pk)})
        assert runbook.forks.get().company == self.harlow


class HeadingTests(AdminCase):
    def test_every_page_about_a_runbook_says_what_is_done_on_it_and_where_it_lies(self) -> None:
        runbook = self.published()
        for page, deed in (
            ("runbooks/runbook/{}/publish/", "Publish “{}”"),
            ("runbooks/runbook/{}/versions/", "Versions of “{}”"),
            ("runbooks/runbook/{}/triggers/", "Triggers of “{}”"),
            ("runbooks/runbook/{}/fork/", "Forks of “{}”"),
            ("runbooks/runbook/{}/archive/", "Archive “{}”"),
            ("agent/replay/of/{}/", "Replay the draft of “{}”"),
            ("agent/replay/figures/{}/", "How “{}” does"),
        ):
            shown = self.client.get(self.path(f"admin/{page.format(runbook.pk)}"))
            self.assertContains(shown, f'<h2 class="life-title">{deed.format(runbook.title)}</h2>')
            trail = shown.content.decode().partition("<h1")[2].partition("</h1>")[0]
            assert re.findall(r">([^<>]*\w[^<>]*)</a>", trail) == ["Runbooks", runbook.title]


class WhoMayTests(AdminCase):
    def test_a_technician_has_no_admin(self) -> None:
        self.log_in(self.theo)
        runbook = self.draft()
        for rest in ("", "add/", f"{runbook.pk}/change/", f"{runbook.pk}/publish/", f"{runbook.pk}/versions/"):
            assert self.client.get(self.admin(rest)).status_code == 403

    def test_ines_finds_nothing_here_and_nothing_of_it_at_home(self) -> None:
        runbook = self.draft()
        self.log_in(self.ines)
        for rest in ("change/", "publish/", "versions/", "fork/", "archive/", "history/"):
            assert self.client.get(self.admin(f"{runbook.pk}/{rest}")).status_code == 404
            home = self.path(f"admin/runbooks/runbook/{runbook.pk}/{rest}", organization=self.southgate)
            assert self.client.get(home).status_code == 404
            assert self.client.post(home).status_code == 404

    def test_a_manager_limited_to_one_company_writes_for_it_and_reads_the_rest(self) -> None:
        everywhere = self.draft()
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        assert "company" in self.add().context["adminform"].form.errors
        assert self.add(company=str(self.harlow.pk)).status_code == 302
        page = self.client.get(self.admin(f"{everywhere.pk}/change/"))
        self.assertContains(page, "rb-prose")
        self.assertContains(page, self.admin(f"{everywhere.pk}/versions/"))
        for closed in ("publish/", "replay/", "archive/"):
            self.assertNotContains(page, self.admin(f"{everywhere.pk}/{closed}"))
        assert self.client.post(self.admin(f"{everywhere.pk}/publish/"), {"agree": "1"}).status_code == 403
        assert self.client.post(self.admin(f"{everywhere.pk}/change/"), FORM).status_code == 403


class ReadingTests(RunbookCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.theo)

    def test_a_technician_reads_what_is_in_force_with_its_grants(self) -> None:
        runbook = self.published(body=RESET + "\n> [!WARNING] <script>alert(1)</script>\n")
        runbook.body = "1. A draft nobody should follow yet"
        save_draft(actor=self.actor(self.mara), runbook=runbook)
        page = self.client.get(self.path(f"runbooks/{runbook.pk}/"))
        self.assertContains(page, "Tell the client with")
        self.assertContains(page, "Approved in advance")
        self.assertNotContains(page, "nobody should follow")
        self.assertNotContains(page, "<script>alert(1)")

    def test_the_library_is_searched(self) -> None:
        self.published(title="Reset a password")
        self.draft(title="Free a full disk", body="1. Look.")
        page = self.client.get(self.path("runbooks/"), {"q": "full disk"})
        assert [shown.title for shown in page.context["runbooks"]] == ["Free a full disk"]
        tabs = {tab["label"]: tab["count"] for tab in page.context["tabs"]}
        assert tabs == {"All": 2, "Published": 1, "Drafts": 1, "Archived": 0}
        published = self.client.get(self.path("runbooks/"), {"status": "published"})
        assert [shown.title for shown in published.context["runbooks"]] == ["Reset a password"]

    def test_the_library_finds_and_shows_what_is_in_force_and_nothing_of_a_draft_beside_it(self) -> None:
        runbook = self.published(category=Runbook.Category.ACCESS)
        runbook.title, runbook.category = "Zebra confidential", Runbook.Category.SECURITY
        save_draft(actor=self.actor(self.mara), runbook=runbook)
        assert self.client.get(self.path("runbooks/"), {"q": "zebra"}).context["runbooks"] == []
        (shown,) = self.client.get(self.path("runbooks/"), {"q": "reset password"}).context["runbooks"]
        assert (shown.title, shown.category) == ("Reset a password", "Accounts and access")

    def test_a_long_library_has_pages_and_says_how_many_there_are(self) -> None:
        for number in range(PAGE_SIZE + 1):
            RunbookFactory(organization=self.northwind, title=f"Runbook {number:03}")
        first = self.client.get(self.path("runbooks/"), {"q": "runbook"})
        self.assertContains(first, f"1 to {PAGE_SIZE} of {PAGE_SIZE + 1} runbooks")
        (last,) = self.client.get(self.path("runbooks/"), {"q": "runbook", "page": "2"}).context["runbooks"]
        assert last.title == f"Runbook {PAGE_SIZE:03}"

    def test_a_member_limited_to_one_company_does_not_see_another_companys_runbook(self) -> None:
        runbook = publish_runbook(actor=self.actor(self.mara), runbook=self.draft(company=self.pinewood))
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.harlow]
        )
        assert self.client.get(self.path(f"runbooks/{runbook.pk}/")).status_code == 404
        assert self.client.get(self.path("runbooks/")).context["runbooks"] == []

    def test_ines_finds_nothing(self) -> None:
        runbook = self.published()
        self.log_in(self.ines)
        assert self.client.get(self.path(f"runbooks/{runbook.pk}/")).status_code == 404
        home = self.path(f"runbooks/{runbook.pk}/", organization=self.southgate)
        assert self.client.get(home).status_code == 404
