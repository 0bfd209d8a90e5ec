"""A pytest plugin, loaded before Django's settings: every run gets its own data folder and keys, never the developer's.

`DATABASE_URL` and `REDIS_URL` are left alone: `bin/test` sets them for the service suite.
"""

import os
import shutil
import tempfile

import pytest

KEPT = frozenset({"JUNTO_CONTRACTS_DIR", "JUNTO_EVAL_DIR", "JUNTO_TEST_REQUIRE_ALL", "JUNTO_TEST_CHROMIUM"})
KEYS = {
    "JUNTO_SECRET_KEY": "a signing key that only the tests know, forty or more",
    "JUNTO_AUDIT_KEY": "an audit key that only the tests know, forty or more",
    "JUNTO_CREDENTIAL_KEYS": "test:dGhpcnR5LXR3byBieXRlcywgZm9yIHRlc3RzIG9ubHk=",
}


def for_tests(data_dir: str) -> dict[str, str]:
    """This process's environment with a test's configuration in place of the developer's."""
    foreign = {name for name in os.environ if name.startswith("JUNTO_") and name not in KEPT}
    ours = {name: value for name, value in os.environ.items() if name not in foreign}
    return ours | KEYS | {"JUNTO_DATA_DIR": data_dir}


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set the environment before pytest-django reads the settings, and leave no folder behind."""
    data_dir = tempfile.mkdtemp(prefix="junto-tests-")
    early_config.add_cleanup(lambda: shutil.rmtree(data_dir, ignore_errors=True))
    environment = for_tests(data_dir)
    os.environ.clear()
    os.environ.update(environment)
