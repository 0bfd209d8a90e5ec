"""Real threads on a real database file: one decision, one claim, one effect, and no waiting for a vendor in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections

from approvals.execution import execute_action
from approvals.models import Action, Decision
from approvals.services import StaleLease, decide_action, renew_lease, stop_origin, take_lease
from junto.audit.services import verify_chain
from junto.tenants.models import Membership
from tests.approvals.cases import ApprovalTransactionTestCase
from tests.approvals.practice import shelf

State = Action.State


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call gave or raised, all begun together, each in a thread with its own connection."""
    start, results = threading.Barrier(len(calls)), [None] * len(calls)

    def run(number: int, call: Callable[[], Any]) -> None:
        try:
            start.wait(timeout=10)
            results[number] = call()
        except Exception as error:  # whatever it is, the test looks at it
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return results


class Races(ApprovalTransactionTestCase):
    """Several people and workers at one action."""

    def pressing(self, action: Action, by: Membership, verdict: str) -> Callable[[], Action]:
        actor = self.actor(by)
        return lambda: decide_action(
            action_id=action.pk, actor=actor, verdict=verdict, digest=action.digest, reason="I was asked."
        )

    def test_two_people_pressing_at_once_give_one_decision(self) -> None:
        for _ in range(5):
            action = self.ask(origin=self.open())
            results = at_once(
                self.pressing(action, self.theo, "approve"),
                self.pressing(action, self.oskar, "deny"),
                self.pressing(action, self.mara, "approve_session"),
            )
            codes = sorted("decided" if isinstance(each, Action) else each.code for each in results)
            assert codes == ["already_decided", "already_decided", "decided"]
            assert Decision.objects.for_organization(self.northwind).filter(action=action).count() == 1
        assert verify_chain(self.northwind).ok

    def test_one_person_pressing_twice_gives_one_decision(self) -> None:
        action = self.ask()
        results = at_once(*[self.pressing(action, self.theo, "approve")] * 4)
        assert sum(isinstance(each, Action) for each in results) == 1
        told = {str(each) for each in results if not isinstance(each, Action)}
        assert all("Theo Okafor approved this at" in words for words in told), told
        assert Decision.objects.for_organization(self.northwind).filter(action=action).count() == 1

    def test_many_workers_at_one_approved_action_send_it_once(self) -> None:
        action = self.ask()
        self.decide(action, "approve", self.theo)
        at_once(*[lambda: execute_action(action.pk)] * 6)
        assert len(shelf.changes) == 1
        assert Action.unscoped.get(pk=action.pk).state == State.SUCCEEDED

    def test_a_stop_and_a_claim_at_once_agree_on_who_was_first(self) -> None:
        for _ in range(4):
            state, effects = self.stop_while_claiming()
            assert (state, effects) in [(State.SUCCEEDED, 1), (State.CANCELLED, 0)]

    def stop_while_claiming(self) -> tuple[str, int]:
        """How it ended, and how often something was put."""
        shelf.reset()
        origin = self.open()
        action = self.decide(self.ask(origin=origin), "approve", self.theo)
        theo = self.actor(self.theo)
        at_once(
            lambda: execute_action(action.pk),
            lambda: stop_origin(origin=origin, actor=theo, reason="Stop."),
        )
        return Action.unscoped.get(pk=action.pk).state, len(shelf.changes)

    def test_of_many_workers_one_takes_the_lease(self) -> None:
        fences = at_once(*[lambda: take_lease(self.origin, seconds=20)] * 6)
        assert sorted(fences, key=str) == [1, None, None, None, None, None]

    def test_a_worker_that_slept_too_long_finds_its_fence_stale(self) -> None:
        old = take_lease(self.origin, seconds=-1)
        new = take_lease(self.origin, seconds=20)
        assert (old, new) == (1, 2)
        renew_lease(self.origin, fence=2, seconds=20)
        with pytest.raises(StaleLease):
            renew_lease(self.origin, fence=1, seconds=20)

    def test_no_vendor_is_waited_for_inside_a_transaction(self) -> None:
        inside: list[bool] = []
        shelf.before_change = lambda: inside.append(connection.in_atomic_block)
        shelf.after_look = lambda: inside.append(connection.in_atomic_block)
        action = self.ask()
        self.decide(action, "approve", self.theo, arguments={**action.arguments}, digest=action.digest)
        execute_action(action.pk)
        assert Action.unscoped.get(pk=action.pk).state == State.SUCCEEDED
        assert inside == [False] * 4  # asked, changed by the person, looked at before the claim, done


@pytest.mark.service
class RacesOnPostgres(Races):
    """The same where rows are locked and not the whole file."""
