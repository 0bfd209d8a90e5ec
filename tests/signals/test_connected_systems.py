"""What a finding says of connected systems stays true when one is connected or taken away."""

from __future__ import annotations

from uuid import UUID

from integrations.lifecycle import remove_connection
from integrations.models import Connection
from integrations.services import save_connection
from signals.models import ProcessorResult
from signals.processing import connected
from signals.processing.corrections import confirm_result
from signals.tasks import judge_all_again
from tests.factories import ConnectionFactory, SignalFactory
from tests.signals.test_processors import ProcessorCase

MISSED = "Microsoft 365 is not connected"


class ConnectedSystemsTests(ProcessorCase):
    def connect(self) -> Connection:
        credentials = {"client_id": str(UUID(int=1)), "client_secret": "b" * 8, "tenant_id": str(UUID(int=2))}
        connection = save_connection(
            actor=self.actor(self.adam),
            vendor="microsoft365",
            label="Microsoft 365",
            base_url="https://graph.microsoft.com/v1.0",
            credentials=credentials,
        )
        self.drain()
        return connection

    def finding(self) -> ProcessorResult:
        return ProcessorResult.objects.for_organization(self.northwind).current().get(processor="automation")

    def test_connecting_a_system_and_removing_it_lets_what_misses_it_be_read_anew(self) -> None:
        signal = self.arrive("Please reset the password of Dana Whitfield")
        before = self.finding()
        assert before.reason.count("Microsoft 365") == 1  # said once
        assert MISSED in before.reason
        connection = self.connect()
        after = self.finding()
        assert MISSED not in after.reason
        assert (after.value["missing"], after.value["matched"]) == ([], ["Microsoft 365"])
        assert after.value["score"] > before.value["score"]
        remove_connection(actor=self.actor(self.adam), connection=connection)
        self.drain()
        assert MISSED in self.finding().reason
        assert self.finding().revision == signal.revision

    def test_a_long_list_is_read_in_parts_and_no_ticket_is_left_out_or_asked_for_ever(self) -> None:
        signals = [
            SignalFactory(organization=self.northwind, company=self.harlow, connection=self.psa, subject=subject)
            for subject in ("Reset the password of Dana", "Password reset, please", "Forgot my password")
        ]
        for signal in signals:
            connected.run_processors(signal)
        rows = ProcessorResult.objects.for_organization(self.northwind).current().filter(processor="automation")
        assert [row.value["missing"] for row in rows] == [["Microsoft 365"]] * 3
        ConnectionFactory(organization=self.northwind, vendor="microsoft365", label="Microsoft 365")
        assert connected.read_anew(self.northwind, at_once=2) == 2
        assert sorted(row.value["missing"] for row in rows.all()) == [[], [], ["Microsoft 365"]]
        self.drain()  # it rang for the rest
        assert [row.value["missing"] for row in rows.all()] == [[]] * 3

    def test_a_lost_bell_is_made_good_by_the_clock_and_what_a_person_said_stays(self) -> None:
        self.arrive("Please reset the password of Dana Whitfield")
        ConnectionFactory(organization=self.northwind, vendor="microsoft365", label="Microsoft 365")
        judge_all_again.call("")
        assert MISSED not in self.finding().reason
        confirm_result(actor=self.actor(self.theo), result=self.finding())
        Connection.unscoped.filter(vendor="microsoft365").delete()
        told = self.finding()
        judge_all_again.call("")
        assert self.finding().pk == told.pk
