"""Whom a runbook is for decides who reads, changes and runs it: what is in force, its draft, and every earlier save."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils.html import escape

from junto.team.services import limit_to_companies
from junto.tenants.models import Membership
from junto.tenants.permissions import Role
from runbooks.models import Runbook
from runbooks.services import NoSuchVersion, archive_runbook, fork_runbook, restore_version, save_draft
from tests.factories import MembershipFactory
from tests.runbooks.test_admin import FORM, AdminCase

SECRET = "1. The alarm code is 4711\n"


class ScopeCase(AdminCase):
    """Mara reaches all companies; Oskar is a Manager of Harlow alone."""

    manager: Membership

    def setUp(self) -> None:
        super().setUp()
        self.manager = MembershipFactory(organization=self.northwind, role=Role.MANAGER)
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.manager, all_companies=False, companies=[self.harlow]
        )

    def change(self, runbook: Runbook, **fields: str) -> Any:
        """Whoever is logged in saves the form."""
        form = {**FORM, "title": runbook.title, "audience": "human", "body": runbook.body, "company": "", **fields}
        return self.client.post(self.admin(f"{runbook.pk}/change/"), form, follow=True)

    def saved(self, runbook: Runbook) -> Runbook:
        return Runbook.objects.for_organization(self.northwind).get(pk=runbook.pk)


class InForceTests(ScopeCase):
    def test_a_draft_cannot_hand_the_published_text_to_the_managers_of_one_company(self) -> None:
        runbook = self.published(audience="human")
        field = self.client.get(self.admin(f"{runbook.pk}/change/")).context["adminform"].form["company"]
        assert (field.field.disabled, "selected>All companies" in str(field)) == (True, True)
        self.change(runbook, company=str(self.harlow.pk), body="1. For Harlow\n")
        assert (self.saved(runbook).company, self.saved(runbook).body.strip()) == (None, "1. For Harlow")
        self.log_in(self.manager)
        for page in ("archive", "publish", "triggers/add/manual", "discard"):
            answer = self.client.post(self.admin(f"{runbook.pk}/{page}/"), {"agree": "1"})
            words = f"{self.manager.user.display_name} may not write and publish runbooks here, only for the companies"
            self.assertContains(answer, escape(words), status_code=403)
        assert self.saved(runbook).status == "published"

    def test_what_is_for_one_company_cannot_be_made_for_all_after_it_was_published(self) -> None:
        runbook = self.published(audience="human", body=SECRET, company=self.pinewood)
        self.assertContains(self.client.get(self.admin(f"{runbook.pk}/change/")), "so whom it is for stays")
        self.change(runbook)
        assert self.saved(runbook).company == self.pinewood
        self.log_in(self.manager)
        for page in ("change", "versions", "figures"):
            assert self.client.get(self.admin(f"{runbook.pk}/{page}/")).status_code == 404
        assert self.client.get(self.path(f"runbooks/{runbook.pk}/")).status_code == 404

    def test_it_stays_when_it_is_archived_and_restored(self) -> None:
        mara = self.actor(self.mara)
        runbook = archive_runbook(actor=mara, runbook=self.published(audience="human"))
        first = runbook.history.earliest("history_id").history_id
        runbook = restore_version(actor=mara, runbook=runbook, record_id=first)
        runbook.company = self.harlow
        with pytest.raises(ValidationError, match="so whom it is for stays"):
            save_draft(actor=mara, runbook=runbook)

    def test_a_variant_and_its_original_keep_theirs_before_they_are_published_too(self) -> None:
        original = self.draft(audience="human")
        variant = fork_runbook(actor=self.actor(self.mara), runbook=original, company=self.harlow)
        self.change(original, company=str(self.pinewood.pk))
        self.change(variant)
        assert (self.saved(original).company, self.saved(variant).company) == (None, self.harlow)

    def test_what_was_typed_and_kept_before_does_not_move_it(self) -> None:
        runbook = self.draft(audience="human")
        self.client.post(self.admin(f"{runbook.pk}/keep/"), {"body": "1. Mine", "company": str(self.harlow.pk)})
        self.client.post(self.admin(f"{runbook.pk}/publish/"), {"agree": "1"})
        assert self.saved(runbook).published_number == 1
        page = self.client.get(self.admin(f"{runbook.pk}/change/"), {"kept": "1"})
        form = page.context["adminform"].form
        assert (form["body"].value(), form["company"].value()) == ("1. Mine", None)

    def test_a_draft_that_was_never_published_is_moved_freely(self) -> None:
        runbook = self.draft(audience="human")
        self.change(runbook, company=str(self.harlow.pk))
        assert self.saved(runbook).company == self.harlow
        self.log_in(self.manager)
        assert self.client.post(self.admin(f"{runbook.pk}/publish/"), {"agree": "1"}).status_code == 302
        assert self.saved(runbook).published_by == self.manager


class EarlierSavesTests(ScopeCase):
    """A draft was for Pinewood at first, and is for all companies now."""

    runbook: Runbook
    secret: int

    def setUp(self) -> None:
        super().setUp()
        self.runbook = self.draft(audience="human", body=SECRET, company=self.pinewood)
        self.secret = self.runbook.history.latest("history_id").history_id
        self.change(self.runbook, body="1. Look\n")
        assert self.saved(self.runbook).company is None

    def versions(self, **query: Any) -> Any:
        return self.client.get(self.admin(f"{self.runbook.pk}/versions/"), query)

    def test_a_manager_of_another_company_finds_only_the_saves_written_for_them(self) -> None:
        newest = self.saved(self.runbook).history.latest("history_id").history_id
        self.assertContains(self.versions(older=self.secret, newer=newest), "alarm code")
        self.log_in(self.manager)
        page = self.versions()
        assert [version.record for version in page.context["versions"]] == [newest]
        self.assertContains(page, "1 earlier save is not shown")
        for older, newer in ((self.secret, newest), (newest, self.secret), (self.secret, self.secret)):
            assert self.versions(older=older, newer=newer).status_code == 404

    def test_such_a_save_is_neither_restored_nor_merged_with_by_who_may_not_read_it(self) -> None:
        mara, manager = self.actor(self.mara), self.actor(self.manager)
        runbook = self.saved(self.runbook)
        runbook.company = self.harlow
        save_draft(actor=mara, runbook=runbook)
        self.log_in(self.manager)
        assert self.client.post(self.admin(f"{runbook.pk}/versions/"), {"record": self.secret}).status_code == 404
        with pytest.raises(NoSuchVersion):
            restore_version(actor=manager, runbook=runbook, record_id=self.secret)
        page = self.change(runbook, company=str(self.harlow.pk), body="1. Something else\n", based_on=str(self.secret))
        self.assertContains(page, "is no version of this runbook")
        self.assertNotContains(page, "alarm code")


class MeetingTests(ScopeCase):
    """Two people move a draft to different companies at once."""

    def meet(self, mine: str) -> tuple[Runbook, Any]:
        runbook = self.draft(audience="human")
        opened = runbook.history.latest("history_id").history_id
        moved = self.saved(runbook)
        moved.company = self.harlow
        save_draft(actor=self.actor(self.adam), runbook=moved)
        return runbook, self.change(runbook, company=mine, based_on=str(opened))

    def test_the_author_who_saves_second_is_asked_which_company_it_is_for(self) -> None:
        for side, company in (("ours", self.pinewood), ("theirs", self.harlow)):
            runbook, page = self.meet(str(self.pinewood.pk))
            self.assertContains(page, "Nothing of yours is lost or saved yet")
            self.assertContains(page, self.pinewood.name)
            assert self.saved(runbook).company == self.harlow
            form = {"against": str(page.context["against"]), **dict(page.context["mine"])}
            self.client.post(self.admin(f"{runbook.pk}/change/"), {**form, "company": side})
            assert self.saved(runbook).company == company

    def test_a_move_by_one_of_them_is_kept_beside_what_the_other_wrote(self) -> None:
        runbook, _ = self.meet("")
        assert self.saved(runbook).company == self.harlow


class OneVariantTests(ScopeCase):
    def test_a_second_fork_for_the_same_company_leads_to_the_first(self) -> None:
        original = self.published(audience="human")
        path = self.admin(f"{original.pk}/fork/")
        for _ in range(2):
            page = self.client.post(path, {"company": str(self.harlow.pk)}, follow=True)
        (fork,) = original.forks.all()
        self.assertRedirects(page, self.admin(f"{fork.pk}/change/"))
        assert "has a variant of its own already" in self.words(page)

    def test_one_that_is_archived_is_named_with_the_way_back(self) -> None:
        mara = self.actor(self.mara)
        original = self.published(audience="human")
        archive_runbook(actor=mara, runbook=fork_runbook(actor=mara, runbook=original, company=self.harlow))
        page = self.client.post(self.admin(f"{original.pk}/fork/"), {"company": str(self.harlow.pk)}, follow=True)
        assert "It is archived; restore one of its versions" in self.words(page)
        assert original.forks.count() == 1
