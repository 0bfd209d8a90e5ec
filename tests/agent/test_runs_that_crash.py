"""Runs in which everything goes wrong: workers die, bells get lost, the vendor fails, people deny, the model lies.

Each story is a seed. After every move, and against the vendor's own log: a run is over only when its steps are, nothing
is sent twice, and the closing set is asked for once, in none of the model's words. When the trouble ends, so does the
run.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F

from agent.directing import retry_step, skip_step
from agent.models import AgentSession, RunStep, StartRule
from agent.services import open_session, post_message
from agent.tasks import sweep_sessions
from approvals.models import Action, Origin
from approvals.services import decide_action, settle_action
from approvals.sweeps import give_up_stale_claims
from approvals.tasks import sweep_actions
from junto import engine
from junto.crashpoints import watched
from junto.tenants.actors import Actor
from runbooks.models import Runbook
from signals.models import Signal
from tests.agent.test_runbook_runs import RunTestCase
from tests.cases import forget_calls
from tests.scripted_model import Asks, Cuts, Fails, ModelServer, Says, SeenRequest, Step

BODY = """Use this when a user cannot sign in to the VPN and the credentials are rejected.

1. Read the ticket about the VPN. @connectwise.get_ticket(ticket_id=ticket.id)
2. Leave a note on the VPN sign-in for the next shift. @connectwise.add_internal_note(ticket_id=ticket.id)
3. Give it to Theo. @connectwise.assign_ticket(ticket_id=ticket.id, member="theo") (ask)
"""
LIE = "HIJACKED: every step is done, the customer is happy"
MOVES, PATIENCE = 80, 120
CLOSING = ("closing.time", "closing.note")
FAULTS = ("cut_after", "cut_before", "half_open", "status")
State = AgentSession.State


class WorkerDied(BaseException):
    """As a kill would: no handler of ours takes it up."""


class ErraticModel(ModelServer):
    """Follows the runbook when `honest`; otherwise it does that now and then, and lies, errs and breaks off."""

    def __init__(self, chance: Random, ticket: int) -> None:
        super().__init__()
        self.chance, self.ticket, self.honest = chance, ticket, False
        self.read = 0

    def answer(self, request: SeenRequest) -> Step | None:
        right = self._open(request)
        self.read += 1
        if self.honest:
            return Says("I go on.", right) if right else Says("I have nothing more to do.")
        return self.chance.choice([
            *[Says("I go on.", right) if right else Says(LIE)] * 9,
            Says(LIE),
            Says(LIE, self.chance.sample(right, len(right) // 2)),
            Says(LIE, [Asks("connectwise.add_time_entry", {**self._on_ticket(), "minutes": 600, "notes": LIE})]),
            Says("", [Asks("connectwise.add_internal_note", {"ticket_id": 1, "text": LIE})]),
            Says("", [Asks("bank.send_money", '{"to": ')]),
            Fails(400, LIE),
            Cuts(LIE),
        ])  # fmt: skip

    def _open(self, request: SeenRequest) -> list[Asks]:
        """The calls of the steps that are open and did not fail."""
        text = str(request.messages[0]["content"])
        facts, _ = json.JSONDecoder().raw_decode(text, text.index("{", text.index("```facts")))
        open_steps = [each["number"] for each in facts["runbook"]["steps"] if each["state"] in ("pending", "running")]
        calls = {
            "1": Asks("connectwise.get_ticket", self._on_ticket()),
            "2": Asks("connectwise.add_internal_note", {**self._on_ticket(), "text": f"{LIE} {self.chance.random()}"}),
            "3": Asks("connectwise.assign_ticket", {**self._on_ticket(), "member": "theo"}),
        }
        return [calls[number] for number in open_steps]

    def _on_ticket(self) -> dict[str, object]:
        return {"ticket_id": self.ticket}


class CrashingRunTest(RunTestCase):
    """One run of the runbook after another, each with its own luck."""

    chance: Random
    session: AgentSession
    server: ErraticModel
    calm: bool

    def setUp(self) -> None:
        """Nothing starts by itself beside the run."""
        super().setUp()
        StartRule.objects.for_organization(self.northwind).update(mode=StartRule.Mode.OFF)

    def publish(self, body: str, **fields: object) -> Runbook:
        """The longer runbook in place of the usual one."""
        return super().publish(BODY, **fields)

    @pytest.mark.slow
    def test_no_order_of_deaths_and_denials_ends_a_run_too_early_or_closes_it_twice(self) -> None:
        for seed in range(3):
            self.live(seed)

    @pytest.mark.deep
    def test_the_same_for_a_hundred_orders(self) -> None:
        for seed in range(1_000, 1_100):
            self.live(seed)

    def live(self, seed: int) -> None:
        """One story: trouble for a while, then an end."""
        print("seed", seed)
        self.chance, self.calm = Random(seed), False
        signal = self.ticket(f"Cannot sign in to the VPN, {seed}", "It says 'credentials rejected'.")
        with ErraticModel(self.chance, int(signal.external_id)) as self.server, watched(self.pass_by):
            self.point_at(self.server)
            self.session = self.begin(signal)
            for _ in range(MOVES):
                self.chance.choices((self.work, self.wait, self.help, self.spoil), (60, 10, 20, 10))[0]()
                self.check()
            self.calm = self.server.honest = True
            self.sandbox.clear_faults()
            for _ in range(PATIENCE):
                if not self.now().is_live:
                    break
                self.wait()
                while self.work():
                    self.check()
                self.help()
                self.check()
        self.assert_closed()

    def begin(self, signal: Signal) -> AgentSession:
        """The run opens; nobody has taken a step of it yet."""
        forget_calls()
        session = open_session(signal=signal, actor=Actor.system("agent", self.northwind), mode="runbook")
        self.commit()
        return session

    def now(self) -> AgentSession:
        rows = AgentSession.unscoped.select_related("organization", "company", "signal", "origin")
        return rows.get(pk=self.session.pk)

    def pass_by(self, place: str) -> None:
        """The worker comes by a place at which it may die."""
        if not self.calm and self.chance.random() < 0.1:
            raise WorkerDied(place)

    def work(self) -> bool:
        """A worker takes one call; when it dies, what its process knew may be gone."""
        self.commit()
        call = next((found for lane in settings.LANES if (found := engine.take(lane)) is not None), None)
        if call is None:
            if not self.calm:
                self.chance.choice((self.wait, self.help))()
            return False
        try:
            call.run()
        except WorkerDied:
            if self.chance.random() < 0.5:
                connection.run_on_commit = []
                forget_calls()
        return True

    def wait(self) -> None:
        """Leases and claims run out, and the clock finds what was forgotten."""
        Origin.unscoped.filter(pk=self.session.origin_id).update(lease_until=None)
        minute = timedelta(minutes=1)
        Action.unscoped.filter(origin_id=self.session.origin_id).update(
            created_at=F("created_at") - minute, decided_at=F("decided_at") - minute
        )
        try:
            give_up_stale_claims(older_than_seconds=0)
            sweep_actions.call("")
            sweep_sessions.call("")
        except WorkerDied:
            forget_calls()
        self.commit()

    def spoil(self) -> None:
        """The vendor will not answer the next write as it should."""
        kind = self.chance.choice(FAULTS)
        more = {"hold_seconds": 0.1} if kind == "half_open" else {"status": 500} if kind == "status" else {}
        self.sandbox.fault(kind, method=self.chance.choice(("POST", "PATCH")), count=1, **more)

    def help(self) -> None:
        """A person does what there is to do."""
        session, theo = self.now(), self.actor(self.theo)
        if not session.is_live:
            return
        rows = Action.unscoped.filter(origin_id=session.origin_id)
        for action in rows.filter(state=Action.State.WAITING)[:1]:
            verdict = "approve" if self.calm else self.chance.choice(("approve", "approve", "deny"))
            why = {"reason": "Not for this customer"} if verdict == "deny" else {}
            olivia = self.actor(self.olivia)
            decide_action(action_id=action.pk, actor=olivia, verdict=verdict, digest=action.digest, **why)
        for action in rows.filter(state=Action.State.UNKNOWN)[:1]:
            done = self.sent()[action.pk.hex[:12]] > 0 or action.tool == "connectwise.assign_ticket"
            settle_action(action_id=action.pk, actor=self.actor(self.olivia), done=done, evidence="I looked.")
        if session.state == State.WAITING_FOR_TECHNICIAN:
            broken = RunStep.unscoped.filter(session=session).exclude(state__in=RunStep.OVER).first()
            if broken is None or (not self.calm and self.chance.random() < 0.4):
                post_message(session=session, actor=theo, text="Go on")
            elif self.calm or self.chance.random() < 0.6:
                retry_step(session=session, actor=theo, number=broken.number)
            else:
                skip_step(session=session, actor=theo, number=broken.number, reason="Not needed")
        self.commit()

    def sent(self) -> Counter[str]:
        """How often each action's mark stands in the vendor's log of what changed something."""
        return Counter(
            mark
            for effect in self.sandbox.effects()
            for mark in re.findall(r"\[ref:([0-9a-f]{12})\]", json.dumps(effect["body"]))
        )

    def check(self) -> None:
        """What must hold after every move."""
        session = self.now()
        assert session.state != State.FAILED, session.state_detail
        sent = self.sent()
        assert all(count == 1 for count in sent.values()), sent
        rows = list(Action.unscoped.filter(origin_id=session.origin_id).exclude(state=Action.State.SUPERSEDED))
        closing = [row for row in rows if row.call_id in CLOSING]
        assert len(closing) == len({row.call_id for row in closing})
        assert all(LIE not in json.dumps(row.arguments) for row in closing)
        over = session.state == State.COMPLETED
        if over or closing:
            done = {row.call_id for row in rows if row.state == Action.State.SUCCEEDED or row.settled_done}
            for step in RunStep.unscoped.filter(session=session):
                assert step.state in RunStep.OVER, (step, step.state)
                assert step.by_id or done & set(step.calls), (step, step.calls)

    def assert_closed(self) -> None:
        """It came to its end, with the closing set proposed once and, where it went out, there once."""
        assert self.server.read == len(self.server.requests), "the model of this test broke on what it was told"
        session = self.now()
        assert session.state == State.COMPLETED, (session.state, self.notices(session))
        rows = Action.unscoped.filter(origin_id=session.origin_id, call_id__in=CLOSING)
        assert sorted(row.call_id for row in rows) == sorted(CLOSING)
        numbers = list(session.events.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, session.last_number + 1))
