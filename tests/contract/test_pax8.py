"""Every request of the Pax8 client, byte for byte as it is sent, and every answer of the sandbox, by contract."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from openapi_core import OpenAPI
from openapi_core.testing import MockResponse

from integrations.pax8 import endpoints
from integrations.pax8.tools import TOOLS
from integrations.services import check_connection
from integrations.warrants import classify
from tests.integrations.resold import NOWHERE, ResoldTestCase
from tests.integrations.rogue import Rogue, rogue_server
from tests.wire import answer_parts, as_openapi, changed_records, listening, nulls, parts

PREFIX, VERSION = "/pax8", "/v1"

UNCOVERED = {
    "/companies": "post",
    "/companies/{companyId}": "patch",
    "/companies/{companyId}/contacts/{contactId}": "get put delete",
    "/invoices/draftItems": "get",
    "/invoices/{invoiceId}": "get",
    "/orders/{orderId}": "get",
    "/usage-summaries/{usageSummaryId}": "get",
    "/usage-summaries/{usageSummaryId}/usage-lines": "get",
    "/webhooks": "get post",
    "/webhooks/topic-definitions": "get",
    "/webhooks/{id}": "get delete",
    "/webhooks/{id}/configuration": "post",
    "/webhooks/{id}/status": "post",
    "/webhooks/{id}/topics": "post put",
    "/webhooks/{id}/topics/{topicId}": "delete",
    "/webhooks/{id}/topics/{topicId}/configuration": "post",
    "/webhooks/{id}/topics/{topic}/test": "post",
    "/webhooks/{webhookId}/logs": "get",
    "/webhooks/{webhookId}/logs/{id}": "get",
    "/webhooks/{webhookId}/logs/{logId}/retry": "post",
}
"""What the vendor has, too, and Junto does not use: nothing is told by webhook that a look-up does not tell."""


class Pax8ContractTests(ResoldTestCase):
    """Everything the client can do, once, through a server that listens in."""

    @pytest.fixture(autouse=True)
    def _contract(self, contracts_dir: Path) -> None:
        text = (contracts_dir / "pax8" / "openapi.json").read_text(encoding="utf-8")
        self.specification: dict[str, Any] = json.loads(text)

    def contract(self, port: int) -> OpenAPI:
        """The contract with this server in place of the vendor's."""
        plain = deepcopy(self.specification)
        for path in plain["paths"].values():
            path.pop("servers", None)
        return OpenAPI.from_dict({**plain, "servers": [{"url": f"http://127.0.0.1:{port}/v1"}], "security": []})

    def test_every_request_and_every_answer_keeps_the_contract(self) -> None:
        heard: list[tuple[bytes, bytes]] = []
        with rogue_server(listening(self.sandbox.port, heard)) as wire:
            self.do_everything(wire)

        contract, used = self.contract(wire.port), set()
        for request, answer in heard:
            method, target, headers, body = parts(request)
            path, query = urlsplit(target).path.removeprefix(PREFIX), parse_qsl(urlsplit(target).query)
            row = classify(endpoints.ENDPOINTS, method=method, path=path, query=query)
            assert row is not None, target
            used.add(row)
            operation = self.specification["paths"][row.template.removeprefix(VERSION)][method.lower()]
            known = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
            assert {name for name, _ in query} <= known, target
            assert (row == endpoints.TOKEN) == ("authorization" not in headers)
            if body:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                assert set(json.loads(body)) <= self.properties(schema), target
            wrapped = as_openapi(request.replace(PREFIX.encode(), b"", 1), wire.port)
            contract.validate_request(wrapped)
            status, answered = answer_parts(answer)
            if status == 204:
                assert (answered, "204" in operation["responses"]) == (b"", True)
            else:
                contract.validate_response(wrapped, MockResponse(answered, status_code=status))
        assert used == set(endpoints.ENDPOINTS)

    def properties(self, schema: dict[str, Any]) -> set[str]:
        """The names that a body may hold."""
        if "$ref" in schema:
            return self.properties(self.specification["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
        several = [*schema.get("allOf", []), *schema.get("anyOf", [])]
        return set(schema.get("properties", {})).union(*(self.properties(one) for one in several))

    def test_what_is_not_used_of_the_contract_is_listed(self) -> None:
        used = {(one.template.removeprefix(VERSION), one.method.lower()) for one in endpoints.ENDPOINTS}
        there = {
            (path, method)
            for path, methods in self.specification["paths"].items()
            for method in methods
            if method in ("get", "post", "put", "patch", "delete")
        }
        assert used <= there
        assert there - used == {(path, method) for path, methods in UNCOVERED.items() for method in methods.split()}

    def test_refusals_keep_the_contract(self) -> None:
        """Their body is the one that every error of the contract has."""
        key = self.sandbox.pax8["northwind-pax8"]
        base, body = f"{key.base_url}/v1", {"audience": "https://api.pax8.com", "grant_type": "client_credentials"}
        body |= {"client_id": key.client_id, "client_secret": key.client_secret}
        signed = {
            "Authorization": f"Bearer {requests.post(f'{base}/token', json=body, timeout=10).json()['access_token']}"
        }
        mail, harbor = self.bought("Proofpoint"), self.buyer(self.harbor.name)
        committed = self.bought("Microsoft 365 Business Premium")
        contract = self.contract(self.sandbox.port)
        for expected, method, target, sent in (
            (404, "GET", f"/subscriptions/{NOWHERE}", None),
            (404, "GET", f"/companies/{NOWHERE}", None),
            (404, "GET", f"/products/{NOWHERE}/pricing", None),
            (404, "DELETE", f"/subscriptions/{NOWHERE}", None),
            (422, "PUT", f"/subscriptions/{committed['id']}", {"quantity": 1}),
            (422, "PUT", f"/subscriptions/{mail['id']}", {"quantity": 0}),
            (422, "POST", "/orders?isMock=true", {"companyId": harbor, "lineItems": []}),
            (422, "POST", f"/companies/{harbor}/contacts", {"firstName": "A"}),
        ):
            answer = requests.request(method, f"{base}{target}", headers=signed, json=sent, timeout=10)
            assert answer.status_code == expected, target
            wrapped = as_openapi(f"{method} /v1{target} HTTP/1.1\r\nHost: x\r\n\r\n".encode(), self.sandbox.port)
            contract.validate_response(wrapped, MockResponse(answer.content, status_code=expected))
            assert {"type", "message", "instance", "status", "details"} == set(answer.json())
        for expected, target, headers in (
            (401, "/companies", {"Authorization": "Bearer none"}),
            (400, "/companies?size=201", signed),
            (400, "/subscriptions?companyID=x", signed),
            (400, "/subscriptions?status=Sleeping", signed),
            (400, "/companies?sort=phone", signed),
        ):
            assert requests.get(f"{base}{target}", headers=headers, timeout=10).status_code == expected, target
        assert self.acted() == []

    def test_fields_and_values_that_come_new_and_fields_that_are_empty_break_nothing(self) -> None:
        with rogue_server(listening(self.sandbox.port, [], change=changed_records(surprises))) as wire:
            self.do_everything(wire)

    def do_everything(self, wire: Rogue) -> None:
        """Test the connection, and call every tool with every argument, through a server."""
        self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
        url = f"http://127.0.0.1:{wire.port}/pax8"
        self.connect_distributor(self.adam, "northwind-pax8", base_url=url, row=self.distributor)
        assert check_connection(self.distributor).ok
        seats, mail = self.bought("Microsoft 365 Business Premium"), self.bought("Proofpoint")
        visio, month = self.product("Visio Plan 2"), datetime.now(UTC).strftime("%Y-%m")
        term = next(one["id"] for one in visio["commitments"] if one["term"] == "1-Year")
        order: dict[str, Any] = {
            "product_id": visio["shown"]["id"],
            "quantity": 2,
            "billing_term": "Monthly",
            "commitment_term_id": term,
            "details": [{"key": "msDomain", "values": ["harbordental"]}],
        }
        later = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
        tried = set()
        calls: list[tuple[str, dict[str, Any]]] = [
            ("find_company", {}),
            ("list_subscriptions", {"status": "Active", "product": "business", "limit": 5}),
            ("get_subscription", {"subscription_id": seats["id"]}),
            ("subscription_history", {"subscription_id": seats["id"]}),
            ("list_orders", {"product_id": seats["productId"]}),
            ("search_products", {"search": "visio plan ä&?", "vendor": "Microsoft"}),
            ("search_products", {"search": "visio plan", "vendor": "Microsoft"}),
            ("product_pricing", {"product_id": visio["shown"]["id"]}),
            ("list_invoice_items", {"month": month}),
            ("usage_summary", {"subscription_id": seats["id"]}),
            ("check_order", order),
            ("place_order", order),
            ("change_quantity", {"subscription_id": seats["id"], "quantity": seats["quantity"] + 1}),
            ("cancel_subscription", {"subscription_id": seats["id"], "cancel_date": later}),
            ("cancel_subscription", {"subscription_id": mail["id"]}),
            (
                "add_contact",
                {
                    "first_name": "Zoë",
                    "last_name": "Ng",
                    "email": "zoe@harbordental.example",
                    "phone": "+1 207 555 0150",
                    "types": ["Billing", "Technical"],
                },
            ),
        ]
        for name, arguments in calls:
            tried.add(f"pax8.{name}")
            if next(one for one in TOOLS if one.name == f"pax8.{name}").is_write:
                self.preview(f"pax8.{name}", **arguments)
            self.call(f"pax8.{name}", **arguments)
        assert tried == {one.name for one in TOOLS}


def surprises(record: dict[str, Any]) -> dict[str, Any]:
    """Nulls, and listed words of next year."""
    listed = {name: "addedIn2027" for name in ("orderedBy", "kind", "chargeType", "type") if name in record}
    return {**listed, **nulls(record, "address", "endDate", "commitmentTerm", "productName", "externalId", "price")}
