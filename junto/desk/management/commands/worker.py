"""`bin/junto worker`: one worker process of a distributed Junto, with a clock."""

from django.core.management import BaseCommand, call_command

from junto import engine


class Command(BaseCommand):
    """Works the queue on Redis until SIGTERM or Ctrl-C; several may run, and each keeps the clock.

    Two clocks ring twice, which is harmless: the rows that a ring leads to are claimed by one of them.
    """

    requires_system_checks = ()
    help = "Work the distributed queue and keep the clock; needs REDIS_URL."

    def handle(self, **options: object) -> None:
        """Run until stopped."""
        clock = engine.clock()
        clock.start()
        try:
            # Not forking: a forked worker took 121 ms to start a call, and its parent's death would orphan the child.
            call_command("rqworker", "default", worker_class="rq.worker.SimpleWorker", job_class="django_tasks_rq.Job")
        finally:
            clock.shutdown(wait=False)
