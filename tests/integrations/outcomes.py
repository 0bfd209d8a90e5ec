"""What holds of every vendor's writes whose answer is lost, or is none to rely on: to be inherited, beside a case that
is connected. `tests/integrations/test_conformance.py` looks for the class in `test_<vendor>_border.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from approvals.revealing import draw_password
from integrations.dispatch import call_tool
from integrations.errors import (
    OutcomeUnknown,
    VendorError,
    VendorForbidden,
    VendorNotFound,
    VendorRefused,
    VendorThrottled,
    VendorUnauthorized,
    WarrantRefused,
)
from integrations.tools import Outcome, OutcomeStrategy, registry

WRITING = ("POST", "PUT", "PATCH", "DELETE")

#: What a clear no is called, by its status and how long the vendor wants to be left alone (seconds).
REFUSALS: Mapping[tuple[int, str | None], type[VendorError]] = {
    (401, None): VendorUnauthorized,
    (403, None): VendorForbidden,
    (404, None): VendorNotFound,
    (409, None): VendorRefused,
    (422, None): VendorRefused,
    (429, None): VendorThrottled,
    (429, "1"): VendorThrottled,
}

NONE = "0" * 64

#: What tells nothing of whether it was done.
OPEN: tuple[Mapping[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503, "retry_after": "1"},
    {"kind": "status", "status": 408},
    {"kind": "html", "status": 200},
)


class OutcomeConformance:
    """A write is told done only when it was, is told not done only when it was not, and is never sent twice."""

    slug: ClassVar[str]
    action: uuid.UUID

    wire_path: ClassVar[str] = "*"
    """The paths of the requests that write, where signing in is a POST too."""

    verdicts: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """What a look finds of a write that was done and of one that was not, where that is not ("found", "absent")."""

    def orders(self) -> Mapping[str, Mapping[str, Any]]:
        """Each write by its name without the vendor, with arguments for Harbor."""
        raise NotImplementedError

    def before(self, name: str, kind: str) -> None:
        """What has to be so before a write makes sense."""

    def lose(self, kind: str, name: str, arguments: Mapping[str, Any]) -> Any:
        """Send a write whose answer never comes; the target's state before it."""
        state = self.preview(f"{self.slug}.{name}", **arguments).target_state
        with pytest.raises(OutcomeUnknown):
            self.sent(name, arguments, kind=kind)
        return state

    def sent(self, name: str, arguments: Mapping[str, Any], **fault: Any) -> None:
        """Send a write that meets a fault, whatever method it uses and however often it is sent."""
        for method in WRITING:
            self.sandbox.fault(**{"count": None, **fault}, vendor=self.slug, method=method, path=self.wire_path)
        self.hurry()
        try:
            self.write(name, arguments)
        finally:
            self.sandbox.clear_faults()
            self.hurry()

    def write(self, name: str, arguments: Mapping[str, Any], *, seconds: float = 30.0) -> None:
        """Run a write as an action of its own, `self.action`."""
        tool, self.action = registry.get(f"{self.slug}.{name}"), uuid.uuid4()
        call_tool(
            tool=tool,
            arguments=arguments,
            organization=self.northwind,
            company=self.harbor,
            warrant=self.warrant(tool.name, arguments, action_id=self.action),
            drawn_secret=draw_password() if tool.draws_secret else "",
            deadline_seconds=seconds,
        )

    def found_out(self, name: str, arguments: Mapping[str, Any], state: Any, *, ago: timedelta) -> Outcome:
        """What a look for the last write finds, its time having ended so long ago; `state` = the target's before it."""
        outcome: Outcome = self.outcome_of(f"{self.slug}.{name}", arguments, state, ago=ago, action=self.action)
        return outcome

    def lost(self, kind: str, name: str, *, ago: timedelta = timedelta(hours=1)) -> Outcome:
        """Send a write, lose the answer, and look, its time having ended so long ago."""
        arguments = self.orders()[name]
        state = self.lose(kind, name, arguments)
        return self.found_out(name, arguments, state, ago=ago)

    def faulty(self) -> int:
        """How many requests met a fault."""
        return len([row for row in self.asked() if row["fault"]])

    def expected(self, name: str, kind: str) -> str:
        """The verdict of a write that was done (`cut_after`) or not (`cut_before`)."""
        done, not_done = self.verdicts.get(name, ("found", "absent"))
        return done if kind == "cut_after" else not_done

    def test_every_write_is_tried_here(self) -> None:
        writes = {tool.name.partition(".")[2]: tool for tool in registry if tool.is_write and tool.vendor == self.slug}
        assert set(self.orders()) == set(writes)
        unsearched = {name for name, tool in writes.items() if tool.outcome is OutcomeStrategy.ASK}
        assert unsearched == {name for name, told in self.verdicts.items() if told == ("unclear", "unclear")}

    def test_what_was_done_is_found_and_was_sent_once(self) -> None:
        for name in self.orders():
            self.before(name, "cut_after")
            done = len(self.acted())
            assert self.lost("cut_after", name).verdict == self.expected(name, "cut_after"), name
            assert len(self.acted()) == done + 1, name

    def test_what_was_not_done_is_proved_absent_and_not_before_its_time(self) -> None:
        for name, arguments in self.orders().items():
            self.before(name, "cut_before")
            done, tool = len(self.acted()), registry.get(f"{self.slug}.{name}")
            state = self.lose("cut_before", name, arguments)
            early = [timedelta(seconds=-20)]
            if tool.outcome in (OutcomeStrategy.MARKER, OutcomeStrategy.OBSERVE):
                early.append(timedelta(seconds=tool.settle_seconds - 20))
            for ago in early:
                assert self.found_out(name, arguments, state, ago=ago).verdict == "unclear", (name, ago)
            late = self.found_out(name, arguments, state, ago=timedelta(hours=1))
            assert late.verdict == self.expected(name, "cut_before"), (name, late)
            assert len(self.acted()) == done, name

    def test_a_clear_no_is_no_deed_and_is_asked_once(self) -> None:
        for name, arguments in self.orders().items():
            self.before(name, "cut_before")
            done = len(self.acted())
            for (status, patience), error in REFUSALS.items():
                met = self.faulty()
                with pytest.raises(VendorError) as refused:
                    self.sent(name, arguments, kind="status", status=status, retry_after=patience)
                assert type(refused.value) is error, (name, status, refused.value)
                assert self.faulty() == met + 1, (name, status)
                if patience:
                    assert refused.value.retry_after == float(patience), name
            assert len(self.acted()) == done, name

    def test_what_tells_nothing_leaves_a_write_unknown_and_is_asked_once(self) -> None:
        for name, arguments in self.orders().items():
            self.before(name, "cut_before")
            for fault in OPEN:
                met = self.faulty()
                with pytest.raises(OutcomeUnknown):
                    self.sent(name, arguments, **fault)
                assert self.faulty() == met + 1, (name, fault)

    def test_no_write_leaves_without_a_warrant_or_with_another_ones(self) -> None:
        for name, arguments in self.orders().items():
            self.before(name, "cut_before")
            tool, done = registry.get(f"{self.slug}.{name}"), len(self.acted())
            ends = {"deadline": datetime.now(UTC)}
            wrong = [self.warrant(tool.name, arguments, **one) for one in (ends, {"tool_pin": NONE}, {"digest": NONE})]
            for warrant in (None, *wrong):
                with pytest.raises(WarrantRefused):
                    call_tool(
                        tool=tool,
                        arguments=arguments,
                        organization=self.northwind,
                        company=self.harbor,
                        warrant=warrant,
                        drawn_secret="Never-2-Be-Sent",
                    )
            assert len(self.acted()) == done, name
