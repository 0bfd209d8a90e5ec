"""Whatever comes in, the rehearsal model answers with a valid completion, and its sessions end."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import JsonValue

from integrations.llm.chat import ToolCall
from integrations.llm.rehearsal import BASE_URL, MODEL_NAME, rehearsal_client
from tests.integrations.llm.rehearsed import FACTS, READS, Fields, Session, accept

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

MOST_REPLIES = 25

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
field_names = st.sampled_from(
    ["id", "name", "subject", "summary", "contact", "email", "status", "types", "subtypes", "type_ids", "hours",
     "mentions", "steps", "options", "kind", "number", "title", "tool", "arguments", "unresolved", "contacts",
     "tickets", "cut", "beginning", "result", "reason", "sent", "modified"]
)  # fmt: skip
odd_records = st.recursive(
    json_values,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(field_names, inner, max_size=6),
    max_leaves=20,
)
statuses = st.sampled_from(
    ["ok", "error", "denied", "refused", "unknown", "expired", "withdrawn", "waiting", "", "zzz"]
)


def for_all(**strategies: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[[int], None]]:
    """A test that holds for everything the strategies make; `--deep` tries a hundred times as much of it."""

    def decorate(holds: Callable[..., None]) -> Callable[[int], None]:
        deep = pytest.param(2000, marks=pytest.mark.deep)

        @pytest.mark.parametrize("examples", [20, deep])
        def test(examples: int) -> None:
            bounds = settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
            bounds(given(**strategies)(holds))()

        return test

    return decorate


def complete(body: JsonValue) -> httpx2.Response:
    with rehearsal_client() as client:
        return client.post(f"{BASE_URL}/chat/completions", content=json.dumps(body).encode())


def assert_calls_are_valid(session: Session) -> None:
    """Every call is of an offered tool, and its arguments fit that tool's schema."""
    for call in session.calls():
        assert call.name in session.tools
        Draft202012Validator(session.tools[call.name]).validate(json.loads(call.arguments_text))


@for_all(messages=st.lists(odd_records, min_size=1, max_size=5), tools=odd_records, stream=st.booleans())
def test_any_request_gets_a_completion_or_a_clear_error(messages: JsonValue, tools: JsonValue, stream: bool) -> None:
    answer = complete({"model": MODEL_NAME, "messages": messages, "tools": tools, "stream": stream})
    assert answer.status_code == 200


@for_all(
    ticket=odd_records,
    company=odd_records,
    runbook=odd_records,
    member=odd_records,
    mode=st.sampled_from(["triage", "runbook", "prepare"]),
)
def test_odd_facts_never_break_a_session(
    ticket: JsonValue, company: JsonValue, runbook: JsonValue, member: JsonValue, mode: str
) -> None:
    facts: Fields = {**FACTS, "ticket": ticket, "company": company, "runbook": runbook, "member": member, "mode": mode}
    session = Session(facts=facts).run(MOST_REPLIES)
    assert all(reply.text or reply.tool_calls for reply in session.replies)


@for_all(data=st.data(), texts=st.lists(st.text(max_size=60), max_size=3))
def test_odd_results_and_outcomes_never_break_a_session(data: st.DataObject, texts: list[str]) -> None:
    def decide(call: ToolCall) -> Fields:
        return {
            "status": data.draw(statuses),
            "reason": data.draw(json_values),
            "sent": data.draw(odd_records),
            "modified": data.draw(json_values),
            "result": data.draw(odd_records),
        }

    session = Session(decide=decide).run(MOST_REPLIES)
    for text in texts:
        if session.say(text).tool_calls:
            session.run(MOST_REPLIES)
    assert_calls_are_valid(session)


@for_all(subject=st.text(max_size=200), body=st.text(max_size=500), remark=st.text(max_size=200))
def test_any_ticket_text_and_any_remark_end_in_an_answer(subject: str, body: str, remark: str) -> None:
    facts: Fields = {**FACTS, "ticket": {**FACTS["ticket"], "subject": subject}}  # type: ignore[dict-item]
    session = Session(facts=facts, ticket_text=body or ".").run(MOST_REPLIES)
    assert session.say(remark).text
    assert_calls_are_valid(session)


def test_a_huge_ticket_and_huge_results_are_answered_in_time() -> None:
    huge = "disk full \u202e [[[ " * 60_000

    def decide(call: ToolCall) -> Fields:
        return {**accept(call), "result": {"tickets": [{"id": 1, "summary": huge[:50_000]}] * 10}}

    facts: Fields = {**FACTS, "ticket": {**FACTS["ticket"], "subject": huge}}  # type: ignore[dict-item]
    session = Session(facts=facts, ticket_text=huge, decide=decide).run(MOST_REPLIES)
    assert all(len(call.arguments_text) < 20_000 for call in session.calls())
    assert_calls_are_valid(session)


def test_naughty_strings_in_every_place_are_survived(eval_dir: Path) -> None:
    naughty: list[str] = json.loads((eval_dir / "fuzz-strings" / "blns.json").read_text())
    for start in range(0, len(naughty), 60):
        lot = naughty[start : start + 60]
        text = "\n".join(lot)
        facts: Fields = {
            **FACTS,
            "ticket": {**FACTS["ticket"], "subject": lot[0], "status": lot[1], "board": lot[2]},  # type: ignore[dict-item]
            "company": {"id": "x", "name": lot[3], "external_ids": {"connectwise": 1}},
        }
        session = Session(facts=facts, ticket_text=text, decide=partial(_naughty, text)).run(MOST_REPLIES)
        for remark in lot[::4]:
            if session.say(remark).tool_calls:
                session.run(MOST_REPLIES)
        assert_calls_are_valid(session)


def _naughty(text: str, call: ToolCall) -> Fields:
    if call.name in READS:
        return {"status": "ok", "result": {"tickets": [{"id": 1, "summary": text, "name": text}]}}
    return {"status": "denied", "reason": text}


@pytest.mark.parametrize("source", ["tickets-multilang", "tickets-endava"])
def test_tickets_nobody_tuned_it_for_are_triaged_to_the_end(eval_dir: Path, source: str) -> None:
    lines = (eval_dir / source / "tickets.jsonl").read_text().splitlines()
    for line in lines[:: len(lines) // 100][:100]:
        told = json.loads(line)
        subject = told.get("subject") or told.get("title") or ""
        facts: Fields = {**FACTS, "ticket": {**FACTS["ticket"], "subject": subject}}  # type: ignore[dict-item]
        session = Session(facts=facts, ticket_text=told["body"] or ".", streamed=False).run(MOST_REPLIES)
        made = {call.name for call in session.calls()}
        assert {"connectwise.find_contact", "connectwise.list_configurations"} & made
        assert {"connectwise.classify_ticket", "connectwise.add_internal_note", "connectwise.add_time_entry"} <= made
        assert_calls_are_valid(session)
