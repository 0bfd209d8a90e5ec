"""An unattended run of a published runbook: its mentions run under their publisher's grants, everything else asks."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.models import AgentSession, RunStep, StartRule
from approvals.models import Action, Grant, Origin
from runbooks.models import Runbook
from runbooks.services import archive_runbook, publish_runbook, save_draft
from signals.models import Signal
from tests.agent.cases import SUMMARY, TEXT
from tests.agent.model_cases import ModelTestCase
from tests.scripted_model import Asks, Says

BODY = """Use this when a user cannot sign in to the VPN and the credentials are rejected.

1. Read the ticket about the VPN. @connectwise.get_ticket(ticket_id=ticket.id)
2. Leave a note on the VPN sign-in for the next shift. @connectwise.add_internal_note(ticket_id=ticket.id)
"""


class RunTestCase(ModelTestCase):
    """An AI runbook for VPN tickets, published by Mara; matched AI runbooks start by themselves."""

    runbook: Runbook

    def setUp(self) -> None:
        super().setUp()
        self.runbook = self.publish(BODY)
        StartRule.objects.for_organization(self.northwind).update(mode=StartRule.Mode.RUN)

    def publish(self, body: str, **fields: object) -> Runbook:
        """A runbook that Mara wrote and published."""
        given = {"title": "VPN sign-in is rejected", "audience": "ai", **fields}
        draft = Runbook(organization=self.northwind, body=body, **given)
        mara = self.actor(self.mara)
        return publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=draft), note="First")

    def arrive(self, text: str = TEXT) -> AgentSession:
        """The ticket arrives; the session that opened by itself."""
        signal = self.ticket(SUMMARY, text)
        self.drain()
        return self.run_on(AgentSession.unscoped.get(signal=signal))

    def steps(self, session: AgentSession) -> list[str]:
        """The states of the run's steps, in order."""
        return list(RunStep.unscoped.filter(session=session).order_by("number").values_list("state", flat=True))

    def written(self, session: AgentSession) -> list[str]:
        """The kinds of records that were made at the vendor on the run's ticket, in order."""
        ticket = session.signal.external_id
        return [
            effect["record"]["kind"]
            for effect in self.sandbox.effects()
            if f"/tickets/{ticket}/" in f"{effect['path']}/" or str(effect["body"].get("chargeToId")) == ticket
        ]


class UnattendedRunTest(RunTestCase):
    def test_a_matched_ai_runbook_starts_by_itself_and_its_mention_runs_without_a_person(self) -> None:
        session = self.arrive()
        assert session.runbook == self.runbook
        note = self.actions(session, "connectwise.add_internal_note")[0]
        assert note.state == Action.State.SUCCEEDED
        assert note.grant is not None
        assert note.grant.kind == Grant.Kind.RUNBOOK
        assert note.grant.issued_by == self.mara
        assert self.sandbox.effects()[0]["record"]["kind"] == "note"

    def test_one_that_fits_by_a_common_word_alone_is_offered_and_not_begun(self) -> None:
        signal = self.ticket("VPN", "Who pays for it?")
        self.drain()
        session = AgentSession.unscoped.select_related("origin").get(signal=signal)
        assert (session.origin.mode, session.runbook) == (Origin.Mode.PREPARE, self.runbook)
        self.log_in(self.theo)
        self.assertContains(self.client.get(self.path(f"signals/{signal.pk}/")), "Run it on this ticket")

    def test_what_the_runbook_does_not_mention_waits_for_a_person(self) -> None:
        call = {"ticket_id": int(self.signal.external_id), "member": "theo"}
        with self.model(Says("", (self.look(), Asks("connectwise.assign_ticket", call)))):
            session = self.start(mode="runbook")
        assert self.actions(session, "connectwise.assign_ticket")[0].state == Action.State.WAITING
        assert not self.sandbox.effects()

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


class StepByStepTest(RunTestCase):
    def test_what_is_read_back_to_prove_a_change_is_read_behind_it_and_the_run_closes(self) -> None:
        proof = "3. Prove it. @connectwise.get_ticket(ticket_id=ticket.id)\n"
        last = '4. Say so. @connectwise.add_internal_note(ticket_id=ticket.id, text="Proved.")\n'
        self.runbook.body = f"{BODY}{proof}{last}"
        mara = self.actor(self.mara)
        publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=self.runbook), note="Prove it")
        session = self.arrive()
        assert self.steps(session) == ["done"] * 4
        assert session.state == AgentSession.State.COMPLETED
        calls = {call: step.number for step in RunStep.unscoped.filter(session=session) for call in step.calls}
        rows = Action.unscoped.filter(origin_id=session.origin_id).order_by("created_at")
        assert [calls[row.call_id] for row in rows if row.call_id in calls] == [1, 2, 3, 4]
        assert self.written(session) == ["note", "note", "time_entry", "note"]

    def test_nothing_is_read_ahead_for_a_step_that_reads_behind_a_change(self) -> None:
        note, read = BODY.splitlines()[3].replace("2.", "1."), BODY.splitlines()[2].replace("1.", "2.")
        self.runbook.body = f"VPN credentials are rejected.\n\n{note}\n{read}\n"
        mara = self.actor(self.mara)
        publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=self.runbook), note="Turned round")
        session = self.arrive()
        tools = ("connectwise.add_internal_note", "connectwise.get_ticket")
        rows = Action.unscoped.filter(origin_id=session.origin_id, tool__in=tools).order_by("created_at")
        assert [row.tool for row in rows] == [*tools, tools[0]]
        assert session.state == AgentSession.State.COMPLETED


class ClosingSetTest(RunTestCase):
    def test_a_run_ends_with_its_time_and_a_note_in_connectwise_and_nobody_was_asked(self) -> None:
        session = self.arrive()
        assert session.state == AgentSession.State.COMPLETED
        assert self.steps(session) == ["done", "done"]
        assert self.written(session) == ["note", "time_entry", "note"]
        assert not Action.unscoped.filter(origin_id=session.origin_id, decisions__isnull=False).exists()

    def test_the_closing_note_is_made_of_receipts_and_none_of_the_models_words_are_in_it(self) -> None:
        ticket = int(self.signal.external_id)
        with self.model(
            Says("I look.", (self.look(),)),
            Says(
                "I note.",
                (Asks("connectwise.add_internal_note", {"ticket_id": ticket, "text": "I fixed everything!"}),),
            ),
            Says("All done, I even replaced the firewall."),
        ):
            session = self.start(mode="runbook")
        closing = self.actions(session, "connectwise.add_internal_note")[-1]
        text = closing.arguments["text"]
        assert "2 of 2 steps done" in text
        assert f"Add an internal note to ticket {ticket}: done" in text
        assert "firewall" not in text
        assert "everything" not in text

    def test_the_time_ends_when_the_run_does_and_never_later(self) -> None:
        session = self.start(mode="runbook")
        [entry] = self.actions(session, "connectwise.add_time_entry")
        ends = datetime.fromisoformat(entry.arguments["start"]) + timedelta(minutes=entry.arguments["minutes"])
        assert timedelta(0) <= entry.created_at - ends < timedelta(seconds=20)

    def test_time_goes_to_the_person_who_started_the_run(self) -> None:
        self.theo.psa_member = "theo"
        self.theo.save()
        session = self.start(mode="runbook")
        assert self.actions(session, "connectwise.add_time_entry")[0].arguments["member"] == "theo"

    def test_a_model_that_logs_time_itself_has_no_grant_for_it(self) -> None:
        call = {"ticket_id": int(self.signal.external_id), "start": "2026-11-20T08:00:00Z", "minutes": 600}
        with self.model(Says("", (self.look(), Asks("connectwise.add_time_entry", {**call, "notes": "Much work"})))):
            session = self.start(mode="runbook")
        asked = self.actions(session, "connectwise.add_time_entry")[0]
        assert asked.state == Action.State.WAITING
        assert asked.grant is None

    def test_a_run_that_did_not_do_a_step_waits_for_a_person_whatever_the_model_says(self) -> None:
        with self.model(Says("I look.", (self.look(),)), Says("Everything is done.")):
            session = self.start(mode="runbook")
        assert session.state == AgentSession.State.WAITING_FOR_TECHNICIAN
        assert self.steps(session) == ["done", "pending"]
        assert "Step 2" in self.notices(session)
        assert not self.sandbox.effects()

    def test_success_resolves_the_signal_where_the_runbook_says_so(self) -> None:
        self.publish(BODY, title="VPN credentials rejected since this morning", on_success="resolve")
        archive_runbook(actor=self.actor(self.mara), runbook=self.runbook, reason="Replaced")
        session = self.arrive()
        assert Signal.unscoped.get(pk=session.signal_id).state == Signal.State.RESOLVED
