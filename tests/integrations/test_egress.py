"""The egress gate: what leaves, what does not, and what becomes of wrong answers."""

from __future__ import annotations

import json
import socket
import traceback
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from integrations.connectwise import endpoints
from integrations.connectwise.schemas import ErrorBody
from integrations.errors import (
    AddressRefused,
    EgressRefused,
    OutcomeUnknown,
    VendorDown,
    VendorError,
    VendorRefused,
    VendorUnauthorized,
    WarrantRefused,
)
from integrations.http import (
    GuardedAdapter,
    VendorSession,
)
from integrations.llm.transport import MODEL_ENDPOINTS, model_http_client
from integrations.mcp.endpoints import SIGN_IN
from integrations.vendors import MCP, VENDORS
from integrations.warrants import Endpoint, Traffic, classify
from tests.integrations.egress import NOTES, SECRET, TICKETS, granted, session_to
from tests.integrations.rogue import raw, rogue_server, says


class TestWarrants:
    def test_a_write_without_a_warrant_never_leaves(self, settings: Settings) -> None:
        with session_to(settings, says("200 OK", b"{}")) as (session, rogue, _):
            for method, path in (
                ("POST", TICKETS),
                ("PATCH", f"{TICKETS}/1"),
                ("POST", NOTES),
                ("POST", "/time/entries"),
            ):
                with pytest.raises(WarrantRefused):
                    session.send(method, path, body={})

            assert rogue.requests == []

    @pytest.mark.parametrize(
        "method_and_path",
        [
            ("DELETE", "/service/tickets/1"),
            ("PUT", "/service/tickets/1"),
            ("POST", "/system/callbacks"),
            ("GET", "/system/audittrail"),
            ("GET", "/service/tickets/1/../../../system/info"),
            ("GET", "/service/tickets/1%2fnotes"),
            ("GET", "/service//tickets"),
            ("GET", "/service/tickets/"),
            ("GET", "/Service/Tickets"),
            ("GET", "/service/tickets/1;x"),
        ],
    )
    def test_a_request_that_no_table_lists_never_leaves_even_with_a_warrant(
        self, settings: Settings, method_and_path: tuple[str, str]
    ) -> None:
        with session_to(settings, says("200 OK", b"[]"), **granted()) as (session, rogue, _):
            with pytest.raises(EgressRefused):
                session.send(*method_and_path)

            assert rogue.requests == []

    @pytest.mark.parametrize(
        "changes",
        [
            {"digest": "e" * 64},
            {"tool_pin": "q" * 64},
            {"deadline": datetime.now(UTC) - timedelta(seconds=1)},
        ],
    )
    def test_a_warrant_that_does_not_fit_lets_nothing_out(self, settings: Settings, changes: dict[str, Any]) -> None:
        with session_to(settings, says("201 Created", b"{}"), **granted(**changes)) as (session, rogue, _):
            with pytest.raises(WarrantRefused):
                session.send("POST", NOTES, body={})

            assert rogue.requests == []

    def test_an_errand_without_digest_or_pin_fits_no_warrant(self, settings: Settings) -> None:
        warrant = granted(digest="", tool_pin="")["warrant"]
        with session_to(settings, says("201 Created", b"{}"), warrant=warrant) as (session, rogue, _):
            with pytest.raises(WarrantRefused):
                session.send("POST", NOTES, body={})

            assert rogue.requests == []

    def test_a_warrant_lets_out_one_write_and_no_second(self, settings: Settings) -> None:
        with session_to(settings, says("201 Created", b"{}"), **granted()) as (session, rogue, _):
            session.send("POST", NOTES, body={})
            with pytest.raises(WarrantRefused, match="second write"):
                session.send("POST", NOTES, body={})

            assert len(rogue.requests) == 1

    def test_a_tool_reaches_only_the_requests_it_declares(self, settings: Settings) -> None:
        declared = frozenset({endpoints.CREATE_NOTE})
        with session_to(settings, says("201 Created", b"{}"), endpoints=declared, **granted()) as (session, rogue, _):
            for method, path in (("POST", "/time/entries"), ("GET", TICKETS)):
                with pytest.raises(WarrantRefused):
                    session.send(method, path, body={} if method == "POST" else None)

            assert rogue.requests == []

    def test_every_control_request_is_listed_here(self) -> None:
        tables = [
            MODEL_ENDPOINTS,
            SIGN_IN,
            *(vendor.module("endpoints").ENDPOINTS for vendor in (*VENDORS.values(), MCP)),
        ]
        control = {(one.method, one.template) for table in tables for one in table if one.traffic is Traffic.CONTROL}

        assert control == {
            ("POST", "/chat/completions"),
            ("GET", "/models"),
            ("POST", "/ws/oauth/token"),
            ("POST", "/api/v2/oauth2/token"),
            ("POST", "/v1/token"),
            ("GET", "/whoami/v1"),
            ("POST", "/{tenant}/oauth2/v2.0/token"),
            ("POST", "/system/callbacks"),
            ("DELETE", "/system/callbacks/{id}"),
            ("PUT", "/v2/webhook"),
            ("DELETE", "/v2/webhook"),
            ("POST", "/initialize"),
            ("POST", "/server/discover"),
            ("POST", "/notifications/initialized"),
            ("POST", "/notifications/cancelled"),
            ("POST", "/answer"),
            ("DELETE", "/session"),
            ("GET", "/metadata"),
            ("POST", "/register"),
            ("POST", "/token"),
        }

    def test_every_vendor_request_that_is_no_get_counts_as_a_write_but_dry_runs_by_their_whole_query(self) -> None:
        dry = set()
        for vendor in VENDORS.values():
            for endpoint in vendor.module("endpoints").ENDPOINTS:
                if endpoint.traffic is Traffic.READ and endpoint.method != "GET":
                    dry.add((endpoint.method, endpoint.template, endpoint.query))
                elif endpoint.traffic is not Traffic.CONTROL:
                    assert (endpoint.traffic is Traffic.READ) == (endpoint.method == "GET")

        assert dry == {("POST", "/v1/orders", (("isMock", "true"),))}

    @pytest.mark.parametrize(
        "query",
        ["", "isMock=false", "isMock=True", "ismock=true", "isMock=true&isMock=false", "isMock=true&x=1", "a=b"],
    )
    def test_a_dry_run_with_any_other_query_is_the_write_itself(self, query: str) -> None:
        dry = Endpoint(Traffic.READ, "POST", "/v1/orders", query=(("isMock", "true"),))
        real = Endpoint(Traffic.WRITE, "POST", "/v1/orders")
        for table in ([dry, real], [real, dry]):
            assert classify(table, method="POST", path="/v1/orders", query=[("isMock", "true")]) is dry
            assert classify(table, method="POST", path="/v1/orders", query=parse_qsl(query)) is real
        assert classify([dry], method="POST", path="/v1/orders", query=parse_qsl(query)) is None

    @given(st.text(min_size=1, max_size=20))
    def test_no_text_in_a_placeholder_makes_another_path(self, text: str) -> None:
        endpoint = Endpoint(Traffic.READ, "GET", "/service/tickets/{id}")
        try:
            path = endpoint.path(id=text)
        except ValueError:
            assert not endpoint.matches("GET", f"/service/tickets/{text}")
        else:
            assert path.count("/") == 3
            assert classify([endpoint], method="GET", path=path) is endpoint


class TestWrites:
    @pytest.mark.parametrize("status", ["500 Error", "502 Bad Gateway", "504 Gateway Timeout", "503 Busy", "302 Found"])
    def test_an_indefinite_status_leaves_the_outcome_unknown(self, settings: Settings, status: str) -> None:
        with session_to(settings, says(status, b"{}"), **granted()) as (session, rogue, errand):
            with pytest.raises(OutcomeUnknown):
                session.send("POST", NOTES, body={})

            assert len(rogue.requests) == 1
            assert errand.effect_possible

    @pytest.mark.parametrize(
        "answer", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 50\r\n\r\n{", b"nonsense\r\n\r\n"]
    )
    def test_a_broken_answer_leaves_the_outcome_unknown(self, settings: Settings, answer: bytes) -> None:
        with session_to(settings, raw(answer), **granted()) as (session, rogue, _):
            with pytest.raises(OutcomeUnknown):
                session.send("POST", NOTES, body={})

            assert len(rogue.requests) == 1

    def test_html_in_place_of_the_receipt_leaves_the_outcome_unknown(self, settings: Settings) -> None:
        with (
            session_to(settings, says("200 OK", b"<html>Welcome</html>"), **granted()) as (session, _, _errand),
            pytest.raises(OutcomeUnknown),
        ):
            session.send("POST", NOTES, body={})

    @pytest.mark.parametrize("status", ["400 Bad Request", "401 No", "403 No", "404 No", "409 No", "412 No", "429 No"])
    def test_a_definite_no_is_a_failure_and_not_tried_again(self, settings: Settings, status: str) -> None:
        with session_to(settings, says(status, b"{}", Retry_After="0"), **granted()) as (session, rogue, errand):
            with pytest.raises(VendorError) as failure:
                session.send("POST", NOTES, body={})

            assert not isinstance(failure.value, OutcomeUnknown)
            assert not errand.effect_possible
            assert len(rogue.requests) == 1

    def test_a_server_that_nobody_listens_at_is_a_failure_for_certain(self, settings: Settings) -> None:
        with session_to(settings, says("200 OK"), **granted()) as (_session, rogue, errand):
            with socket.create_server(("127.0.0.1", 0)) as closed:
                port = closed.getsockname()[1]
            settings.LOCAL_TARGETS = frozenset({("127.0.0.1", port)})
            dead = VendorSession(
                label="ConnectWise PSA",
                base_url=f"http://127.0.0.1:{port}/v4_6_release/apis/3.0",
                endpoints=endpoints.ENDPOINTS,
                errand=errand,
                headers={},
                secrets=(),
                explain=ErrorBody.words,
                lane="dead",
            )
            with pytest.raises(VendorDown, match="nothing answers") as failure:
                dead.send("POST", NOTES, body={})

            assert not failure.value.sent
            assert not errand.effect_possible
            assert rogue.requests == []

    def test_the_transport_itself_never_tries_again(self) -> None:
        assert GuardedAdapter().max_retries.total == 0


class TestSecrets:
    @pytest.mark.parametrize("status", ["400 No", "401 No", "403 No", "404 No", "409 No", "429 No", "500 No"])
    def test_an_error_that_echoes_the_key_reaches_nobody_with_it(self, settings: Settings, status: str) -> None:
        body = json.dumps({"message": f"bad key {SECRET}", "errors": [{"message": SECRET, "field": SECRET}]}).encode()
        with session_to(settings, says(status, body)) as (session, _, errand):
            with pytest.raises(VendorError) as failure:
                session.send("GET", TICKETS)

            seen = [repr(failure.value), repr(session), repr(errand), *traceback.format_exception(failure.value)]
            assert SECRET not in " ".join(seen)
            assert "[removed]" in str(failure.value)

    def test_the_vendors_own_words_are_told(self, settings: Settings) -> None:
        body = json.dumps({"code": "InvalidObject", "message": "ticket object is invalid"}).encode()
        with (
            session_to(settings, says("400 Bad Request", body)) as (session, _, _errand),
            pytest.raises(VendorRefused, match="ticket object is invalid"),
        ):
            session.send("GET", TICKETS)

    def test_an_empty_or_html_401_is_still_a_401(self, settings: Settings) -> None:
        for body in (b"", b"<html>Login</html>"):
            with (
                session_to(settings, says("401 Unauthorized", body)) as (session, _, _errand),
                pytest.raises(VendorUnauthorized),
            ):
                session.send("GET", TICKETS)


class TestModelClient:
    def test_a_conversation_reaches_the_models_server_and_nothing_else_does(self, settings: Settings) -> None:
        with rogue_server(says("200 OK", b"{}")) as rogue, rogue_server(says("200 OK", b"{}")) as other:
            settings.LOCAL_TARGETS = frozenset({("127.0.0.1", rogue.port), ("127.0.0.1", other.port)})
            with model_http_client(rogue.base_url) as client:
                assert client.post(f"{rogue.base_url}/chat/completions", json={}).status_code == 200
                for method, url in (
                    ("POST", f"{rogue.base_url}/files"),
                    ("DELETE", f"{rogue.base_url}/models"),
                    ("POST", f"http://127.0.0.1:{rogue.port}/chat/completions"),
                    ("POST", f"{other.base_url}/chat/completions"),
                ):
                    with pytest.raises(httpx2.UnsupportedProtocol):
                        client.request(method, url)

            assert len(rogue.requests) == 1
            assert other.requests == []

    def test_a_model_at_a_forbidden_address_is_refused(self, settings: Settings) -> None:
        settings.LOCAL_TARGETS = frozenset()

        for address in ("http://127.0.0.1:11434/v1", "https://169.254.169.254/v1"):
            with pytest.raises(AddressRefused):
                model_http_client(address)
        with model_http_client("https://localhost/v1") as client, pytest.raises(httpx2.ConnectError):
            client.post("https://localhost/v1/chat/completions", json={})
