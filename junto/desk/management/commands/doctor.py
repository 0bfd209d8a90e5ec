"""`bin/junto doctor`: is everything well, and what to do about what is not."""

from typing import Any

from django.core.management import BaseCommand, CommandError

from junto.desk.doctor import examine


class Command(BaseCommand):
    """Prints one line for each check as it is made; fails when one did."""

    requires_system_checks = ()
    help = "Check configuration, database, task engine, channel layer, model endpoint, connections and local targets."

    def handle(self, **options: Any) -> None:
        """Raise `CommandError` with the number of failures, if there is any."""
        failures = 0
        for check in examine():
            mark = self.style.SUCCESS("ok    ") if check.ok else self.style.ERROR("FAILED")
            self.stdout.write(f"{mark}  {check.name}: {check.detail}")
            if not check.ok:
                failures += 1
                self.stdout.write(f"        -> {check.advice}")
        if failures:
            raise CommandError(f"{failures} of the checks failed; each line marked -> says what to do.")
