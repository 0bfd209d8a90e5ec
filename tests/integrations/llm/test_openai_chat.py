"""The adapter against a real server on loopback that follows a script."""

import json
import socket
import time
from collections.abc import Iterator

import httpx2
import pytest

from integrations.llm.chat import (
    AmbiguousToolNames,
    ChatMessage,
    ModelNonsense,
    ModelOverBudget,
    ModelRefused,
    ModelReply,
    ModelUnavailable,
    ToolCall,
    ToolSpec,
    names_by_wire,
    wire_name,
)
from integrations.llm.openai_chat import OpenAIChatModel
from integrations.llm.strict import DuplicateKey, strict_json
from tests.scripted_model import Asks, Cuts, Fails, Hangs, RefusesStreaming, Says, ScriptedModel, Sends

pytestmark = pytest.mark.timeout(60)

NOTE = ToolSpec("connectwise.add_internal_note", "Add a note", {"type": "object", "properties": {}})
READ = ToolSpec("connectwise.get_ticket", "Read a ticket", {"type": "object", "properties": {}})
ASKED = [ChatMessage("system", "You triage."), ChatMessage("user", "Hello")]


@pytest.fixture
def http_client() -> Iterator[httpx2.Client]:
    with httpx2.Client(trust_env=False) as client:
        yield client


def ask(
    server: ScriptedModel,
    client: httpx2.Client,
    *,
    messages: list[ChatMessage] | None = None,
    pieces: list[str] | None = None,
    seconds: float = 20,
    retries: int = 2,
) -> ModelReply:
    """One completion; streamed into `pieces` if it is given."""
    model = OpenAIChatModel(
        base_url=server.base_url, api_key=server.key, model=server.model, http_client=client, retries=retries
    )
    return model.complete(
        messages or ASKED,
        [NOTE, READ],
        on_delta=None if pieces is None else pieces.append,
        deadline_seconds=seconds,
    )


@pytest.fixture(params=["whole", "streamed"])
def pieces(request: pytest.FixtureRequest) -> list[str] | None:
    return [] if request.param == "streamed" else None


def test_an_answer_comes_back_with_its_text_and_usage(http_client: httpx2.Client, pieces: list[str] | None) -> None:
    with ScriptedModel(Says("Grüße, the disk is full. 💾")) as server:
        reply = ask(server, http_client, pieces=pieces)
    assert (reply.text, reply.finish_reason, reply.aborted) == ("Grüße, the disk is full. 💾", "stop", False)
    assert (reply.tokens_in, reply.tokens_out, reply.usage_estimated) == (100, 20, False)
    assert pieces is None or "".join(pieces) == reply.text


def test_streamed_text_arrives_piece_by_piece(http_client: httpx2.Client) -> None:
    pieces: list[str] = []
    with ScriptedModel(Says("one two three four five six")) as server:
        ask(server, http_client, pieces=pieces)
    assert len(pieces) > 2


def test_parallel_calls_are_put_together_each_from_its_own_pieces(
    http_client: httpx2.Client, pieces: list[str] | None
) -> None:
    first, second = {"ticket_id": 48213}, {"text": "Line one\nLine “two”", "ticket_id": 7}
    with ScriptedModel(Says(calls=[Asks(READ.name, first), Asks(NOTE.name, second)])) as server:
        reply = ask(server, http_client, pieces=pieces)
    assert [call.name for call in reply.tool_calls] == [READ.name, NOTE.name]
    assert [json.loads(call.arguments_text) for call in reply.tool_calls] == [first, second]
    assert reply.finish_reason == "tool_calls"


def test_the_dot_of_a_tool_name_is_two_underscores_on_the_wire(http_client: httpx2.Client) -> None:
    history = [
        *ASKED,
        ChatMessage("assistant", "", (ToolCall("1", NOTE.name, '{"text":"x"}'),)),
        ChatMessage("tool", "{}", tool_call_id="1"),
    ]
    with ScriptedModel(Says("ok")) as server:
        ask(server, http_client, messages=history)
        body = json.dumps(server.requests[0].body)
    assert "connectwise__add_internal_note" in body
    assert "connectwise.add_internal_note" not in body


def test_a_tool_nobody_offered_keeps_the_name_it_came_with(
    http_client: httpx2.Client, pieces: list[str] | None
) -> None:
    with ScriptedModel(Says(calls=[Asks("connectwise__Add_Internal_Note"), Asks("evil")])) as server:
        reply = ask(server, http_client, pieces=pieces)
    assert [call.name for call in reply.tool_calls] == ["connectwise__Add_Internal_Note", "evil"]


@pytest.mark.parametrize("written", ['{"ticket_id": 1', "not json", '{"ticket_id": 1, "ticket_id": 2}', "[1]"])
def test_malformed_arguments_are_passed_on_as_they_came(
    http_client: httpx2.Client, pieces: list[str] | None, written: str
) -> None:
    with ScriptedModel(Says(calls=[Asks(READ.name, written)])) as server:
        reply = ask(server, http_client, pieces=pieces)
    assert reply.tool_calls[0].arguments_text == written


def test_arguments_with_a_key_twice_are_seen_to_be_so(http_client: httpx2.Client) -> None:
    with ScriptedModel(Says(calls=[Asks(READ.name, '{"ticket_id": 1, "ticket_id": 2}')])) as server:
        reply = ask(server, http_client)
    with pytest.raises(DuplicateKey, match="ticket_id"):
        strict_json(reply.tool_calls[0].arguments_text)


def test_malformed_arguments_of_the_past_are_sent_back_as_json_that_servers_can_parse(
    http_client: httpx2.Client,
) -> None:
    history = [
        *ASKED,
        ChatMessage("assistant", "", (ToolCall("1", "odd name!", "{broken"),)),
        ChatMessage("tool", "{}", tool_call_id="1"),
    ]
    with ScriptedModel(Says("ok")) as server:
        ask(server, http_client, messages=history)
        call = server.requests[0].messages[2]["tool_calls"][0]["function"]  # type: ignore[index,call-overload]
    assert call == {"name": "odd_name_", "arguments": '{"malformed": "{broken"}'}


def test_ids_that_repeat_or_are_missing_are_replaced(http_client: httpx2.Client, pieces: list[str] | None) -> None:
    history = [
        *ASKED,
        ChatMessage("assistant", "", (ToolCall("call_0", READ.name, "{}"),)),
        ChatMessage("tool", "{}", tool_call_id="call_0"),
    ]
    with ScriptedModel(Says(calls=[Asks(READ.name), Asks(READ.name, id="same"), Asks(READ.name, id="same")])) as server:
        reply = ask(server, http_client, messages=history, pieces=pieces)
    ids = [call.id for call in reply.tool_calls]
    assert len({*ids, "call_0"}) == len(reply.tool_calls) + 1


def test_half_a_surrogate_in_a_message_is_replaced_and_sent(http_client: httpx2.Client) -> None:
    with ScriptedModel(Says("ok")) as server:
        ask(server, http_client, messages=[ChatMessage("user", "bad \ud800 text")])
        assert server.requests[0].messages[0]["content"] == "bad ? text"


def test_tokens_are_estimated_when_the_server_reports_none(
    http_client: httpx2.Client, pieces: list[str] | None
) -> None:
    words = "four words are here"
    with ScriptedModel(Says(words, usage=False), Says(words, tokens=(0, 0))) as server:
        replies = [ask(server, http_client, pieces=pieces), ask(server, http_client, pieces=pieces)]
    assert all(reply.usage_estimated and reply.tokens_in > 0 and reply.tokens_out > 0 for reply in replies)


def test_a_server_that_cannot_stream_is_asked_for_the_whole_answer(http_client: httpx2.Client) -> None:
    pieces: list[str] = []
    with ScriptedModel(RefusesStreaming(then=Says("whole"))) as server:
        reply = ask(server, http_client, pieces=pieces)
        asked = [request.body.get("stream") for request in server.requests]
    assert (reply.text, pieces) == ("whole", ["whole"])
    assert not asked[-1]


def test_a_server_that_ignores_the_wish_to_stream_is_understood(http_client: httpx2.Client) -> None:
    pieces: list[str] = []
    body = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "plain"}, "finish_reason": "stop"}]}
    with ScriptedModel(Sends(json.dumps(body))) as server:
        assert ask(server, http_client, pieces=pieces).text == "plain"
    assert pieces == ["plain"]


def test_a_broken_server_is_asked_again(http_client: httpx2.Client, pieces: list[str] | None) -> None:
    with ScriptedModel(Fails(500), Fails(503), Says("back")) as server:
        assert ask(server, http_client, pieces=pieces).text == "back"
        assert len(server.requests) == 3


def test_retries_end_with_a_message_that_says_what_to_do(http_client: httpx2.Client) -> None:
    with (
        ScriptedModel(
            Fails(500, headers={"retry-after-ms": "1"}), Fails(502, headers={"retry-after-ms": "1"})
        ) as server,
        pytest.raises(ModelUnavailable, match=r"502.*later"),
    ):
        ask(server, http_client, retries=1)


def test_a_limit_is_waited_out_as_long_as_the_server_says(http_client: httpx2.Client) -> None:
    with ScriptedModel(Fails(429, headers={"retry-after": "1"}), Says("now")) as server:
        begun = time.monotonic()
        assert ask(server, http_client).text == "now"
    assert time.monotonic() - begun >= 1


def test_a_wait_that_would_pass_the_deadline_is_not_begun(http_client: httpx2.Client) -> None:
    with ScriptedModel(Fails(429, headers={"retry-after": "60"}), Says("never")) as server:
        begun = time.monotonic()
        with pytest.raises(ModelUnavailable, match="429"):
            ask(server, http_client, seconds=5)
    assert time.monotonic() - begun < 2


def test_a_silent_server_is_given_up_at_the_deadline(http_client: httpx2.Client, pieces: list[str] | None) -> None:
    with ScriptedModel(Hangs(30)) as server:
        begun = time.monotonic()
        with pytest.raises(ModelUnavailable, match="in time"):
            ask(server, http_client, pieces=pieces, seconds=1)
    assert time.monotonic() - begun < 5


def test_a_server_that_trickles_is_cut_off_at_the_deadline(http_client: httpx2.Client) -> None:
    pieces: list[str] = []
    with ScriptedModel(Says("word " * 500, piece_seconds=0.1)) as server:
        begun = time.monotonic()
        reply = ask(server, http_client, pieces=pieces, seconds=1)
    assert time.monotonic() - begun < 5
    assert reply.aborted
    assert reply.text.startswith("word")


def test_nobody_at_the_address_is_said_so(http_client: httpx2.Client) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        model = OpenAIChatModel(base_url=url, api_key="k", model="m", http_client=http_client, retries=0)
        with pytest.raises(ModelUnavailable, match="JUNTO_LLM_BASE_URL"):
            model.complete(ASKED, [], deadline_seconds=5)


def test_a_stream_that_breaks_off_keeps_its_text_and_drops_its_calls(http_client: httpx2.Client) -> None:
    pieces: list[str] = []
    with ScriptedModel(Cuts("I will add a note.", [Asks(NOTE.name, {"text": "half"})])) as server:
        reply = ask(server, http_client, pieces=pieces)
        assert len(server.requests) == 1
    assert reply.aborted
    assert "".join(pieces) == reply.text == "I will add a note."
    assert reply.tool_calls == ()


def test_a_stream_that_breaks_off_before_any_word_is_asked_again(http_client: httpx2.Client) -> None:
    with ScriptedModel(Cuts(""), Says("whole this time")) as server:
        assert ask(server, http_client, pieces=[]).text == "whole this time"


@pytest.mark.parametrize(
    "body",
    ["<html><body>Sign in</body></html>", "", "{", "[]", '"text"', '{"choices": []}', '{"choices": [{"index": 0}]}',
     '{"object": "list", "data": []}', '{"choices": [{"index": 0, "message": {"role": "assistant", "content": ""}}]}',
     '{"choices": "none"}', '{"choices": [{"message": {"tool_calls": [{"function": 1}]}}]}'],
)  # fmt: skip
def test_nonsense_is_named_as_such(http_client: httpx2.Client, pieces: list[str] | None, body: str) -> None:
    kind = "text/html" if body.startswith("<") else "application/json"
    with ScriptedModel(Sends(body, kind)) as server, pytest.raises(ModelNonsense, match="OpenAI-compatible"):
        ask(server, http_client, pieces=pieces)


@pytest.mark.parametrize(
    "body", ["data: {broken\n\n", "data: <html>\n\n", ": only a comment\n\n", "data: [DONE]\n\n", "hello"]
)
def test_a_nonsensical_stream_is_named_as_such(http_client: httpx2.Client, body: str) -> None:
    with ScriptedModel(Sends(body, "text/event-stream")) as server, pytest.raises(ModelNonsense):
        ask(server, http_client, pieces=[])


def test_an_error_in_the_middle_of_a_stream_before_any_word_is_asked_again(http_client: httpx2.Client) -> None:
    failing = Sends('data: {"error": {"message": "overloaded"}}\n\n', "text/event-stream")
    with ScriptedModel(failing, Says("fine")) as server:
        assert ask(server, http_client, pieces=[]).text == "fine"


@pytest.mark.parametrize(
    ("status", "message", "error", "advice"),
    [
        (401, "bad key", ModelRefused, "JUNTO_LLM_API_KEY"),
        (403, "no right", ModelRefused, "JUNTO_LLM_API_KEY"),
        (404, "no such model", ModelRefused, "JUNTO_LLM_MODEL"),
        (400, "This model's maximum context length is 8192 tokens", ModelOverBudget, "shortened"),
        (413, "too large", ModelOverBudget, "shortened"),
        (400, "tools are not supported", ModelRefused, "call tools"),
        (429, "You exceeded your current quota", ModelRefused, "credit"),
    ],
)
def test_a_no_is_explained_and_not_asked_again(
    http_client: httpx2.Client, status: int, message: str, error: type[Exception], advice: str
) -> None:
    with ScriptedModel(Fails(status, message)) as server:
        with pytest.raises(error, match=advice):
            ask(server, http_client)
        assert len(server.requests) == 1


def test_a_redirect_is_not_followed(http_client: httpx2.Client) -> None:
    elsewhere = {"location": "http://127.0.0.1:9/v1/chat/completions"}
    with ScriptedModel(Fails(302, headers=elsewhere)) as server, pytest.raises(ModelRefused, match="302"):
        ask(server, http_client)


def test_a_key_that_the_server_echoes_is_not_repeated(http_client: httpx2.Client) -> None:
    with (
        ScriptedModel(Fails(401, f"no account for {ScriptedModel.key}")) as server,
        pytest.raises(ModelRefused) as caught,
    ):
        ask(server, http_client)
    assert ScriptedModel.key not in str(caught.value)


def test_keys_of_the_machine_are_not_sent_anywhere(http_client: httpx2.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "machine-key")
    monkeypatch.setenv("OPENAI_ORG_ID", "machine-organization")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "Authorization: Bearer machine-key")
    with ScriptedModel(Says("ok")) as server:
        ask(server, http_client)
        assert "machine" not in str(server.requests[0].headers)


def test_what_the_listener_raises_ends_the_request_and_reaches_the_caller(http_client: httpx2.Client) -> None:
    class Stopped(Exception):
        pass

    def stop(_: str) -> None:
        raise Stopped

    with ScriptedModel(Says("a long answer " * 50)) as server:
        model = OpenAIChatModel(
            base_url=server.base_url, api_key=server.key, model=server.model, http_client=http_client
        )
        with pytest.raises(Stopped):
            model.complete(ASKED, [], on_delta=stop, deadline_seconds=10)


@pytest.mark.parametrize(("key", "model"), [("k", ""), ("two words", "m"), ("schlüssel", "m")])
def test_settings_that_can_never_work_are_refused_at_once(http_client: httpx2.Client, key: str, model: str) -> None:
    with pytest.raises(ModelRefused, match="JUNTO_LLM"):
        OpenAIChatModel(base_url="http://127.0.0.1:9/v1", api_key=key, model=model, http_client=http_client)


def test_calls_that_all_bear_index_zero_are_told_apart_by_their_ids(http_client: httpx2.Client) -> None:
    def chunk(call_id: str, name: str, arguments: str) -> str:
        function = {"name": name, "arguments": arguments}
        call = {"index": 0, "id": call_id, "type": "function", "function": function}
        return "data: " + json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}) + "\n\n"

    body = chunk("a", "connectwise__get_ticket", '{"ticket_id": 1}') + chunk(
        "b", "connectwise__get_ticket", '{"ticket_id": 2}'
    )
    with ScriptedModel(Sends(body + "data: [DONE]\n\n", "text/event-stream")) as server:
        reply = ask(server, http_client, pieces=[])
    assert [call.arguments_text for call in reply.tool_calls] == ['{"ticket_id": 1}', '{"ticket_id": 2}']


def test_names_that_are_too_long_for_the_wire_stay_distinct() -> None:
    long_names = [f"mcp.{'x' * 80}_{end}" for end in "ab"]
    assert all(len(wire_name(name)) <= 64 for name in long_names)
    assert list(names_by_wire(long_names).values()) == long_names


def test_two_tools_with_one_name_on_the_wire_are_refused() -> None:
    with pytest.raises(AmbiguousToolNames):
        names_by_wire(["a.b", "a__b"])
