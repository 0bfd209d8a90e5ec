"""A published AI runbook on VPN tickets, a draft beside it, and replays of that draft."""

from __future__ import annotations

from collections.abc import Sequence

from agent.lanes import LaneCall, read_calls
from agent.models import AgentSession, Replay, ReplayedSignal, ReplayLane, StartRule
from agent.replay_tasks import work_on_replay
from agent.replays import start_replay
from junto import engine
from junto.tenants.models import Membership
from runbooks.models import Runbook
from runbooks.services import save_draft
from signals.models import Signal
from tests.agent.cases import SUMMARY, TEXT
from tests.agent.test_runbook_runs import BODY, RunTestCase

#: Looks up the same, writes another note, and changes the ticket's status: new in the draft.
DRAFT = f"""{BODY}
3. Give it to Theo. @connectwise.assign_ticket(ticket_id=ticket.id, member="theo")
"""

Kind = ReplayLane.Kind


class ReplayTestCase(RunTestCase):
    """`ran()` = a ticket on which the version in force ran to its end; `replay()` = the draft tried on tickets."""

    def setUp(self) -> None:
        """Nothing starts by itself but in `ran`."""
        super().setUp()
        self.start_rule(StartRule.Mode.OFF)

    def start_rule(self, mode: StartRule.Mode) -> None:
        """What the agent does by itself on every board."""
        StartRule.objects.for_organization(self.northwind).update(mode=mode)

    def ran(self, text: str = TEXT, **planted: str) -> AgentSession:
        """A ticket on which the published runbook ran by itself."""
        self.start_rule(StartRule.Mode.RUN)
        signal = self.ticket(SUMMARY, text, **planted)
        self.drain()
        self.start_rule(StartRule.Mode.OFF)
        return self.run_on(AgentSession.unscoped.get(signal=signal))

    def draft(self, body: str = DRAFT, **fields: object) -> Runbook:
        """The draft beside the version in force."""
        runbook = Runbook.unscoped.get(pk=self.runbook.pk)
        runbook.body = body
        for name, value in fields.items():
            setattr(runbook, name, value)
        return save_draft(actor=self.actor(self.mara), runbook=runbook, reason="Assign it too")

    def start_replay(self, *signals: Signal, by: Membership | None = None, runbook: Runbook | None = None) -> Replay:
        """Start it; nothing is worked on yet."""
        return start_replay(
            actor=self.actor(by or self.mara),
            runbook=runbook or Runbook.unscoped.get(pk=self.runbook.pk),
            signals=[signal.pk for signal in signals],
        )

    def replay(self, *signals: Signal, runbook: Runbook | None = None) -> Replay:
        """Start it, and let it work until nothing is left."""
        return self.worked(self.start_replay(*signals, runbook=runbook))

    def worked(self, replay: Replay) -> Replay:
        """As it is after everything that was rung."""
        self.drain()
        return Replay.unscoped.select_related("runbook", "organization").get(pk=replay.pk)

    def row(self, replay: Replay) -> ReplayedSignal:
        """Its only signal."""
        return ReplayedSignal.unscoped.get(replay=replay)

    def lane(self, replay: Replay, kind: Kind) -> ReplayLane:
        """A lane of its first signal."""
        return ReplayLane.unscoped.filter(replayed__replay=replay, kind=kind).order_by("replayed__position")[0]

    def calls(self, replay: Replay, kind: Kind) -> list[LaneCall]:
        """What a lane of its first signal asked for."""
        return read_calls(self.lane(replay, kind).calls)

    def changes(self, replay: Replay, kind: Kind) -> list[tuple[str, str]]:
        """Tool and verdict of what it would change."""
        return [(call.tool, call.verdict) for call in self.calls(replay, kind) if call.is_change]

    def one_call(self) -> None:
        """What a worker does when it takes up the replay once, and nothing else that was rung."""
        self.commit()
        while (call := engine.take("default")) is not None:
            if call.task == work_on_replay:
                call.run()
                return
        raise AssertionError("the replay was not rung for")

    def tickets(self, count: int) -> Sequence[Signal]:
        """So many tickets on which nothing ran."""
        return [self.ticket(f"{SUMMARY} {number}", TEXT) for number in range(count)]
