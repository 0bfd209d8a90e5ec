"""Every vendor's folder does alike what `conformance` asks, by one client class and one tool class each; its border and
its lost answers are tried in `test_<vendor>_border.py`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from integrations.connectwise.client import ConnectWiseClient
from integrations.vendors import VENDORS
from junto.env import ROOT
from tests.cases import JuntoTestCase
from tests.integrations.border import GENERATED, BorderConformance
from tests.integrations.conformance import ClientConformance, ToolConformance
from tests.integrations.declared import DECLARED
from tests.integrations.outcomes import OutcomeConformance
from tests.integrations.rogue import Respond, says


class TestConnectWiseClient(ClientConformance):
    slug = "connectwise"
    credentials = {
        "company_id": "northwind",
        "public_key": "public-key-of-ours",
        "private_key": "private-key-of-ours",
        "client_id": "0b6c1f5e",
    }
    secrets = ("public-key-of-ours", "private-key-of-ours")

    def names(self, client: ConnectWiseClient) -> list[str]:
        return [one.name for one in client.companies()]

    def page(self, rows: list[Mapping[str, Any]], *, following: bool, number: int) -> Respond:
        link = {"Link": f'</company/companies?pageSize=1&page={number + 1}>; rel="next"'} if following else {}
        return says("200 OK", json.dumps(rows).encode(), **link)


class TestNinjaOneClient(ClientConformance):
    slug = "ninjaone"
    credentials = {"client_id": "client", "client_secret": "client-secret-of-ours"}
    secrets = ("client-secret-of-ours",)
    token_path = "/ws/oauth/token"

    def page(self, rows: list[Mapping[str, Any]], *, following: bool, number: int) -> Respond:
        return says("200 OK", json.dumps(rows).encode())


class TestITGlueClient(ClientConformance):
    slug = "itglue"
    credentials = {"api_key": "ITG.key-of-ours"}
    secrets = ("ITG.key-of-ours",)

    def page(self, rows: list[Mapping[str, Any]], *, following: bool, number: int) -> Respond:
        meta = {"current-page": number, "next-page": number + 1 if following else None}
        return says("200 OK", json.dumps({"data": rows, "meta": meta}).encode())

    def company(self, number: int, name: str) -> dict[str, Any]:
        return {"id": str(number), "type": "organizations", "attributes": {"name": name}}


class TestPax8Client(ClientConformance):
    slug = "pax8"
    credentials = {"client_id": "client", "client_secret": "client-secret-of-ours"}
    secrets = ("client-secret-of-ours",)
    token_path = "/v1/token"

    def page(self, rows: list[Mapping[str, Any]], *, following: bool, number: int) -> Respond:
        page = {"size": 200, "number": number - 1, "totalPages": number + 1 if following else number}
        return says("200 OK", json.dumps({"content": rows, "page": page}).encode())

    def company(self, number: int, name: str) -> dict[str, Any]:
        return {"id": f"company-{number}", "name": name}


class TestSophosClient(ClientConformance):
    slug = "sophos"
    credentials = {"client_id": "1f2e3d4c-0000-4000-8000-000000000001", "client_secret": "client-secret-of-ours"}
    secrets = ("client-secret-of-ours",)
    token_path = "/oauth2/token"
    beforehand = {"/whoami/": {"id": "1f2e3d4c-0000-4000-8000-000000000002", "idType": "partner", "apiHosts": {}}}

    def page(self, rows: list[Mapping[str, Any]], *, following: bool, number: int) -> Respond:
        pages = {"current": number, "size": len(rows), "total": number + 1 if following else number}
        return says("200 OK", json.dumps({"items": rows, "pages": pages}).encode())

    def company(self, number: int, name: str) -> dict[str, Any]:
        return {"id": f"tenant-{number}", "name": name}


class TestMicrosoft365Client(ClientConformance):
    slug = "microsoft365"
    tenant = "90a7d1c2-0001-4e11-9a00-000000000001"
    credentials = {
        "client_id": "5f0d3c7a-1b64-4c3e-8d52-7a1e90b4c101",
        "client_secret": "client-secret-of-ours",
        "tenant_id": tenant,
    }
    secrets = ("client-secret-of-ours",)
    token_path = "/oauth2/v2.0/token"

    claims = base64.urlsafe_b64encode(json.dumps({"tid": tenant}).encode()).decode().rstrip("=")
    token = {"access_token": f"first-token.{claims}.signature", "expires_in": 3600}

    def token_text(self, name: str) -> str:
        return f"{name}.{self.claims}.signature"

    def page(self, rows: list[Mapping[str, Any]], *, following: bool, number: int) -> Respond:
        def respond(request: bytes, connection: Any) -> None:
            host = next(line for line in request.split(b"\r\n") if line.lower().startswith(b"host: "))[6:].decode()
            following_page = f"http://{host}/tenantRelationships/delegatedAdminCustomers?$skiptoken={number + 1}"
            link = {"@odata.nextLink": following_page} if following else {}
            says("200 OK", json.dumps({"value": rows, **link}).encode())(request, connection)

        return respond

    def company(self, number: int, name: str) -> dict[str, Any]:
        return {"id": f"tenant-{number}", "tenantId": f"tenant-{number}", "displayName": name}


class TestConnectWiseTools(ToolConformance):
    slug = "connectwise"
    declared = DECLARED["connectwise"]
    moves = frozenset({"connectwise.move_to_company"})


class TestNinjaOneTools(ToolConformance):
    slug = "ninjaone"
    declared = DECLARED["ninjaone"]


class TestITGlueTools(ToolConformance):
    slug = "itglue"
    declared = DECLARED["itglue"]


class TestPax8Tools(ToolConformance):
    slug = "pax8"
    declared = DECLARED["pax8"]


class TestSophosTools(ToolConformance):
    slug = "sophos"
    declared = DECLARED["sophos"]


class TestMicrosoft365Tools(ToolConformance):
    slug = "microsoft365"
    declared = DECLARED["microsoft365"]
    choosing = frozenset(
        f"microsoft365.{name}" for name in ("remove_mfa_method", "change_group_member", "device_action")
    )


class TestHuduClient(ClientConformance):
    slug = "hudu"
    credentials = {"api_key": "key-of-ours"}
    secrets = ("key-of-ours",)

    def page(self, rows: list[Mapping[str, Any]], *, following: bool, number: int) -> Respond:
        return says("200 OK", json.dumps({"companies": rows}).encode())


class TestHuduTools(ToolConformance):
    slug = "hudu"
    declared = DECLARED["hudu"]


def test_no_vendor_is_left_out() -> None:
    for inherited in (ClientConformance, ToolConformance):
        assert sorted(one.slug for one in inherited.__subclasses__()) == sorted(VENDORS)


@pytest.mark.parametrize("slug", sorted(VENDORS))
@pytest.mark.parametrize("inherited", [BorderConformance, OutcomeConformance])
def test_every_vendor_has_its_border_and_its_lost_answers_tried(slug: str, inherited: type[Any]) -> None:
    """Or else a vendor's tools would be fenced by nobody's test. What is inherited holds each tool against the
    registry."""
    name = f"tests.integrations.test_{slug}_border"
    assert find_spec(name) is not None, f"there is no {name}, where {inherited.__name__} is inherited for {slug}"
    found = [
        one
        for one in vars(import_module(name)).values()
        if isinstance(one, type) and issubclass(one, inherited) and issubclass(one, JuntoTestCase)
    ]
    assert [one.slug for one in found] == [slug]


def test_every_folder_of_a_vendor_is_in_the_list() -> None:
    folders = {path.parent.name for path in (ROOT / "integrations").glob("*/endpoints.py")}
    assert folders - {"mcp"} == set(VENDORS)


def test_nothing_that_is_inherited_is_redefined() -> None:
    """A vendor says how it is there; what holds of all is not for it to change."""
    inherited = (ClientConformance, ToolConformance, BorderConformance, OutcomeConformance)
    for slug in VENDORS:
        import_module(f"tests.integrations.test_{slug}_border")
    for base in inherited:
        tests = {name for name in vars(base) if name.startswith("test_")}
        for one in base.__subclasses__():
            assert not tests & set(vars(one)), one


def test_the_foreign_ids_of_all_vendors_are_more_than_two_thousand() -> None:
    assert 2 * GENERATED * len(VENDORS) >= 2_000


def test_nothing_is_left_to_fill_in() -> None:
    """What `bin/junto new_vendor` invented and nobody has replaced yet, by file and line."""
    mark = "FILL" + " IN:"
    files = [ROOT / "docs" / "admins.md"]
    for folder in ("integrations", "tests"):
        files += [path for ending in ("*.py", "*.yaml", "*.txt") for path in (ROOT / folder).rglob(ending)]
    left = [
        f"{path.relative_to(ROOT)}:{at}: {line.partition(mark)[2].strip()}"
        for path in sorted(files)
        for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if mark in line
    ]
    assert not left, "still the skeleton's invention:\n" + "\n".join(left)
