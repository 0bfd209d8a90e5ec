"""The door of the MCP server: who is turned away, and how a program hears of it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client, override_settings
from django.utils import timezone
from mcp.shared.exceptions import MCPError

from junto.team.models import ApiToken
from junto.team.services import limit_to_companies
from junto.team.tokens import revoke_token
from tests.cases import JuntoTestCase
from tests.desk.mcp_client import NEW, OLD, talk

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


class DoorTests(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.secret = self.token(self.adam, "signals:read")

    def post(self, body: object = LIST, *, slug: str = "northwind", secret: str | None = None, **headers: str) -> Any:
        token = self.secret if secret is None else secret
        return Client().post(
            f"/api/v1/{slug}/mcp",
            data=body if isinstance(body, str) else json.dumps(body),
            content_type="application/json",
            headers={
                "Accept": "application/json, text/event-stream",
                **({"Authorization": f"Bearer {token}"} if token else {}),
                **headers,
            },
        )

    def problem(self, answer: Any, status: int) -> str:
        assert (answer.status_code, answer["Content-Type"]) == (status, "application/json"), answer.content
        error = answer.json()["error"]
        assert (error["data"]["status"], error["data"]["detail"]) == (status, error["message"])
        words: str = error["message"]
        return words

    def call(self, name: str, arguments: object, **more: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        return self.post(body, **more).json()["result"]

    def test_a_good_token_is_answered_and_nothing_is_kept_of_it(self) -> None:
        answer = self.post()
        assert answer.status_code == 200, answer.content
        assert [tool["name"] for tool in answer.json()["result"]["tools"]] == ["search_signals", "read_signal"]
        assert (answer["Cache-Control"], "mcp-session-id" in answer) == ("no-store", False)
        assert answer["RateLimit"].startswith('"write";r=')
        assert ApiToken.objects.for_organization(self.northwind).get().last_used_at is not None

    def test_each_bad_token_is_a_401_that_says_why(self) -> None:
        assert "Send an API token" in self.problem(self.post(secret=""), 401)
        assert "not known" in self.problem(self.post(secret="jt_madeup"), 401)
        revoke_token(actor=self.actor(self.adam), token=ApiToken.objects.for_organization(self.northwind).get())
        answer = self.post()
        assert "revoked" in self.problem(answer, 401)
        assert answer["WWW-Authenticate"].startswith("Bearer")

    def test_the_sdks_client_shows_whoever_uses_it_why(self) -> None:
        for speaks in (OLD, NEW):
            with pytest.raises(BaseExceptionGroup) as caught:
                talk("jt_madeup", lambda client: client.list_tools(), speaks)
            error: BaseException = caught.value
            while isinstance(error, BaseExceptionGroup):
                [error] = error.exceptions
            assert (type(error), str(error)) == (MCPError, "This API token is not known.")

    def test_an_expired_token_and_one_whose_maker_was_limited_to_a_company_end(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.adam, all_companies=False, companies=[self.harlow]
        )
        assert "may no longer do so" in self.problem(self.post(), 401)
        ApiToken.objects.for_organization(self.northwind).update(expires_at=timezone.now() - timedelta(days=1))
        assert "expired" in self.problem(self.post(), 401)

    def test_another_organization_is_a_404_and_a_token_without_a_scope_for_it_a_403(self) -> None:
        for slug in ("southgate", "nowhere"):
            self.problem(self.post(slug=slug), 404)
        words = self.problem(self.post(secret=self.token(self.adam, "signals:write", "audit:read")), 403)
        assert "actions:propose" in words

    def test_a_tool_of_another_scope_and_one_that_is_not_there_are_told(self) -> None:
        lacking = self.call("propose_action", {})
        assert lacking["isError"]
        assert "needs the scope actions:propose" in lacking["content"][0]["text"]
        for name in ("approve_action", "x" * 500, "search_signals\u202e"):
            nowhere = self.call(name, {})
            assert nowhere["isError"]
            assert "This API token may use: search_signals, read_signal." in nowhere["content"][0]["text"]
            assert len(nowhere["content"][0]["text"]) < 300

    def test_arguments_that_cannot_be_are_told_by_their_names(self) -> None:
        cases: list[tuple[dict[str, object], str]] = [
            ({"query": 5}, "`query` must be text"),
            ({"query": "x" * 201}, "`query` is too long"),
            ({"company": "harlow"}, "`company` must be one of Junto's ids"),
            ({"limit": 0}, "`limit` must be at least 1"),
            ({"updated_since": "yesterday"}, "`updated_since`"),
            ({"updated_since": "9999-12-31T23:59:59-14:00"}, "`updated_since`"),
            ({"cursor": "2026-11-21T09:00:00Z"}, "`cursor` is none"),
            ({"organization": "southgate"}, "`organization` is nothing that this tool takes"),
        ]
        for arguments, words in cases:
            answer = self.call("search_signals", arguments)
            assert answer["isError"], arguments
            assert words in answer["content"][0]["text"], answer
        assert not self.call("search_signals", {"query": "a\x00b", "board": "\x00"})["isError"]

    def test_another_sites_page_is_turned_away_and_our_own_is_not(self) -> None:
        for origin in ("https://evil.example", "null", "http://testserver.evil.example"):
            assert "another site" in self.problem(self.post(Origin=origin), 403)
        assert self.post(Origin="http://testserver").status_code == 200
        assert self.post(Host="evil.example").status_code == 400

    def test_what_is_no_message_is_an_error_of_the_protocol(self) -> None:
        for body in ("", "{", "[]", "5", json.dumps([LIST, LIST]), '{"jsonrpc": "2.0"}', '{"id": NaN}'):
            answer = self.post(body)
            assert 400 <= answer.status_code < 500, body
        torn = {"name": "search_signals", "arguments": {"query": "\ud800"}}
        assert self.post({**LIST, "method": "tools/call", "params": torn}).status_code == 400
        unknown = self.post({**LIST, "method": "actions/approve"})
        assert unknown.json()["error"]["code"] == -32601
        deep = '{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": ' + "[" * 5_000 + "]" * 5_000 + "}"
        assert 400 <= self.post(deep).status_code < 500

    def test_a_message_larger_than_any_call_is_a_413(self) -> None:
        assert "shorten" in self.problem(self.post(json.dumps(LIST) + " " * 1024 * 1024), 413)

    def test_only_post_is_there(self) -> None:
        for method in ("get", "delete", "put"):
            ask = getattr(Client(), method)
            answer = ask(
                "/api/v1/northwind/mcp",
                headers={"Authorization": f"Bearer {self.secret}", "Accept": "application/json, text/event-stream"},
            )
            assert answer.status_code == 405, method

    @override_settings(API_PER_MINUTE={"read": 2, "write": 2})
    def test_too_many_messages_are_a_429_that_says_when_there_are_more(self) -> None:
        answers = [self.post() for _ in range(6)]
        refused = [answer for answer in answers if answer.status_code == 429]
        assert refused
        assert "in this minute" in self.problem(refused[0], 429)
        assert 0 < int(refused[0]["Retry-After"]) <= 60
