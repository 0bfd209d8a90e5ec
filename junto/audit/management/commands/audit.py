"""`bin/junto audit verify`: show that nobody has changed the log."""

from __future__ import annotations

import argparse

from django.core.management.base import BaseCommand, CommandError, CommandParser

from junto.audit.services import verify_chain
from junto.tenants.models import Organization


class Command(BaseCommand):
    """Verify the audit chains; exit code 1 and the first broken entry when one does not hold."""

    help = "Verify the audit log: bin/junto audit verify [--organization slug] [--head number:hash]"

    def add_arguments(self, parser: CommandParser) -> None:
        """`verify`, for one organization or for all."""
        parser.add_argument("word", choices=["verify"])
        parser.add_argument("--organization", help="slug; without it every organization")
        parser.add_argument("--head", type=_head, help="an exported head, number:hash, that must still be in the log")

    def handle(self, *args: object, **options: object) -> None:
        """One line an organization.

        Raises:
            CommandError: a chain is broken, or there is no such organization.
        """
        organizations = Organization.objects.order_by("slug")
        if options["organization"]:
            organizations = organizations.filter(slug=options["organization"])
            if not organizations:
                raise CommandError(f"There is no organization {options['organization']}.")
        elif options["head"]:
            raise CommandError("A head belongs to one organization: name it with --organization.")
        broken = []
        for organization in organizations:
            report = verify_chain(organization, exported_head=options["head"])  # type: ignore[arg-type]
            if report.ok:
                head = f"{report.head_number}:{report.head_hash}"
                self.stdout.write(f"{report.organization}: {report.entries} entries hold, head {head}")
            else:
                broken.append(f"{report.organization}: {report.reason}")
        if broken:
            raise CommandError("The audit log was changed. " + "; ".join(broken))


def _head(text: str) -> tuple[int, str]:
    number, _, digest = text.partition(":")
    if not number.isdigit() or not digest:
        raise argparse.ArgumentTypeError("an exported head looks like 120:9f2c...")
    return int(number), digest
