"""Load the demo into a running server; `bin/junto up` does so at every start."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.errors import IntegrationError
from junto.desk.demo.loading import Demo, DemoFailed
from runbooks.services import PublishRefused


class Command(BaseCommand):
    """Two rival MSPs with people, tickets and runbooks; safe to repeat and to interrupt."""

    help = "Load the demo: two MSPs with people, connections, tickets and runbooks, against the running vendor sandbox."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where both run."""
        parser.add_argument("--base-url", required=True, help="address of this server")
        parser.add_argument("--sandbox-url", required=True, help="address of the vendor sandbox")

    def handle(self, *args: object, base_url: str, sandbox_url: str, **options: object) -> None:
        """Load what is missing and tell the logins.

        Raises:
            CommandError: a step failed; the next start goes on from there.
        """
        try:
            Demo(base_url=base_url.rstrip("/"), sandbox_url=sandbox_url, say=self._say).load()
        except (DemoFailed, IntegrationError, PublishRefused) as problem:
            raise CommandError(f"The demo is not complete: {problem}") from problem

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
