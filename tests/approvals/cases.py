"""The stage for approvals: a session's origin of Northwind's at Harlow & Beck, and the practice tools."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from approvals.models import Action, ApprovalPolicy, Origin
from approvals.services import (
    ChangedPreview,
    GrantDraft,
    decide_action,
    issue_grants,
    open_origin,
    propose_action,
    set_open_steps,
)
from integrations.tools import registry
from junto.audit.models import AuditEntry
from junto.team.services import change_role
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership
from junto.tenants.permissions import Role
from tests.approvals.practice import practice_tools
from tests.cases import Cast, JuntoTestCase, JuntoTransactionTestCase, forget_calls

_numbers = itertools.count(1)


class Approvals(Cast):
    """What both kinds of approval tests do."""

    origin: Origin

    @pytest.fixture(autouse=True)
    def _shelf(self) -> Iterator[None]:
        with practice_tools():
            yield

    def open(
        self, mode: str = "triage", *, company: Company | None = None, kind: str = "session", runbook: str = ""
    ) -> Origin:
        """A new origin at Harlow & Beck, or another company; that of a runbook stands at its step 1."""
        number = next(_numbers)
        origin = open_origin(
            organization=self.northwind,
            kind=Origin.Kind(kind),
            key=f"test-{number}",
            subject=f"signal:{number}",
            mode=Origin.Mode(mode),
            company=company or self.harlow,
            revision=1,
            runbook=runbook,
        )
        if runbook:
            set_open_steps(origin=origin, steps=["1"])
        return origin

    def ask(
        self,
        tool: str = "junto.put_low",
        *,
        origin: Origin | None = None,
        actor: Actor | None = None,
        call_id: str = "",
        facts: dict[str, Any] | None = None,
        fence: int | None = None,
        step: str | None = None,
        **arguments: Any,
    ) -> Action:
        """The agent asks for a call, in a runbook for its step 1; a put goes `left` and is `a blue box` by itself."""
        origin = origin or self.origin
        if tool.startswith("junto.put") or tool == "junto.run_low":
            arguments = {"place": "left", "thing": "a blue box", **arguments}
        elif tool.startswith("junto.look"):
            arguments = {"place": "left", **arguments}
        origin.refresh_from_db()
        return propose_action(
            actor=actor or Actor.system("agent", self.northwind),
            origin=origin,
            fence=origin.fence if fence is None else fence,
            tool_name=tool,
            arguments=arguments,
            call_id=call_id or f"call-{next(_numbers)}",
            facts=facts,
            step=("1" if origin.runbook else "") if step is None else step,
        )

    def decide(self, action: Action, verdict: str, by: Membership, **more: Any) -> Action:
        """A person decides on what they were shown."""
        more.setdefault("digest", action.digest)
        return decide_action(action_id=action.pk, actor=self.actor(by), verdict=verdict, **more)

    def now(self, action: Action) -> Action:
        """The action as it is, after everything that was rung."""
        self.drain()
        return Action.unscoped.select_related("origin", "company", "organization").get(pk=action.pk)

    def drain(self) -> None:
        """Run what was rung."""
        raise NotImplementedError

    def forget_bells(self) -> None:
        """What was rung so far is lost, as when the task engine goes down."""
        connection.run_on_commit = []
        forget_calls()

    def demote(self, membership: Membership, role: Role = Role.TECHNICIAN) -> None:
        """Olivia gives a member another role."""
        change_role(actor=self.actor(self.olivia), membership=membership, role=role)

    def policy(self, tool: str, mode: str, *, company: Company | None = None, never_unattended: bool = False) -> None:
        """What Adam set for a tool."""
        ApprovalPolicy(
            organization=self.northwind,
            tool=tool,
            mode=mode,
            company=company,
            never_unattended=never_unattended,
            set_by=self.adam,
        ).save()

    def grant(self, **changed: dict[str, Any]) -> None:
        """What Mara's publishing gives: the blue box may be put left, once a run of version 3, at its step 1."""
        rules = {
            "place": {"kind": "constant", "value": "left"},
            "thing": {"kind": "enum", "values": ["a blue box"]},
            "careful": {"kind": "any"},
            **changed,
        }
        draft = GrantDraft(
            kind="runbook",
            tool=registry.get("junto.put_medium"),
            words="Put it left.",
            rules=rules,
            runbook="rb:3",
            step="1",
        )
        issue_grants(actor=self.actor(self.mara), drafts=[draft])

    def verbs(self, action: Action) -> list[str]:
        """What the audit log says of an action, oldest first."""
        rows = AuditEntry.objects.for_organization(self.northwind).filter(target_id=str(action.pk))
        return list(rows.order_by("number").values_list("verb", flat=True))


class ApprovalTestCase(Approvals, JuntoTestCase):
    """For nearly every test."""

    def setUp(self) -> None:
        """One session's origin."""
        super().setUp()
        self.origin = self.open()

    def drain(self) -> None:
        """Run what was rung."""
        JuntoTestCase.drain(self)


class ApprovalTransactionTestCase(Approvals, JuntoTransactionTestCase):
    """For threads and real commits."""

    def setUp(self) -> None:
        """One session's origin."""
        super().setUp()
        self.origin = self.open()

    def drain(self) -> None:
        """Run what was rung."""
        JuntoTransactionTestCase.drain(self)


def as_shown(shown: ChangedPreview) -> dict[str, Any]:
    """What comes back to the server when a person approves the change they were shown."""
    return {"arguments": shown.arguments, "digest": shown.digest, "target_digest": shown.target_digest}
