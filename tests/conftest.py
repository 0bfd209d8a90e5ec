"""Fixtures and rules of the whole suite."""

import gc
import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.test import override_settings
from django.test.utils import teardown_databases
from pytest_django import DjangoDbBlocker

from tests.database import make_database

pytest_plugins = ["tests.services", "tests.sandbox_process", "tests.append_only"]

#: The long runs take minutes each on a quiet machine; a busy one may be ten times as slow.
DEEP_SECONDS = 7200
REQUIRE_ALL = os.environ.get("JUNTO_TEST_REQUIRE_ALL") == "1"


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_found_when_asked_for() -> Generator[None]:
    """Every test's own browser would else read all static files first: about a tenth of the suite's time."""
    with override_settings(WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_hashed_quickly() -> Generator[None]:
    """Django's own hasher takes a third of a second for each password, on purpose; Junto sets none."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(scope="session")
def django_db_setup(
    pytestconfig: pytest.Config,
    django_test_environment: None,
    django_db_modify_db_settings: None,
    django_db_use_migrations: bool,
    django_db_blocker: DjangoDbBlocker,
) -> Generator[None]:
    """The test database, in place of pytest-django's own way to make it; `--nomigrations` makes it without them."""
    cache = getattr(pytestconfig, "cache", None)  # none with `-p no:cacheprovider`
    if not django_db_use_migrations:
        settings.MIGRATION_MODULES = {app.label: None for app in apps.get_app_configs()}
    with django_db_blocker.unblock():
        made = make_database(cache.mkdir("junto-database") if cache and django_db_use_migrations else None)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="session")
def contracts_dir() -> Path:
    """The vendors' API contracts."""
    return _folder("JUNTO_CONTRACTS_DIR")


@pytest.fixture(scope="session")
def eval_dir() -> Path:
    """The evaluation data."""
    return _folder("JUNTO_EVAL_DIR")


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium to drive."""
    names = [os.environ.get("JUNTO_TEST_CHROMIUM") or "chromium", "chromium-browser", "google-chrome"]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium is installed: apt install chromium, or set JUNTO_TEST_CHROMIUM")
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the long runs their time."""
    for item in items:
        if item.get_closest_marker("deep"):
            item.add_marker(pytest.mark.timeout(DEEP_SECONDS), append=False)


def pytest_collection_finish() -> None:
    """What was loaded by now lives to the end: unwatched by the garbage collector it saves a twentieth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under `bin/test --all` nothing may be missing: there a skipped test has failed."""
    report = yield
    if REQUIRE_ALL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.longrepr = f"{reason} (under bin/test --all a skipped test fails)"
    return report


def _folder(name: str) -> Path:
    folder = Path(os.environ.get(name, ""))
    if not os.environ.get(name) or not folder.is_dir():
        pytest.skip(f"{name} names no folder: set it to run this test")
    return folder
