"""The sync job of docs/examples, run as its author would run it, against a live server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.test import LiveServerTestCase

from integrations.models import Contact
from junto.env import ROOT
from signals.models import Signal
from tests.cases import Cast, forget_calls, set_the_stage
from tests.factories import ConnectionFactory

AT = "2026-11-20T09:00:00Z"
EXPORT: dict[str, list[dict[str, Any]]] = {
    "companies": [{"external_id": "900", "updated_at": AT, "name": "Larkspur Foods"}],
    "contacts": [{"external_id": "7", "updated_at": AT, "company": "900", "name": "Dana Whitfield"}],
    "signals": [
        {"external_id": "48213", "updated_at": AT, "company": "900", "contact": "7", "subject": "Printer jams"},
        {"external_id": "", "updated_at": AT, "subject": "No id"},
    ],
}
SECONDS = 60


class ClientExampleTests(Cast, LiveServerTestCase):
    def setUp(self) -> None:
        super().setUp()
        forget_calls()
        set_the_stage(self)
        ConnectionFactory(organization=self.northwind)

    def run_it(self, *words: str, token: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "docs" / "examples" / "sync_client.py"), *words],
            env={
                "PATH": os.environ["PATH"],
                "JUNTO_URL": f"{self.live_server_url}/api/v1/northwind",
                "JUNTO_TOKEN": token,
            },
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def test_it_sends_an_export_names_what_was_refused_and_follows_from_where_it_was(self) -> None:
        token = self.token(self.adam, "companies:sync", "signals:write", "signals:read")
        with tempfile.TemporaryDirectory() as folder:
            export, place = Path(folder, "export.json"), Path(folder, "cursor.txt")
            export.write_text(json.dumps(EXPORT), encoding="utf-8")
            sent = self.run_it("send", str(export), token=token)
            assert sent.stdout.splitlines() == [
                'companies: {"created": 1}',
                'contacts: {"created": 1}',
                "devices: {}",
                'signals: {"created": 1, "refused": 1}',
            ], sent.stderr
            assert (sent.returncode, sent.stderr) == (1, "signals : external_id: This field may not be blank.\n")
            signal = Signal.objects.for_organization(self.northwind).select_related("company").get()
            assert signal.contact == Contact.objects.for_organization(self.northwind).get(external_id="7")

            moment = signal.changed_at.replace(year=2026, month=11, day=21, hour=0)
            Signal.objects.for_organization(self.northwind).update(changed_at=moment)
            followed = [self.run_it("follow", str(place), token=token).stdout for _ in range(2)]
            assert followed == ["48213 new Printer jams\n", ""]

    def test_an_export_that_holds_something_else_is_told_in_a_sentence_and_nothing_is_sent(self) -> None:
        token = self.token(self.adam, "companies:sync", "signals:write")
        with tempfile.TemporaryDirectory() as folder:
            export = Path(folder, "export.json")
            for wrong in ('[{"external_id": "1"}]', '{"signals": {"48213": {}}}', '"signals"'):
                export.write_text(wrong, encoding="utf-8")
                told = self.run_it("send", str(export), token=token)
                assert (told.returncode, told.stdout) == (1, "")
                assert told.stderr == (
                    f"{export} cannot be read: it must hold one object,"
                    " with a list under each of companies, contacts, devices, signals that it has.\n"
                )

    def test_a_token_without_the_scope_is_told_in_the_apis_words(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            refused = self.run_it(
                "follow", str(Path(folder, "cursor.txt")), token=self.token(self.adam, "signals:write")
            )
        assert refused.returncode == 1
        assert "403: This API token has no scope signals:read" in refused.stderr
