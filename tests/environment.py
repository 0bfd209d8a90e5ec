"""A pytest plugin, loaded before Django's settings: every run gets its own data folder and keys, never the developer's.

`DATABASE_URL` and `REDIS_URL` are left alone: `bin/test` sets them for the service suite.
"""

import os
import shutil
import tempfile

KEPT = frozenset({"JUNTO_CONTRACTS_DIR", "JUNTO_EVAL_DIR", "JUNTO_TEST_REQUIRE_ALL", "JUNTO_TEST_CHROMIUM"})

for name in [name for name in os.environ if name.startswith("JUNTO_") and name not in KEPT]:
    del os.environ[name]

DATA_DIR = tempfile.mkdtemp(prefix="junto-tests-")
os.environ |= {
    "JUNTO_DATA_DIR": DATA_DIR,
    "JUNTO_SECRET_KEY": "a signing key that only the tests know, forty or more",
    "JUNTO_AUDIT_KEY": "an audit key that only the tests know, forty or more",
    "JUNTO_CREDENTIAL_KEYS": "test:dGhpcnR5LXR3byBieXRlcywgZm9yIHRlc3RzIG9ubHk=",
}


def pytest_unconfigure() -> None:
    """Leave nothing behind in the temporary folder."""
    shutil.rmtree(DATA_DIR, ignore_errors=True)
