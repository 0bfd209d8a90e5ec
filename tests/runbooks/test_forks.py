"""Forks: the original moves on, its changes are taken over or skipped, conflicts are decided by a person."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.html import escape

from junto.audit.models import AuditEntry
from junto.inbox.models import Notification
from junto.team.services import limit_to_companies
from junto.tenants.models import Membership
from junto.tenants.permissions import PermissionDenied
from runbooks.forks import DraftMoved, merge_upstream, plan_merge, skip_upstream, upstream_of
from runbooks.models import Runbook
from runbooks.reconciling import Answers
from runbooks.services import NoSuchVersion, archive_runbook, discard_draft, fork_runbook, publish_runbook, save_draft
from tests.runbooks.cases import RunbookCase

BASE = "1. Look at the account\n2. Reset the password\n3. Tell the client\n"
NAME = {"name": "user", "label": "Who", "type": "string"}


class ForkCase(RunbookCase):
    original: Runbook
    fork: Runbook

    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.mara)
        self.original = self.published(body=BASE, audience="human", tags=["password"])
        self.fork = fork_runbook(actor=self.actor(self.mara), runbook=self.original, company=self.harlow)

    def moves_on(self, **fields: Any) -> None:
        """The original is published again with these fields."""
        self.original = publish_runbook(actor=self.actor(self.mara), runbook=self.change(self.original, **fields))

    def change(self, runbook: Runbook, **fields: Any) -> Runbook:
        for name, value in fields.items():
            setattr(runbook, name, value)
        return save_draft(actor=self.actor(self.mara), runbook=runbook)

    def admin(self, page: str, runbook: Runbook | None = None) -> str:
        return self.path(f"admin/runbooks/runbook/{(runbook or self.fork).pk}/{page}/")

    def moved_on(self) -> bool:
        self.fork.refresh_from_db()
        upstream = upstream_of(self.fork)
        return upstream is not None and upstream.moved_on

    def merge(self, **answers: str) -> Any:
        """Submit the merge page as it is shown, with these answers."""
        plan = plan_merge(self.fork)
        return self.client.post(self.admin("merge"), {"number": plan.number, "seen": plan.seen, **answers}, follow=True)


class MovedOn(ForkCase):
    def test_a_fork_learns_that_its_original_moved_on_and_what_changed(self) -> None:
        assert not self.moved_on()
        self.moves_on(body=BASE.replace("Look at", "Check"))
        assert self.moved_on()
        self.assertContains(self.client.get(self.admin("change")), "The original moved on")
        self.assertContains(self.client.get(self.path("admin/runbooks/runbook/")), "The original moved on")
        page = self.client.get(self.admin("merge"))
        self.assertContains(page, "stands on version 1")
        self.assertContains(page, "<del>Look at</del><ins>Check</ins>")

    def test_a_draft_of_the_original_is_not_yet_a_move(self) -> None:
        self.change(self.original, body=BASE.replace("Look at", "Check"))
        assert not self.moved_on()

    def test_a_fork_of_a_draft_is_told_of_the_first_version(self) -> None:
        self.original = self.draft(title="Unlock an account", body=BASE, audience="human")
        self.fork = fork_runbook(actor=self.actor(self.mara), runbook=self.original, company=self.harlow)
        assert not self.moved_on()
        self.moves_on(body=BASE.replace("Tell", "Call"))
        self.merge()
        self.fork.refresh_from_db()
        assert (self.fork.forked_number, "Call the client" in self.fork.body) == (1, True)

    def test_the_tree_shows_every_fork_and_where_it_stands(self) -> None:
        fork_runbook(actor=self.actor(self.mara), runbook=self.original, company=self.pinewood)
        self.moves_on(body=BASE.replace("Look at", "Check"))
        for member in (self.original, self.fork):
            page = self.client.get(self.admin("fork", member))
            self.assertContains(page, "Harlow")
            self.assertContains(page, "Pinewood Clinic")
            self.assertContains(page, "stands on version 1 of the original", 2)

    def test_a_manager_of_one_company_sees_the_original_and_his_own_fork_only(self) -> None:
        fork_runbook(actor=self.actor(self.mara), runbook=self.original, company=self.pinewood)
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        page = self.client.get(self.admin("fork"))
        self.assertContains(page, escape(self.harlow.name))
        self.assertNotContains(page, self.pinewood.name)


class Told(ForkCase):
    def notices(self, member: Membership) -> list[Notification]:
        return list(Notification.objects.for_organization(self.northwind).filter(membership=member))

    def test_the_authors_of_a_fork_are_told_once_until_they_have_read_it(self) -> None:
        fork = fork_runbook(actor=self.actor(self.adam), runbook=self.original, company=self.pinewood)
        for words in ("Check", "Inspect"):
            self.moves_on(body=BASE.replace("Look at", words))
        (notice,) = self.notices(self.adam)
        assert (
            "Version 2 of “Reset a password” is in force. Pinewood Clinic’s variant stands on version 1" in notice.body
        )
        self.log_in(self.adam)
        self.assertContains(self.client.get(self.path(notice.path)), f"Take over into “{fork.title}”")
        # she published it herself, and wrote the other fork
        assert self.notices(self.mara) == []

    def test_who_may_no_longer_write_the_fork_is_not_told(self) -> None:
        fork_runbook(actor=self.actor(self.adam), runbook=self.original, company=self.pinewood)
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.adam, all_companies=False, companies=[self.harlow]
        )
        self.moves_on(body=BASE.replace("Look at", "Check"))
        assert self.notices(self.adam) == []

    def test_nobody_is_told_about_an_archived_fork(self) -> None:
        adam = self.actor(self.adam)
        fork = fork_runbook(actor=adam, runbook=self.original, company=self.pinewood)
        archive_runbook(actor=adam, runbook=fork)
        self.moves_on(body=BASE.replace("Look at", "Check"))
        assert self.notices(self.adam) == []


class TakingOver(ForkCase):
    def test_what_does_not_meet_ones_own_changes_is_taken_over_at_once(self) -> None:
        self.change(self.fork, body=BASE.replace("the client", "Harlow"), tags=["password", "harlow"])
        self.moves_on(body=BASE.replace("Look at", "Check"), tags=["account"], title="Reset any password")
        page = self.merge()
        self.fork.refresh_from_db()
        assert self.fork.body == "1. Check the account\n2. Reset the password\n3. Tell Harlow\n"
        assert (self.fork.tags, self.fork.title, self.fork.forked_number) == (
            ["harlow", "account"],
            "Reset any password",
            2,
        )
        self.assertContains(page, "Took over version 2 of the original")
        assert not self.moved_on()

    def test_a_conflict_must_be_decided_and_can_be_written_anew(self) -> None:
        self.change(self.fork, body=BASE.replace("Tell the client", "Tell Harlow"))
        self.moves_on(body=BASE.replace("Tell the client", "Call the client"))
        page = self.merge()
        self.assertContains(page, "not decided yet")
        self.fork.refresh_from_db()
        assert self.fork.forked_number == 1
        for answer, line in [
            ({"hunk-1": "edit", "text-1": "3. Call Harlow"}, "3. Call Harlow"),
            ({"hunk-1": "both"}, "3. Tell Harlow\n3. Call the client"),
            ({"hunk-1": "theirs"}, "3. Call the client"),
            ({"hunk-1": "ours"}, "3. Tell Harlow"),
        ]:
            fork = self.fork
            before = fork.history.latest("history_id")
            self.merge(**answer)
            fork.refresh_from_db()
            assert fork.body == f"1. Look at the account\n2. Reset the password\n{line}\n"
            fork.body, fork.forked_number = before.body, 1
            save_draft(actor=self.actor(self.mara), runbook=fork)

    def test_fields_that_both_changed_are_decided_too(self) -> None:
        self.change(self.fork, title="Reset at Harlow", inputs=[NAME])
        self.moves_on(title="Reset and unlock", inputs=[{**NAME, "label": "Whose"}, {**NAME, "name": "why"}])
        assert {field.name for field in plan_merge(self.fork).merge.open_fields} == {"title", "inputs.user"}
        self.merge(**{"title": "ours", "inputs.user": "theirs"})
        self.fork.refresh_from_db()
        assert self.fork.title == "Reset at Harlow"
        assert [(each["name"], each["label"]) for each in self.fork.inputs] == [("user", "Whose"), ("why", "Who")]

    def test_what_somebody_saved_in_between_is_not_lost(self) -> None:
        self.moves_on(body=BASE.replace("Look at", "Check"))
        plan = plan_merge(self.fork)
        self.change(self.fork, body="1. Harlow only\n")
        with pytest.raises(DraftMoved):
            merge_upstream(
                actor=self.actor(self.mara), fork=self.fork, number=plan.number, seen=plan.seen, answers=Answers({}, [])
            )
        page = self.client.post(self.admin("merge"), {"number": plan.number, "seen": plan.seen}, follow=True)
        self.assertContains(page, "changed since this page was shown")
        self.fork.refresh_from_db()
        assert self.fork.body == "1. Harlow only\n"

    def test_a_discarded_merge_can_be_taken_over_again(self) -> None:
        publish_runbook(actor=self.actor(self.mara), runbook=self.fork)
        self.moves_on(body=BASE.replace("Look at", "Check"))
        self.merge()
        assert not self.moved_on()
        discard_draft(actor=self.actor(self.mara), runbook=self.fork)
        assert self.moved_on()

    def test_nothing_is_taken_over_where_nothing_is_newer(self) -> None:
        with pytest.raises(NoSuchVersion):
            plan_merge(self.fork)
        with pytest.raises(NoSuchVersion):
            plan_merge(self.original)
        self.assertRedirects(self.client.get(self.admin("merge")), self.admin("fork"))

    def test_an_original_that_once_became_another_companys_own_is_not_shown(self) -> None:
        self.moves_on(body="1. A secret of Pinewood\n")
        # as it could be written before the scope stayed
        Runbook.unscoped.filter(pk=self.original.pk).update(company=self.pinewood)
        assert not self.moved_on()
        with pytest.raises(NoSuchVersion):
            plan_merge(self.fork)


class Skipping(ForkCase):
    def test_a_skipped_version_is_not_mentioned_again_but_the_next_is(self) -> None:
        self.moves_on(body=BASE.replace("Look at", "Check"))
        saves = self.fork.history.count()
        self.client.post(self.admin("merge"), {"number": 2, "skip": "1"})
        assert not self.moved_on()
        assert self.fork.history.count() == saves
        self.assertContains(self.client.get(self.admin("fork")), "version 2 skipped")
        self.moves_on(body=BASE.replace("Look at", "Inspect"))
        assert self.moved_on()
        assert AuditEntry.objects.for_organization(self.northwind).filter(verb="runbook.upstream_skipped").exists()

    def test_a_skipped_version_can_still_be_taken_over(self) -> None:
        self.moves_on(body=BASE.replace("Look at", "Check"))
        skip_upstream(actor=self.actor(self.mara), fork=self.fork, number=2)
        self.merge()
        self.fork.refresh_from_db()
        assert (self.fork.forked_number, self.fork.skipped_number) == (2, None)

    def test_only_the_version_that_was_shown_is_skipped(self) -> None:
        self.moves_on(body=BASE.replace("Look at", "Check"))
        self.moves_on(body=BASE.replace("Look at", "Inspect"))
        with pytest.raises(DraftMoved):
            skip_upstream(actor=self.actor(self.mara), fork=self.fork, number=2)


class WhoMay(ForkCase):
    def test_a_manager_of_another_company_neither_merges_nor_skips(self) -> None:
        self.moves_on(body=BASE.replace("Look at", "Check"))
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.pinewood]
        )
        assert self.client.get(self.admin("merge")).status_code == 404
        with pytest.raises(PermissionDenied):
            skip_upstream(actor=self.actor(self.mara), fork=self.fork, number=2)

    def test_ines_finds_none_of_it(self) -> None:
        self.moves_on(body=BASE.replace("Look at", "Check"))
        self.log_in(self.ines)
        for page in ("merge", "fork", "discard", "review"):
            assert self.client.post(self.admin(page)).status_code == 404
