"""`reseal_credentials`: the step of a key rotation."""

from __future__ import annotations

from django.core.management.base import BaseCommand, CommandError

from integrations.connections import reseal_credentials, reseal_webhook
from integrations.models import Connection, Webhook
from integrations.sealing import Unsealable


class Command(BaseCommand):
    """Put every sealed credential under the first key of JUNTO_CREDENTIAL_KEYS; safe to repeat and to interrupt."""

    help = "Re-seal all credentials under the current key, so that an older key can be taken out of the list."

    def handle(self, *args: object, **options: object) -> None:
        """Say how many were re-sealed; fail when one does not open."""
        done, shut = 0, []
        for connection in Connection.unscoped.exclude(sealed_credentials="").order_by("pk").iterator():
            try:
                done += reseal_credentials(connection)
            except Unsealable:
                shut.append(connection.label)
        webhooks = Webhook.unscoped.select_related("connection").order_by("pk")
        done += sum(reseal_webhook(webhook) for webhook in webhooks.iterator())
        self.stdout.write(f"{done} re-sealed under the current key.")
        if shut:
            raise CommandError(
                f"{len(shut)} did not open with any key: {', '.join(shut)}. Enter their credentials again."
            )
