"""The tests' database. On SQLite it is migrated once; every process of every run begins with a copy of that.

A hundred migrations take seven seconds of a core. The copy serves as long as nothing of the product changed, nor any
package: which migrations there are, what they import, and the permissions of the models.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test.utils import setup_databases

ROOT = Path(__file__).resolve().parent.parent
Made = list[tuple[BaseDatabaseWrapper, str, bool]]
#: All that may say what a migrated database holds; a folder with everything below it.
SOURCES = ("junto", "integrations", "approvals", "signals", "runbooks", "agent")
SINGLE_SOURCES = ("requirements-dev.lock", "tests/environment.py", "tests/database.py")


def make_database(folder: Path | None) -> Made:
    """Point Django at a test database; `folder` keeps what is copied the next time, without one nothing is.

    Returns what `teardown_databases` is to take away; a copy goes with the run's data folder.
    """
    if connection.vendor != "sqlite" or folder is None:
        return setup_databases(verbosity=0, interactive=False)
    migrated = folder / f"{fingerprint()}.sqlite3"
    with _one_at_a_time(folder):
        if not migrated.exists():
            made = setup_databases(verbosity=0, interactive=False)
            _keep(migrated)
            return made
        name = str(connection.settings_dict["TEST"]["NAME"])
        shutil.copyfile(migrated, name)
    connection.close()
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name
    return []


def _keep(migrated: Path) -> None:
    """Write the database that was just migrated to this file, in place of what an older product left there."""
    for old in migrated.parent.glob("*.sqlite3"):
        old.unlink()
    unfinished = migrated.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(unfinished)])
    unfinished.rename(migrated)


def fingerprint() -> str:
    """A digest of everything that may say what a migrated database holds."""
    digest = hashlib.sha256(f"{sys.version} {sqlite3.sqlite_version}".encode())
    found = [path for source in SOURCES for path in (ROOT / source).rglob("*") if "__pycache__" not in path.parts]
    for path in sorted([*found, *(ROOT / name for name in SINGLE_SOURCES)]):
        if path.is_file():
            digest.update(f"\n{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """The others wait until the first has migrated."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
