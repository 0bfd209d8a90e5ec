"""The body of `bin/test`: which checks run in which order.

Suites run one after the other, never stopping at the first that fails, and the exit code tells whether all passed.
pytest itself prints the closing line of each suite.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.environment import for_tests
from tests.services import postgres_server, redis_server

PROGRAMS = Path(sys.executable).parent
ROOT = Path(__file__).resolve().parent.parent
NO_TESTS_COLLECTED = 5
STOP_SECONDS = 60.0
STATIC_CHECKS: tuple[tuple[str, ...], ...] = (
    ("ruff", "format", "--check", "."),
    ("ruff", "check", "."),
    ("mypy",),
    ("lint-imports",),
    ("python", "manage.py", "makemigrations", "--check", "--dry-run"),
)
ALL = "not service and not deep and not browser"
ORDINARY = f"{ALL} and not slow"


def main(arguments: Sequence[str]) -> int:
    """Run what was asked for; returns 0 when everything passed."""
    parser = argparse.ArgumentParser(prog="bin/test", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every check, as the build runs it; nothing may be missing")
    parser.add_argument("--deep", action="store_true", help="the long runs (hours)")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options, rest = parser.parse_known_args(arguments)
    if options.all:
        os.environ["JUNTO_TEST_REQUIRE_ALL"] = "1"
    failed = _failed_static_checks() if options.all else []
    # the quick ones wait so often that a third process pays on two cores: 271 s where two took 386 (which is why not
    # the slow ones too: with them it was not measured, and they have time limits)
    processes = "2" if options.all or options.deep else "3"
    if not _pytest("-m", _wanted(options, rest), "-n", processes, *rest):
        failed.append("tests on SQLite")
    if options.all and not _pytest("-m", "browser and not deep"):
        failed.append("browser tests")
    if not rest and not _service_suite(_wanted_of_services(options)):
        failed.append("tests on PostgreSQL and Redis")
    for name in failed:
        print(f"FAILED: {name}", file=sys.stderr)
    return 1 if failed else 0


def _wanted(options: argparse.Namespace, rest: Sequence[str]) -> str:
    """Which tests of the suite on SQLite; who names tests wants the slow ones among them too."""
    if options.deep:
        return "deep"
    return ALL if options.all or rest else ORDINARY


def _wanted_of_services(options: argparse.Namespace) -> str:
    """Which tests need the real services."""
    if options.deep:
        return "service and deep"
    return "service and not deep" if options.all else "service and not deep and not slow"


def _failed_static_checks() -> list[str]:
    """The checks that read the code without running its tests; some of them import the settings."""
    with tempfile.TemporaryDirectory(prefix="junto-checks-") as data_dir:
        environment = for_tests(data_dir)
        return [" ".join(check) for check in STATIC_CHECKS if not _passes(check, environment=environment)]


def _service_suite(wanted: str) -> bool:
    """The wanted tests, with the servers whose addresses are given or with fresh ones."""
    with ExitStack() as stack:
        environment = dict(os.environ)
        if not environment.get("DATABASE_URL"):
            environment["DATABASE_URL"] = stack.enter_context(postgres_server())
        if not environment.get("REDIS_URL"):
            environment["REDIS_URL"] = stack.enter_context(redis_server())
        return _pytest("-m", wanted, environment=environment)


def _pytest(*arguments: str, environment: Mapping[str, str] | None = None) -> bool:
    return _passes(("pytest", *arguments), environment=environment, fine=(0, NO_TESTS_COLLECTED))


def _passes(words: Sequence[str], *, environment: Mapping[str, str] | None = None, fine: Sequence[int] = (0,)) -> bool:
    print(f"==> {' '.join(words)}", flush=True)
    started = time.monotonic()
    process = subprocess.Popen([PROGRAMS / words[0], *words[1:]], cwd=ROOT, env=environment)
    try:
        code = process.wait()
    finally:
        if process.poll() is None:  # we were told to stop: let it put its servers away
            process.send_signal(signal.SIGINT)
            process.wait(STOP_SECONDS)
    print(f"    {time.monotonic() - started:.0f} s", flush=True)
    return code in fine


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
