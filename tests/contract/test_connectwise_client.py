"""Every request of the ConnectWise client, byte for byte as it is sent, against the vendor's contract."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import Config, OpenAPI

from integrations.connectwise import endpoints
from integrations.services import check_connection, open_ticket_source, save_connection, sync_directory
from integrations.tools import registry
from integrations.warrants import Traffic, classify
from integrations.webhooks import fetch_wanted_key, register_webhook, unregister_webhook
from tests.integrations.connected import KESSLER, ConnectedTestCase
from tests.integrations.rogue import Rogue, rogue_server
from tests.wire import as_openapi, changed_records, listening, nulls, parts

#: Requests that the vendor's reference does not have, and why we make them.
UNDOCUMENTED = {endpoints.CALLBACK_KEY: "its callbacks name this address for their key"}
PREFIX = "/connectwise/v4_6_release/apis/3.0"


def _json(body: bytes, **_: str) -> Any:
    return json.loads(body)


class ClientContractTests(ConnectedTestCase):
    """Everything the client can do, once, through a server that listens in."""

    @pytest.fixture(autouse=True)
    def _contract(self, contracts_dir: Path) -> None:
        text = (contracts_dir / "connectwise" / "openapi.json").read_text(encoding="utf-8")
        self.specification: dict[str, Any] = json.loads(text)

    def test_every_request_keeps_the_contract(self) -> None:
        with rogue_server(listening(self.sandbox.port, [])) as wire:
            self.listen_in(wire)
            self.do_everything()

        contract = OpenAPI.from_dict(
            {**self.specification, "servers": [{"url": f"http://127.0.0.1:{wire.port}{PREFIX}"}]},
            config=Config(extra_media_type_deserializers={"application/json": _json}),
        )
        assert len(wire.requests) > 60
        for request in wire.requests:
            if not urlsplit(parts(request)[1]).path.startswith(f"{PREFIX}/system/callbacks/keys/"):
                contract.validate_request(as_openapi(request, wire.port))
        self.check_reach(wire.requests)

    def test_fields_that_come_new_and_fields_that_are_empty_break_nothing(self) -> None:
        with rogue_server(listening(self.sandbox.port, [], change=changed_records(_surprises))) as wire:
            self.listen_in(wire)
            self.do_everything()

    def check_reach(self, requests: list[bytes]) -> None:
        """Every row of our table was used and is in the contract, with its headers and known properties only."""
        used = set()
        for request in requests:
            method, target, headers, body = parts(request)
            row = classify(endpoints.ENDPOINTS, method=method, path=urlsplit(target).path.removeprefix(PREFIX))
            assert row is not None, target
            used.add(row)
            if row in UNDOCUMENTED:
                continue
            assert headers["accept"] == "application/vnd.connectwise.com+json; version=2025.1"
            assert headers["authorization"].startswith("Basic ")
            assert headers["clientid"]
            operation = self.specification["paths"][row.template][method.lower()]
            known = {parameter["name"] for parameter in operation["parameters"] if parameter["in"] == "query"}
            assert {name for name, _ in parse_qsl(urlsplit(target).query)} <= known
            if row.traffic is Traffic.WRITE and method == "POST":
                schema = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                assert set(json.loads(body)) <= set(self.specification["components"]["schemas"][schema]["properties"])
        assert used == set(endpoints.ENDPOINTS)

    def follow_changes(self) -> None:
        """Set the webhook up, ask for the key of what it signs, and remove it."""
        hook = register_webhook(actor=self.actor(self.adam), connection=self.connection)
        hook.wanted_key = "1"
        hook.save()
        fetch_wanted_key(hook)
        unregister_webhook(actor=self.actor(self.adam), connection=self.connection)

    def listen_in(self, wire: Rogue) -> None:
        """Send Northwind's connection through the server."""
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
        save_connection(
            actor=self.actor(self.adam),
            vendor="connectwise",
            label="PSA",
            base_url=f"http://127.0.0.1:{wire.port}{PREFIX}",
            credentials=self.credentials("northwind"),
            connection=self.connection,
        )

    def do_everything(self) -> None:
        """Test, sync, read tickets, and call every tool with every argument."""
        contact = self.sandbox.plant_contact("Orsolya", 'Quist "Q"', "o.quist@harbor.example")
        ticket = self.sandbox.plant_ticket(
            "Umlaut ä and 日本", contact=contact, configurations=[self.sandbox.plant_device("HBR-1")]
        )
        assert check_connection(self.connection).ok
        sync_directory(self.connection)
        with closing(open_ticket_source(self.connection)) as source:
            assert [row.external_id for row in source.changed_since(datetime(2026, 1, 1, tzinfo=UTC))]
            assert source.ticket(str(ticket)).subject == "Umlaut ä and 日本"
            assert list(source.boards())
            assert source.board_choices("1").items
            assert source.priorities()
        self.follow_changes()
        options: Any = self.call("connectwise.board_options", board_id=1).content
        kind = options["types"][0]["id"]
        subtype = next(row["id"] for row in options["subtypes"] if kind in row["type_ids"])
        status = next(row["id"] for row in options["statuses"] if row["name"] == "In Progress")
        priority = options["priorities"][0]["id"]
        self.sandbox.plant(
            "documents", {"title": "Log", "fileName": "log.txt", "size": 9, "recordType": "Ticket", "recordId": ticket}
        )
        for name, arguments in (
            ("board_options", {}),
            ("search_tickets", {"text": 'ä" or', "status": "open", "board_id": 1, "contact_id": contact, "limit": 5}),
            ("search_tickets", {"updated_after": "2026-01-01T00:00:00+02:00"}),
            ("get_ticket", {"ticket_id": ticket}),
            ("list_ticket_time", {"ticket_id": ticket}),
            ("find_company", {}),
            ("find_contact", {"name": 'Orsolya "Q"'}),
            ("find_contact", {"email": "o.quist@harbor.example"}),
            ("list_configurations", {"name": "HBR", "type": "work", "contact_id": contact}),
            ("list_members", {"name": "theo"}),
            ("list_schedule", {"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z", "member": "theo"}),
            ("list_attachments", {"ticket_id": ticket}),
        ):
            self.call(f"connectwise.{name}", **arguments)
        other, more = self.sandbox.plant_ticket("The same again"), self.sandbox.plant_device("HBR-2")
        closed = next(row["id"] for row in options["statuses"] if row["closed"])
        elsewhere: Any = self.call("connectwise.board_options", board_id=2).content
        alerts = elsewhere["statuses"][0]["id"]
        work = {"ticket_id": ticket, "start": "2026-11-20T09:00:00Z", "minutes": 5, "notes": "a"}
        for name, arguments in (
            ("add_internal_note", {"ticket_id": ticket, "text": "日本\nä"}),
            (
                "add_customer_note",
                {"ticket_id": ticket, "text": "a", "notify": True, "resolution": True, "member": "theo"},
            ),
            ("set_ticket_status", {"ticket_id": ticket, "status_id": status}),
            ("classify_ticket", {"ticket_id": ticket, "type_id": kind, "subtype_id": subtype, "priority_id": priority}),
            ("classify_ticket", {"ticket_id": ticket, "empty": ["subtype", "type"]}),
            ("assign_ticket", {"ticket_id": ticket, "member": "theo"}),
            ("move_to_board", {"ticket_id": self.sandbox.plant_ticket(), "board_id": 2, "status_id": alerts}),
            ("move_to_company", {"ticket_id": self.sandbox.plant_ticket(), "company_id": int(KESSLER)}),
            ("add_time_entry", {**work, "member": "theo", "billable": "NoCharge", "copy_to": "internal"}),
            (
                "schedule_ticket",
                {"ticket_id": ticket, "member": "theo", "start": "2026-11-20T09:00:00Z", "minutes": 30},
            ),
            ("list_schedule", {"start": "2026-11-20T00:00:00Z", "end": "2026-11-21T00:00:00Z"}),
            ("attach_configuration", {"ticket_id": ticket, "configuration_id": more}),
            ("merge_tickets", {"ticket_id": ticket, "child_ids": [other], "status_id": closed}),
            (
                "create_ticket",
                {"summary": "a", "description": "b", "board_id": 1, "contact_id": contact, "priority_id": priority},
            ),
        ):
            if registry.get(f"connectwise.{name}").is_write:
                self.preview(f"connectwise.{name}", **arguments)
            self.call(f"connectwise.{name}", **arguments)


def _surprises(record: dict[str, Any]) -> dict[str, Any]:
    return nulls(record, "owner", "item", "team", "website", "serialNumber", "osType")
