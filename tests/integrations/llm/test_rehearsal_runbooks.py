"""How the rehearsal model follows a runbook, seen through the wire protocol as the agent sees it."""

import json

import pytest

from tests.integrations.llm.rehearsed import (
    CLASSIFY,
    FACTS,
    NOTE,
    READS,
    RESET,
    RESULTS,
    TIME,
    TOOLS,
    Fields,
    Session,
    accept,
    arguments,
    deny,
    mention,
    step,
    with_runbook,
)


def test_a_runbooks_mentions_are_followed_in_order_with_their_resolved_arguments() -> None:
    facts = with_runbook([
        step(1, "Say what was found", mention(NOTE, "text", ticket_id=48213)),
        step(2, "Reset the password", mention("microsoft365.reset_password", user="jane@fabrikam.example", ask=True)),
        step(3, "Close it", mention("connectwise.set_ticket_status", ticket_id=48213, status_id=9)),
    ])  # fmt: skip
    session = Session(facts=facts, tools={**TOOLS, **RESET}).run()
    followed = [call.name for call in session.calls() if call.name not in READS]
    assert followed == [CLASSIFY, NOTE, "microsoft365.reset_password", "connectwise.set_ticket_status", TIME, NOTE]
    assert arguments(session, "microsoft365.reset_password") == {"user": "jane@fabrikam.example"}
    assert "Jane Poe" in str(arguments(session, NOTE)["text"])


def test_unattended_it_keeps_to_the_runbook_and_leaves_the_closing_set_to_the_server() -> None:
    facts = with_runbook(
        [step(1, "Set the status", mention("connectwise.set_ticket_status", ticket_id=48213, status_id=5))],
        mode="runbook",
    )
    session = Session(facts=facts).run()
    assert [call.name for call in session.calls() if call.name not in READS] == ["connectwise.set_ticket_status"]


def test_a_step_that_went_wrong_ends_the_runbook_but_not_the_record() -> None:
    facts = with_runbook([
        step(1, "Assign", mention("connectwise.assign_ticket", ticket_id=48213, member="theo")),
        step(2, "Close", mention("connectwise.set_ticket_status", ticket_id=48213, status_id=9)),
    ])  # fmt: skip
    session = Session(
        facts=facts,
        decide=lambda call: {"status": "error", "reason": "no"} if "assign" in call.name else accept(call),
    ).run()
    assert not session.calls("connectwise.set_ticket_status")
    assert "step 1 went wrong" in session.text
    assert len(session.calls(TIME)) == 1


def test_a_denied_step_is_skipped_and_the_next_one_follows() -> None:
    facts = with_runbook([
        step(1, "Assign", mention("connectwise.assign_ticket", ticket_id=48213, member="theo")),
        step(2, "Close", mention("connectwise.set_ticket_status", ticket_id=48213, status_id=9)),
    ])  # fmt: skip
    session = Session(facts=facts, decide=deny("connectwise.assign_ticket", "she keeps it")).run()
    assert len(session.calls("connectwise.set_ticket_status")) == 1


def test_what_a_step_needs_and_nobody_knows_is_left_to_a_person() -> None:
    facts = with_runbook([step(1, "Reset", mention("sophos.isolate", "endpoint"), mention("pax8.order", "sku"))])
    tools: dict[str, Fields] = {
        **TOOLS,
        "pax8.order": {"type": "object", "properties": {"sku": {"type": "string"}}, "required": ["sku"]},
    }
    session = Session(facts=facts, tools=tools).run()
    assert "sophos.isolate is not offered" in session.text
    assert "it needs sku" in session.replies[-1].text


def test_what_was_gathered_is_not_looked_up_again_for_a_step_of_the_runbook() -> None:
    facts = with_runbook([
        step(1, "Read it", mention("connectwise.get_ticket", ticket_id=48213), mention("connectwise.find_contact")),
        step(2, "Look at another ticket", mention("connectwise.get_ticket", ticket_id=47001)),
    ])  # fmt: skip
    session = Session(facts=facts).run()
    assert len(session.calls("connectwise.find_contact")) == 1
    assert [json.loads(call.arguments_text)["ticket_id"] for call in session.calls("connectwise.get_ticket")] == [
        48213,
        47001,
    ]
    assert "1. Read it (looked up above)" in session.text


def test_a_bare_mention_of_the_classification_gets_the_boards_choice() -> None:
    session = Session(facts=with_runbook([step(1, "Classify it", mention(CLASSIFY))])).run()
    assert arguments(session, CLASSIFY) == {"ticket_id": 48213, "type_id": 2, "subtype_id": 21}


def test_a_note_for_the_client_holds_nothing_of_the_findings() -> None:
    session = Session(
        facts=with_runbook([step(1, "Tell them", mention("connectwise.add_customer_note", ask=True))])
    ).run()
    note = str(arguments(session, "connectwise.add_customer_note")["text"])
    assert note.startswith("Hello Jane Poe")
    assert "FAB-LT-014" not in note


def test_a_status_that_the_step_names_is_found_on_the_board() -> None:
    facts = with_runbook(
        [step(1, "Set it to “In Progress”", mention("connectwise.set_ticket_status", ticket_id=48213))]
    )
    assert arguments(Session(facts=facts).run(), "connectwise.set_ticket_status")["status_id"] == 5


def test_somebody_whom_only_the_text_names_is_told_as_such() -> None:
    ticket: Fields = {**FACTS["ticket"], "contact": None}  # type: ignore[dict-item]
    results: Fields = {**RESULTS, "connectwise.get_ticket": {"id": 48213, "contact": None}}
    session = Session(
        facts={**FACTS, "ticket": ticket},
        ticket_text="VPN is down. Jane Poe, accounting",
        decide=lambda call: {"status": "ok", "result": results.get(call.name, {})},
    ).run()
    assert "Jane Poe, jane@fabrikam.example, 555-0101, named in the text, not linked" in session.replies[1].text


def test_a_runbook_for_people_is_shown_and_never_carried_out() -> None:
    steps = [step(1, "Close it", mention("connectwise.set_ticket_status", ticket_id=48213, status_id=9))]
    session = Session(facts=with_runbook(steps, audience="human")).run()
    assert not session.calls("connectwise.set_ticket_status")
    assert "1. Close it" in session.text


@pytest.mark.parametrize(("answer", "followed"), [("1", True), ("replace the cable", True), ("2", False), ("b", False)])
def test_a_decision_of_the_runbook_is_put_to_the_people_and_their_choice_followed(answer: str, followed: bool) -> None:
    facts = with_runbook([
        step(1, "Is it the cable?", kind="decision", options=("Replace the cable", "Stop and escalate")),
        step(2, "Close it", mention("connectwise.set_ticket_status", ticket_id=48213, status_id=9)),
    ], audience="hybrid")  # fmt: skip
    session = Session(facts=facts).run()
    assert "Is it the cable?" in session.replies[-1].text
    assert not session.calls(TIME)
    if session.say(answer).tool_calls:
        session.run()
    assert bool(session.calls("connectwise.set_ticket_status")) is followed
    assert session.calls(TIME)


def test_an_answer_is_followed_to_the_step_it_leads_to_whatever_numbers_the_steps_bear() -> None:
    status = "connectwise.set_ticket_status"
    asks = step("1", "Is it the cable?", kind="decision", options=("No: go to step 1", "Yes"))
    facts = with_runbook([
        {**asks, "leads": {"No: go to step 1": 3}},
        step("2", "Work", mention(status, ticket_id=48213, status_id=5)),
        step("1", "Close", mention(status, ticket_id=48213, status_id=9)),
    ], audience="hybrid")  # fmt: skip
    session = Session(facts=facts).run()
    session.say("1")
    session.run()
    assert len(session.calls(status)) == 1
    assert arguments(session, status)["status_id"] == 9


def test_a_long_runbook_is_followed_within_the_budget_of_replies() -> None:
    steps = [step(number, f"Note {number}", mention(NOTE, "text", ticket_id=48213)) for number in range(1, 61)]
    session = Session(facts=with_runbook(steps)).run(most=25)
    assert len(session.calls(NOTE)) == 61
