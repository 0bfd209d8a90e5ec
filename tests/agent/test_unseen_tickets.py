"""The rehearsal on tickets that nobody tuned it for, through the whole house and against the vendor's own log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.models import AgentSession
from approvals.models import Action
from tests.agent.cases import SessionTestCase

COMPANIES = ("HARBOR", "KESSLER", "LAURENT", "BRIGHTWATER")


class UnseenTicketTest(SessionTestCase):
    eval_dir: Path

    @pytest.fixture(autouse=True)
    def _borrow_tickets(self, eval_dir: Path) -> None:
        self.eval_dir = eval_dir

    def test_a_sample_is_triaged_up_to_the_first_request(self) -> None:
        self.triage(12)

    @pytest.mark.deep
    @pytest.mark.timeout(1800)
    def test_two_hundred_are_triaged_up_to_the_first_request(self) -> None:
        self.triage(200)

    def triage(self, count: int) -> None:
        """Half of the tickets in five languages, half from a real help desk; each company in turn."""
        texts = [*self.unseen("tickets-multilang", count // 2), *self.unseen("tickets-endava", count - count // 2)]
        for number, (subject, body) in enumerate(texts):
            signal = self.ticket(subject, body, company=COMPANIES[number % len(COMPANIES)])
            served = len(self.sandbox.log())
            session = self.start(signal=signal)
            assert session.state == AgentSession.State.WAITING_FOR_APPROVAL, self.notices(session)
            assert signal.company
            assert self.looked_at_people_or_devices(served, signal.company.name), subject
            assert {action.tool for action in self.waiting(session)} == {"connectwise.classify_ticket"}
            failed = Action.unscoped.filter(origin_id=session.origin_id, state=Action.State.FAILED)
            assert not failed.exists(), subject
        assert not self.sandbox.effects()

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
