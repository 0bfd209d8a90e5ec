"""`bin/junto worker`: one worker process of a distributed Junto, with a clock."""

from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command

from junto import engine
from junto.settling import settle


class Command(BaseCommand):
    """Works the lanes on Redis until SIGTERM or Ctrl-C; several may run, and each keeps the clock.

    Two clocks call twice, which is harmless: the rows that a call leads to are claimed by one of them.
    """

    requires_system_checks = ()
    help = "Work the distributed queues, most urgent first, and keep the clock; needs REDIS_URL."

    def add_arguments(self, parser: CommandParser) -> None:
        """The lanes this worker works, if not all."""
        # no `choices`: argparse would hold the whole default list against them
        parser.add_argument(
            "lanes", nargs="*", metavar="lane", help=f"work only these lanes (of {', '.join(settings.LANES)})"
        )

    def handle(self, *, lanes: list[str], **options: Any) -> None:
        """Run until stopped."""
        if unknown := sorted(set(lanes) - set(settings.LANES)):
            raise CommandError(f"There is no lane {', '.join(unknown)}: choose of {', '.join(settings.LANES)}.")
        wanted = [lane for lane in settings.LANES if lane in lanes or not lanes]
        settle()
        engine.start_clock()
        try:
            # Not forking: a forked worker took 121 ms to start a call, and its parent's death would orphan the child.
            call_command("rqworker", *wanted, worker_class="rq.worker.SimpleWorker", job_class="django_tasks_rq.Job")
        finally:
            engine.stop()
