"""Publishing: what it checks, what it approves in advance, and what stays as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from approvals.models import Grant
from junto.audit.models import AuditEntry
from junto.team.services import limit_to_companies
from junto.tenants.permissions import PermissionDenied
from runbooks.models import Runbook
from runbooks.services import (
    NoSuchVersion,
    PublishRefused,
    archive_runbook,
    fork_runbook,
    has_unpublished_changes,
    plan_publication,
    publish_runbook,
    published_document,
    restore_version,
    save_draft,
)
from tests.factories import RunbookFactory
from tests.runbooks.cases import RESET, RunbookCase

Status = Runbook.Status


class RefusalTests(RunbookCase):
    def refused(self, body: str, **fields: Any) -> str:
        """Why Mara cannot publish this text."""
        with pytest.raises(PublishRefused) as refusal:
            self.published(body=body, **fields)
        return str(refusal.value)

    def test_an_unknown_tool_is_named_with_its_line(self) -> None:
        assert (
            self.refused("1. One\n2. @connectwise.fix_all") == "Line 2: There is no tool called @connectwise.fix_all."
        )

    def test_a_tool_of_a_system_that_is_not_connected_is_refused(self) -> None:
        self.psa.delete()
        assert "needs ConnectWise PSA, which is not connected" in self.refused(RESET)

    def test_an_undeclared_input_and_an_empty_step_are_refused(self) -> None:
        body = "1. @connectwise.add_internal_note(ticket_id=ticket.id, text=input.note)\n2.\n"
        words = self.refused(body)
        assert "Line 1: @connectwise.add_internal_note uses input.note, which is not declared." in words
        assert "Line 2: This step is empty." in words

    def test_an_argument_the_tool_does_not_have_or_take_is_refused(self) -> None:
        assert "has no argument number" in self.refused("1. @connectwise.get_ticket(number=1)")
        assert "does not take 'x' as ticket_id" in self.refused('1. @connectwise.get_ticket(ticket_id="x")')

    def test_a_note_that_the_client_sees_must_be_bound_or_asked_in_an_unattended_runbook(self) -> None:
        words = self.refused("1. @connectwise.add_customer_note(ticket_id=ticket.id)")
        assert words == (
            "Line 1: @connectwise.add_customer_note: the client sees what it does, "
            "so bind text or write (ask) behind it."
        )
        self.published(body="1. @connectwise.add_customer_note(ticket_id=ticket.id) (ask)")
        self.published(body="1. @connectwise.add_customer_note", audience=Runbook.Audience.HYBRID)

    def test_a_manager_limited_to_one_company_publishes_for_it_and_not_for_all(self) -> None:
        everywhere, here = self.draft(), self.draft(company=self.harlow)
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        with pytest.raises(PermissionDenied):
            publish_runbook(actor=self.actor(self.mara), runbook=everywhere)
        publish_runbook(actor=self.actor(self.mara), runbook=here)

    def test_a_technician_neither_writes_nor_publishes(self) -> None:
        with pytest.raises(PermissionDenied):
            save_draft(actor=self.actor(self.theo), runbook=Runbook(title="Mine now", body="1. One"))
        with pytest.raises(PermissionDenied):
            publish_runbook(actor=self.actor(self.theo), runbook=self.draft())

    def test_ines_does_not_find_it(self) -> None:
        with pytest.raises(Runbook.DoesNotExist):
            publish_runbook(actor=self.actor(self.ines), runbook=self.draft())


class GrantTests(RunbookCase):
    def grants(self, runbook: Runbook) -> dict[str, Grant]:
        rows = Grant.objects.for_organization(self.northwind).filter(runbook__startswith=str(runbook.pk))
        return {f"{grant.tool} {grant.words}": grant for grant in rows.filter(revoked_at=None)}

    def test_every_mention_becomes_a_grant_in_plain_words_and_as_rules(self) -> None:
        runbook = self.published()
        found = {grant.tool: grant for words, grant in self.grants(runbook).items() if "receipts" not in words}
        note = found["connectwise.add_customer_note"]
        assert note.rules == {
            "ticket_id": {"kind": "fact", "path": "ticket.id"},
            "text": {"kind": "constant", "value": "Your password was reset."},
            "notify": {"kind": "constant", "value": False},
            "resolution": {"kind": "constant", "value": False},
        }
        assert "with ticket_id = the ticket and text = “Your password was reset.”" in note.words
        assert "Without this runbook it is always asked." in note.words
        assert found["connectwise.add_internal_note"].rules["*"] == {"kind": "any"}
        assert (note.runbook, note.max_count, note.issued_by) == (f"{runbook.pk}:1", 1, self.mara)

    def test_every_fact_is_told_in_words(self) -> None:
        text = "1. @connectwise.add_internal_note(ticket_id=ticket.id, text=ticket.contact.name)\n"
        [words] = [words for words in self.grants(self.published(body=text)) if "receipts" not in words]
        assert "text = the name of the ticket's contact" in words

    def test_a_mention_to_be_asked_grants_nothing(self) -> None:
        runbook = self.published(body="1. @connectwise.set_ticket_status (ask)")
        assert not any(words.startswith("connectwise.set_ticket_status") for words in self.grants(runbook))

    def test_a_hybrid_runbook_grants_nothing(self) -> None:
        assert self.grants(self.published(audience=Runbook.Audience.HYBRID)) == {}

    def test_the_closing_set_is_granted_only_with_what_the_server_computed(self) -> None:
        closing = [grant for words, grant in self.grants(self.published()).items() if "receipts" in words]
        assert {grant.tool for grant in closing} == {
            "connectwise.create_ticket",
            "connectwise.add_time_entry",
            "connectwise.add_internal_note",
        }
        assert all(rule["kind"] in {"computed", "constant"} for grant in closing for rule in grant.rules.values())

    def test_the_next_version_replaces_the_grants_and_archiving_ends_them(self) -> None:
        runbook = self.published()
        runbook.description = "For locked accounts."
        saved = save_draft(actor=self.actor(self.mara), runbook=runbook)
        again = publish_runbook(actor=self.actor(self.mara), runbook=saved)
        assert {grant.runbook for grant in self.grants(again).values()} == {f"{runbook.pk}:2"}
        archive_runbook(actor=self.actor(self.mara), runbook=again)
        assert self.grants(again) == {}


class AgainTests(RunbookCase):
    """Publishing what is in force already, or was retired."""

    def refused(self, runbook: Runbook) -> str:
        with pytest.raises(PublishRefused) as refusal:
            publish_runbook(actor=self.actor(self.mara), runbook=runbook)
        return str(refusal.value)

    def test_what_is_in_force_as_it_is_is_not_published_again(self) -> None:
        assert "Nothing changed since version 1" in self.refused(self.published())

    def test_an_archived_runbook_comes_back_by_restoring_a_version(self) -> None:
        runbook = archive_runbook(actor=self.actor(self.mara), runbook=self.published())
        assert "restore one of its versions" in self.refused(runbook)
        draft = restore_version(actor=self.actor(self.mara), runbook=runbook, record_id=runbook.published_record)
        assert publish_runbook(actor=self.actor(self.mara), runbook=draft).published_number == 2

    def test_the_same_text_is_published_again_to_renew_approvals_that_end_soon_or_ended(self) -> None:
        runbook = self.published()
        grants = Grant.objects.for_organization(self.northwind).filter(runbook=f"{runbook.pk}:1")
        grants.update(expires_at=timezone.now() + timedelta(days=20))
        assert publish_runbook(actor=self.actor(self.mara), runbook=runbook).published_number == 2
        Grant.objects.for_organization(self.northwind).filter(runbook=f"{runbook.pk}:2").first().delete()
        assert publish_runbook(actor=self.actor(self.mara), runbook=runbook).published_number == 3

    def test_another_person_publishes_the_same_text_when_the_publisher_lost_the_right(self) -> None:
        runbook = self.published()
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.mara, all_companies=False, companies=[self.harlow]
        )
        assert publish_runbook(actor=self.actor(self.adam), runbook=runbook).published_by == self.adam


class VersionTests(RunbookCase):
    def test_editing_a_published_runbook_makes_a_draft_beside_it(self) -> None:
        runbook = self.published()
        assert not has_unpublished_changes(runbook)
        runbook.body = "1. Something else"
        save_draft(actor=self.actor(self.mara), runbook=runbook, reason="Shorter")
        assert has_unpublished_changes(runbook)
        version = published_document(runbook)
        assert (version.body, version.number, runbook.status) == (RESET, 1, Status.PUBLISHED)

    def test_a_session_pinned_to_an_earlier_version_still_reads_it(self) -> None:
        first = self.published()
        record = first.published_record
        first.body = "1. Something else"
        second = publish_runbook(
            actor=self.actor(self.mara), runbook=save_draft(actor=self.actor(self.mara), runbook=first)
        )
        assert published_document(second).number == 2
        assert published_document(second, record=record).body == RESET

    def test_a_draft_save_is_no_published_version(self) -> None:
        runbook = self.published()
        save_draft(actor=self.actor(self.mara), runbook=runbook)
        with pytest.raises(NoSuchVersion):
            published_document(runbook, record=runbook.history.latest("history_id").history_id)

    def test_every_save_keeps_author_and_reason(self) -> None:
        runbook = self.draft()
        runbook.description = "For locked accounts."
        save_draft(actor=self.actor(self.adam), runbook=runbook, reason="Said what it is for")
        newest = runbook.history.latest("history_id")
        assert (newest.history_user, newest.history_change_reason) == (self.adam.user, "Said what it is for")

    def test_an_earlier_version_is_restored_as_the_draft(self) -> None:
        runbook = self.published()
        first = runbook.history.earliest("history_id").history_id
        runbook.body = "1. Something else"
        save_draft(actor=self.actor(self.mara), runbook=runbook)
        restored = restore_version(actor=self.actor(self.mara), runbook=runbook, record_id=first)
        assert (restored.body, restored.status) == (RESET, Status.PUBLISHED)

    def test_an_archived_runbook_comes_back_as_a_draft(self) -> None:
        runbook = archive_runbook(actor=self.actor(self.mara), runbook=self.published())
        record = runbook.history.earliest("history_id").history_id
        assert restore_version(actor=self.actor(self.mara), runbook=runbook, record_id=record).status == Status.DRAFT

    def test_a_fork_takes_what_is_in_force_and_remembers_the_version(self) -> None:
        runbook = self.published()
        runbook.body = "1. A draft of something else"
        save_draft(actor=self.actor(self.mara), runbook=runbook)
        fork = fork_runbook(actor=self.actor(self.mara), runbook=runbook, company=self.harlow)
        assert (fork.body, fork.company, fork.forked_from, fork.forked_number, fork.status) == (
            RESET,
            self.harlow,
            runbook,
            1,
            Status.DRAFT,
        )

    def test_a_fork_of_a_fork_is_refused(self) -> None:
        with pytest.raises(ValidationError):
            fork_runbook(actor=self.actor(self.mara), runbook=self.draft(company=self.harlow), company=self.pinewood)

    def test_publishing_and_archiving_are_in_the_audit_log(self) -> None:
        archive_runbook(actor=self.actor(self.mara), runbook=self.published())
        verbs = list(AuditEntry.objects.for_organization(self.northwind).values_list("verb", flat=True))
        assert {"runbook.created", "runbook.published", "runbook.archived", "grant.issued", "grant.revoked"} <= set(
            verbs
        )


class DraftTests(RunbookCase):
    def test_fields_that_cannot_be_are_refused_by_name(self) -> None:
        for fields, name in [
            ({"title": "Abc"}, "title"),
            ({"body": "x" * 100_001}, "body"),
            ({"inputs": [{"name": "A b", "label": "x"}]}, "inputs"),
            ({"inputs": [{"name": "a", "label": "x", "type": "select"}]}, "inputs"),
            ({"tags": "vpn"}, "tags"),
            ({"company": self.quayside}, "company"),
        ]:
            with pytest.raises((ValidationError, PermissionDenied)) as refusal:
                self.draft(**fields)
            assert isinstance(refusal.value, PermissionDenied) or name in refusal.value.message_dict

    def test_looking_at_the_plan_changes_nothing(self) -> None:
        runbook = RunbookFactory(organization=self.northwind, body="1. @connectwise.nothing")
        plan = plan_publication(actor=self.actor(self.mara), runbook=runbook)
        assert len(plan.problems) == 1
        assert runbook.history.count() == 1
