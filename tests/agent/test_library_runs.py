"""The unattended runbooks of the library, run as they come by the rehearsal model against the vendor sandbox."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from agent.directing import answer_decision, mark_step
from agent.models import AgentSession, RunStep
from agent.services import close_session
from agent.starting import run_on_signal
from approvals.decidable import target_to_type
from approvals.models import Action
from integrations.models import Contact, Device
from integrations.services import accept_suggestions, link_company, save_connection
from runbooks.document import parse
from runbooks.models import Runbook
from runbooks.services import publish_runbook
from runbooks.templates import add_templates, missing_tools, template, templates
from signals.models import Signal
from tests.agent.cases import SessionTestCase


@dataclass(frozen=True)
class Story:
    """A ticket that a template is for, and what it changes at the vendor before the run is closed."""

    summary: str
    text: str
    changes: tuple[str, ...]
    board: str = "Service Desk"


#: What the run of each leaves behind: type and priority, words to the client, findings for the technician.
SORTED, TOLD, FOUND = "ticket", "client note", "internal note"
STORIES = {
    "account-lockout": Story("Locked out again", "My account is locked since this morning.", (TOLD, FOUND)),
    "certificate-expiry": Story(
        "portal.harbor.example: 6 days left", "The certificate on port 443 ends soon.", (SORTED, FOUND), "Alerts"
    ),
    "disk-space": Story("HARBOR-FS01 drive D: 3 % free", "11 GB of 400 GB left on D:.", (SORTED, FOUND), "Alerts"),
    "email-delivery-failure": Story(
        "Our offers come back", "The server said 550 5.7.26 to my mail.", (SORTED, TOLD, FOUND)
    ),
    "failed-backup": Story("Nightly job of HARBOR-DB1 failed", "VSS writer timed out.", (SORTED, FOUND), "Alerts"),
    "password-reset": Story("I forgot my password", "Nothing works since my holiday.", (TOLD, FOUND)),
    "phone-voice": Story("Nobody can call us", "Customers hear nothing when they dial.", (SORTED, TOLD, FOUND)),
    "printer": Story("The second floor cannot print", "Nothing comes out since nine.", (SORTED, TOLD, FOUND)),
    "software-install-request": Story("Need a drawing program", "For the plans of Monday.", (SORTED, TOLD, FOUND)),
    "vendor-outage": Story("The booking site is down", "An error for everybody since ten.", (SORTED, TOLD, FOUND)),
    "warranty-claim": Story("Screen of my laptop is striped", "It is ten months old.", (SORTED, TOLD, FOUND)),
}

MARCUS = "marcus.bell@harbordental.example"
#: At the reception, and in no group that a template puts somebody into: who is a member already ends a run.
WENDY = "wendy.sato@harbordental.example"
GIVEN: dict[str, dict[str, str]] = {
    "new-user-onboarding": {
        "full_name": "Noor Haddad",
        "sign_in_name": "noor.haddad@harbordental.example",
        "country": "US",
        "licence": "Microsoft 365 Business Premium",
        "group": "Reception",
        "start_date": "2026-12-01",
    },
    "distribution-list": {"list": "management@harbordental.example", "member": MARCUS, "change": "add"},
    "licence-change": {"user": MARCUS, "change": "add"},
    "offboarding": {"leaver": MARCUS, "last_day": "2026-11-30"},
    "shared-mailbox": {"address": "info@harbordental.example", "group": "Management"},
}
"""What a form holds where “As agreed” would be no answer."""


def test_there_is_a_story_for_every_unattended_template_whose_tools_exist() -> None:
    unattended = {name for name, each in templates().items() if each.content.audience == Runbook.Audience.AI}
    assert {name for name in unattended if not missing_tools(template(name))} == STORIES.keys()


class LibraryRunCase(SessionTestCase):
    def setUp(self) -> None:
        """Northwind's monitoring and protection are connected too, and Harbor linked there."""
        super().setUp()
        key = self.sandbox.ninjaone["northwind-rmm"]
        monitoring = save_connection(
            actor=self.actor(self.adam),
            vendor="ninjaone",
            label="NinjaOne",
            base_url=key.base_url,
            credentials={"client_id": key.client_id, "client_secret": key.client_secret},
        )
        link_company(actor=self.actor(self.adam), connection=monitoring, company=self.harbor, external_id="31")
        self.protect()

    def protect(self) -> None:
        """Connect the endpoint protection, and link Harbor to its tenant."""
        key = self.sandbox.sophos["northwind-sophos"]
        protection = save_connection(
            actor=self.actor(self.adam),
            vendor="sophos",
            label="Sophos Central",
            base_url=key.base_url,
            credentials={"client_id": key.client_id, "client_secret": key.client_secret},
        )
        tenants = self.sandbox.held("sophos", "tenants")
        there = next(one["tenant"] for one in tenants if one["company"] == "HARBOR")
        link_company(actor=self.actor(self.adam), connection=protection, company=self.harbor, external_id=there)
        app = self.sandbox.microsoft365["northwind-365"]
        cloud = save_connection(
            actor=self.actor(self.adam),
            vendor="microsoft365",
            label="Microsoft 365",
            base_url=app.base_url,
            credentials={
                "client_id": app.client_id,
                "client_secret": app.client_secret,
                "tenant_id": app.tenant_id,
            },
        )
        accept_suggestions(actor=self.actor(self.adam), connection=cloud)
        self.resell()
        self.document()

    def document(self) -> None:
        """Connect the documentation, and link Harbor there."""
        key = self.sandbox.itglue["northwind-docs"]
        documentation = save_connection(
            actor=self.actor(self.adam),
            vendor="itglue",
            label="IT Glue",
            base_url=key.base_url,
            credentials={"api_key": key.api_key},
        )
        link_company(actor=self.actor(self.adam), connection=documentation, company=self.harbor, external_id="2501")

    def resell(self) -> None:
        """Connect the distributor, with the companies of the same names."""
        key = self.sandbox.pax8["northwind-pax8"]
        distributor = save_connection(
            actor=self.actor(self.adam),
            vendor="pax8",
            label="Pax8",
            base_url=key.base_url,
            credentials={"client_id": key.client_id, "client_secret": key.client_secret},
        )
        accept_suggestions(actor=self.actor(self.adam), connection=distributor)

    def contact(self) -> Contact:
        """Who wrote the ticket."""
        return Contact.objects.for_organization(self.northwind).get(company=self.harbor, email=WENDY)

    def finish(self, name: str) -> AgentSession:
        """The template runs on the ticket of its story; the session when it rests."""
        story = STORIES[name]
        contact = self.contact()
        signal = self.ticket(story.summary, story.text, board=story.board, contact=int(contact.external_id))
        return self.run_template(name, signal)

    def run_template(self, name: str, signal: Signal) -> AgentSession:
        """Mara adds and publishes the template, Theo runs it on a ticket; the session when it rests."""
        mara = self.actor(self.mara)
        (draft,) = add_templates(actor=mara, names=[name])
        runbook = publish_runbook(actor=mara, runbook=draft)
        given = {one.name: "As agreed" for one in template(name).content.declarations if one.required}
        given |= GIVEN.get(name, {})
        return self.run_on(run_on_signal(runbook=runbook, signal=signal, actor=self.actor(self.theo), given=given))

    def lead_through(self, name: str) -> None:
        """The first answer to each question, yes to each request, until nothing is left to do."""
        contact = self.contact()
        device = Device.objects.for_organization(self.northwind).get(name="HBR-WS-LAB")
        about = {"contact": int(contact.external_id), "configurations": [int(device.external_id)]}
        session = self.run_template(name, self.ticket(f"About {name}", "See above.", **about))
        for _ in range(30):
            asked = next((step for step in self.rows(session) if step.state == RunStep.State.WAITING), None)
            if waiting := self.waiting(session):
                session = self.approve(waiting[0])
            elif asked is not None and asked.decision:
                option = parse(template(name).content.body).steps[asked.number - 1].options[0]
                answer_decision(session=session, actor=self.actor(self.theo), number=asked.number, option=option)
                session = self.run_on(session)
            else:
                break
        states = [(step.number, step.title, step.state) for step in self.rows(session)]
        told = f"{session.state}, {states}, {self.notices(session)}"  # as text: pytest shortens anything else
        assert session.state == AgentSession.State.COMPLETED, told
        assert {state for _, _, state in states} <= {"done", "passed", "skipped"}, states
        assert self.left(session.signal)[-1] == "internal note"

    def approve(self, action: Action) -> AgentSession:
        """Olivia approves, and Mara after her where two have to."""
        session = self.decide(action, "approve", target=target_to_type(action))
        if action in self.waiting(session):
            session = self.decide(action, "approve", by=self.mara, target=target_to_type(action))
        return session

    def rows(self, session: AgentSession) -> list[RunStep]:
        """The run's steps."""
        return list(RunStep.objects.for_organization(self.northwind).filter(session=session).order_by("number"))

    def check(self, name: str) -> None:
        """It ended well, nobody was asked, and the vendor's log holds its changes and the closing set, no more."""
        session = self.finish(name)
        steps = self.rows(session)
        written = parse(template(name).content.body).steps
        for step, told in zip(steps, written, strict=True):
            assert step.state == (RunStep.State.DONE if told.mentions else RunStep.State.PASSED), (
                step.title,
                step.state,
            )
        assert session.state == AgentSession.State.COMPLETED
        assert not Action.unscoped.filter(origin_id=session.origin_id, decisions__isnull=False).exists()
        assert self.left(session.signal) == [*STORIES[name].changes, "time", "internal note"]

    def left(self, signal: Signal) -> list[str]:
        """What was changed at the vendor on a signal's ticket, in order."""
        rows = self.sandbox.effects()
        return [kind for row in rows if (kind := _kind(row, int(signal.external_id)))]


def _kind(row: dict[str, Any], ticket: int) -> str:
    """In a word what one row of the vendor's log changed on a ticket; empty if it is about another."""
    body = row["body"]
    if row["path"].endswith("/time/entries"):
        return "time" if body["chargeToId"] == ticket else ""
    if f"/tickets/{ticket}" not in row["path"]:
        return ""
    if row["path"].endswith("/notes"):
        return "internal note" if body["internalAnalysisFlag"] else "client note"
    return "ticket"


class QuickTest(LibraryRunCase):
    @pytest.mark.slow
    def test_a_template_for_an_alert_runs_to_the_closed_note_as_it_comes(self) -> None:
        self.check("certificate-expiry")

    @pytest.mark.slow
    def test_a_template_for_a_person_runs_too_and_the_client_reads_exactly_its_words(self) -> None:
        self.check("warranty-claim")
        written = [row["body"] for row in self.sandbox.effects() if row["path"].endswith("/notes")]
        (told,) = [note for note in written if note["detailDescriptionFlag"]]
        words = template("warranty-claim").content.body.partition('text="')[2].partition('"')[0]
        assert words
        assert told["text"].startswith(words)
        assert told["processNotifications"] is True

    def test_a_template_for_a_person_waits_where_the_ticket_has_no_contact(self) -> None:
        session = self.run_template("warranty-claim", self.signal)
        assert session.state == AgentSession.State.WAITING_FOR_TECHNICIAN
        assert "contact" in f"{self.words(session)}{self.notices(session)}"

    @pytest.mark.slow
    def test_a_template_of_the_monitoring_runs_to_its_end_on_the_device_of_the_ticket(self) -> None:
        self.lead_through("patching")
        acted = [row["route"] for row in self.sandbox.effects() if row["vendor"] == "ninjaone"]
        assert [route.rpartition("/")[2] for route in acted] == ["maintenance", "scan", "apply"]

    @pytest.mark.slow
    def test_a_template_of_the_protection_runs_to_its_end_on_the_device_of_the_ticket(self) -> None:
        self.lead_through("malware-alert")
        acted = [row["route"] for row in self.sandbox.effects() if row["vendor"] == "sophos"]
        assert [route.rpartition("/")[2] for route in acted] == ["scans", "actions"]
        told = Action.objects.for_organization(self.northwind).get(tool="sophos.act_on_alert").arguments["comment"]
        assert re.search(r"\(ticket \d+\)$", told)


@pytest.mark.deep
class EveryTemplateTest(LibraryRunCase):
    def test_all_unattended_templates_run_from_ticket_to_closed_note_as_they_come(self) -> None:
        for name in sorted(STORIES):
            with self.subTest(name):
                self.check(name)

    def test_all_templates_for_agent_and_technician_come_to_their_end_with_answers_and_approvals(self) -> None:
        shared = [name for name, each in templates().items() if each.content.audience == Runbook.Audience.HYBRID]
        for name in shared:
            if not missing_tools(template(name)):
                with self.subTest(name):
                    self.lead_through(name)

    def test_all_templates_for_people_are_ticked_off_by_one_and_the_agent_does_nothing(self) -> None:
        for name, each in templates().items():
            if each.content.audience == Runbook.Audience.HUMAN:
                with self.subTest(name):
                    self.tick_off(name)
        assert not self.sandbox.effects()

    def tick_off(self, name: str) -> None:
        """Theo does every step himself, and closes the run."""
        session = self.run_template(name, self.ticket(f"About {name}", "See above."))
        for step in self.rows(session):
            mark_step(session=session, actor=self.actor(self.theo), number=step.number, done=True)
        close_session(session=self.run_on(session), actor=self.actor(self.theo))
        assert self.run_on(session).state == AgentSession.State.COMPLETED
        assert {step.state for step in self.rows(session)} == {RunStep.State.DONE}
