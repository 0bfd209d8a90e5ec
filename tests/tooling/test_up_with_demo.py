"""The first `bin/junto up` of a new user, and the second."""

import re
import signal
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from tests.processes import STOP_SECONDS, running_up
from tests.services import free_port

LOAD_SECONDS = 240.0
LOADING = "tickets through the REST API"
ROLES = ("Owner", "Admin", "Manager", "Operator", "Technician")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_up_loads_the_demo_once_and_serves_again_without_loading_it_anew(tmp_path: Path) -> None:
    data_dir, port = tmp_path / "var", free_port()
    with running_up(data_dir, port) as server:
        first = wait_for_ready(data_dir, 0)
        children = psutil.Process(server.pid).children(recursive=True)
        assert [child.cmdline()[1:3] for child in children] == [["-m", "integrations.sandbox"]]
        server.send_signal(signal.SIGINT)
        assert server.wait(STOP_SECONDS) == 0
        assert not psutil.pid_exists(children[0].pid)

    assert f"Junto is ready at http://127.0.0.1:{port}" in first
    for role in ROLES:
        assert re.search(rf"^\s*{role}\s+\w+", first, re.MULTILINE)

    with running_up(data_dir, port):
        second = wait_for_ready(data_dir, len(first))
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=10) as page:
            assert page.status == 200
    assert logins(second) == logins(first)
    assert LOADING in first
    assert LOADING not in second
    assert "Traceback" not in first + second


def wait_for_ready(data_dir: Path, skip: int) -> str:
    """What `up` said after its first `skip` characters, once it said that it is ready."""
    log = data_dir.parent / f"{data_dir.name}-up.log"
    deadline = time.monotonic() + LOAD_SECONDS
    while "Junto is ready at" not in (said := log.read_text(encoding="utf-8")[skip:]):
        assert time.monotonic() < deadline, said
        time.sleep(0.2)
    return said


def logins(said: str) -> list[str]:
    return re.findall(r"^(?:Demo logins.*|  [A-Z]\w+ .*)$", said, re.MULTILINE)
