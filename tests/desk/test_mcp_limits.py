"""A token that reaches some companies only: over MCP and REST alike it sees, starts and proposes nothing elsewhere."""

from __future__ import annotations

import json
from typing import Any

from approvals.models import Action
from junto.team.models import TokenUse
from junto.tenants.models import Company
from runbooks.models import Runbook
from runbooks.services import publish_runbook, save_draft
from tests.desk.mcp_client import McpTestCase, said

SCOPES = ("signals:read", "sessions:read", "runbooks:read", "sessions:start", "actions:propose")
NOTE = "connectwise.add_internal_note"


class LimitedTokenTests(McpTestCase):
    def setUp(self) -> None:
        super().setUp()
        [other] = Company.objects.for_organization(self.northwind).exclude(pk=self.signal.company_id)[:1]
        self.here = self.token(self.adam, *SCOPES, companies=[self.signal.company])
        self.elsewhere = self.token(self.adam, *SCOPES, companies=[other])

    def rest(self, path: str, body: object = None, secret: str = "") -> Any:
        headers = {"authorization": f"Bearer {secret or self.elsewhere}"}
        address = f"/api/v1/northwind/{path}"
        if body is None:
            return self.client.get(address, headers=headers)
        return self.client.post(address, data=json.dumps(body), content_type="application/json", headers=headers)

    def test_over_mcp_it_finds_and_does_nothing_elsewhere_and_all_at_home(self) -> None:
        session = self.start(mode="prepare")
        action = str(Action.unscoped.filter(origin=session.origin)[0].pk)
        signal = str(self.signal.pk)
        asked: dict[str, dict[str, Any]] = {
            "read_signal": {"signal": signal},
            "read_session": {"session": str(session.pk)},
            "read_action": {"action": action},
            "start_session": {"signal": signal},
            "find_tools": {"signal": signal},
            "read_tool": {"signal": signal, "tool": NOTE},
            "propose_action": {
                "signal": signal,
                "key": "a",
                "tool": NOTE,
                "arguments": {"ticket_id": int(self.signal.external_id), "text": "Seen."},
            },
        }
        for name, arguments in asked.items():
            answer = self.ask(self.elsewhere, name, **arguments)
            assert answer.is_error, name
            assert "There is no" in said(answer), name
        assert Action.unscoped.filter(tool=NOTE).count() == 0
        for name in ("search_signals", "find_sessions"):
            assert next(iter(self.call(self.elsewhere, name).values())) == [], name
        for name, arguments in asked.items():
            self.call(self.here, name, **arguments)
        assert len(self.call(self.here, "search_signals")["signals"]) == 1

    def test_over_rest_it_finds_and_does_nothing_elsewhere_and_all_at_home(self) -> None:
        body = {"signal": str(self.signal.pk)}
        assert self.rest("sessions", body).status_code == 404
        session = self.rest("sessions", body, self.here).json()["id"]
        call = {**body, "key": "a", "tool": NOTE, "arguments": {"ticket_id": int(self.signal.external_id), "text": "x"}}
        assert self.rest("actions", call).status_code == 404
        action = self.rest("actions", call, self.here).json()["id"]
        for path in (f"signals/{self.signal.pk}", f"sessions/{session}", f"actions/{action}"):
            assert self.rest(path).status_code == 404, path
            assert self.rest(path, secret=self.here).status_code == 200, path
        for path in ("signals", "sessions"):
            assert self.rest(path).json()["results"] == []
            assert len(self.rest(path, secret=self.here).json()["results"]) == 1
        assert self.rest("sync-state").status_code == 403

    def test_a_runbook_of_another_company_is_not_there(self) -> None:
        mara = self.actor(self.mara)
        draft = Runbook(
            organization=self.northwind,
            company=self.signal.company,
            title="Ours alone",
            body="1. Look.\n",
            audience="human",
        )
        runbook = publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=draft), note="First")
        assert self.call(self.here, "read_runbook", runbook=str(runbook.pk))["title"] == "Ours alone"
        assert "There is no" in self.refused(self.elsewhere, "read_runbook", runbook=str(runbook.pk))
        assert self.call(self.elsewhere, "find_runbooks")["runbooks"] == []
        assert self.rest(f"runbooks/{runbook.pk}").status_code == 404

    def test_its_limit_holds_from_the_next_message_when_a_ticket_moves(self) -> None:
        other = Company.objects.for_organization(self.northwind).exclude(pk=self.signal.company_id)[0]
        type(self.signal).unscoped.filter(pk=self.signal.pk).update(company=other)
        assert "There is no" in self.refused(self.here, "read_signal", signal=str(self.signal.pk))

    def test_its_calls_are_counted_those_that_were_not_obeyed_too(self) -> None:
        self.call(self.here, "search_signals")
        self.refused(self.here, "search_signals", limit=0)
        self.refused(self.here, "approve_action")
        rows = TokenUse.objects.for_organization(self.northwind).order_by("tool")
        assert [(row.tool, row.calls, row.refused) for row in rows] == [
            ("(none of ours)", 1, 1),
            ("search_signals", 2, 1),
        ]
