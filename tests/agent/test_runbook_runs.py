"""An unattended run of a published runbook: its mentions run under their publisher's grants, everything else asks."""

from __future__ import annotations

from agent.models import AgentSession, StartRule
from approvals.models import Action, Grant
from runbooks.models import Runbook
from runbooks.services import archive_runbook, publish_runbook, save_draft
from tests.agent.cases import SUMMARY, TEXT, SessionTestCase

BODY = """Use this when a user cannot sign in to the VPN and the credentials are rejected.

1. Read the ticket about the VPN. @connectwise.get_ticket(ticket_id=ticket.id)
2. Leave a note on the VPN sign-in for the next shift. @connectwise.add_internal_note(ticket_id=ticket.id)
"""


class UnattendedRunTest(SessionTestCase):
    runbook: Runbook

    def setUp(self) -> None:
        super().setUp()
        draft = Runbook(organization=self.northwind, title="VPN sign-in is rejected", body=BODY, audience="ai")
        mara = self.actor(self.mara)
        self.runbook = publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=draft), note="First")
        StartRule.objects.for_organization(self.northwind).update(mode=StartRule.Mode.RUN)

    def arrive(self) -> AgentSession:
        """The ticket arrives; the session that opened by itself."""
        signal = self.ticket(SUMMARY, TEXT)
        self.drain()
        return self.run_on(AgentSession.unscoped.get(signal=signal))

    def test_a_matched_ai_runbook_starts_by_itself_and_its_mention_runs_without_a_person(self) -> None:
        session = self.arrive()
        assert session.runbook == self.runbook
        note = self.actions(session, "connectwise.add_internal_note")[0]
        assert note.state == Action.State.SUCCEEDED
        assert note.grant is not None
        assert note.grant.kind == Grant.Kind.RUNBOOK
        assert note.grant.issued_by == self.mara
        assert self.sandbox.effects()[0]["record"]["kind"] == "note"

    def test_what_the_runbook_does_not_mention_waits_for_a_person(self) -> None:
        session = self.arrive()
        for action in Action.unscoped.filter(origin_id=session.origin_id).exclude(category="read"):
            mentioned = action.tool == "connectwise.add_internal_note"
            assert mentioned or action.state == Action.State.WAITING, action.tool

    def test_after_archiving_nothing_runs_unattended_any_more(self) -> None:
        archive_runbook(actor=self.actor(self.mara), runbook=self.runbook, reason="Old")
        session = self.arrive()
        assert session.runbook is None
        assert not self.sandbox.effects()

    def test_the_audience_in_force_decides_and_not_the_drafts(self) -> None:
        self.runbook.audience = Runbook.Audience.HUMAN
        save_draft(actor=self.actor(self.mara), runbook=self.runbook, reason="Not published yet")
        session = self.arrive()
        assert session.origin.mode == "runbook"
