"""Our client against a server of the official SDK, in both eras of the protocol."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from integrations.errors import VendorDown, VendorRefused, WarrantRefused
from integrations.mcp import client as client_module
from integrations.mcp.client import McpClient
from integrations.mcp.definitions import problem_of
from integrations.mcp.endpoints import LIST_TOOLS, call_endpoint
from integrations.mcp.schemas import Credentials
from integrations.pace import Unpaced
from integrations.warrants import Errand, Traffic
from tests.services import free_port

START_SECONDS = 30.0
LANE = "reference"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where a server of the SDK listens."""
    found = free_port()
    command = [sys.executable, str(Path(__file__).parent / "mcp_reference.py"), str(found)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield found
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def server(port: int, settings: Settings) -> int:
    """The same, once it answers."""
    settings.LOCAL_TARGETS = frozenset({("127.0.0.1", port)})
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            opened(port).listing()
            return port
        except VendorDown:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def opened(port: int, *names: str) -> McpClient:
    """A client that may read, and call these tools."""
    errand = Errand.reading(10)
    errand.endpoints = frozenset({LIST_TOOLS, *(call_endpoint(name, Traffic.READ) for name in names)})
    return McpClient(
        base_url=f"http://127.0.0.1:{port}/mcp",
        credentials=Credentials(auth="none"),
        errand=errand,
        lane=LANE,
        pace=Unpaced(),
        label="Reference",
    )


@pytest.mark.parametrize("era", ["legacy", ""])
def test_tools_are_listed_and_called(server: int, era: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "_eras", {LANE: era} if era else {})
    listed = {one.name: one for one in opened(server).listing()}
    assert {name: problem_of(one.definition) for name, one in listed.items()} == {"add": "", "fail": ""}

    said = opened(server, "add").call("add", {"first": 2, "second": 3}, pin=listed["add"].pin)

    assert said.structured == {"result": 5}
    with pytest.raises(VendorRefused, match="this failed"):
        opened(server, "fail").call("fail", {}, pin=listed["fail"].pin)
    with pytest.raises(WarrantRefused):
        opened(server, "fail").call("add", {"first": 2, "second": 3}, pin=listed["add"].pin)
