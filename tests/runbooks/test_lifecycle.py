"""A runbook's life beside its first publish: drafts beside versions, immutability, reviews, suspension."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, transaction

from approvals.models import Grant
from junto.audit.models import AuditEntry
from junto.inbox.models import Notification
from junto.team.services import change_role, limit_to_companies
from junto.tenants.permissions import Permission, PermissionDenied, Role
from runbooks.models import PublishingRule, Runbook
from runbooks.notes import notes_of
from runbooks.reviewing import (
    ReviewRefused,
    ask_review,
    open_review,
    return_review,
    second_person_needed,
    set_publishing_rule,
)
from runbooks.services import (
    NoSuchVersion,
    PublishRefused,
    archive_runbook,
    discard_draft,
    has_unpublished_changes,
    publish_runbook,
    published_document,
    save_draft,
)
from runbooks.suspension import suspended_at
from tests.runbooks.cases import RESET, RunbookCase

OTHER = "1. Something else\n"


class LifeCase(RunbookCase):
    def beside(self, runbook: Runbook, body: str = OTHER) -> Runbook:
        """The runbook with a draft of Mara's beside what is in force."""
        runbook.body = body
        return save_draft(actor=self.actor(self.mara), runbook=runbook)

    def kinds(self, runbook: Runbook) -> set[str]:
        """What the notes about it speak of."""
        runbook.refresh_from_db()
        return {note.kind for note in notes_of([runbook])[runbook.pk]}

    def detail(self, runbook: Runbook, kind: str) -> str:
        return next(note.detail for note in notes_of([runbook])[runbook.pk] if note.kind == kind)


class VersionsStay(LifeCase):
    def test_the_database_refuses_to_change_what_a_version_says(self) -> None:
        runbook = self.published()
        version = runbook.history.get(history_id=runbook.published_record)
        version.body = OTHER
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            version.save()
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            runbook.history.update(published_number=7)
        assert published_document(runbook).body == RESET

    def test_numbers_count_publishes_and_each_keeps_its_text(self) -> None:
        runbook = self.published()
        first = runbook.published_record
        second = publish_runbook(actor=self.actor(self.mara), runbook=self.beside(runbook))
        assert (published_document(second, record=first).number, published_document(second).number) == (1, 2)
        assert (published_document(second, record=first).body, published_document(second).body) == (RESET, OTHER)

    def test_what_was_not_shown_is_not_published(self) -> None:
        runbook = self.draft()
        shown = runbook.history.latest("history_id").history_id
        self.beside(runbook)
        with pytest.raises(PublishRefused, match="saved again since you looked"):
            publish_runbook(actor=self.actor(self.mara), runbook=runbook, seen=shown)


class DraftBeside(LifeCase):
    def test_the_note_tells_of_it_until_it_is_published(self) -> None:
        runbook = self.published()
        assert self.kinds(runbook) == set()
        assert self.kinds(self.beside(runbook)) == {"draft"}
        publish_runbook(actor=self.actor(self.mara), runbook=runbook)
        assert self.kinds(runbook) == set()

    def test_a_row_read_before_the_publish_takes_nothing_out_of_force_when_it_is_saved(self) -> None:
        read_before = self.draft()
        in_force = publish_runbook(actor=self.actor(self.mara), runbook=read_before)
        saved = self.beside(read_before)
        assert (saved.status, saved.published_number) == (Runbook.Status.PUBLISHED, 1)
        assert published_document(saved).body == published_document(in_force).body == RESET

    def test_a_discarded_draft_is_what_is_in_force_and_can_be_restored(self) -> None:
        runbook = self.beside(self.published())
        runbook = discard_draft(actor=self.actor(self.mara), runbook=runbook)
        assert (runbook.body, has_unpublished_changes(runbook)) == (RESET, False)
        assert OTHER in runbook.history.values_list("body", flat=True)

    def test_nothing_is_discarded_where_nothing_is_in_force(self) -> None:
        with pytest.raises(NoSuchVersion):
            discard_draft(actor=self.actor(self.mara), runbook=self.draft())

    def test_a_technician_discards_nothing(self) -> None:
        with pytest.raises(PermissionDenied):
            discard_draft(actor=self.actor(self.theo), runbook=self.beside(self.published()))


class Archived(LifeCase):
    def test_its_grants_end_and_its_history_stays(self) -> None:
        runbook = archive_runbook(actor=self.actor(self.mara), runbook=self.published())
        standing = Grant.objects.for_organization(self.northwind).filter(runbook__startswith=f"{runbook.pk}:")
        assert standing.exists()
        assert not standing.filter(revoked_at=None).exists()
        assert published_document(runbook).body == RESET
        assert self.kinds(runbook) == set()


class TwoPeople(LifeCase):
    def setUp(self) -> None:
        super().setUp()
        PublishingRule.unscoped.create(organization=self.northwind, second_person=True, set_by=self.adam)

    def refused(self, runbook: Runbook) -> str:
        with pytest.raises(PublishRefused) as refusal:
            publish_runbook(actor=self.actor(self.mara), runbook=runbook)
        return str(refusal.value)

    def test_nobody_publishes_alone(self) -> None:
        runbook = self.draft()
        assert "ask for a review" in self.refused(runbook)
        ask_review(actor=self.actor(self.mara), runbook=runbook)
        assert "somebody else does" in self.refused(runbook)

    def test_another_person_publishes_what_was_asked_about(self) -> None:
        runbook = self.draft()
        ask_review(actor=self.actor(self.mara), runbook=runbook, note="Look at step 3")
        assert self.kinds(runbook) == {"review"}
        told = Notification.objects.for_organization(self.northwind).filter(kind="runbook.review")
        assert {each.membership for each in told} == {self.olivia, self.adam}
        done = publish_runbook(actor=self.actor(self.adam), runbook=runbook)
        assert (done.status, done.published_by, open_review(done)) == ("published", self.adam, None)

    def test_a_draft_saved_again_must_be_asked_about_again(self) -> None:
        runbook = self.draft()
        ask_review(actor=self.actor(self.mara), runbook=runbook)
        self.beside(runbook)
        with pytest.raises(PublishRefused, match="ask for a review"):
            publish_runbook(actor=self.actor(self.adam), runbook=runbook)
        ask_review(actor=self.actor(self.mara), runbook=runbook)

    def test_a_draft_sent_back_is_told_with_its_reason(self) -> None:
        runbook = self.draft()
        ask_review(actor=self.actor(self.mara), runbook=runbook)
        with pytest.raises(ReviewRefused, match="waiting already"):
            ask_review(actor=self.actor(self.adam), runbook=runbook)
        return_review(actor=self.actor(self.adam), runbook=runbook, answer="Say who calls the client.")
        told = Notification.objects.for_organization(self.northwind).get(kind="runbook.review_returned")
        assert (told.membership, told.body) == (self.mara, "Say who calls the client.")
        assert self.kinds(runbook) == set()

    def test_no_review_is_asked_of_what_nobody_could_publish(self) -> None:
        broken = self.draft(body="1. @connectwise.fix_all")
        self.log_in(self.mara)
        path = self.path(f"admin/runbooks/runbook/{broken.pk}/")
        self.assertNotContains(self.client.get(f"{path}publish/"), "Ask for a review")
        self.assertContains(self.client.post(f"{path}review/", {"words": "Look"}, follow=True), "Nobody could publish")
        assert open_review(broken) is None

    def test_asking_and_answering_need_the_right_to_write(self) -> None:
        runbook = self.draft()
        with pytest.raises(PermissionDenied):
            ask_review(actor=self.actor(self.theo), runbook=runbook)
        ask_review(actor=self.actor(self.mara), runbook=runbook)
        with pytest.raises(PermissionDenied):
            return_review(actor=self.actor(self.theo), runbook=runbook, answer="No")
        with pytest.raises(Runbook.DoesNotExist):
            return_review(actor=self.actor(self.ines), runbook=runbook, answer="No")


class RuleTests(LifeCase):
    def rule(self, rest: str = "") -> str:
        return self.path(f"admin/runbooks/publishingrule/{rest}")

    def test_an_admin_sets_it_once_and_it_holds_from_then_on(self) -> None:
        self.log_in(self.adam)
        self.client.post(self.rule("add/"), {"second_person": "on"})
        assert second_person_needed(self.northwind)
        assert not second_person_needed(self.southgate)
        assert self.client.get(self.rule("add/")).status_code == 403
        rule = PublishingRule.objects.for_organization(self.northwind).get()
        self.client.post(self.rule(f"{rule.pk}/change/"), {})
        assert not second_person_needed(self.northwind)
        told = AuditEntry.objects.for_organization(self.northwind).filter(verb="runbook.publishing_rule_set")
        assert [entry.detail["second_person"] for entry in told.order_by("number")] == [True, False]

    def test_a_manager_reads_it_and_does_not_set_it(self) -> None:
        self.log_in(self.mara)
        assert self.client.get(self.rule()).status_code == 200
        assert self.client.post(self.rule("add/"), {"second_person": "on"}).status_code == 403
        with pytest.raises(PermissionDenied):
            set_publishing_rule(actor=self.actor(self.mara), second_person=True)
        assert not second_person_needed(self.northwind)


class ReviewPages(LifeCase):
    def test_the_second_person_sees_the_diff_and_the_grants_and_publishes(self) -> None:
        set_publishing_rule(actor=self.actor(self.adam), second_person=True)
        runbook = self.draft()
        ask_review(actor=self.actor(self.mara), runbook=runbook)
        publish_runbook(actor=self.actor(self.adam), runbook=runbook)
        runbook.refresh_from_db()
        self.beside(runbook, RESET.replace("was reset", "is new"))
        path = self.path(f"admin/runbooks/runbook/{runbook.pk}/")
        self.log_in(self.mara)
        page = self.client.get(f"{path}publish/")
        self.assertContains(page, "ask for a review of this draft first")
        self.assertNotContains(page, "Publish version")
        self.client.post(f"{path}review/", {"words": "Friendlier"})
        self.assertContains(self.client.get(f"{path}publish/"), "somebody else does")
        self.log_in(self.adam)
        self.assertContains(self.client.get(f"{path}change/"), "Mara Lindholm asks for it")
        page = self.client.get(f"{path}publish/")
        self.assertContains(page, "Friendlier")
        self.assertContains(page, "<del>was reset</del><ins>is new</ins>")
        self.assertContains(page, "By publishing you approve in advance")
        self.client.post(f"{path}publish/", {"agree": "1", "record": page.context["record"]})
        runbook.refresh_from_db()
        assert (runbook.published_number, runbook.published_by) == (2, self.adam)

    def test_a_draft_is_sent_back_and_discarded_on_the_pages(self) -> None:
        runbook = self.beside(self.published())
        path = self.path(f"admin/runbooks/runbook/{runbook.pk}/")
        ask_review(actor=self.actor(self.mara), runbook=runbook)
        self.log_in(self.adam)
        self.client.post(f"{path}review/", {"return": "1", "words": "Say why"})
        assert open_review(runbook) is None
        self.assertContains(self.client.get(f"{path}change/"), "Discard the draft")
        page = self.client.post(f"{path}discard/", follow=True)
        self.assertContains(page, "back to version 1")
        runbook.refresh_from_db()
        assert runbook.body == RESET
        assert self.client.get(f"{path}discard/").status_code == 405


class Suspended(LifeCase):
    def limit(self, everywhere: bool) -> None:
        companies = [] if everywhere else [self.harlow]
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=everywhere, companies=companies
        )
        self.mara.refresh_from_db()

    def test_losing_the_right_suspends_and_says_so_and_regaining_it_lifts_that(self) -> None:
        runbook = self.published()
        change_role(actor=self.actor(self.olivia), membership=self.mara, role=Role.TECHNICIAN)
        assert self.kinds(runbook) == {"suspended"}
        assert "may no longer decide" in self.detail(runbook, "suspended")
        change_role(actor=self.actor(self.olivia), membership=self.mara, role=Role.MANAGER)
        assert self.kinds(runbook) == set()

    def test_a_publisher_limited_to_one_company_still_answers_there_and_nowhere_else(self) -> None:
        runbook = self.published()
        self.limit(everywhere=False)
        assert "for all companies" in self.detail(runbook, "suspended")
        assert suspended_at(runbook, self.harlow) == ()
        assert suspended_at(runbook, self.pinewood) != ()
        self.limit(everywhere=True)
        assert suspended_at(runbook, self.pinewood) == ()

    def test_a_publisher_who_left_suspends_it(self) -> None:
        runbook = self.published()
        self.mara.is_active = False
        self.mara.save()
        assert self.kinds(runbook) == {"suspended"}

    def test_a_tool_that_changed_or_went_suspends_it(self) -> None:
        runbook = self.published()
        grants = Grant.objects.for_organization(self.northwind).filter(tool="connectwise.add_customer_note")
        grants.update(tool_pin="0" * 64)
        assert "changed after publishing" in self.detail(runbook, "suspended")
        grants.update(tool="connectwise.no_such")
        assert "no tool connectwise.no_such" in self.detail(runbook, "suspended")

    def test_another_person_publishing_again_lifts_it(self) -> None:
        runbook = self.published()
        change_role(actor=self.actor(self.olivia), membership=self.mara, role=Role.TECHNICIAN)
        publish_runbook(actor=self.actor(self.adam), runbook=runbook)
        assert self.kinds(runbook) == set()

    def test_a_hybrid_runbook_has_nothing_to_suspend(self) -> None:
        runbook = self.published(audience=Runbook.Audience.HYBRID)
        change_role(actor=self.actor(self.olivia), membership=self.mara, role=Role.TECHNICIAN)
        assert not self.actor(self.mara).can(Permission.DECIDE_HIGH)
        assert self.kinds(runbook) == set()
