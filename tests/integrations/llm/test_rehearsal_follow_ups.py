"""What the rehearsal model answers to people who write into the session."""

import json

import pytest

from tests.integrations.llm.rehearsed import FACTS, READS, Session, deny


@pytest.fixture
def session() -> Session:
    """A session whose plan is done."""
    return Session().run()


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who is the contact?", "jane@fabrikam.example"),
        ("what's her phone number", "555-0101"),
        ("Which devices do they have?", "FAB-LT-014"),
        ("What did you do?", "Classification (Network / VPN): done"),
        ("summarise please", "Time entry (15 min): done"),
        ("what is the status?", "New"),
        ("Why did you classify it like that?", "“vpn”"),
        ("Did they have this before?", "#47001"),
        ("How much time was logged?", "0.5 h"),
        ("what is next", "Nothing is left"),
        ("which runbook?", "none fits"),
        ("Are you a real AI?", "JUNTO_LLM_BASE_URL"),
        ("Write me a poem about printers", "JUNTO_LLM_BASE_URL"),
        ("¿Quién es el contacto?", "Jane Poe"),
        ("thanks!", "welcome"),
    ],
)
def test_a_simple_question_is_answered_from_the_transcript(session: Session, question: str, expected: str) -> None:
    reply = session.say(question)
    assert expected in reply.text
    assert not reply.tool_calls


@pytest.mark.parametrize(
    ("request_words", "tool", "expected"),
    [
        ("add a note: the customer called back", "connectwise.add_internal_note", {"text": "the customer called back"}),
        (
            "Please add an internal note: line one\nline two",
            "connectwise.add_internal_note",
            {"text": "line one\nline two"},
        ),
        ("Reply to the customer: we are on it", "connectwise.add_customer_note", {"text": "we are on it"}),
        ("set status to in progress", "connectwise.set_ticket_status", {"status_id": 5}),
        ("could you close the ticket?", "connectwise.set_ticket_status", {"status_id": 9}),
        ("classify it as Email / Mailbox", "connectwise.classify_ticket", {"type_id": 3, "subtype_id": 31}),
        ("log 30 minutes: called Jane", "connectwise.add_time_entry", {"minutes": 30, "notes": "called Jane"}),
        ("log 1,5 h", "connectwise.add_time_entry", {"minutes": 90}),
    ],
)
def test_a_plain_request_becomes_the_fitting_proposal(
    session: Session, request_words: str, tool: str, expected: dict[str, object]
) -> None:
    calls = session.say(request_words).tool_calls
    assert [call.name for call in calls] == [tool]
    assert expected.items() <= json.loads(calls[0].arguments_text).items()


def test_after_the_requested_action_its_outcome_is_told_and_nothing_else_done(session: Session) -> None:
    session.say("add a note: called back")
    assert session.step().text.startswith("Done")
    assert not session.replies[-1].tool_calls


def test_after_a_change_its_new_status_is_told_and_not_the_one_read_before(session: Session) -> None:
    session.decide = lambda call: {"status": "ok", "result": {"ticket_id": 48213, "status": "In Progress"}}
    session.say("set status to in progress")
    session.step()
    assert "In Progress" in session.say("what is the status now?").text


def test_a_member_is_looked_up_before_the_ticket_is_assigned(session: Session) -> None:
    assert [call.name for call in session.say("assign it to Theo Brandt").tool_calls] == ["connectwise.list_members"]
    (call,) = session.step().tool_calls
    assert json.loads(call.arguments_text)["member"] == "theo"


def test_a_member_nobody_knows_is_not_guessed(session: Session) -> None:
    session.say("assign the ticket to Zoe")
    reply = session.step()
    assert not reply.tool_calls
    assert "Mara Lind (mara)" in reply.text


def test_a_search_somebody_asks_for_is_made_once_and_told(session: Session) -> None:
    (call,) = session.say("search tickets about toner").tool_calls
    assert json.loads(call.arguments_text)["text"] == "toner"
    reply = session.step()
    assert "2 other tickets found" in reply.text
    assert "#47002" in reply.text
    assert "#48213" not in reply.text
    assert not reply.tool_calls


def test_a_status_the_board_does_not_have_is_not_guessed(session: Session) -> None:
    reply = session.say("set status to Flying")
    assert not reply.tool_calls
    assert "In Progress" in reply.text


def test_only_prepared_it_turns_a_request_down_with_the_way_to_get_it() -> None:
    session = Session(facts={**FACTS, "mode": "prepare"}, tools=READS).run()
    reply = session.say("add a note: hello")
    assert not reply.tool_calls
    assert "Start the agent" in reply.text


def test_stop_halts_the_plan_until_somebody_says_continue() -> None:
    session = Session(decide=deny("connectwise.classify_ticket", "wait"))
    session.step()
    session.step()
    assert not session.say("Stop, I want to look at it first").tool_calls
    assert not session.say("who is the contact?").tool_calls
    assert [call.name for call in session.say("continue").tool_calls] == ["connectwise.add_internal_note"]


def test_a_question_in_between_is_answered_and_the_plan_goes_on() -> None:
    session = Session()
    session.step()
    session.step()
    reply = session.say("who is the contact?")
    assert "Jane Poe" in reply.text
    assert [call.name for call in reply.tool_calls] == ["connectwise.add_internal_note"]


def test_the_reason_of_a_denied_request_is_acknowledged(session: Session) -> None:
    session.decide = deny("connectwise.set_ticket_status", "not yet, wait for Jane")
    session.say("close the ticket")
    assert "not yet, wait for Jane" in session.step().text


@pytest.mark.parametrize(
    "deed",
    [
        "chose “Yes, go on” for “Which contact is it?”.",
        "skipped step 2, “Ask for the status”: they have it.",
        "lets step 2, “Ask for the status”, be tried again.",
        "did step 3, “Read the summary to them”.",
        "handed the run back. Go on with what is open.",
    ],
)
def test_what_somebody_did_with_the_run_is_no_question(session: Session, deed: str) -> None:
    reply = session.say(f"Theo {deed}", name="Theo")
    assert reply.text == "Nothing more to do from my side."
