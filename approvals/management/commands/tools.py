"""`bin/junto tools [--write]`: every tool there is, as docs/tools.md tells them."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from approvals.tool_book import tool_book
from integrations.tools import registry
from junto.env import ROOT

PAGE = ROOT / "docs" / "tools.md"


class Command(BaseCommand):
    """Prints the page, or renews it where it lies."""

    help = "Every tool there is, from what it declares: bin/junto tools prints them, --write renews docs/tools.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether the page is written."""
        parser.add_argument("--write", action="store_true", help="write docs/tools.md instead of printing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print or write."""
        page = tool_book(registry)
        if not options["write"]:
            self.stdout.write(page)
            return
        PAGE.write_text(page, encoding="utf-8")
        self.stdout.write(f"{PAGE.relative_to(ROOT)}: {len(registry.all())} tools")
