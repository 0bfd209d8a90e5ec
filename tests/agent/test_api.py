"""Sessions, actions, runbooks and the audit log through API tokens: each scope opens its own, and none decides."""

from __future__ import annotations

import json
from typing import Any

from agent.models import AgentSession
from approvals.models import Action, ApprovalPolicy, Grant
from approvals.services import propose_action
from junto.audit.models import AuditEntry
from junto.tenants.actors import Actor
from junto.tenants.models import Membership
from runbooks.models import Runbook
from runbooks.services import publish_runbook, save_draft
from signals.models import Signal
from tests.agent.cases import SessionTestCase
from tests.factories import ApprovalPolicyFactory

NOTE = "connectwise.add_internal_note"


class ApiCase(SessionTestCase):
    def ask(self, path: str, *scopes: str, by: Membership | None = None, slug: str = "northwind", **query: str) -> Any:
        secret = self.token(by or self.adam, *scopes)
        return self.client.get(f"/api/v1/{slug}/{path}", query, headers={"authorization": f"Bearer {secret}"})

    def send(self, path: str, body: object, *scopes: str, by: Membership | None = None, secret: str = "") -> Any:
        slug = (by or self.adam).organization.slug
        return self.client.post(
            f"/api/v1/{slug}/{path}",
            data=json.dumps(body),
            content_type="application/json",
            headers={"authorization": f"Bearer {secret or self.token(by or self.adam, *scopes)}"},
        )

    def propose(self, key: str = "one", *, secret: str = "", signal: Signal | None = None, **arguments: object) -> Any:
        number = int((signal or self.signal).external_id)
        body = {
            "signal": str((signal or self.signal).pk),
            "key": key,
            "tool": NOTE,
            "arguments": {"ticket_id": number, "text": "Seen by the monitoring.", **arguments},
        }
        return self.send("actions", body, "actions:propose", secret=secret)


class ProposingTests(ApiCase):
    def setUp(self) -> None:
        super().setUp()
        self.secret = self.token(self.adam, "actions:propose")

    def test_what_is_not_auto_waits_for_a_person_and_runs_when_one_approves(self) -> None:
        told = self.propose().json()
        assert (told["state"], told["asked_by"], self.sandbox.effects()) == ("waiting", "Sync job", [])
        action = Action.unscoped.get(pk=told["id"])
        assert not action.session_grant
        self.log_in(self.olivia)
        assert told["id"] in self.client.get(self.path("approvals/")).content.decode()
        answer = self.client.post(
            self.path(f"approvals/{action.pk}/decide/"),
            data=json.dumps({"id": "1", "verdict": "approve", "digest": action.digest}),
            content_type="application/json",
        )
        assert answer.status_code == 200, answer.content
        self.drain()
        assert [effect["record"]["kind"] for effect in self.sandbox.effects()] == ["note"]
        assert self.ask(f"actions/{action.pk}", "sessions:read").json()["state"] == "succeeded"

    def test_where_the_policy_is_auto_it_runs_and_the_same_key_again_is_the_same_action(self) -> None:
        ApprovalPolicyFactory(organization=self.northwind, tool=NOTE, mode=ApprovalPolicy.Mode.AUTO)
        first = self.propose(secret=self.secret).json()
        self.drain()
        again = self.propose(secret=self.secret).json()
        assert (first["id"], again["state"]) == (again["id"], "succeeded")
        assert len(self.sandbox.effects()) == 1
        assert self.propose(secret=self.secret, text="Something else.").status_code == 422

    def test_a_grant_of_the_session_on_that_ticket_does_not_cover_it(self) -> None:
        session = self.start(mode="triage")
        asked = propose_action(
            actor=Actor.system("agent", self.northwind),
            origin=session.origin,
            fence=session.origin.fence,
            tool_name=NOTE,
            arguments={"ticket_id": int(self.signal.external_id), "text": "Looked into it."},
            call_id="own",
        )
        self.decide(asked, "approve_session")
        assert Grant.unscoped.filter(kind=Grant.Kind.SESSION, tool=NOTE, origin=session.origin).exists()
        assert self.propose().json()["state"] == "waiting"

    def test_a_ticket_of_nobody_a_closed_one_and_a_moved_one_are_refused_with_words(self) -> None:
        rows = Signal.objects.for_organization(self.northwind).filter(pk=self.signal.pk)
        rows.update(state="resolved")
        assert (self.propose().status_code, self.propose().json()["detail"]) == (409, "This signal is closed.")
        rows.update(state="needs_review", company=None)
        assert self.propose().status_code == 409

    def test_what_cannot_be_is_told(self) -> None:
        body = {"signal": str(self.signal.pk), "key": "a", "tool": "connectwise.no_such", "arguments": {}}
        assert self.send("actions", body, "actions:propose").json()["state"] == "refused"
        assert self.send("actions", {**body, "tool": ""}, "actions:propose").status_code == 400
        assert self.send("actions", {**body, "more": 1}, "actions:propose").status_code == 400
        other = {**body, "arguments": {"ticket_id": 1}, "tool": NOTE}
        assert self.send("actions", other, "actions:propose").json()["state"] == "refused"


class SessionTests(ApiCase):
    def test_a_session_is_started_once_read_and_told_in_the_list(self) -> None:
        body = {"signal": str(self.signal.pk)}
        first, second = (self.send("sessions", body, "sessions:start") for _ in range(2))
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json()["id"] == second.json()["id"]
        assert (first.json()["mode"], first.json()["started_by"]) == ("prepare", None)
        self.drain()
        told = self.ask(f"sessions/{first.json()['id']}", "sessions:read").json()
        assert told["last_words"]
        assert {action["category"] for action in told["actions"]} == {"read"}
        listed = self.ask("sessions", "sessions:read", signal=str(self.signal.pk), page_size="1").json()
        assert [row["id"] for row in listed["results"]] == [told["id"]]
        assert self.ask("sessions", "sessions:read", state="failed").json()["count"] == 0

    def test_nobody_can_begin_on_a_closed_signal(self) -> None:
        Signal.objects.for_organization(self.northwind).filter(pk=self.signal.pk).update(state="resolved")
        answer = self.send("sessions", {"signal": str(self.signal.pk)}, "sessions:start")
        assert (answer.status_code, "cannot be started" in answer.json()["detail"]) == (409, True)


class DoorTests(ApiCase):
    def test_each_scope_opens_its_own_and_a_strangers_is_not_found(self) -> None:
        session = self.start(mode="prepare")
        action = Action.unscoped.filter(origin=session.origin)[0]
        mara = self.actor(self.mara)
        draft = Runbook(organization=self.northwind, title="Restart the spooler", body="1. Look.\n", audience="human")
        runbook = publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=draft), note="First")
        doors = {
            f"sessions/{session.pk}": "sessions:read",
            f"actions/{action.pk}": "sessions:read",
            f"runbooks/{runbook.pk}": "runbooks:read",
        }
        for path, scope in {**doors, "sessions": "sessions:read", "runbooks": "runbooks:read"}.items():
            assert self.ask(path, scope).status_code == 200, path
            assert self.ask(path, "signals:read").status_code == 403, path
            assert self.ask(path, scope, by=self.ines).status_code == 404, path
        for path, scope in doors.items():
            assert self.ask(path, scope, by=self.ines, slug="southgate").status_code == 404, path
        for path, scope in (("sessions", "sessions:read"), ("runbooks", "runbooks:read")):
            assert self.ask(path, scope, by=self.ines, slug="southgate").json()["results"] == []
        body = {"signal": str(self.signal.pk), "key": "a", "tool": NOTE}
        assert self.send("actions", body, "actions:propose", by=self.ines).status_code == 404
        assert self.send("sessions", {"signal": body["signal"]}, "sessions:start", by=self.ines).status_code == 404
        assert self.send("actions", body, "sessions:start").status_code == 403
        assert self.send("sessions", {"signal": body["signal"]}, "sessions:read").status_code == 403
        assert AgentSession.unscoped.count() == 1

    def test_runbooks_are_told_as_they_are_in_force_and_drafts_as_they_are(self) -> None:
        mara = self.actor(self.mara)
        draft = Runbook(organization=self.northwind, title="Restart the spooler", body="1. Look.\n", audience="human")
        runbook = publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=draft), note="First")
        runbook.body = "1. Look twice. @connectwise.get_ticket(ticket_id=ticket.id)\n"
        save_draft(actor=mara, runbook=runbook, reason="Better")
        told = self.ask(f"runbooks/{runbook.pk}", "runbooks:read").json()
        assert (told["version"], told["body"], told["tools"]) == (1, "1. Look.\n", [])
        found = self.ask("runbooks", "runbooks:read", status="published", q="spooler").json()
        assert [(row["title"], row["version"]) for row in found["results"]] == [("Restart the spooler", 1)]
        assert self.ask("runbooks", "runbooks:read", status="draft").json()["count"] == 0

    def test_the_audit_log_is_read_once_in_order_to_its_end(self) -> None:
        secret = self.token(self.adam, "audit:read")
        after, numbers = 0, []
        while True:
            told = self.client.get(
                "/api/v1/northwind/audit",
                {"after": after, "page_size": "3"},
                headers={"authorization": f"Bearer {secret}"},
            ).json()
            numbers += [entry["number"] for entry in told["results"]]
            after = told["last"]
            if not told["more"]:
                break
        assert numbers == list(range(1, AuditEntry.objects.for_organization(self.northwind).count() + 1))
        assert self.ask("audit", "signals:read").status_code == 403
        assert self.ask("audit", "audit:read", by=self.ines).status_code == 404
        assert self.ask("audit", "audit:read", after="x").status_code == 400
