"""The egress gate on reading: what is asked again, what is cut short, and what becomes of wrong answers."""

from __future__ import annotations

import gzip
import os
import socket
import time

import pytest
from pytest_django import Settings

from integrations.errors import (
    VendorDown,
    VendorGarbled,
    VendorThrottled,
    VendorTimeout,
)
from integrations.http import (
    LARGEST_ANSWER,
    READ_RETRIES,
)
from integrations.llm.transport import model_http_client
from tests.integrations.egress import TICKETS, session_to
from tests.integrations.rogue import raw, rogue_server, says


class TestReads:
    def test_a_read_is_tried_again_after_a_hiccup(self, settings: Settings) -> None:
        with session_to(settings, says("503 Busy"), says("200 OK", b"[1]")) as (session, rogue, _):
            assert session.send("GET", TICKETS).content == [1]
            assert len(rogue.requests) == 2

    def test_a_read_is_not_tried_for_ever(self, settings: Settings) -> None:
        with session_to(settings, says("500 Error")) as (session, rogue, _):
            with pytest.raises(VendorDown):
                session.send("GET", TICKETS)

            assert len(rogue.requests) == 1 + READ_RETRIES

    def test_a_short_wait_that_the_vendor_asks_for_is_kept(self, settings: Settings) -> None:
        throttled = says("429 Slow down", b"{}", Retry_After="1")
        with session_to(settings, throttled, says("200 OK", b"[]")) as (session, rogue, _):
            began = time.monotonic()
            session.send("GET", TICKETS)

            assert time.monotonic() - began >= 1
            assert len(rogue.requests) == 2

    def test_a_long_wait_that_the_vendor_asks_for_is_told_and_not_waited(self, settings: Settings) -> None:
        with session_to(settings, says("429 Slow down", b"{}", Retry_After="120")) as (session, rogue, _):
            with pytest.raises(VendorThrottled, match="120 s") as failure:
                session.send("GET", TICKETS)

            assert failure.value.retry_after == 120
            assert len(rogue.requests) == 1

    def test_bytes_that_trickle_in_end_with_the_time_there_is(self, settings: Settings) -> None:
        def trickle(_: bytes, connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            for _second in range(100):
                connection.sendall(b" ")
                time.sleep(0.1)

        with session_to(settings, trickle, seconds=1.0) as (session, _, _errand):
            began = time.monotonic()
            with pytest.raises(VendorTimeout):
                session.send("GET", TICKETS)

            assert time.monotonic() - began < 3

    def test_headers_that_trickle_in_end_with_the_time_there_is(self, settings: Settings) -> None:
        def trickle(_: bytes, connection: socket.socket) -> None:
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
            for number in range(100):
                connection.sendall(f"X-{number}: y\r\n".encode())
                time.sleep(0.1)

        with session_to(settings, trickle, seconds=1.0) as (session, _, _errand):
            began = time.monotonic()
            with pytest.raises(VendorTimeout):
                session.send("GET", TICKETS)

            assert time.monotonic() - began < 3

    @pytest.mark.parametrize(
        "head", [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
    )
    def test_an_answer_that_says_it_is_empty_holds_nothing(self, settings: Settings, head: bytes) -> None:
        with session_to(settings, raw(head), seconds=5) as (session, _, _errand):
            assert session.send("GET", TICKETS).content is None

    @pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
    def test_an_answer_that_was_cut_off_before_its_body_is_none(self, settings: Settings, head: bytes) -> None:
        with session_to(settings, raw(head), seconds=5) as (session, _, _errand), pytest.raises(VendorGarbled):
            session.send("GET", TICKETS)

    @pytest.mark.parametrize("packed", [False, True])
    def test_an_answer_of_more_than_ten_megabytes_is_cut_off(self, settings: Settings, packed: bool) -> None:
        body = b'"' + b"a" * (LARGEST_ANSWER + 10) + b'"'
        headers = {"Content_Encoding": "gzip"} if packed else {}
        answer = says("200 OK", gzip.compress(body) if packed else body, **headers)
        with (
            session_to(settings, answer, seconds=20) as (session, _, _errand),
            pytest.raises(VendorGarbled, match="10 MiB"),
        ):
            session.send("GET", TICKETS)

    @pytest.mark.parametrize("packed", [False, True])
    def test_an_answer_in_pieces_without_a_length_is_cut_off_as_well(self, settings: Settings, packed: bool) -> None:
        body = b'"' + b"a" * (LARGEST_ANSWER + 10) + b'"'
        sent = gzip.compress(body) if packed else body
        pieces = [sent[at : at + 100_000] for at in range(0, len(sent), 100_000)]
        headers = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + (b"Content-Encoding: gzip\r\n" * packed)
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        with (
            session_to(settings, raw(headers + b"\r\n" + chunks), seconds=20) as (session, _, _errand),
            pytest.raises(VendorGarbled, match="10 MiB"),
        ):
            session.send("GET", TICKETS)

    def test_a_redirect_is_not_followed_and_takes_no_credentials_along(self, settings: Settings) -> None:
        with rogue_server(says("200 OK", b"[]")) as elsewhere:
            redirect = says("302 Found", Location=f"http://127.0.0.1:{elsewhere.port}/service/tickets")
            with session_to(settings, redirect) as (session, _, _errand):
                settings.LOCAL_TARGETS |= {("127.0.0.1", elsewhere.port)}
                with pytest.raises(VendorGarbled, match="redirect"):
                    session.send("GET", TICKETS)

            assert elsewhere.requests == []

    @pytest.mark.parametrize(
        "link",
        [
            "https://evil.example/v4_6_release/apis/3.0/service/tickets?page=2",
            "//169.254.169.254/latest/meta-data",
            "/v4_6_release/apis/3.0/system/members?page=2",
            "http://127.0.0.1:1/v4_6_release/apis/3.0/service/tickets?page=2",
        ],
    )
    def test_a_next_page_elsewhere_is_not_asked_for(self, settings: Settings, link: str) -> None:
        with session_to(settings, says("200 OK", b"[1]", Link=f'<{link}>; rel="next"')) as (session, rogue, _):
            with pytest.raises(VendorGarbled, match="another address"):
                list(session.pages(TICKETS))

            assert len(rogue.requests) == 1

    def test_pages_end_where_the_vendor_says_and_at_the_latest_at_the_cap(self, settings: Settings) -> None:
        more = says("200 OK", b"[1]", Link=f"<{TICKETS.rpartition('/')[2]}?page=2>; rel=next")
        with session_to(settings, more, says("200 OK", b"[2]")) as (session, _, _errand):
            assert list(session.pages(TICKETS)) == [[1], [2]]
        with session_to(settings, more, seconds=30) as (session, rogue, _):
            with pytest.raises(VendorGarbled, match="pages"):
                list(session.pages(TICKETS))

            assert len(rogue.requests) == 100

    def test_proxies_of_the_environment_are_not_used(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        with rogue_server(says("200 OK", b"[]")) as proxy:
            for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
                monkeypatch.setitem(os.environ, name, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.delenv("no_proxy", raising=False)
            with session_to(settings, says("200 OK", b"[]")) as (session, rogue, _):
                session.send("GET", TICKETS)
                with model_http_client(rogue.base_url) as client:
                    client.get(f"{rogue.base_url}/models")

                assert len(rogue.requests) == 2
            assert proxy.requests == []
