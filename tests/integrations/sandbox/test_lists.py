"""Lists: pages with Link headers, order, projection and counts."""

import pytest

from tests.integrations.sandbox.connectwise_api import ConnectWiseApi, northwind
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def api(sandbox_process: SandboxProcess) -> ConnectWiseApi:
    """The demo world; no test of this module changes anything."""
    sandbox_process.reset()
    return northwind(sandbox_process)


def test_a_page_has_25_records_unless_asked_otherwise(api: ConnectWiseApi) -> None:
    assert len(api.get("/service/tickets")) == 25
    assert len(api.get("/service/tickets", pageSize=1000)) == 80


def test_following_next_visits_every_record_once(api: ConnectWiseApi) -> None:
    seen: list[int] = []
    answer = api.call("GET", "/company/configurations", params={"pageSize": 7, "orderBy": "name"})
    seen += [one["id"] for one in answer.json()]
    assert "prev" not in answer.links
    while "next" in answer.links:
        answer = api.session.get(answer.links["next"]["url"], timeout=20)
        seen += [one["id"] for one in answer.json()]
    assert len(seen) == len(set(seen)) == 60
    assert {"first", "prev"} == set(answer.links)


def test_a_page_past_the_end_is_empty(api: ConnectWiseApi) -> None:
    assert api.get("/service/tickets", page=99) == []


def test_forward_only_pages_follow_the_last_id(api: ConnectWiseApi) -> None:
    seen: list[int] = []
    url, params = f"{api.connection.api_url}/service/tickets", {"pageSize": "30", "pageId": "0"}
    headers = {"pagination-type": "forward-only"}
    answer = api.session.get(url, params=params, headers=headers, timeout=20)
    while True:
        seen += [one["id"] for one in answer.json()]
        if "next" not in answer.links:
            break
        answer = api.session.get(answer.links["next"]["url"], headers=headers, timeout=20)
    assert seen == sorted(set(seen))
    assert len(seen) == 80


@pytest.mark.parametrize(
    "query",
    [
        {"page": "0"},
        {"page": "x"},
        {"page": "-1"},
        {"pageSize": "0"},
        {"pageSize": "1001"},
        {"pageSize": "٢"},
        {"pageId": "5"},
        {"condition": "id=1"},
        {"orderBy": "colour"},
        {"orderBy": "id sideways"},
        {"orderBy": ""},
        {"orderBy": "company"},
        {"fields": "id,colour"},
        {"fields": ""},
        {"fields": "company/colour"},
    ],
)
def test_list_options_that_are_not_understood_are_400(api: ConnectWiseApi, query: dict[str, str]) -> None:
    assert api.refused("GET", "/service/tickets", 400, params=query)["code"] == "InvalidQuery"


def test_an_option_given_twice_is_400(api: ConnectWiseApi) -> None:
    api.refused("GET", "/service/tickets?conditions=id=1&conditions=id=2", 400)


def test_order_is_by_several_fields_in_both_directions(api: ConnectWiseApi) -> None:
    found = api.get("/service/tickets", orderBy="company/name desc, id asc", pageSize=1000)
    keys = [(one["company"]["name"], -one["id"]) for one in found]
    assert keys == sorted(keys, reverse=True)


def test_fields_keep_only_what_is_named(api: ConnectWiseApi) -> None:
    found = api.get("/service/tickets", fields="id,status/name,_info/lastUpdated", pageSize=1)[0]
    assert set(found) == {"id", "status", "_info"}
    assert set(found["status"]) == {"name"}
    assert set(found["_info"]) == {"lastUpdated"}


def test_a_single_record_takes_fields_and_nothing_else(api: ConnectWiseApi) -> None:
    assert set(api.get("/company/companies/250", fields="name")) == {"name"}
    api.refused("GET", "/company/companies/250", 400, params={"conditions": "id=251"})


def test_a_write_takes_no_query(api: ConnectWiseApi) -> None:
    api.refused("PATCH", "/service/tickets/48210?fields=id", 400, json=[{"op": "remove", "path": "owner"}])
