"""The rehearsal on tickets that nobody tuned it for, through the whole house and against the vendor's own log."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path

import pytest

from agent.models import AgentSession
from approvals.models import Action
from tests.agent.cases import SessionTestCase

COMPANIES = ("HARBOR", "KESSLER", "LAURENT", "BRIGHTWATER")
#: Requests of one session, at the most; lines of a findings note and words of a closing note, at the least.
MOST_REQUESTS, FINDINGS_LINES, CLOSING_WORDS = 10, 5, 10


class UnseenTicketTest(SessionTestCase):
    eval_dir: Path

    @pytest.fixture(autouse=True)
    def _borrow_tickets(self, eval_dir: Path) -> None:
        self.eval_dir = eval_dir

    @pytest.mark.slow
    @pytest.mark.timeout(300)
    def test_a_sample_is_triaged_to_its_end(self) -> None:
        self.triage(12)

    @pytest.mark.deep
    def test_two_hundred_are_triaged_to_their_end(self) -> None:
        self.triage(200)

    def triage(self, count: int) -> None:
        """Half of the tickets in five languages, half from a real help desk; each company in turn."""
        texts = [*self.unseen("tickets-multilang", count // 2), *self.unseen("tickets-endava", count - count // 2)]
        companies = cycle(COMPANIES)
        planted = {self.sandbox.plant_ticket(*text, company=next(companies)): text[0] for text in texts}
        self.poll()
        for ticket, subject in planted.items():
            signal = self.signal_of(ticket)
            served = len(self.sandbox.log())
            session = self.start(signal=signal)
            assert session.state == AgentSession.State.WAITING_FOR_APPROVAL, self.notices(session)
            assert signal.company
            assert self.looked_at_people_or_devices(served, signal.company.name), subject
            assert {action.tool for action in self.waiting(session)} == {"connectwise.classify_ticket"}
            assert not [row for row in self.sandbox.log()[served:] if row["effect"]]
            self.assert_done(self.approve_all(session), subject, served)

    def approve_all(self, session: AgentSession) -> AgentSession:
        """Olivia approves request after request until the agent rests."""
        for _ in range(MOST_REQUESTS):
            waiting = self.waiting(session)
            if not waiting:
                break
            session = self.decide(waiting[0], "approve")
        return session

    def assert_done(self, session: AgentSession, subject: str, served: int) -> None:
        """It is classified, and its findings, its time and its end stand in the PSA, each in words."""
        assert session.state == AgentSession.State.WAITING_FOR_TECHNICIAN, (subject, self.notices(session))
        actions = Action.unscoped.filter(origin_id=session.origin_id)
        bad = actions.exclude(state=Action.State.SUCCEEDED)
        assert not bad.exists(), (subject, list(bad.values_list("tool", "state", "reason")))
        effects = [row for row in self.sandbox.log()[served:] if row["effect"]]
        on_ticket = f"/tickets/{session.signal.external_id}"
        assert [row["method"] for row in effects if row["path"].endswith(on_ticket)] == ["PATCH"], subject
        findings, closing = (row["body"]["text"] for row in effects if row["path"].endswith(f"{on_ticket}/notes"))
        assert session.company.name in findings, subject
        assert len(findings.splitlines()) >= FINDINGS_LINES, findings
        assert len(closing.split()) >= CLOSING_WORDS, closing
        (time,) = (row["body"] for row in effects if row["path"].endswith("/time/entries"))
        assert str(time["chargeToId"]) == session.signal.external_id
        assert time["notes"].strip(), subject

    def looked_at_people_or_devices(self, served: int, company: str) -> bool:
        """Whether the vendor was asked, since then, for contacts or configurations of this very company."""
        links = self.connection.links.select_related("company")
        number = next(link.external_id for link in links if link.company.name == company)
        return any(
            row["method"] == "GET"
            and row["path"].split("?")[0].endswith(("/contacts", "/configurations"))
            and f"company/id={number}" in json.dumps(row)
            for row in self.sandbox.log()[served:]
        )

    def unseen(self, source: str, count: int) -> list[tuple[str, str]]:
        """Subject and body of tickets spread evenly over a file."""
        lines = (self.eval_dir / source / "tickets.jsonl").read_text().splitlines()
        told = [json.loads(line) for line in lines[:: len(lines) // count][:count]]
        return [((one.get("subject") or one.get("title") or one["body"])[:100], one["body"]) for one in told]
