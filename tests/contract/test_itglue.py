"""Every request of the IT Glue client, byte for byte as it is sent, and every answer of the sandbox, by contract."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockResponse

from integrations.itglue import endpoints
from integrations.itglue.client import MEDIA_TYPE
from integrations.services import check_connection
from integrations.warrants import Traffic, classify
from tests.integrations.documented import DocumentedTestCase
from tests.integrations.rogue import Rogue, rogue_server
from tests.wire import answer_parts, as_openapi, changed_records, listening, nulls, parts

PREFIX = "/itglue"
#: The contract knows it on the route of one password alone. On the list it asks for what lists do by themselves.
SAID_ON_LISTS_TOO = {(endpoints.PASSWORDS, "show_password")}
#: Answers of public SDKs, not of the vendor's page: the contract itself marks them so (x-added).
NOT_ON_THE_VENDORS_PAGE = {
    endpoints.DOCUMENTS,
    endpoints.DOCUMENT,
    endpoints.SECTIONS,
    endpoints.CREATE_DOCUMENT,
    endpoints.ADD_SECTION,
    endpoints.PUBLISH_DOCUMENT,
}


class ITGlueContractTests(DocumentedTestCase):
    """Everything the client can do, once, through a server that listens in."""

    @pytest.fixture(autouse=True)
    def _contract(self, contracts_dir: Path) -> None:
        text = (contracts_dir / "itglue" / "openapi.json").read_text(encoding="utf-8")
        self.specification: dict[str, Any] = json.loads(text)

    def test_every_request_and_every_answer_keeps_the_contract(self) -> None:
        heard: list[tuple[bytes, bytes]] = []
        with rogue_server(listening(self.sandbox.port, heard)) as wire:
            self.listen_in(wire)
            self.do_everything()

        contract = OpenAPI.from_dict(
            {**self.specification, "servers": [{"url": f"http://127.0.0.1:{wire.port}{PREFIX}"}], "security": []}
        )
        used = set()
        for request, answer in heard:
            method, target, headers, body = parts(request)
            row = classify(endpoints.ENDPOINTS, method=method, path=urlsplit(target).path.removeprefix(PREFIX))
            assert row is not None, target
            used.add(row)
            operation = self.specification["paths"][row.template][method.lower()]
            known = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            added = {name for name, _ in parse_qsl(urlsplit(target).query)} - known
            assert {(row, name) for name in added} <= SAID_ON_LISTS_TOO, target
            assert row is not endpoints.PASSWORDS or ("show_password", "false") in parse_qsl(urlsplit(target).query)
            assert headers["x-api-key"] == self.sandbox.itglue["northwind-docs"].api_key
            if row.traffic is Traffic.WRITE:
                assert headers["content-type"] == MEDIA_TYPE
                self.check_attributes(operation, json.loads(body))
            wrapped = as_openapi(request, wire.port)
            contract.validate_request(wrapped)
            status, answered = answer_parts(answer)
            contract.validate_response(wrapped, MockResponse(answered, status_code=status, content_type=MEDIA_TYPE))
        assert used == set(endpoints.ENDPOINTS)

    def test_what_the_vendors_own_page_does_not_name_is_known_as_such(self) -> None:
        added = {
            row
            for row in endpoints.ENDPOINTS
            if "x-added" in self.specification["paths"][row.template][row.method.lower()]
        }
        assert added == NOT_ON_THE_VENDORS_PAGE

    def test_the_operations_that_the_client_leaves_alone_are_listed(self) -> None:
        """Among them whatever deletes, whatever reads over all organizations, and one password's own route."""
        used = {f"{row.method} {row.template}" for row in endpoints.ENDPOINTS}
        every = {f"{method.upper()} {path}" for path, known in self.specification["paths"].items() for method in known}
        listed = (Path(__file__).parent / "uncovered" / "itglue.txt").read_text(encoding="utf-8").splitlines()

        assert used <= every
        assert listed == sorted(every - used)

    def test_a_refusal_keeps_the_contract_too(self) -> None:
        heard: list[tuple[bytes, bytes]] = []
        with rogue_server(listening(self.sandbox.port, heard)) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            url = f"http://127.0.0.1:{wire.port}{PREFIX}"
            row = self.connect_documentation(self.adam, "northwind-docs-revoked", base_url=url, row=self.documentation)
            assert not check_connection(row).ok
        contract = OpenAPI.from_dict(
            {**self.specification, "servers": [{"url": f"http://127.0.0.1:{wire.port}{PREFIX}"}], "security": []}
        )
        for request, answer in heard:
            status, body = answer_parts(answer)
            contract.validate_response(
                as_openapi(request, wire.port), MockResponse(body, status_code=status, content_type=MEDIA_TYPE)
            )
            assert status == 403

    def test_fields_and_values_that_come_new_and_fields_that_are_empty_break_nothing(self) -> None:
        with rogue_server(listening(self.sandbox.port, [], change=changed_records(surprises))) as wire:
            self.listen_in(wire)
            self.do_everything()

    def check_attributes(self, operation: dict[str, Any], body: dict[str, Any]) -> None:
        """No attribute but those of the contract, which says nothing of a section's."""
        schema = operation["requestBody"]["content"][MEDIA_TYPE]["schema"]
        if "$ref" not in schema:
            return
        schema = self.specification["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        known = schema["properties"]["data"]["properties"]["attributes"]["properties"]
        assert set(body["data"]["attributes"]) <= set(known)

    def listen_in(self, wire: Rogue) -> None:
        """Send Northwind's connection through the server."""
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
        url = f"http://127.0.0.1:{wire.port}{PREFIX}"
        self.connect_documentation(self.adam, "northwind-docs", base_url=url, row=self.documentation)

    def do_everything(self) -> None:
        """Test, and call every tool with every argument."""
        assert check_connection(self.documentation).ok
        server = self.number("configurations", "HBR-SRV-01")
        document = self.number("documents", "New starter checklist")
        types: Any = self.call("itglue.list_asset_types", name="backup").content
        backups: Any = self.call("itglue.list_flexible_assets", type_id=types["types"][0]["id"], name="image").content
        people: Any = self.call("itglue.list_contacts", name="Dana").content
        sites: Any = self.call("itglue.list_locations").content
        for name, arguments in (
            ("find_organization", {}),
            ("search_configurations", {"name": "HBR-SRV ä & ?"}),
            ("search_configurations", {"serial_number": "HA8919B24729"}),
            ("search_configurations", {"ninjaone_device_id": 801, "include_archived": True}),
            ("get_configuration", {"configuration_id": server}),
            ("list_documents", {"name": "starter"}),
            ("read_document", {"document_id": document}),
            ("list_password_names", {"name": "firewall"}),
            ("list_expirations", {"since": "2026-01-01", "until": "2040-01-01"}),
            ("list_domains", {}),
        ):
            self.call(f"itglue.{name}", **arguments)
        links = (
            ("configuration", server),
            ("document", document),
            ("flexible_asset", backups["assets"][0]["id"]),
            ("contact", people["contacts"][0]["id"]),
            ("location", sites["locations"][0]["id"]),
        )
        changes = {
            "configuration_id": server,
            "primary_ip": "192.0.2.99",
            "mac_address": "00:00:5E:00:53:99",
            "notes": "In the comms room.",
            "warranty_expires_at": "2030-01-31",
            "location_id": sites["locations"][0]["id"],
            "contact_id": people["contacts"][0]["id"],
            "archived": False,
        }
        for name, arguments in (
            ("update_configuration", changes),
            ("create_document", {"name": "What was done on 22 November"}),
            ("add_document_section", {"document_id": document, "text": "- one\n- two & <three>"}),
            ("publish_document", {"document_id": document}),
            *(("link_items", linked(one, other)) for one, other in zip(links, (*links[1:], links[0]), strict=True)),
        ):
            self.preview(f"itglue.{name}", **arguments)
            self.call(f"itglue.{name}", **arguments)


def linked(one: tuple[str, int], other: tuple[str, int]) -> dict[str, Any]:
    """The arguments that link two records."""
    return {
        "source_type": one[0],
        "source_id": one[1],
        "destination_type": other[0],
        "destination_id": other[1],
        "note": "Belong together",
    }


def surprises(record: dict[str, Any]) -> dict[str, Any]:
    """Nulls, and listed words of next year."""
    listed = {name: "ADDED_IN_2027" for name in ("resource-type", "kind") if name in record}
    return {**listed, **nulls(record, "relationships", "position", "psa-integration")}
