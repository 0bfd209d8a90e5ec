"""The time of an exchange: one thread watches over all of them, each ends at its own, and none is touched after it."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_django import Settings

from integrations.errors import VendorTimeout
from integrations.guard import Watch
from tests.integrations.egress import TICKETS, session_to

FORKED = """
import os, socket, time
from integrations.guard import Watch

ours, theirs = socket.socketpair()
with Watch(0.6) as inherited:
    inherited.over(ours)
    child = os.fork()
    if child == 0:
        mine, other = socket.socketpair()
        mine.settimeout(5)
        with Watch(0.2) as watch:
            watch.over(mine)
            struck = mine.recv(1) == b"" and watch.rang
        time.sleep(0.8)
        os._exit(0 if struck and not inherited.rang else 1)
_, status = os.waitpid(child, 0)
ours.sendall(b"x")
assert theirs.recv(1) == b"x", "the connection was cut under its owner"
raise SystemExit(os.waitstatus_to_exitcode(status))
"""


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of one connection; reading gives up after three seconds."""
    one, other = socket.socketpair()
    with one, other:
        one.settimeout(3)
        other.settimeout(3)
        yield one, other


def still(_: bytes, connection: socket.socket) -> None:
    """A server that says nothing until the other side is gone."""
    connection.settimeout(20)
    connection.recv(1)


def test_an_exchange_without_an_answer_is_cut_and_the_server_sees_it(settings: Settings) -> None:
    gone = threading.Event()

    def silent(request: bytes, connection: socket.socket) -> None:
        still(request, connection)
        gone.set()

    with session_to(settings, silent, seconds=0.5) as (session, _, _errand):
        began = time.monotonic()
        with pytest.raises(VendorTimeout):
            session.send("GET", TICKETS)

        assert 0.4 < time.monotonic() - began < 2
        assert gone.wait(2)


def test_exchanges_at_once_end_each_at_its_own_time_under_one_thread() -> None:
    times = [1.6, 0.4, 1.2, 0.8, 0.5, 1.0]  # the longest first: those that come later are over before it
    with ThreadPoolExecutor(len(times)) as pool:
        took = list(pool.map(silence, times))

    for seconds, real in zip(times, took, strict=True):
        assert seconds - 0.1 < real < seconds + 0.8
    assert sum(one.name == "junto-watches" for one in threading.enumerate()) == 1


def silence(seconds: float) -> float:
    """Read from a connection that says nothing, for so long; how long it was."""
    one, other = socket.socketpair()
    one.settimeout(5)
    began = time.monotonic()
    with one, other, Watch(seconds) as watch:
        watch.over(one)
        assert one.recv(1) == b""
        assert watch.rang
    return time.monotonic() - began


def test_a_connection_whose_exchange_is_over_is_not_touched(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    with Watch(0.2) as watch:
        watch.over(one)
    time.sleep(0.5)

    one.sendall(b"x")
    assert other.recv(1) == b"x"
    assert not watch.rang


def test_a_connection_that_came_about_too_late_is_cut_at_once(pair: tuple[socket.socket, socket.socket]) -> None:
    one, _ = pair
    with Watch(0.0) as watch:
        until = time.monotonic() + 3
        while not watch.rang and time.monotonic() < until:
            time.sleep(0.01)
        watch.over(one)
        assert one.recv(1) == b""


def test_a_socket_that_is_closed_already_does_not_end_the_watching(pair: tuple[socket.socket, socket.socket]) -> None:
    one, other = pair
    closed = socket.socket()
    closed.close()
    with Watch(0.1) as first, Watch(0.3) as second:
        first.over(closed)
        second.over(one)
        assert one.recv(1) == b""
        assert (first.rang, second.rang) == (True, True)
    assert other.recv(1) == b""


def test_a_forked_process_watches_over_its_own_exchanges_and_not_over_its_parents() -> None:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
