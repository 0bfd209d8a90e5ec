"""The conversation a model reads, rebuilt from events: pure, so tried without a database."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from agent.events import CallRefused, Event, ModelReplied, Notice, PersonStarted, RequestedCall, UserSaid
from agent.transcript import RESULT_LIMIT, ActionView, open_calls, rebuild, shorten, wants_reply


def said(text: str = "And now?") -> UserSaid:
    return UserSaid(membership_id=uuid4(), name="Theo Brandt", role="Technician", text=text)


def replied(text: str = "", *calls: str, aborted: bool = False) -> ModelReplied:
    asked = tuple(RequestedCall(call_id=call, name="connectwise.get_ticket", arguments_text="{}") for call in calls)
    return ModelReplied(text=text, calls=asked, model="m", tokens_in=1, tokens_out=1, aborted=aborted)


def view(call_id: str, state: str, **changes: Any) -> ActionView:
    values: dict[str, Any] = {
        "call_id": call_id,
        "tool": "connectwise.add_internal_note",
        "state": state,
        "reason": "",
        "arguments": {"text": "x"},
        "modified": False,
        "result": None,
        "settled_done": None,
    }
    return ActionView(**{**values, **changes})


def answer_to(action: ActionView) -> dict[str, Any]:
    message = rebuild([replied("", action.call_id)], {action.call_id: action})[-1]
    found: dict[str, Any] = json.loads(message.content)
    return found


def test_a_person_is_named_with_their_role_before_their_words() -> None:
    assert rebuild([said("Is it the switch?")], {})[0].content == "[Theo Brandt, Technician] Is it the switch?"


def test_every_call_of_a_reply_gets_exactly_one_answer_in_order() -> None:
    messages = rebuild([replied("Looking", "1.1", "1.2")], {"1.2": view("1.2", "succeeded", result={"n": 1})})
    assert [message.tool_call_id for message in messages if message.role == "tool"] == ["1.1", "1.2"]


def test_a_denial_reaches_the_model_with_the_persons_reason() -> None:
    assert answer_to(view("1.1", "denied", reason="It is a VPN matter")) == {
        "status": "denied",
        "provenance": "connectwise",
        "reason": "It is a VPN matter",
    }


def test_the_model_is_told_what_a_person_changed() -> None:
    told = answer_to(view("1.1", "succeeded", modified=True, arguments={"text": "shorter"}, result={"id": 7}))
    assert told["modified"] is True
    assert told["sent"] == {"text": "shorter"}


def test_a_settled_unknown_outcome_says_whether_it_was_done() -> None:
    assert answer_to(view("1.1", "settled", settled_done=True))["status"] == "ok"
    assert answer_to(view("1.1", "settled", settled_done=False))["status"] == "error"


def test_a_call_with_malformed_arguments_is_answered_by_its_refusal() -> None:
    refusal = CallRefused(call_id="1.1", name="connectwise.get_ticket", reason="Malformed arguments.")
    messages = rebuild([replied("", "1.1"), refusal], {})
    assert json.loads(messages[-1].content)["reason"] == "Malformed arguments."
    assert open_calls([replied("", "1.1"), refusal], {}) == []


def test_waiting_running_and_unknown_actions_keep_a_call_open() -> None:
    for state in ("proposed", "waiting", "approved", "claimed", "unknown"):
        assert open_calls([replied("", "1.1")], {"1.1": view("1.1", state)}) == ["1.1"], state


def test_terminal_actions_close_a_call() -> None:
    for state in ("succeeded", "failed", "refused", "denied", "expired", "drifted", "cancelled", "settled"):
        assert open_calls([replied("", "1.1")], {"1.1": view("1.1", state)}) == [], state


def test_it_is_the_models_turn_at_the_start_after_a_person_and_after_tool_answers() -> None:
    assert wants_reply([])
    assert wants_reply([replied("Done."), said()])
    assert wants_reply([replied("Done."), PersonStarted(membership_id=uuid4(), name="Theo", role="Technician")])
    assert wants_reply([replied("", "1.1")])
    assert not wants_reply([replied("Done.")])


def test_after_a_parking_notice_the_model_is_asked_only_when_a_person_wrote() -> None:
    parked: list[Event] = [said(), Notice(tone="danger", text="The model is down.", parks=True)]
    assert not wants_reply(parked)
    assert wants_reply([*parked, said("Try again")])


def test_an_oversize_result_is_cut_for_the_model_and_says_so() -> None:
    short = shorten({"rows": ["x" * 100] * 1000})
    assert len(short["beginning"]) == RESULT_LIMIT
    assert "ask more narrowly" in short["cut"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)


@given(result=JSON)
def test_any_result_becomes_valid_json_without_hidden_characters(result: Any) -> None:
    told = answer_to(view("1.1", "succeeded", result=result))
    assert "\u202e" not in json.dumps(told, ensure_ascii=False)
