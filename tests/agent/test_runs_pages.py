"""The pages of runs as Theo uses them: the list with its queue, one run, the form that starts one."""

from __future__ import annotations

from typing import Any

from agent.models import AgentSession
from agent.starting import run_for_company
from integrations.models import Contact
from runbooks.models import Runbook, Trigger, TriggerFiring
from runbooks.services import archive_runbook
from runbooks.triggers import save_trigger
from signals.models import Signal
from tests.agent.run_cases import HUMAN, HYBRID, DirectedRunCase
from tests.factories import MembershipFactory
from tests.scripted_model import Says

NOTE = "1. Leave a note. @connectwise.add_internal_note(ticket_id=ticket.id)\n"
YES = "Yes, go on"
INPUTS = [
    {"name": "user", "label": "Who", "type": "email", "required": True},
    {"name": "days", "label": "Days", "type": "number", "required": True},
    {"name": "way", "label": "Way", "type": "select", "options": ["mail", "phone"], "required": True},
    {"name": "urgent", "label": "Urgent", "type": "boolean", "required": False},
]


class PageCase(DirectedRunCase):
    def setUp(self) -> None:
        super().setUp()
        self.log_in(self.theo)

    def page(self, session: AgentSession) -> str:
        return self.path(f"runs/{session.pk}/")

    def direct(self, session: AgentSession, deed: str, **form: str) -> Any:
        """A press of a button on the run's page; the page that follows."""
        return self.client.post(f"{self.page(session)}direct/", {"deed": deed, **form}, follow=True)

    def by_script(self, session: AgentSession, deed: str, **form: str) -> Any:
        """The same press as the page's script sends it."""
        path = f"{self.page(session)}direct/"
        return self.client.post(path, {"deed": deed, **form}, headers={"accept": "application/json"})

    def allow_without_ticket(self, runbook: Runbook) -> None:
        """Its author lets people start it for a company."""
        row = Trigger(organization=self.northwind, runbook=runbook, kind=Trigger.Kind.MANUAL)
        save_trigger(actor=self.actor(self.mara), trigger=row, companies=())


class RunPageTest(PageCase):
    def test_it_shows_each_step_with_its_state_and_what_it_did(self) -> None:
        page = self.client.get(self.page(self.hybrid()))
        self.assertContains(page, "Did they confirm who they are?")
        self.assertContains(page, "Needs a person")
        self.assertContains(page, f"Read ticket {self.signal.external_id}")
        self.assertContains(page, f'value="{YES}"')

    def test_a_step_that_the_agent_went_past_is_tried_again_on_it_and_the_chat_leads_there(self) -> None:
        body = "1. Note it. @connectwise.add_internal_note(ticket_id=ticket.id)"
        with self.model(Says("All is done."), Says("", (self.note(),)), Says("Now it is.")):
            session = self.run_it(self.publish(body, audience="hybrid"))
            assert "“Note it. “Add an internal note””, was not done. Try it again" in self.notices(session)
            chat = self.client.get(self.path(f"signals/{self.signal.pk}/"))
            self.assertContains(chat, f'<a href="{self.page(session)}">Open the run</a></p></article>')
            self.assertContains(self.client.get(self.page(session)), 'name="deed" value="retry"')
            self.direct(session, "retry", step="1")
            session = self.run_on(session)
        assert [row.tool for row in self.waiting(session)] == ["connectwise.add_internal_note"]

    def test_a_decision_is_answered_on_it_and_the_run_goes_on(self) -> None:
        session = self.hybrid()
        page = self.direct(session, "answer", step="3", option=YES)
        self.assertContains(page, f"“{YES}”")
        self.drain()
        assert self.steps(session)[2] == "done"
        self.assertContains(self.client.get(self.page(session)), "Decide")

    def test_a_refused_press_is_409_with_words_for_the_script_and_said_on_the_page(self) -> None:
        session = self.hybrid()
        self.direct(session, "answer", step="3", option=YES)
        answer = self.by_script(session, "answer", step="3", option=YES)
        assert (answer.status_code, "“Done” by Theo Okafor" in answer.json()["message"]) == (409, True)
        self.assertContains(self.direct(session, "skip", step="99", reason="Why not"), "There is no such step.")

    def test_it_says_that_its_runbook_was_archived_since(self) -> None:
        session = self.hybrid()
        assert session.runbook is not None
        archive_runbook(actor=self.actor(self.mara), runbook=session.runbook)
        page = self.client.get(self.page(session))
        self.assertContains(page, "archived after the run began. The run goes on with version 1")
        self.direct(session, "stop")
        self.assertContains(self.client.get(self.page(session)), "(archived)")

    def test_take_over_hand_back_and_stop_stand_as_buttons(self) -> None:
        session = self.hybrid()
        self.assertContains(self.direct(session, "take_over"), "Hand back")
        self.assertContains(self.direct(session, "hand_back"), "Take over")
        page = self.direct(session, "stop")
        self.assertNotContains(page, "Take over")
        session.refresh_from_db()
        assert session.state == AgentSession.State.STOPPED

    def test_who_approved_and_which_grant_covered_it_is_said(self) -> None:
        body = HYBRID.split("2. Call")[0] + "2. Leave a note. @connectwise.add_internal_note(ticket_id=ticket.id)"
        page = self.client.get(self.page(self.run_it(self.publish(body, audience="ai"))))
        self.assertContains(page, "under the standing approval of Mara Lindholm", count=3)
        session = self.run_it(self.publish(body, audience="hybrid", title="For both of us"))
        self.decide(self.waiting(session)[0], "approve")
        self.assertContains(self.client.get(self.page(session)), "approved by Olivia Berg")

    def test_pages_that_also_answer_with_a_piece_say_so_for_a_browser_would_show_it_on_going_back(self) -> None:
        session = self.hybrid()
        for path in ("signals/", "approvals/", f"signals/{self.signal.pk}/", f"runs/{session.pk}/"):
            assert {"HX-Request", "HX-Target"} <= set(self.client.get(self.path(path))["Vary"].split(", ")), path

    def test_an_unknown_deed_is_404_and_a_strangers_run_too(self) -> None:
        session = self.hybrid()
        assert self.direct(session, "explode").status_code == 404
        self.log_in(self.ines)
        for path in (self.page(session), self.path(f"runs/{session.pk}/", organization=self.southgate)):
            assert self.client.get(path).status_code == 404
        limited = MembershipFactory(organization=self.northwind, all_companies=False, companies=[self.pinewood])
        self.log_in(limited)
        assert self.client.get(self.page(session)).status_code == 404
        assert self.direct(session, "stop").status_code == 404

    def test_a_checklist_is_ticked_on_the_triage_page_and_shows_who_did_what(self) -> None:
        session = self.human()
        triage = self.path(f"signals/{self.signal.pk}/")
        self.assertContains(self.client.get(triage), "Mark as done", count=3)
        self.direct(session, "done", step="2")
        page = self.client.get(triage)
        self.assertContains(page, "Mark as done", count=2)
        self.assertContains(page, "Theo Okafor")

    def test_the_chat_shows_the_decision_as_buttons_and_then_its_answer(self) -> None:
        session = self.hybrid()
        triage = self.path(f"signals/{self.signal.pk}/")
        self.assertContains(self.client.get(triage), "Step 2a asks you")
        self.assertContains(self.client.get(triage), 'name="option"')
        self.direct(session, "answer", step="3", option=YES)
        self.assertContains(self.client.get(triage), f"{YES} <span")


class ListTest(PageCase):
    def test_what_goes_on_and_what_ended_are_told_apart(self) -> None:
        session = self.hybrid()
        self.assertContains(self.client.get(self.path("runs/")), "VPN sign-in is rejected")
        self.direct(session, "stop")
        page = self.client.get(self.path("runs/"), {"show": "ended"})
        self.assertContains(page, "Stopped")
        self.assertContains(self.client.get(self.path("runs/")), "Nothing is running")

    def test_the_queue_is_shown_with_its_reason_and_a_start_is_taken_out(self) -> None:
        runbook = self.publish(HUMAN, audience="human", title="The printer takes no paper")
        self.allow_without_ticket(runbook)
        assert self.signal.company is not None
        for press in ("one", "two"):
            run_for_company(
                runbook=runbook, company=self.signal.company, actor=self.actor(self.theo), given={}, press=press
            )
        self.drain()
        page = self.client.get(self.path("runs/"))
        self.assertContains(page, "Waiting for their turn")
        self.assertContains(page, "this one begins when that has ended")
        firing = TriggerFiring.unscoped.get(state="queued")
        self.client.post(self.path(f"runs/queue/{firing.pk}/drop/"))
        self.assertContains(self.client.get(self.path("runs/?show=skipped")), "Taken out of the queue by Theo Okafor.")

    def test_a_run_without_a_ticket_shows_no_number_for_it(self) -> None:
        runbook = self.publish(HUMAN, audience="human", title="The printer takes no paper")
        self.allow_without_ticket(runbook)
        assert self.signal.company is not None
        run_for_company(
            runbook=runbook, company=self.signal.company, actor=self.actor(self.theo), given={}, press="one"
        )
        own = Signal.unscoped.get(connection=None)
        for path in ("runs/", "signals/", f"signals/{own.pk}/"):
            page = self.client.get(self.path(path)).content.decode()
            assert "no ticket" in page.lower()
            assert own.external_id not in page

    def test_it_is_filtered_by_runbook_and_company(self) -> None:
        session = self.hybrid()
        other = self.publish(HUMAN, audience="human", title="The printer takes no paper")
        page = self.client.get(self.path("runs/"), {"runbook": str(other.pk)})
        self.assertContains(page, "No run fits")
        page = self.client.get(self.path("runs/"), {"company": str(session.company_id), "runbook": "nonsense"})
        self.assertNotContains(page, "No run fits")


class FormTest(PageCase):
    def form(self, runbook: Runbook) -> str:
        return self.path(f"runbooks/{runbook.pk}/run/")

    def test_run_on_the_runbooks_page_leads_to_a_form_filled_in_from_the_ticket(self) -> None:
        runbook = self.publish(HYBRID, audience="hybrid", inputs=INPUTS)
        self.assertContains(self.client.get(self.path(f"runbooks/{runbook.pk}/")), self.form(runbook))
        contact = Contact.unscoped.filter(company=self.signal.company).exclude(email="")[0]
        Signal.unscoped.filter(pk=self.signal.pk).update(contact=contact)
        page = self.client.get(self.form(runbook), {"ticket": self.signal.external_id})
        self.assertContains(page, f'value="{contact.email}"')
        self.assertContains(page, "<option>phone</option>")

    def test_the_form_says_which_answers_are_needed(self) -> None:
        note = {"name": "note", "label": "Note", "type": "string", "required": False}
        runbook = self.publish(HYBRID, audience="hybrid", inputs=[*INPUTS, note])
        page = self.client.get(self.form(runbook), {"ticket": self.signal.external_id})
        self.assertContains(page, "What is not marked optional is needed.")
        self.assertContains(page, 'Note <span class="dim">(optional)</span></label>')
        self.assertContains(page, "(optional)", count=1)

    def test_wrong_values_are_marked_and_what_was_typed_stays(self) -> None:
        runbook = self.publish(HYBRID, audience="hybrid", inputs=INPUTS)
        form = {"signal": str(self.signal.pk), "input.user": "nobody", "input.days": "3", "input.way": "pigeon"}
        page = self.client.post(self.form(runbook), form)
        self.assertContains(page, "An e-mail address is expected.")
        self.assertContains(page, "Choose one of mail, phone.")
        self.assertContains(page, 'value="nobody"')
        assert not AgentSession.unscoped.exists()

    def test_right_values_start_the_run_and_are_shown_on_its_page(self) -> None:
        runbook = self.publish(HYBRID, audience="hybrid", inputs=INPUTS)
        form = {"input.user": "dana@harbor.example", "input.days": "3", "input.way": "phone", "input.urgent": "on"}
        page = self.client.post(self.form(runbook), {"signal": str(self.signal.pk), **form}, follow=True)
        session = AgentSession.unscoped.get()
        assert page.redirect_chain[-1][0] == self.page(session)
        assert session.inputs == {"user": "dana@harbor.example", "days": 3, "way": "phone", "urgent": True}
        self.assertContains(page, "dana@harbor.example")

    def test_a_second_run_on_the_ticket_is_refused_with_the_first_ones_name(self) -> None:
        self.hybrid()
        runbook = self.publish(HUMAN, audience="human", title="The printer takes no paper")
        page = self.client.post(self.form(runbook), {"signal": str(self.signal.pk)})
        self.assertContains(page, "“VPN sign-in is rejected”, version 1")

    def test_a_company_is_offered_where_the_author_allowed_it(self) -> None:
        runbook = self.publish(HUMAN, audience="human", title="The printer takes no paper")
        self.assertContains(self.client.get(self.form(runbook)), "has not allowed a start without a ticket")
        self.allow_without_ticket(runbook)
        assert self.signal.company is not None
        self.assertContains(self.client.get(self.form(runbook)), self.signal.company.name)
        page = self.client.post(self.form(runbook), {"company": str(self.signal.company_id), "press": "x"}, follow=True)
        assert page.redirect_chain[-1][0] == self.page(AgentSession.unscoped.get())

    def test_a_suspended_runbook_is_said_to_need_people_and_not_to_run_by_itself(self) -> None:
        runbook = self.publish(NOTE, audience="ai")
        path = f"{self.form(runbook)}?ticket={self.signal.external_id}"
        self.assertContains(self.client.get(path), "runs it by itself under")
        type(self.mara).unscoped.filter(pk=self.mara.pk).update(is_active=False)
        page = self.client.get(path)
        self.assertContains(page, "so this run needs people")
        self.assertNotContains(page, "by itself")

    def test_a_ticket_that_is_not_there_and_a_draft_are_said(self) -> None:
        runbook = self.publish(HYBRID, audience="hybrid")
        self.assertContains(self.client.get(self.form(runbook), {"ticket": "999999"}), "No ticket 999999")
        Runbook.unscoped.filter(pk=runbook.pk).update(status="draft")
        assert self.client.get(self.form(runbook)).status_code == 404
