"""Whose world a request sees: two MSPs at one vendor never meet."""

import base64

import pytest
import requests

from tests.integrations.sandbox.connectwise_api import ConnectWiseApi, northwind, southgate
from tests.sandbox_process import SandboxProcess


def test_two_msps_with_the_same_ids_see_only_their_own(sandbox: SandboxProcess) -> None:
    ours, theirs = northwind(sandbox).get("/company/companies/250"), southgate(sandbox).get("/company/companies/250")
    assert (ours["identifier"], theirs["identifier"]) == ("HARBOR", "ALDER")


def test_a_rivals_ticket_is_404_and_cannot_be_changed(sandbox: SandboxProcess) -> None:
    ticket = max(one["id"] for one in sandbox.stored("tickets"))
    rival = southgate(sandbox)
    rival.refused("GET", f"/service/tickets/{ticket}", 404)
    rival.refused("PATCH", f"/service/tickets/{ticket}", 404, json=[{"op": "remove", "path": "owner"}])
    assert sandbox.effects() == []


def test_the_log_names_the_owner_of_the_credentials(sandbox: SandboxProcess) -> None:
    northwind(sandbox).get("/service/boards")
    southgate(sandbox).get("/service/boards")
    assert [row["owner"] for row in sandbox.log()] == ["northwind", "southgate"]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Bearer abc",
        "Basic " + base64.b64encode(b"northwind+sandboxNorthwindPub:wrong").decode(),
        "Basic " + base64.b64encode(b"southgate+sandboxNorthwindPub:sandboxNorthwindPriv").decode(),
        "Basic " + base64.b64encode("northwind+ü:ü".encode()).decode(),
    ],
)
def test_wrong_credentials_are_401(sandbox: SandboxProcess, authorization: str | None) -> None:
    connection = sandbox.connections["northwind"]
    headers = {"clientId": connection.client_id}
    if authorization is not None:
        headers["Authorization"] = authorization
    answer = requests.get(f"{connection.api_url}/service/tickets", headers=headers, timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (401, "Unauthorized")


def test_a_missing_client_id_is_401(sandbox: SandboxProcess) -> None:
    api = northwind(sandbox)
    del api.session.headers["clientId"]
    assert api.refused("GET", "/service/tickets", 401)["code"] == "InvalidClientId"


def test_a_read_only_key_reads_and_searches_but_does_not_write(sandbox: SandboxProcess) -> None:
    reader = ConnectWiseApi(sandbox.connections["northwind-readonly"])
    assert reader.call("POST", "/service/tickets/search", json={"conditions": "id > 0"}).status_code == 200
    reader.refused("POST", "/service/tickets", 403, json={"summary": "x", "company": {"id": 250}})
    assert sandbox.effects() == []


def test_the_code_base_is_told_without_login_and_only_for_known_companies(sandbox: SandboxProcess) -> None:
    url = f"{sandbox.base_url}/connectwise/login/companyinfo/"
    assert requests.get(f"{url}southgate", timeout=20).json()["Codebase"] == "v4_6_release/"
    assert requests.get(f"{url}nobody", timeout=20).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/service/tickets/48210"),
        ("DELETE", "/service/tickets/48210"),
        ("GET", "/finance/invoices"),
        ("POST", "/system/members"),
        ("GET", "/service/tickets/48210/nonsense"),
        ("GET", "/service/tickets/../../../../healthz"),
        ("GET", "/service/tickets/0x1"),
    ],
)
def test_what_is_not_listed_is_404_and_logged(sandbox: SandboxProcess, method: str, path: str) -> None:
    api = northwind(sandbox)
    answer = api.call(method, path)
    assert answer.status_code == 404
    assert [(row["method"], row["status"], row["effect"]) for row in sandbox.log()] == [(method, 404, False)]


def test_an_address_of_no_vendor_is_404_and_logged(sandbox: SandboxProcess) -> None:
    assert requests.get(f"{sandbox.base_url}/another/api", timeout=20).status_code == 404
    assert [(row["vendor"], row["path"]) for row in sandbox.log()] == [(None, "/another/api")]
