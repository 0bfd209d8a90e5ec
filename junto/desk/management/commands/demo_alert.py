"""Tell the demo's story of an alert, beside a running server: `bin/junto demo_alert`."""

from __future__ import annotations

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.errors import IntegrationError
from junto.desk.demo.alerts import AlertStory
from junto.desk.demo.loading import DemoFailed
from signals.write_back.cleared import ClearedRefused


class Command(BaseCommand):
    """An alert is raised in the demo, a run opens its ticket, it clears, and the ticket closes with it."""

    help = "Show in the demo how a ticket closes with its alert; bin/junto up must run beside it."

    def add_arguments(self, parser: CommandParser) -> None:
        """How long the alert stands."""
        parser.add_argument(
            "--stands", type=float, default=20.0, help="seconds between the run's end and the all-clear"
        )

    def handle(self, *args: object, stands: float, **options: object) -> None:
        """Tell it. Raises CommandError where the demo or its server do not play along."""
        try:
            AlertStory(base_url=settings.PUBLIC_URL, say=self._say).tell(stands=max(stands, 0.0))
        except (DemoFailed, IntegrationError, ClearedRefused) as problem:
            raise CommandError(str(problem)) from problem

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
