"""Lets Django empty what is append-only between tests, which the database refuses to everybody else."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import TransactionTestCase

AUDIT_LOG = "junto.audit.migrations.0002_append_only"
DECISIONS = "approvals.migrations.0002_content_stays"


@contextmanager
def audit_log_unguarded() -> Iterator[None]:
    """Inside, audit entries can be changed and deleted, as somebody could who owns the database."""
    with _unguarded(AUDIT_LOG):
        yield


@contextmanager
def approvals_unguarded() -> Iterator[None]:
    """Inside, actions and decisions can be changed and deleted, as somebody could who owns the database."""
    with _unguarded(DECISIONS):
        yield


@contextmanager
def _unguarded(migration: str) -> Iterator[None]:
    guards = importlib.import_module(migration)
    guards.remove(None, _Editor())
    try:
        yield
    finally:
        guards.add(None, _Editor())


class _Editor:
    """What a migration's functions need of a schema editor; Django's own works in no transaction."""

    connection = connection

    def execute(self, statement: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.fixture(autouse=True, scope="session")
def _flush_audit_log() -> Iterator[None]:
    plain = TransactionTestCase._fixture_teardown

    def teardown(self: TransactionTestCase) -> None:
        if connection.vendor == "sqlite":  # PostgreSQL truncates, which row triggers do not see
            with audit_log_unguarded(), approvals_unguarded():
                plain(self)
        else:
            plain(self)

    TransactionTestCase._fixture_teardown = teardown
    yield
    TransactionTestCase._fixture_teardown = plain
