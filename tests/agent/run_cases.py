"""Runs with decisions and steps for people: Northwind's hybrid, human and AI runbooks on a planted ticket."""

from __future__ import annotations

from agent.events import DecisionAsked
from agent.models import AgentSession, RunStep
from agent.starting import run_on_signal
from junto.tenants.models import Membership
from runbooks.models import Runbook
from runbooks.services import publish_runbook, save_draft
from tests.agent.model_cases import ModelTestCase

HYBRID = """Use this when a user cannot sign in to the VPN.

1. Read the ticket. @connectwise.get_ticket(ticket_id=ticket.id)
2. Call the person back on the number we have.

   > [!DECISION] Did they confirm who they are?
   > - Yes, go on
   > - No, leave it: go to step 4
3. Leave a note. @connectwise.add_internal_note(ticket_id=ticket.id)
4. Tell the next shift.
"""

HUMAN = """1. Walk to the printer and look for paper.
2. Clean the rollers.
3. Print a test page.
"""


class DirectedRunCase(ModelTestCase):
    """`self.hybrid()` runs until it rests at its decision; `self.human()` waits for ticks."""

    def publish(self, body: str, *, audience: str, title: str = "VPN sign-in is rejected", **fields: object) -> Runbook:
        """A runbook that Mara wrote and published."""
        draft = Runbook(organization=self.northwind, body=body, audience=audience, title=title, **fields)
        mara = self.actor(self.mara)
        return publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=draft), note="First")

    def run_it(self, runbook: Runbook, by: Membership | None = None, **given: str) -> AgentSession:
        """A person starts it on the ticket; the agent works until it rests."""
        session = run_on_signal(
            runbook=runbook, signal=self.reload(self.signal), actor=self.actor(by or self.theo), given=given
        )
        return self.run_on(session)

    def hybrid(self) -> AgentSession:
        """The hybrid runbook, at its decision."""
        return self.run_it(self.publish(HYBRID, audience="hybrid"))

    def human(self) -> AgentSession:
        """The runbook for people, nothing ticked yet."""
        return self.run_it(self.publish(HUMAN, audience="human", title="The printer takes no paper"))

    def steps(self, session: AgentSession) -> list[str]:
        """The states of the run's steps, in order."""
        return [step.state for step in self.rows(session)]

    def rows(self, session: AgentSession) -> list[RunStep]:
        """The steps."""
        return list(RunStep.unscoped.filter(session=session).select_related("by__user").order_by("number"))

    def asked(self, session: AgentSession) -> list[DecisionAsked]:
        """The decisions put to people so far."""
        return [event for event in self.events(session) if isinstance(event, DecisionAsked)]

    def written(self) -> list[str]:
        """The kinds of records that were made at the vendor, in order."""
        return [effect["record"]["kind"] for effect in self.sandbox.effects()]
