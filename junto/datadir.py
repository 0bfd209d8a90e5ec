"""The data folder of an embedded Junto: made, checked, locked, with its generated secrets."""

import base64
import contextlib
import errno
import fcntl
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from junto import env

FREE_BYTES_TO_START = 200 * 1000 * 1000
CHECKED_DATABASE_BYTES = 200 * 1000 * 1000
"""A larger database file is only opened, not read through: a start must stay quick."""

ADDRESS_FILE = "address"


class Refusal(Exception):
    """A reason not to start, as one sentence that says what to do."""


@contextmanager
def prepared(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process alone, with room to work and every secret in place."""
    with told(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_space(folder)
    with told(folder):
        lock = (folder / "up.lock").open("w", encoding="utf-8")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refusal(
                f"another bin/junto up already works on {folder}: stop that one, or choose another --data-dir."
            ) from None
        with told(folder):
            _make_secrets()
        yield


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses below `folder` into one sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _full(folder) from error
        reason = (error.strerror or error.__class__.__name__).lower()
        raise Refusal(
            f"the data folder {folder} cannot be used ({reason}): make it writable, or choose another --data-dir."
        ) from error


def remember_address(folder: Path, address: str) -> None:
    """Keep where the server of this folder is reached, for commands that run beside it."""
    with told(folder):
        (folder / ADDRESS_FILE).write_text(f"{address}\n", encoding="utf-8")


def remembered_address(folder: Path) -> str:
    """Where the server of this folder was last reached; empty if it never started."""
    try:
        return (folder / ADDRESS_FILE).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def check_sqlite(path: Path) -> None:
    """Refuse a database file that is no SQLite database or is damaged; a missing one will be made."""
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=5)) as connection:
            connection.execute("PRAGMA schema_version").fetchone()
            if path.stat().st_size <= CHECKED_DATABASE_BYTES:
                verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
                if verdict != "ok":
                    raise sqlite3.DatabaseError(str(verdict).splitlines()[0])
    except sqlite3.Error as error:
        raise broken_database(path, error) from error


def broken_database(path: Path, error: Exception) -> Refusal:
    """The sentence for a database that cannot be used, or for the full disk below it."""
    reason = str(error).strip().splitlines()[0] if str(error).strip() else error.__class__.__name__
    if "disk is full" in reason or "disk I/O error" in reason:
        return _full(path.parent)
    return Refusal(f"the database {path} cannot be used ({reason}): restore it from a backup, or move it away.")


def _full(folder: Path) -> Refusal:
    return Refusal(f"the disk that holds {folder} is full: free some space, or choose another --data-dir.")


def _require_space(folder: Path) -> None:
    if shutil.disk_usage(folder).free < FREE_BYTES_TO_START:
        raise Refusal(
            f"the disk that holds {folder} is full: Junto needs {FREE_BYTES_TO_START // 1_000_000} MB free to start, "
            "so free some space, or choose another --data-dir."
        )


def lend_secrets() -> None:
    """Give this process, and no file, secrets for what neither the environment nor the folder holds."""
    for name, make in _SECRETS.items():
        if not os.environ.get(name) and not env.secret_file(name).exists():
            os.environ[name] = make()


def _make_secrets() -> None:
    """Generate what neither the environment nor the folder holds; a secret is never replaced."""
    for name, make in _SECRETS.items():
        path = env.secret_file(name)
        if os.environ.get(name) or path.exists():
            continue
        path.parent.mkdir(mode=0o700, exist_ok=True)
        # Written aside and renamed: a full disk or a kill must not leave half a key behind.
        aside = path.with_suffix(".new")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make() + "\n")
            file.flush()
            os.fsync(file.fileno())
        aside.rename(path)


def _credential_key() -> str:
    key = base64.b64encode(secrets.token_bytes(env.CREDENTIAL_KEY_BYTES)).decode("ascii")
    return f"k{secrets.token_hex(4)}:{key}"


_SECRETS: dict[str, Callable[[], str]] = {
    "JUNTO_SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "JUNTO_AUDIT_KEY": lambda: secrets.token_urlsafe(48),
    "JUNTO_CREDENTIAL_KEYS": _credential_key,
}
