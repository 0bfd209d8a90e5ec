"""Northwind with ConnectWise connected, and texts of runbooks."""

from __future__ import annotations

from typing import Any, ClassVar

from integrations.models import Connection
from runbooks.models import Runbook
from runbooks.services import publish_runbook, save_draft
from tests.cases import JuntoTestCase
from tests.factories import ConnectionFactory

RESET = """1. Read the ticket with @connectwise.get_ticket(ticket_id=ticket.id).
2. Write down what was found with @connectwise.add_internal_note(ticket_id=ticket.id).
3. Tell the client with @connectwise.add_customer_note(ticket_id=ticket.id, text="Your password was reset.").
"""


class RunbookCase(JuntoTestCase):
    psa: ClassVar[Connection]

    @classmethod
    def setUpTestData(cls) -> None:
        super().setUpTestData()
        cls.psa = ConnectionFactory(organization=cls.northwind)

    def draft(self, **fields: Any) -> Runbook:
        """A draft by Mara."""
        defaults = {"title": "Reset a password", "body": RESET, "audience": Runbook.Audience.AI}
        return save_draft(actor=self.actor(self.mara), runbook=Runbook(**(defaults | fields)))

    def published(self, **fields: Any) -> Runbook:
        """A runbook that Mara published."""
        return publish_runbook(actor=self.actor(self.mara), runbook=self.draft(**fields))
