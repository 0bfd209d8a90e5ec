"""`bin/junto bench NAME [--json]`: measure before claiming."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

#: Each benchmark with the options that say how much it measures.
BENCHMARKS = {
    "agent_loop": ("sessions", "rounds"),
    "classification": ("tickets", "rounds"),
    "client_overhead": ("rounds",),
    "processors": ("rounds",),
    "runbook_list": ("runbooks", "rounds"),
    "signal_list": ("signals", "rounds"),
    "tool_offer": (),
    "ticket_delivery": ("tickets", "rounds"),
    "webhook_accept": ("seconds", "rounds"),
}


class Command(BaseCommand):
    """Runs one benchmark of the folder bench/."""

    help = "Measure: bench/README.md says what each figure means."

    def add_arguments(self, parser: CommandParser) -> None:
        """The benchmark's name, its size, and the form of the answer."""
        parser.add_argument("name", choices=BENCHMARKS)
        parser.add_argument("--sessions", type=int, default=20)
        parser.add_argument("--tickets", type=int, default=5_000)
        parser.add_argument("--runbooks", type=int, default=10_000)
        parser.add_argument("--signals", type=int, default=100_000)
        parser.add_argument("--seconds", type=int, default=60)
        parser.add_argument("--rounds", type=int, default=3)
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure and print."""
        sizes = {name: options[name] for name in BENCHMARKS[options["name"]]}
        for name, size in sizes.items():
            if size < 1:
                raise CommandError(f"--{name} must be at least 1.")
        try:
            benchmark = import_module(f"bench.{options['name']}")
        except ModuleNotFoundError as missing:
            raise CommandError(f"{missing.name} is not installed: run bin/test once, which installs it.") from missing
        figures = benchmark.measure(**sizes)
        if options["json"]:
            self.stdout.write(json.dumps(figures, indent=2))
            return
        for database, rows in figures.items():
            self.stdout.write(database)
            for name, value in rows.items():
                self.stdout.write(f"  {name:28} {value}")
