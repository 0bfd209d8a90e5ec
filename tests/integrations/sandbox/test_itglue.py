"""IT Glue as the sandbox plays it: keys, filters, pages, limits. What it does not know it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from integrations.sandbox.itglue.credentials import MOST_REQUESTS, WITHIN_SECONDS, Keys
from integrations.sandbox.itglue.problems import Problem
from integrations.sandbox.wire import Request
from tests.sandbox_process import SandboxProcess

MEDIA_TYPE = "application/vnd.api+json"


class Api:
    """The sandbox's IT Glue with one of its keys."""

    def __init__(self, sandbox: SandboxProcess, name: str = "northwind-docs") -> None:
        self.base_url, self.key = sandbox.itglue[name].base_url, sandbox.itglue[name].api_key
        self.session = requests.Session()
        self.session.trust_env = False

    def ask(self, method: str, path: str, *, body: Any = None, **headers: str) -> requests.Response:
        sent = {"x-api-key": self.key, "Content-Type": MEDIA_TYPE, **headers}
        url = path if path.startswith("http") else f"{self.base_url}{path}"
        return self.session.request(method, url, json=body, headers=sent, timeout=20)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.ok, answer.text
        return answer.json()


@pytest.mark.parametrize(
    ("key", "status"), [("", 401), ("ITG.of.another.region", 403), ("ITG.sandbox.northwind-revoked", 403)]
)
def test_only_a_good_key_opens_it(sandbox: SandboxProcess, key: str, status: int) -> None:
    answer = Api(sandbox).ask("GET", "/organizations", **{"x-api-key": key})

    assert answer.status_code == status
    assert answer.json()["errors"][0]["status"] == str(status)


def test_an_account_makes_so_many_requests_in_five_minutes_and_no_more() -> None:
    now = [1000.0]
    keys = Keys(clock=lambda: now[0])
    request = Request("GET", "/itglue/organizations", (), {"x-api-key": "ITG.sandbox.northwind-documentation"}, b"", "")
    for _ in range(MOST_REQUESTS):
        keys.authenticate(request)
    with pytest.raises(Problem) as refused:
        keys.authenticate(request)
    assert refused.value.status == 429

    now[0] += WITHIN_SECONDS + 1
    assert keys.authenticate(request).owner == "northwind"


@pytest.mark.parametrize(
    "query",
    [
        "filter[colour]=red",
        "filter[psa_id]=250",
        "filter[rmm_id]=801",
        "sort=colour",
        "page[size]=1001",
        "page[number]=0",
        "colour=red",
    ],
)
def test_what_is_not_known_is_refused_and_never_means_everything(sandbox: SandboxProcess, query: str) -> None:
    assert Api(sandbox).ask("GET", f"/configurations?{query}").status_code == 400


def test_assets_are_listed_of_one_kind_only(sandbox: SandboxProcess) -> None:
    api = Api(sandbox)

    assert api.ask("GET", "/flexible_assets?filter[organization_id]=2501").status_code == 422
    for spelling in ("flexible_asset_type_id", "flexible-asset-type-id"):
        assert len(api.get(f"/flexible_assets?filter[{spelling}]=33")["data"]) == 2


def test_the_filters_find_what_the_same_world_shows_elsewhere(sandbox: SandboxProcess) -> None:
    api = Api(sandbox)
    psa = api.get("/organizations?filter[psa_id]=251&filter[psa_integration_type]=manage")["data"]
    rmm = api.get("/configurations?filter[rmm_id]=801&filter[rmm_integration_type]=ninja-rmm")["data"]
    seen = {one["displayName"]: one["id"] for one in sandbox.monitored("devices")}

    assert [one["attributes"]["name"] for one in psa] == ["Kessler Maschinenbau GmbH"]
    assert [seen[one["attributes"]["name"]] for one in rmm] == [801]


def test_pages_lead_to_the_next_by_number_and_by_link(sandbox: SandboxProcess) -> None:
    api = Api(sandbox)
    page = api.get("/configurations?sort=-name&page[size]=25")
    names = [one["attributes"]["name"] for one in page["data"]]
    while page["links"]["next"]:
        page = api.get(page["links"]["next"])
        names += [one["attributes"]["name"] for one in page["data"]]

    assert len(names) == page["meta"]["total-count"] == 60
    assert names == sorted(names, key=str.casefold, reverse=True)
    assert page["meta"]["next-page"] is None


def test_a_password_is_told_by_its_own_route_and_only_to_a_key_that_may(sandbox: SandboxProcess) -> None:
    number = sandbox.held("itglue", "passwords")[0]["id"]
    told = {}
    for name in ("northwind-docs", "northwind-docs-passwords"):
        api = Api(sandbox, name)
        assert not [one for one in api.get("/passwords")["data"] if "password" in one["attributes"]]
        told[name] = api.get(f"/passwords/{number}")["data"]["attributes"].get("password")
        assert "password" not in api.get(f"/passwords/{number}?show_password=false")["data"]["attributes"]

    assert told["northwind-docs"] is None
    assert told["northwind-docs-passwords"].startswith("sandbox-secret-value")


def test_a_body_needs_its_media_type_its_type_and_known_attributes(sandbox: SandboxProcess) -> None:
    api, path = Api(sandbox), "/organizations/2501/relationships/configurations/45001"

    def patched(kind: str, attributes: dict[str, Any], **headers: str) -> int:
        body = {"data": {"type": kind, "attributes": attributes}}
        return api.ask("PATCH", path, body=body, **headers).status_code

    assert patched("configurations", {"asset-tag": "1"}, **{"Content-Type": "application/json"}) == 415
    assert patched("contacts", {"asset-tag": "1"}) == 400
    assert patched("configurations", {"colour": "red"}) == 422
    assert patched("configurations", {"location-id": 796}) == 422
    assert patched("configurations", {"asset_tag": "2"}) == 200
    assert sandbox.held("itglue", "configurations")[0]["attributes"]["asset-tag"] == "2"


def test_the_two_msps_have_organizations_of_the_same_numbers(sandbox: SandboxProcess) -> None:
    names = [Api(sandbox, one).get("/organizations/2501")["data"]["attributes"]["name"] for one in KEYS]
    assert names == ["Harbor Dental Group", "Alder & Finch Accountants"]


KEYS = ("northwind-docs", "southgate-docs")
