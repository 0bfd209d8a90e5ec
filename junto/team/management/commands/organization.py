"""`bin/junto organization create`: the first organization of an installation, and its Owner.

Only the console does this. There is no page that a first visitor could reach before the operator does (T19).
"""

from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email, validate_slug
from django.db import transaction

from junto.team.organizations import create_organization
from junto.tenants.models import Organization, User

PASSWORD_BYTES = 12


class Command(BaseCommand):
    """Make an organization; prints the Owner's first password once."""

    help = "bin/junto organization create --name 'Northwind MSP' --slug northwind --owner olivia@northwind.example"

    def add_arguments(self, parser: CommandParser) -> None:
        """Name, slug and the Owner's address."""
        parser.add_argument("word", choices=["create"])
        parser.add_argument("--name", required=True)
        parser.add_argument("--slug", required=True, help="stands in every path: lower-case letters, digits, hyphens")
        parser.add_argument("--owner", required=True, help="e-mail address; an existing account is used as it is")

    @transaction.atomic
    def handle(self, *args: object, **options: str) -> None:
        """Make them, or say what is wrong.

        Raises:
            CommandError: the slug or the address is taken or no such thing.
        """
        slug, address = options["slug"], options["owner"].strip().lower()
        try:
            validate_slug(slug)
            validate_email(address)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        if slug != slug.lower() or Organization.objects.filter(slug=slug).exists():
            raise CommandError(f"The slug {slug} is taken, or holds capital letters.")
        owner = User.objects.filter(email__iexact=address).first()
        password = ""
        if owner is None:
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            owner = User.objects.create_user(username=address, email=address, password=password)
        create_organization(name=options["name"], slug=slug, owner=owner)
        self.stdout.write(f"{options['name']} stands at /o/{slug}/; its Owner logs in as {owner.username}.")
        if password:
            self.stdout.write(f"First password, shown this once: {password}")
