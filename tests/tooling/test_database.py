"""The copied test database: as the migrations make it, and made anew when anything that matters changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from tests import database


@pytest.mark.django_db
def test_every_migration_is_in_it() -> None:
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small one, with a file at each place that counts."""
    for name in (*(f"{source}/app/migrations/0001.py" for source in database.SOURCES), *database.SINGLE_SOURCES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("as it was\n")
    monkeypatch.setattr(database, "ROOT", tmp_path)
    return tmp_path


def test_whatever_changes_makes_another_one(checkout: Path) -> None:
    seen = {database.fingerprint()}
    files = sorted(path for path in checkout.rglob("*") if path.is_file())
    for path in files:
        path.write_text("changed\n")
        seen.add(database.fingerprint())
    (checkout / "signals/new.py").write_text("")
    seen.add(database.fingerprint())
    (checkout / "signals/new.py").rename(checkout / "signals/renamed.py")
    seen.add(database.fingerprint())
    assert len(seen) == len(files) + 3


def test_what_python_compiled_makes_no_other_one(checkout: Path) -> None:
    before = database.fingerprint()
    (checkout / "signals/__pycache__").mkdir()
    (checkout / "signals/__pycache__/models.pyc").write_bytes(b"")
    assert database.fingerprint() == before
