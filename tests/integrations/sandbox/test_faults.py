"""Fault switches: each goes wrong as it says, has its effect or not, and the log tells which."""

import socket
import time
from typing import Any

import pytest
import requests

from tests.integrations.sandbox.connectwise_api import ConnectWiseApi, northwind
from tests.sandbox_process import SandboxProcess

NOTE = {"text": "Called back.", "internalAnalysisFlag": True}


@pytest.fixture
def api(sandbox: SandboxProcess) -> ConnectWiseApi:
    return northwind(sandbox)


@pytest.fixture
def ticket(sandbox: SandboxProcess) -> int:
    return sandbox.plant_ticket(text="")


def _notes(sandbox: SandboxProcess, ticket: int) -> list[dict[str, Any]]:
    return [note for note in sandbox.stored("notes") if note["ticketId"] == ticket]


def _add_note(api: ConnectWiseApi, ticket: int) -> requests.Response:
    return api.call("POST", f"/service/tickets/{ticket}/notes", json=NOTE)


def test_a_throttled_request_has_no_effect_and_says_when_to_come_back(
    sandbox: SandboxProcess, api: ConnectWiseApi, ticket: int
) -> None:
    sandbox.fault("status", status=429, retry_after="2")
    answer = _add_note(api, ticket)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
    assert _notes(sandbox, ticket) == []
    assert _add_note(api, ticket).status_code == 201


def test_a_fault_strikes_as_often_as_it_was_told(sandbox: SandboxProcess, api: ConnectWiseApi) -> None:
    sandbox.fault("status", status=500, skip=1, count=2)
    statuses = [api.call("GET", "/service/boards").status_code for _ in range(5)]
    assert statuses == [200, 500, 500, 200, 200]


def test_a_fault_strikes_only_in_its_scope(sandbox: SandboxProcess, api: ConnectWiseApi) -> None:
    sandbox.fault("status", status=500, method="GET", path="*/service/boards", owner="southgate", count=None)
    assert api.call("GET", "/service/boards").status_code == 200
    sandbox.fault("status", status=500, method="GET", path="*/service/boards", owner="northwind", count=None)
    assert api.call("GET", "/service/boards").status_code == 500
    assert api.call("GET", "/service/priorities").status_code == 200


def test_cut_before_closes_without_an_effect(sandbox: SandboxProcess, api: ConnectWiseApi, ticket: int) -> None:
    sandbox.fault("cut_before")
    with pytest.raises(requests.ConnectionError):
        _add_note(api, ticket)
    assert _notes(sandbox, ticket) == []
    assert [(row["status"], row["effect"], row["fault"]) for row in sandbox.log()] == [(None, False, "cut_before")]


def test_cut_after_closes_with_the_effect_done_and_logged(
    sandbox: SandboxProcess, api: ConnectWiseApi, ticket: int
) -> None:
    sandbox.fault("cut_after", method="POST")
    with pytest.raises(requests.ConnectionError):
        _add_note(api, ticket)
    assert [note["text"] for note in _notes(sandbox, ticket)] == ["Called back."]
    assert [(row["status"], row["fault"]) for row in sandbox.effects()] == [(201, "cut_after")]


@pytest.mark.parametrize("effect", [True, False])
def test_half_open_stays_silent_with_or_without_the_effect(
    sandbox: SandboxProcess, api: ConnectWiseApi, ticket: int, effect: bool
) -> None:
    sandbox.fault("half_open", effect=effect, hold_seconds=10)
    url = f"{api.connection.api_url}/service/tickets/{ticket}/notes"
    with pytest.raises(requests.ReadTimeout):
        api.session.post(url, json=NOTE, timeout=0.5)
    assert len(sandbox.effects()) == len(_notes(sandbox, ticket)) == int(effect)


def test_slow_bytes_drip_until_their_time_is_over(sandbox: SandboxProcess, api: ConnectWiseApi) -> None:
    sandbox.fault("slow_bytes", bytes_per_second=100, hold_seconds=0.5)
    started = time.monotonic()
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        api.call("GET", "/service/boards")
    assert 0.4 < time.monotonic() - started < 5


def test_a_truncated_answer_breaks_off_in_the_body(sandbox: SandboxProcess, api: ConnectWiseApi) -> None:
    sandbox.fault("truncated")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        api.call("GET", "/service/boards")


@pytest.mark.parametrize("status", [200, 401])
def test_an_html_page_comes_instead_of_the_effect(
    sandbox: SandboxProcess, api: ConnectWiseApi, ticket: int, status: int
) -> None:
    sandbox.fault("html", status=status)
    answer = _add_note(api, ticket)
    assert answer.status_code == status
    assert answer.text.startswith("<!DOCTYPE html>")
    assert sandbox.effects() == []


def test_latency_holds_an_answer_up_and_leaves_it_whole(sandbox: SandboxProcess, api: ConnectWiseApi) -> None:
    sandbox.fault("latency", latency_ms=300)
    started = time.monotonic()
    assert api.call("GET", "/service/boards").status_code == 200
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(
    "fault",
    [{}, {"kind": "meteor"}, {"kind": "status", "colour": 1}, {"kind": "latency", "latency_ms": "much"}, [], "x"],
)
def test_a_switch_that_is_not_known_is_refused(sandbox: SandboxProcess, fault: object) -> None:
    assert requests.post(f"{sandbox.base_url}/_sandbox/faults", json=fault, timeout=20).status_code == 400
    assert requests.get(f"{sandbox.base_url}/_sandbox/faults", timeout=20).json() == []


def test_a_body_that_breaks_off_has_no_effect(sandbox: SandboxProcess, ticket: int) -> None:
    path = f"/connectwise/v4_6_release/apis/3.0/service/tickets/{ticket}/notes"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as client:
        client.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{{".encode())
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b""
    assert sandbox.log() == []
    assert _notes(sandbox, ticket) == []


@pytest.mark.parametrize("target", ["//", "//[", "http://[", "*", "/", "//connectwise/x"])
def test_a_strange_address_is_refused_and_the_sandbox_lives_on(sandbox: SandboxProcess, target: str) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert client.recv(100).startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert requests.get(f"{sandbox.base_url}/healthz", timeout=20).status_code == 200
