"""`bin/junto doctor` finds what is wrong and says what to do about it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from junto.env import ROOT
from tests.environment import for_tests
from tests.services import free_port

Doctor = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    """Examine an installation in a folder of its own, whose database is not migrated yet."""

    def examine(word: str = "doctor", *more: str, **changed: str) -> subprocess.CompletedProcess[str]:
        environment = for_tests(str(tmp_path)) | {"PYTHONPATH": str(ROOT), **changed}
        for name in {"DATABASE_URL", "REDIS_URL"} - set(changed):
            environment.pop(name, None)
        command = [sys.executable, "-m", "junto.cli", word, *more]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return examine


@pytest.mark.slow
def test_a_sound_installation_passes(doctor: Doctor) -> None:
    assert doctor("migrate").returncode == 0

    found = doctor()

    assert found.returncode == 0, found.stdout + found.stderr
    assert "FAILED" not in found.stdout
    for part in ("configuration", "database", "bells", "task engine", "channel layer", "model endpoint"):
        assert part in found.stdout


@pytest.mark.slow
def test_pending_migrations_are_found(doctor: Doctor) -> None:
    found = doctor()

    assert found.returncode != 0
    assert "-> run bin/junto migrate" in found.stdout


@pytest.mark.slow
def test_a_model_endpoint_that_is_down_is_found(doctor: Doctor) -> None:
    where = f"127.0.0.1:{free_port()}"
    found = doctor(JUNTO_LLM_BASE_URL=f"http://{where}/v1", JUNTO_LLM_MODEL="small", JUNTO_LOCAL_TARGETS=where)

    assert found.returncode != 0
    assert "cannot be reached" in found.stdout
    assert f"FAILED  local target {where}" in found.stdout


@pytest.mark.slow
def test_a_redis_that_is_down_is_found(doctor: Doctor) -> None:
    found = doctor(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")

    assert found.returncode != 0
    assert found.stdout.count("-> start Redis, or correct REDIS_URL") == 2


@pytest.mark.slow
def test_a_redis_without_a_worker_is_found(doctor: Doctor, redis_url: str) -> None:
    found = doctor(REDIS_URL=redis_url.rsplit("/", 1)[0] + "/8")

    assert "-> start bin/junto worker" in found.stdout
    assert "ok      channel layer" in found.stdout


def test_a_configuration_that_cannot_be_read_is_one_sentence(doctor: Doctor) -> None:
    found = doctor(JUNTO_PRIVATE_CIDRS="10.0.0.0/99")

    assert found.returncode != 0
    assert found.stderr.startswith("junto: JUNTO_PRIVATE_CIDRS is malformed")
    assert os.linesep.join(found.stderr.splitlines()[1:]) == ""


@pytest.mark.slow
def test_it_looks_at_the_folder_it_is_given_and_at_the_address_served_there(doctor: Doctor, tmp_path: Path) -> None:
    (tmp_path / "address").write_text("http://127.0.0.1:8777\n", encoding="utf-8")

    found = doctor("doctor", "--data-dir", str(tmp_path), JUNTO_DATA_DIR="/nowhere")

    assert f"data folder: {tmp_path}" in found.stdout
    assert "at http://127.0.0.1:8777" in found.stdout


@pytest.mark.slow
def test_its_help_tells_what_it_checks(doctor: Doctor) -> None:
    found = doctor("doctor", "--help")

    assert found.returncode == 0
    assert "connections" in found.stdout
