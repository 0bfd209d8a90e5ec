"""The set-up of compose.yaml, with processes: PostgreSQL, Redis, a web server and a worker.

Their commands are read from compose.yaml and the Dockerfile, so that these are what is proven.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import yaml
from redis import Redis
from rq import Worker
from rq.worker import WorkerStatus

from junto.env import ROOT
from tests.processes import command
from tests.services import free_port, new_database

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(300)]

START_SECONDS = 120.0
STOP_SECONDS = 20.0
WORKERS = ("worker", "worker-for-news")
REDIS_DATABASE = 9  # apart from what the service suite itself rings through

STAGE = """
import django
django.setup()
from junto.team.tokens import create_token
from tests.factories import CompanyFactory, CompanyLinkFactory, OrganizationFactory, SignalFactory, owner_of
organization = OrganizationFactory(name="Northwind MSP", slug="northwind")
company = CompanyFactory(organization=organization, name="Harlow")
CompanyLinkFactory(company=company, external_id="19")
SignalFactory(organization=organization, company=company, external_id="nobody rang for this one")
print(create_token(actor=owner_of(organization), label="sync job", scopes=["signals:write"])[1])
"""


@dataclass(frozen=True)
class Distributed:
    """Addresses of the running set-up, and the environment that its processes share."""

    web: str
    redis_url: str
    environment: dict[str, str]
    token: str

    def workers(self) -> list[Worker]:
        """The workers that Redis knows now."""
        with Redis.from_url(self.redis_url) as client:
            return Worker.all(connection=client)


@pytest.fixture(scope="module")
def distributed(postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Distributed]:
    """A migrated database, one web process, and the worker for all and the one for news."""
    folder = tmp_path_factory.mktemp("distributed")
    redis_url = redis_url.rsplit("/", 1)[0] + f"/{REDIS_DATABASE}"
    with Redis.from_url(redis_url) as client:
        client.flushdb()
    port = free_port()
    with ExitStack() as stack:
        environment = dict(os.environ) | {
            "DATABASE_URL": stack.enter_context(new_database(postgres_url)),
            "REDIS_URL": redis_url,
            "DJANGO_SETTINGS_MODULE": "junto.settings",
            "JUNTO_DATA_DIR": str(folder),
            "PYTHONPATH": str(ROOT),
        }
        migrate = _of_compose("migrate")
        subprocess.run(migrate, env=environment, check=True, timeout=START_SECONDS, capture_output=True, cwd=ROOT)
        stack.enter_context(_running(_of_dockerfile(port), environment, folder / "web.log"))
        for service in WORKERS:
            stack.enter_context(_running(_of_compose(service), environment, folder / f"{service}.log"))
        stage = subprocess.run(
            [sys.executable, "-c", STAGE],
            env=environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=True,
        )
        running = Distributed(
            web=f"http://127.0.0.1:{port}",
            redis_url=redis_url,
            environment=environment,
            token=stage.stdout.split()[-1],
        )
        wait_for(lambda: _status(f"{running.web}/healthz") == 200, "the web process to be healthy")
        wait_for(lambda: len(running.workers()) == len(WORKERS), "the workers to register")
        yield running


def test_the_worker_keeps_the_clock_and_finds_what_no_bell_told(distributed: Distributed) -> None:
    opened = (
        "SELECT count(*) FROM agent_agentsession s JOIN signals_signal g ON g.id = s.signal_id "
        "WHERE g.external_id = 'nobody rang for this one'"
    )
    with psycopg.connect(distributed.environment["DATABASE_URL"], autocommit=True) as connection:
        wait_for(lambda: connection.execute(opened).fetchone() == (1,), "the sweep to have a session opened")

    assert not any(each.failed_job_count for each in distributed.workers())
    assert _status(f"{distributed.web}/healthz") == 200


def test_a_bell_rung_in_the_web_process_is_worked_by_the_worker(distributed: Distributed) -> None:
    ticket = {
        "external_id": "48213",
        "subject": "Outlook keeps asking for the password",
        "company": "19",
        "updated_at": "2026-11-20T09:00:00Z",
    }
    delivery = urllib.request.Request(
        f"{distributed.web}/api/v1/northwind/signals/sync",
        data=json.dumps({"connection": "connectwise", "items": [ticket]}).encode(),
        headers={"Authorization": f"Bearer {distributed.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(delivery, timeout=30) as answer:
        results = json.load(answer)["results"]
    assert [result["outcome"] for result in results] == ["created"]

    signal_id = results[0]["signal"]
    query = "SELECT count(*) FROM agent_agentsession WHERE signal_id = %s"
    with psycopg.connect(distributed.environment["DATABASE_URL"], autocommit=True) as connection:
        wait_for(
            lambda: connection.execute(query, [signal_id]).fetchone() == (1,),
            "the worker to open a session on the ticket",
        )


def test_the_doctor_finds_the_worker(distributed: Distributed) -> None:
    finished = subprocess.run(
        command("doctor"),
        env=distributed.environment,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )

    assert "ok      task engine: Redis answers, 2 workers" in finished.stdout


def test_a_worker_may_work_for_people_only(distributed: Distributed, tmp_path: Path) -> None:
    with _running([*_of_compose("worker"), "people"], distributed.environment, tmp_path / "people.log") as second:
        wait_for(lambda: len(distributed.workers()) == 3, "a third worker to register")
        assert sorted(sorted(each.queue_names()) for each in distributed.workers()) == [
            ["actions", "default", "news", "people", "polls"],
            ["news"],
            ["people"],
        ]
        second.send_signal(signal.SIGTERM)
        assert second.wait(STOP_SECONDS) == 0


def test_a_worker_leaves_at_sigterm(distributed: Distributed, tmp_path: Path) -> None:
    with _running(_of_compose("worker"), distributed.environment, tmp_path / "third.log") as third:
        # it registers before it listens to signals
        working = {WorkerStatus.IDLE, WorkerStatus.BUSY}
        wait_for(
            lambda: [each.get_state() in working for each in distributed.workers()] == [True, True, True],
            "a third worker to work",
        )
        third.send_signal(signal.SIGTERM)

        assert third.wait(STOP_SECONDS) == 0
    assert len(distributed.workers()) == 2


def wait_for(true: Callable[[], bool], what: str) -> None:
    """Poll until it is so; fails after START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"waited {START_SECONDS:.0f} s for {what}"
        time.sleep(0.1)


def _of_compose(service: str) -> list[str]:
    command: list[str] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"][service][
        "command"
    ]
    assert command[0] == "python"
    return [sys.executable, *command[1:]]


def _of_dockerfile(port: int) -> list[str]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    commands = re.findall(r"^CMD (\[.*\])$", text, re.MULTILINE)
    words: list[str] = json.loads(commands[-1])
    moved = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
    return [sys.executable, "-m", *(moved.get(word, word) for word in words)]


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        print(f"{command}:\n{log.read_text(encoding='utf-8', errors='replace')[-3000:]}")  # shown when the test fails
