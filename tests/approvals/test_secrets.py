"""A password that an action sets is shown to one person once, and stands nowhere else."""

from __future__ import annotations

import json
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core import serializers
from django.utils import timezone

from approvals.execution import execute_action, reconcile_action
from approvals.models import Action, ActionSecret
from approvals.revealing import draw_password
from approvals.services import NotYours, SecretGone, reveal_secret, settle_action
from approvals.sweeps import wipe_secrets
from junto.audit.models import AuditEntry
from junto.inbox.models import Notification
from tests.approvals.cases import Approvals
from tests.approvals.practice import shelf
from tests.cases import JuntoTestCase
from tests.integrations.cloud import MARCUS, CloudTestCase

PASSWORD = re.compile(r"[A-Za-z0-9]{4}(-[A-Za-z0-9]{4}){3}")


def test_passwords_meet_the_usual_rules_are_easy_to_read_out_and_never_the_same() -> None:
    drawn = {draw_password() for _ in range(500)}
    assert len(drawn) == 500
    for text in drawn:
        assert PASSWORD.fullmatch(text)
        assert all(re.search(kind, group) for group in text.split("-") for kind in ("[A-Z]", "[a-z]", "[2-9]"))
        assert not set(text) & set("lIO01o")


class SecretTests(Approvals, CloudTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.origin = self.open(company=self.harbor)
        self.origin.subject = f"signal:{uuid.uuid4()}"
        self.origin.save()
        self.forget_bells()  # of the connections, which nobody has to read here

    def drain(self) -> None:
        """Run what was rung."""
        CloudTestCase.drain(self)

    def reset(self) -> Action:
        """The agent asks for a new password for Marcus, and Mara approves."""
        action = self.ask("microsoft365.reset_password", user=MARCUS)
        assert action.state == Action.State.WAITING
        self.decide(action, "approve", self.mara, target=MARCUS)
        return action

    def stored(self, action: Action) -> ActionSecret:
        """What is kept of it."""
        found: ActionSecret = ActionSecret.objects.for_organization(self.northwind).get(action=action)
        return found

    def really(self) -> str:
        """The password that Marcus has."""
        rows = [one["body"] for one in self.sandbox.cloud("passwords")]
        return str(next(one["text"] for one in rows if one["user"] == self.account(MARCUS)["id"]))

    def test_whoever_may_decide_reads_it_once_and_it_is_wiped(self) -> None:
        action = self.now(self.reset())
        assert action.state == Action.State.SUCCEEDED, action.reason
        with pytest.raises(NotYours):
            reveal_secret(action=action, actor=self.actor(self.theo))

        text = reveal_secret(action=action, actor=self.actor(self.mara))

        assert text == self.really()
        row = self.stored(action)
        assert (row.sealed, row.revealed_by) == ("", self.mara)
        assert "action.secret_revealed" in self.verbs(action)
        with pytest.raises(SecretGone, match="Mara"):
            reveal_secret(action=action, actor=self.actor(self.adam))

    def test_it_stands_in_no_row_no_event_and_no_log_and_its_readers_are_told(self) -> None:
        with self.caught_logs() as lines:
            action = self.now(self.reset())
        set_there = self.really()
        kept = serializers.serialize("json", [*Action.unscoped.all(), *ActionSecret.unscoped.all()])
        told = Notification.unscoped.filter(kind="action.secret", membership=self.mara).get()
        assert set_there not in kept
        assert set_there not in json.dumps([action.result, action.summary, action.preview, action.arguments])
        entries = AuditEntry.objects.for_organization(self.northwind).values_list("detail", flat=True)
        assert set_there not in json.dumps([*entries], default=str)
        assert set_there not in f"{told.title} {told.body} {lines}"
        assert told.path == f"approvals/{action.pk}/secret/"

    def test_an_answer_that_is_lost_loses_no_password(self) -> None:
        action = self.reset()
        self.sandbox.fault("cut_after", method="PATCH", vendor="microsoft365")
        action = self.now(action)
        assert action.state == Action.State.UNKNOWN
        with pytest.raises(SecretGone):
            reveal_secret(action=action, actor=self.actor(self.mara))
        action = reconcile_action(action.pk)

        assert action.state == Action.State.SUCCEEDED
        assert reveal_secret(action=action, actor=self.actor(self.mara)) == self.really()

    def test_what_was_not_set_is_wiped(self) -> None:
        action = self.reset()
        self.sandbox.fault("status", status=403, method="PATCH", vendor="microsoft365")
        action = self.now(action)
        assert action.state == Action.State.FAILED
        assert self.stored(action).sealed == ""

        action = self.reset()
        self.sandbox.fault("cut_before", method="PATCH", vendor="microsoft365")
        action = self.now(action)
        assert self.stored(action).sealed
        settle_action(action_id=action.pk, actor=self.actor(self.mara), done=False, evidence="Looked there.")
        assert self.stored(action).sealed == ""

    def test_after_a_day_it_is_gone(self) -> None:
        action = self.now(self.reset())
        assert wipe_secrets() == 0
        ActionSecret.objects.for_organization(self.northwind).update(expires_at=timezone.now() - timedelta(seconds=1))
        with pytest.raises(SecretGone, match="in time"):
            reveal_secret(action=action, actor=self.actor(self.mara))
        assert wipe_secrets() == 1
        assert self.stored(action).sealed == ""

    def test_it_opens_for_its_own_row_only(self) -> None:
        first, second = self.now(self.reset()), self.now(self.reset())
        rows = ActionSecret.objects.for_organization(self.northwind)
        rows.filter(action=second).update(sealed=self.stored(first).sealed)
        with pytest.raises(SecretGone, match="does not open"):
            reveal_secret(action=second, actor=self.actor(self.mara))

    def test_a_pass_of_the_vendors_is_kept_and_read_in_the_same_way(self) -> None:
        action = self.ask("microsoft365.temporary_access_pass", user=MARCUS, minutes=30)
        self.decide(action, "approve", self.mara, target=MARCUS)
        action = self.now(action)
        rows = [one["body"]["method"] for one in self.sandbox.cloud("methods")]
        (issued,) = [one for one in rows if "temporaryAccessPass" in one]
        assert reveal_secret(action=action, actor=self.actor(self.adam)) == issued["temporaryAccessPass"]

    def test_the_page_asks_first_shows_it_once_and_is_kept_by_nobody(self) -> None:
        action = self.now(self.reset())
        browser = self.log_in(self.mara)
        path = self.path(f"approvals/{action.pk}/secret/")
        queue = browser.get(self.path(f"approvals/?action={action.pk}")).content.decode()
        assert f"approvals/{action.pk}/secret/" in queue
        asked = browser.get(path)
        assert self.really() not in asked.content.decode()
        shown = browser.post(path)

        assert self.really() in shown.content.decode()
        assert "no-store" in shown["Cache-Control"]
        again = browser.post(path).content.decode()
        assert self.really() not in again
        assert "shown once only" in again
        assert self.log_in(self.ines).get(path).status_code == 404

    def test_who_may_not_decide_is_told_who_may(self) -> None:
        action = self.now(self.reset())
        path = self.path(f"approvals/{action.pk}/secret/")
        assert "Show it now" not in self.log_in(self.theo).get(path).content.decode()
        page = self.log_in(self.theo).post(path).content.decode()
        assert self.really() not in page
        assert "You may not read this" in page
        assert self.stored(action).sealed

    def test_running_it_twice_sets_one_password(self) -> None:
        action = self.now(self.reset())
        again = execute_action(action.pk)
        assert again.state == Action.State.SUCCEEDED
        sent = [row for row in self.asked() if row["method"] == "PATCH"]
        assert len(sent) == 1
        assert sent[0]["body"] == {"passwordProfile": "[redacted]"}

    def caught_logs(self) -> Any:
        """What is logged meanwhile."""
        return self.assertLogs(level="DEBUG")


class EchoTests(Approvals, JuntoTestCase):
    """A vendor repeats what it was sent, and its client hides nothing: the door itself keeps it out of what is kept."""

    def setUp(self) -> None:
        super().setUp()
        self.origin = self.open()

    def drain(self) -> None:
        """Run what was rung."""
        JuntoTestCase.drain(self)

    def test_a_secret_that_comes_back_is_kept_neither_with_a_refusal_nor_with_a_result(self) -> None:
        ends = {"refusal": "failed", "no answer": "unknown", "answer": "succeeded"}
        for shelf.echo, state in ends.items():
            action = self.ask("junto.put_code")
            self.decide(action, "approve", self.mara, target="Place left")
            action = self.now(action)
            assert action.state == state, action.reason
            kept = serializers.serialize("json", [*Action.unscoped.all(), *ActionSecret.unscoped.all()])
            kept += serializers.serialize("json", [*AuditEntry.unscoped.all(), *Notification.unscoped.all()])
            told = [action.reason, action.summary, action.result]
            assert "[removed]" in json.dumps(told), told
            assert shelf.codes[-1] not in kept + json.dumps(told), shelf.echo
        assert len(set(shelf.codes)) == len(ends)
