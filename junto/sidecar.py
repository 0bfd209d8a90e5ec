"""The vendor sandbox as a child of `bin/junto up`: on loopback, at the same port at every start."""

import ctypes
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from junto import env
from junto.datadir import Refusal, told

HOST = "127.0.0.1"
PORTS = range(20000, 32000)  # below the ephemeral range: nobody's outgoing connection takes it between two starts
PORT_TRIES = 50
START_SECONDS = 30.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class SandboxPlace:
    """Where the sandbox listens and keeps its state; stable, because connections hold its address."""

    folder: Path
    port: int
    log: Path

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    def make_reachable(self) -> None:
        """Complete JUNTO_LOCAL_TARGETS, before the settings are read: a data folder's own sandbox needs no listing."""
        targets = [*env.env_list("JUNTO_LOCAL_TARGETS"), f"{HOST}:{self.port}"]
        os.environ["JUNTO_LOCAL_TARGETS"] = ",".join(dict.fromkeys(targets))


def known_sandbox(data_dir: Path) -> SandboxPlace | None:
    """The place that an earlier start remembered in the data folder."""
    remembered = data_dir / "sandbox" / "port"
    if not remembered.exists():
        return None
    with told(data_dir):
        return _place(data_dir, _remembered_port(remembered))


def new_sandbox(data_dir: Path) -> SandboxPlace:
    """Choose a free port and remember it in the data folder."""
    remembered = data_dir / "sandbox" / "port"
    with told(data_dir):
        port = _free_port()
        remembered.parent.mkdir(mode=0o700, exist_ok=True)
        remembered.write_text(f"{port}\n", encoding="ascii")
        return _place(data_dir, port)


@contextmanager
def running_sandbox(place: SandboxPlace) -> Iterator[subprocess.Popen[bytes]]:
    """The sandbox process, healthy; it ends with the block, and with this process however that dies."""
    if not _free_within(place.port, seconds=STOP_SECONDS):  # one that was left behind may still be ending
        raise Refusal(
            f"port {place.port} of {HOST}, where the demo's vendor sandbox always listens, is taken: "
            "stop the program that has it."
        )
    command = [sys.executable, "-m", "integrations.sandbox", "--port", str(place.port)]
    command += ["--state", str(place.folder), "--log", str(place.log)]
    # A session of its own: Ctrl-C reaches the server first, and the sandbox outlives its last request.
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        env=_without_secrets(),
        cwd=env.ROOT,
        start_new_session=True,
        preexec_fn=_end_with_parent(),  # noqa: PLW1509  (no thread of ours runs yet)
    )
    try:
        wait_until_healthy(HOST, place.port, seconds=START_SECONDS, alive=lambda: process.poll() is None)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_healthy(host: str, port: int, *, seconds: float, alive: Callable[[], bool]) -> None:
    """Return when `GET /healthz` answers 200; `Refusal` when the time is over or the process has ended."""
    deadline = time.monotonic() + seconds
    while not _healthy(host, port):
        if not alive():
            raise Refusal(f"what should listen at {host}:{port} ended before it was ready: its last lines say why.")
        if time.monotonic() > deadline:
            raise Refusal(f"{host}:{port} was not ready after {seconds:.0f} seconds: run bin/junto doctor.")
        time.sleep(0.1)


def _healthy(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _place(data_dir: Path, port: int) -> SandboxPlace:
    folder = data_dir / "sandbox"
    return SandboxPlace(folder, port, env.env_path("JUNTO_SANDBOX_LOG", None) or folder / "requests.jsonl")


def _remembered_port(path: Path) -> int:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise Refusal(f"{path} holds no port number: write the port of the demo's connections into it.")
    return int(text)


def _free_within(port: int, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _free_port() -> int:
    for port in random.sample(PORTS, PORT_TRIES):
        if _is_free(port):
            return port
    raise Refusal(f"no free port was found between {PORTS.start} and {PORTS.stop} for the vendor sandbox: close some.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _without_secrets() -> dict[str, str]:
    """The sandbox plays the outside world: it gets nothing of our configuration."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUNTO_", "DATABASE_URL", "REDIS_URL"))
    }


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux, ask the kernel to end the child when this process is killed; elsewhere nothing."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    pr_set_pdeathsig = 1

    def ask() -> None:
        libc.prctl(pr_set_pdeathsig, signal.SIGTERM)

    return ask
