"""`bin/junto` as its user meets it: a real process, its exit code and what it says."""

import ast
import re
import signal
import socket
import sqlite3
import subprocess
import sys

import pytest

from junto.env import ROOT
from tests.environment import for_tests
from tests.processes import START_SECONDS, STOP_SECONDS, clean, command, junto, running_up
from tests.services import free_port


def assert_one_sentence(finished: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Refused by one line on stderr that holds `parts`, without a traceback."""
    assert finished.returncode != 0
    assert "Traceback" not in finished.stdout + finished.stderr
    assert len(finished.stderr.strip().splitlines()) == 1, finished.stderr
    for part in parts:
        assert part in finished.stderr


def test_a_taken_port_is_told_in_one_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert_one_sentence(junto("up", "--port", str(port), data_dir=tmp_path), str(port), "--port")


@pytest.mark.parametrize("port", ["0", "70000", "http"])
def test_an_impossible_port_is_told_in_one_sentence(tmp_path, port):
    assert_one_sentence(junto("up", "--port", port, data_dir=tmp_path), "1 to 65535")


def test_a_host_of_another_machine_is_told_in_one_sentence(tmp_path):
    assert_one_sentence(junto("up", "--host", "192.0.2.1", data_dir=tmp_path), "192.0.2.1", "--host")


def test_an_unknown_option_is_told_in_one_sentence(tmp_path):
    assert_one_sentence(junto("up", "--prot", "8000", data_dir=tmp_path), "--prot")


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path):
    database = tmp_path / "junto.sqlite3"
    database.write_text("this is not a database at all, whatever its name says\n" * 50, encoding="utf-8")

    assert_one_sentence(junto("up", "--port", str(free_port()), data_dir=tmp_path), str(database), "backup")
    assert database.read_text(encoding="utf-8").startswith("this is not")


def test_a_damaged_database_is_told_in_one_sentence(tmp_path):
    database = tmp_path / "junto.sqlite3"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE signal (subject TEXT)")
        connection.executemany("INSERT INTO signal VALUES (?)", [("printer on fire" * 20,)] * 500)
    connection.close()
    with database.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 40000)

    assert_one_sentence(junto("up", "--port", str(free_port()), data_dir=tmp_path), str(database))


def test_a_data_folder_that_is_a_file_is_told_in_one_sentence(tmp_path):
    place = tmp_path / "var"
    place.write_text("", encoding="utf-8")

    assert_one_sentence(junto("up", "--port", str(free_port()), data_dir=place), str(place), "--data-dir")


def test_a_data_folder_that_cannot_be_made_is_told_in_one_sentence(tmp_path):
    finished = junto("up", "--port", str(free_port()), "--data-dir", "/proc/junto", data_dir=tmp_path)

    assert_one_sentence(finished, "/proc/junto", "--data-dir")


def test_a_full_disk_is_told_in_one_sentence(tmp_path):
    script = f'mount -t tmpfs -o size=1m none {tmp_path} && exec "$@"'
    finished = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh", *command("up", "--port", str(free_port()))],
        env=clean(tmp_path),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    if "unshare" in finished.stderr or "mount:" in finished.stderr:
        pytest.skip(f"this machine lends no file system of its own: {finished.stderr.strip()}")

    assert_one_sentence(finished, "full", "MB free")


def test_an_unknown_variable_is_told_in_one_sentence(tmp_path):
    assert_one_sentence(junto("up", data_dir=tmp_path, environment={"JUNTO_WRONG_NAME": "1"}), "JUNTO_WRONG_NAME")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JUNTO_DEBUG", "perhaps"),
        ("JUNTO_LOCAL_TARGETS", "nowhere"),
        ("DATABASE_URL", "mysql://a/b"),
        ("REDIS_URL", "x"),
    ],
)
def test_a_malformed_value_is_told_in_one_sentence(tmp_path, name, value):
    finished = junto("up", "--port", str(free_port()), data_dir=tmp_path, environment={name: value})

    assert_one_sentence(finished, name)


@pytest.mark.slow
def test_a_database_that_does_not_answer_is_told_in_one_sentence(tmp_path):
    nowhere = f"postgres://junto@127.0.0.1:{free_port()}/junto"
    finished = junto("up", "--port", str(free_port()), data_dir=tmp_path, environment={"DATABASE_URL": nowhere})

    assert_one_sentence(finished, "DATABASE_URL", "refused", "its server runs")


def test_a_command_before_the_first_up_says_to_run_it(tmp_path):
    assert_one_sentence(junto("check", data_dir=tmp_path), "JUNTO_SECRET_KEY", "run bin/junto up")


@pytest.mark.slow
def test_a_benchmark_needs_no_up_before_it_and_keeps_no_secrets(tmp_path):
    finished = junto("bench", "agent_loop", "--sessions", "0", data_dir=tmp_path)

    assert_one_sentence(finished, "--sessions must be at least 1")
    assert not (tmp_path / "secrets").exists()


def test_help_lists_every_command_before_anything_is_set_up(tmp_path):
    for words in ((), ("help",), ("--help",)):
        told = junto(*words, data_dir=tmp_path)
        assert told.returncode == 0
        for command_word in ("up", "doctor", "audit", "worker", "--data-dir", "but evaluate"):
            assert command_word in told.stdout


def test_help_on_one_command_needs_no_installation(tmp_path):
    told = junto("doctor", "--help", data_dir=tmp_path)
    assert told.returncode == 0
    assert "what to do" in told.stdout


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("dcotor",), ("no command 'dcotor'", "bin/junto help")),
        (("doctor", "--fast"), ("--fast", "bin/junto doctor --help")),
        (("audit",), ("required", "bin/junto audit --help")),
        (("doctor", "--data-dir"), ("--data-dir needs a folder",)),
        (("doctor", "--data-dir", "/no/such/place"), ("there is no folder /no/such/place",)),
    ],
)
def test_wrong_words_are_told_in_one_sentence(tmp_path, words, parts):
    assert_one_sentence(junto(*words, data_dir=tmp_path, environment=for_tests(str(tmp_path))), *parts)


def test_a_worker_without_redis_says_so_and_stops(tmp_path):
    assert_one_sentence(junto("worker", data_dir=tmp_path), "REDIS_URL")


@pytest.mark.slow
def test_up_serves_stops_at_sigterm_and_keeps_its_secrets_to_itself(tmp_path):
    port = free_port()
    tmp_path.chmod(0o755)
    with running_up(tmp_path, port, "--no-demo") as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0
    secret = tmp_path / "secrets" / "JUNTO_SECRET_KEY"
    before = secret.read_text(encoding="utf-8")
    assert [path for path in tmp_path.rglob("*") if path.stat().st_mode & 0o077] == []

    with running_up(tmp_path, port, "--no-demo") as process:
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0
    assert secret.read_text(encoding="utf-8") == before


@pytest.mark.slow
def test_a_second_up_on_the_same_folder_is_refused(tmp_path):
    with running_up(tmp_path, free_port(), "--no-demo"):
        assert_one_sentence(
            junto("up", "--port", str(free_port()), data_dir=tmp_path), "another bin/junto up", str(tmp_path)
        )


@pytest.mark.parametrize("name", ["junto", "test", "bootstrap.py"])
def test_an_old_python_can_read_the_starters_far_enough_to_refuse(name):
    ast.parse((ROOT / "bin" / name).read_text(encoding="utf-8"), feature_version=(3, 4))


def test_an_old_python_is_refused_in_one_sentence():
    script = "import sys; sys.version_info = (3, 8, 0); import bootstrap; bootstrap.require_python()"
    finished = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT / "bin", capture_output=True, text=True, timeout=30, check=False
    )

    assert_one_sentence(finished, "Python 3.11 or newer is needed")


def test_the_locks_are_hashed_and_name_no_place():
    for name, fewest in (("requirements.lock", 50), ("requirements-dev.lock", 50), ("requirements-semantic.lock", 4)):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[a-z0-9][^\s;]*==", text, re.MULTILINE)
        assert len(pins) >= fewest
        assert text.count(" \\\n    --hash=sha256:") >= len(pins)
        assert "://" not in text
        assert "/" not in re.sub(r"#.*", "", text)
