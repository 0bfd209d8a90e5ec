"""Every kind of answer of the sandbox's ConnectWise, and the requests of these tests, against the vendor's contract."""

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from tests.sandbox_process import SandboxConnection, SandboxProcess

MEDIA_TYPE = "application/vnd.connectwise.com+json"


def _decode(body: bytes, *, version: str) -> Any:
    """The vendor's media type is JSON with a version beside it."""
    assert version == "2025.1"
    return json.loads(body)


@pytest.fixture(scope="session")
def contract(contracts_dir: Path, sandbox_process: SandboxProcess) -> OpenAPI:
    """The vendor's contract, with the sandbox as its server."""
    specification = json.loads((contracts_dir / "connectwise" / "openapi.json").read_text(encoding="utf-8"))
    specification["servers"] = [{"url": sandbox_process.connections["northwind"].api_url}]
    return OpenAPI.from_dict(specification, config=Config(extra_media_type_deserializers={MEDIA_TYPE: _decode}))


class Checked:
    """Calls the sandbox as Northwind and holds request and answer against the contract."""

    def __init__(self, contract: OpenAPI, connection: SandboxConnection) -> None:
        self._contract = contract
        self._connection = connection
        self._session = requests.Session()
        self._session.trust_env = False

    def call(self, method: str, path: str, *, check_request: bool = True, **options: Any) -> requests.Response:
        """One request; raises openapi-core's error where request or answer break the contract."""
        headers = {"clientId": self._connection.client_id, **options.pop("headers", {})}
        login = (f"{self._connection.company_id}+{self._connection.public_key}", self._connection.private_key)
        request = requests.Request(
            method, f"{self._connection.api_url}{path}", headers=headers, auth=options.pop("auth", login), **options
        )
        prepared = self._session.prepare_request(request)
        answer = self._session.send(prepared, timeout=20)
        wrapped = RequestsOpenAPIRequest(request)
        if check_request:
            self._contract.validate_request(wrapped)
        self._contract.validate_response(wrapped, RequestsOpenAPIResponse(answer))
        return answer

    def first(self, path: str, **query: str) -> dict[str, Any]:
        """The first record of a list."""
        found: dict[str, Any] = self.call("GET", path, params={"pageSize": "1", **query}).json()[0]
        return found


@pytest.fixture
def northwind(contract: OpenAPI, sandbox: SandboxProcess) -> Checked:
    return Checked(contract, sandbox.connections["northwind"])


@pytest.mark.parametrize(
    "path",
    [
        "/service/tickets",
        "/service/boards",
        "/service/boards/1/statuses",
        "/service/boards/1/types",
        "/service/boards/1/subtypes",
        "/service/boards/1/items",
        "/service/boards/1/teams",
        "/service/boards/1/typeSubTypeItemAssociations",
        "/service/priorities",
        "/service/sources",
        "/service/SLAs",
        "/service/knowledgeBaseArticles",
        "/company/companies",
        "/company/companies/statuses",
        "/company/companies/types",
        "/company/companies/250/sites",
        "/company/contacts",
        "/company/configurations",
        "/company/configurations/types",
        "/company/configurations/statuses",
        "/system/members",
        "/system/callbacks",
        "/schedule/entries",
        "/schedule/types",
        "/schedule/statuses",
        "/time/entries",
        "/time/workTypes",
        "/time/workRoles",
    ],
)
def test_every_list_answers_as_the_contract_says(northwind: Checked, path: str) -> None:
    assert northwind.call("GET", path, params={"page": "1", "pageSize": "1000"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/service/tickets", "/service/boards", "/company/companies", "/company/contacts", "/company/configurations"],
)
def test_every_record_answers_as_the_contract_says(northwind: Checked, path: str) -> None:
    record = northwind.first(path)
    assert northwind.call("GET", f"{path}/{record['id']}").json()["id"] == record["id"]


@pytest.mark.parametrize("path", ["/service/tickets/count", "/company/companies/count", "/system/info"])
def test_counts_and_the_system_answer_as_the_contract_says(northwind: Checked, path: str) -> None:
    assert northwind.call("GET", path).status_code == 200


def test_what_hangs_on_a_ticket_answers_as_the_contract_says(northwind: Checked, sandbox: SandboxProcess) -> None:
    device = sandbox.plant_device("HBR-WS-NEW")
    ticket = sandbox.plant_ticket(configurations=[device])
    base = f"/service/tickets/{ticket}"
    for path, body in (
        (f"{base}/notes", {"text": "Called back.", "internalAnalysisFlag": True}),
        (f"{base}/tasks", {"notes": "Order toner"}),
        (
            "/time/entries",
            {
                "chargeToId": ticket,
                "chargeToType": "ServiceTicket",
                "timeStart": "2026-11-20T09:00:00Z",
                "timeEnd": "2026-11-20T09:15:00Z",
                "notes": "Looked at it.",
            },
        ),
        ("/schedule/entries", {"type": {"identifier": "S"}, "objectId": ticket, "member": {"identifier": "theo"}}),
    ):
        assert northwind.call("POST", path, json=body).status_code == 201
    for part in ("notes", "allNotes", "timeentries", "configurations", "tasks", "scheduleentries"):
        assert northwind.call("GET", f"{base}/{part}").json(), part


def test_creating_and_changing_records_answers_as_the_contract_says(northwind: Checked) -> None:
    company = northwind.call("POST", "/company/companies", json={"identifier": "NEWCO", "name": "New Company"}).json()
    owner = {"company": {"id": company["id"]}}
    contact = northwind.call("POST", "/company/contacts", json={"firstName": "Ada", **owner}).json()
    device = northwind.call(
        "POST", "/company/configurations", json={"name": "NEW-LT-1", "type": {"id": 2}, **owner}
    ).json()
    ticket = northwind.call("POST", "/service/tickets", json={"summary": "Hello", **owner}).json()
    for path, field, value in (
        (f"/company/companies/{company['id']}", "phoneNumber", "555-0100"),
        (f"/company/contacts/{contact['id']}", "title", "Owner"),
        (f"/company/configurations/{device['id']}", "notes", "New"),
        (f"/service/tickets/{ticket['id']}", "priority", {"id": 1}),
    ):
        patched = northwind.call("PATCH", path, json=[{"op": "replace", "path": field, "value": value}])
        assert patched.status_code == 200
    attached = northwind.call("POST", f"/service/tickets/{ticket['id']}/configurations", json={"id": device["id"]})
    assert attached.status_code == 201
    detached = northwind.call("DELETE", f"/service/tickets/{ticket['id']}/configurations/{device['id']}")
    assert detached.status_code == 204


def test_a_contacts_addresses_answer_as_the_contract_says(northwind: Checked) -> None:
    contact = northwind.first("/company/contacts")
    path = f"/company/contacts/{contact['id']}/communications"
    added = northwind.call("POST", path, json={"type": {"id": 2}, "value": "555-0199"})
    assert added.status_code == 201
    assert northwind.call("GET", path).json()[-1]["value"] == "555-0199"


def test_the_files_of_a_ticket_answer_as_the_contract_says(northwind: Checked, sandbox: SandboxProcess) -> None:
    of_ticket = {"recordType": "Ticket", "recordId": sandbox.plant_ticket()}
    sandbox.plant("documents", {"title": "Log", "fileName": "log.txt", "size": 9, **of_ticket})
    (row,) = northwind.call("GET", "/system/documents", params=of_ticket).json()
    assert row["fileName"] == "log.txt"


def test_merging_and_searching_answer_as_the_contract_says(northwind: Checked, sandbox: SandboxProcess) -> None:
    parent, child = sandbox.plant_ticket("First"), sandbox.plant_ticket("Second")
    body = {"mergeTicketIds": [child], "status": {"name": "Closed"}}
    assert northwind.call("POST", f"/service/tickets/{parent}/merge", json=body).status_code == 200
    found = northwind.call("POST", "/service/tickets/search", json={"conditions": f"id = {child}"})
    assert [ticket["id"] for ticket in found.json()] == [child]


def test_callbacks_answer_as_the_contract_says(northwind: Checked) -> None:
    body = {"url": "https://junto.example/hook", "objectId": 1, "type": "ticket", "level": "owner"}
    made = northwind.call("POST", "/system/callbacks", json=body).json()
    assert northwind.call("GET", f"/system/callbacks/{made['id']}").status_code == 200
    assert northwind.call("DELETE", f"/system/callbacks/{made['id']}").status_code == 204


def test_every_refusal_answers_as_the_contract_says(northwind: Checked, sandbox: SandboxProcess) -> None:
    ticket = sandbox.plant_ticket()
    assert northwind.call("GET", "/service/tickets", params={"conditions": "colour = 1"}).status_code == 400
    assert northwind.call("POST", "/service/tickets", json={}, check_request=False).status_code == 400
    assert northwind.call("GET", "/service/tickets", auth=("northwind+x", "y")).status_code == 401
    assert northwind.call("GET", "/service/tickets", headers={"clientId": "none"}).status_code == 401
    assert northwind.call("GET", "/service/tickets/999999").status_code == 404
    sandbox.fault("status", status=429, retry_after="3")
    throttled = northwind.call("GET", f"/service/tickets/{ticket}")
    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "3")


def test_a_key_that_may_only_read_is_403_on_every_write(contract: OpenAPI, sandbox: SandboxProcess) -> None:
    reader = Checked(contract, sandbox.connections["northwind-readonly"])
    assert reader.call("GET", "/service/tickets").status_code == 200
    refused = reader.call("POST", "/service/tickets", json={"summary": "x", "company": {"id": 250}})
    assert refused.status_code == 403
    assert sandbox.effects() == []


def test_every_route_of_the_sandbox_is_an_operation_of_the_contract(
    contracts_dir: Path, sandbox: SandboxProcess
) -> None:
    """The log names each request's template: those of a whole round must all be the vendor's own."""
    specification = json.loads((contracts_dir / "connectwise" / "openapi.json").read_text(encoding="utf-8"))
    for path, operations in specification["paths"].items():
        if "get" in operations and "{" not in path:
            connection = sandbox.connections["northwind"]
            requests.get(
                f"{connection.api_url}{path}",
                headers={"clientId": connection.client_id},
                auth=(f"{connection.company_id}+{connection.public_key}", connection.private_key),
                timeout=20,
            )
    served = {row["route"] for row in sandbox.log() if row["route"]}
    assert served <= set(specification["paths"])
