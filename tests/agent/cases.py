"""Sessions on real input: Northwind connected to the vendor sandbox, tickets by the poll, the loop drained by hand."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from agent.events import Event, ModelReplied, Notice
from agent.journal import read_events
from agent.models import AgentSession, StartRule
from agent.services import open_session, post_message
from approvals.models import Action
from approvals.services import decide_action
from integrations.models import Connection, SyncCursor
from junto.tenants.models import Membership
from signals.models import Signal
from signals.sync.polling import STREAM, poll_connection
from tests.integrations.connected import ConnectedTestCase

SUMMARY = "Cannot sign in to the VPN since this morning"
TEXT = "Hi, the VPN says 'credentials rejected' since 8 am. I need the file share. Regards, a user"


class SessionTestCase(ConnectedTestCase):
    """`self.signal` is a new ticket of Harbor's; `run()` lets the agent work until it rests."""

    signal: Signal

    def setUp(self) -> None:
        """One planted ticket, read by the poll; nothing opened by itself.

        The poll begins now: the eighty older tickets stay at the vendor, where the agent can look them up.
        """
        super().setUp()
        SyncCursor(
            organization=self.northwind, connection=self.connection, stream=STREAM, high_water=timezone.now()
        ).save()
        StartRule(organization=self.northwind, mode=StartRule.Mode.OFF).save()
        self.signal = self.ticket(SUMMARY, TEXT)

    def ticket(self, summary: str, text: str, **planted: Any) -> Signal:
        """A ticket at the vendor, as the signal the poll makes of it."""
        number = self.sandbox.plant_ticket(summary, text, **planted)
        self.poll()
        return self.signal_of(number)

    def signal_of(self, ticket: int) -> Signal:
        """The signal of a ticket that was polled."""
        return self.reload(Signal.unscoped.get(connection=self.connection, external_id=str(ticket)))

    def poll(self) -> None:
        """Read what changed at the vendor."""
        poll_connection(Connection.unscoped.select_related("organization").get(pk=self.connection.pk))

    def reload(self, signal: Signal) -> Signal:
        """The signal as it is now, with what services read of it."""
        rows = Signal.unscoped.select_related("organization", "company", "board", "contact", "device", "connection")
        return rows.get(pk=signal.pk)

    def start(
        self, by: Membership | None = None, *, mode: Any = "triage", signal: Signal | None = None
    ) -> AgentSession:
        """Open a session and let the agent work until it rests."""
        session = open_session(signal=self.reload(signal or self.signal), actor=self.actor(by or self.theo), mode=mode)
        return self.run_on(session)

    def say(self, session: AgentSession, text: str, by: Membership | None = None) -> AgentSession:
        """A person writes; the agent works until it rests."""
        post_message(session=session, actor=self.actor(by or self.theo), text=text)
        return self.run_on(session)

    def run_on(self, session: AgentSession) -> AgentSession:
        """Everything that was rung, then the session as it is."""
        self.drain()
        return AgentSession.unscoped.select_related("organization", "company", "signal", "origin").get(pk=session.pk)

    def waiting(self, session: AgentSession) -> list[Action]:
        """The session's requests that wait for a person."""
        rows = Action.unscoped.filter(origin_id=session.origin_id, state=Action.State.WAITING)
        return list(rows.order_by("created_at"))

    def decide(self, action: Action, verdict: str, by: Membership | None = None, **more: Any) -> AgentSession:
        """A person decides; the agent works until it rests."""
        decide_action(
            action_id=action.pk, actor=self.actor(by or self.olivia), verdict=verdict, digest=action.digest, **more
        )
        return self.run_on(AgentSession.unscoped.get(origin_id=action.origin_id))

    def events(self, session: AgentSession) -> list[Event]:
        """What was said and done, in order."""
        return [event for _, event in read_events(self.run_on(session))]

    def words(self, session: AgentSession) -> str:
        """Everything the model said."""
        return "\n".join(event.text for event in self.events(session) if isinstance(event, ModelReplied))

    def notices(self, session: AgentSession) -> str:
        """Everything people were told beside the conversation, and what administrators were told of its cause."""
        told = [event for event in self.events(session) if isinstance(event, Notice)]
        return "\n".join(f"{event.text} {event.cause}".strip() for event in told)

    def actions(self, session: AgentSession, tool: str) -> list[Action]:
        """The session's actions of one tool, oldest first."""
        return list(Action.unscoped.filter(origin_id=session.origin_id, tool=tool).order_by("created_at"))
