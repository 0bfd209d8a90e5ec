"""The MCP client of docs/examples, run as its author would run it, against a live server."""

from __future__ import annotations

import os
import subprocess
import sys

from django.test import LiveServerTestCase

from junto.env import ROOT
from tests.cases import Cast, forget_calls, set_the_stage
from tests.factories import SignalFactory

SECONDS = 60


class McpExampleTests(Cast, LiveServerTestCase):
    def setUp(self) -> None:
        super().setUp()
        forget_calls()
        set_the_stage(self)

    def run_it(self, *words: str, token: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "docs" / "examples" / "mcp_client.py"), *words],
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

    def test_it_searches_every_page_and_tells_a_refusal_in_juntos_words(self) -> None:
        token = self.token(self.adam, "signals:read")
        signals = [SignalFactory(company=self.harlow, subject=f"Printer {number}") for number in range(25)]
        found = self.run_it("search", "printer", token=token)
        assert found.returncode == 0, found.stderr
        assert {line.split()[0] for line in found.stdout.splitlines()} == {str(signal.pk) for signal in signals}
        refused = self.run_it("propose", str(signals[0].pk), "connectwise.add_internal_note", token=token)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "needs the scope actions:propose" in refused.stderr
        unknown = self.run_it("tools", token="jt_madeup")
        assert (unknown.returncode, unknown.stderr) == (1, "This API token is not known.\n")
