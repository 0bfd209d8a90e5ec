"""A publish counts in every process, not only in the one that served it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.db import connection

from junto.env import ROOT
from runbooks.models import Runbook
from runbooks.services import archive_runbook, publish_runbook, save_draft
from tests.cases import JuntoTransactionTestCase
from tests.factories import ConnectionFactory, SignalFactory
from tests.runbooks.cases import RESET


class EveryProcessTests(JuntoTransactionTestCase):
    def setUp(self) -> None:
        super().setUp()
        psa = ConnectionFactory(organization=self.northwind)
        signal = SignalFactory(connection=psa, company=self.harlow, subject="Please reset my password, I am locked out")
        database = f"sqlite:///{connection.settings_dict['NAME']}"
        self.reader = subprocess.Popen(
            [sys.executable, "-m", "tests.runbooks.reader", str(signal.pk)],
            env=os.environ | {"DATABASE_URL": database, "PYTHONPATH": str(ROOT)},
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.addCleanup(self._end)

    def _end(self) -> None:
        self.reader.communicate(timeout=30)

    def there(self) -> Any:
        """What the other process matches now."""
        assert self.reader.stdin is not None
        assert self.reader.stdout is not None
        self.reader.stdin.write("now\n")
        self.reader.stdin.flush()
        return json.loads(self.reader.stdout.readline())

    @pytest.mark.slow
    def test_a_publish_a_new_version_and_an_archive_count_at_the_next_match_of_another_process(self) -> None:
        assert self.there() is None

        mara = self.actor(self.mara)
        runbook = save_draft(actor=mara, runbook=Runbook(title="Reset a password", body=RESET))
        assert self.there() is None  # a draft is matched nowhere
        publish_runbook(actor=mara, runbook=runbook)
        assert self.there() == ["Reset a password", 1]

        runbook.title = "Reset a locked password"
        publish_runbook(actor=mara, runbook=save_draft(actor=mara, runbook=runbook))
        assert self.there() == ["Reset a locked password", 2]

        archive_runbook(actor=mara, runbook=runbook)
        assert self.there() is None
