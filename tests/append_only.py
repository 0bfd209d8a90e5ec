"""Lets Django empty the audit log between tests, which the database refuses to everybody else."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import TransactionTestCase


@contextmanager
def audit_log_unguarded() -> Iterator[None]:
    """Inside, audit entries can be changed and deleted, as somebody could who owns the database."""
    guards = importlib.import_module("junto.audit.migrations.0002_append_only")
    with connection.schema_editor() as editor:
        guards.remove(None, editor)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            guards.add(None, editor)


@pytest.fixture(autouse=True, scope="session")
def _flush_audit_log() -> Iterator[None]:
    plain = TransactionTestCase._fixture_teardown

    def teardown(self: TransactionTestCase) -> None:
        if connection.vendor == "sqlite":  # PostgreSQL truncates, which row triggers do not see
            with audit_log_unguarded():
                plain(self)
        else:
            plain(self)

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = plain
