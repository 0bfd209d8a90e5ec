"""Tickets at the sandbox's ConnectWise: created, changed and refused as the vendor does it."""

import pytest

from tests.integrations.sandbox.connectwise_api import ConnectWiseApi, northwind
from tests.sandbox_process import SandboxProcess


@pytest.fixture
def api(sandbox: SandboxProcess) -> ConnectWiseApi:
    return northwind(sandbox)


def _new_ticket(api: ConnectWiseApi, **fields: object) -> dict:
    answer = api.call("POST", "/service/tickets", json={"summary": "No sound", "company": {"id": 250}, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_new_ticket_takes_the_boards_defaults(api: ConnectWiseApi) -> None:
    ticket = _new_ticket(api)
    assert (ticket["board"]["name"], ticket["status"]["name"]) == ("Service Desk", "New")
    assert ticket["priority"]["name"] == "Priority 3 - Normal"
    assert ticket["_info"]["enteredBy"] == "junto-api"


def test_a_ticket_without_summary_and_company_names_both_missing_fields(api: ConnectWiseApi) -> None:
    body = api.refused("POST", "/service/tickets", 400, json={})
    assert body["code"] == "InvalidObject"
    assert {(error["code"], error["field"]) for error in body["errors"]} == {
        ("MissingRequiredField", "summary"),
        ("MissingRequiredField", "company"),
    }


def test_the_first_description_becomes_a_note_that_the_client_sees(api: ConnectWiseApi) -> None:
    ticket = _new_ticket(api, initialDescription="It was fine on Friday.", initialInternalAnalysis="Old dock?")
    notes = api.get(f"/service/tickets/{ticket['id']}/notes")
    assert [(note["text"], note["detailDescriptionFlag"], note["internalFlag"]) for note in notes] == [
        ("It was fine on Friday.", True, False),
        ("Old dock?", False, True),
    ]


def test_a_patch_moves_the_status_and_the_last_update(api: ConnectWiseApi) -> None:
    ticket = api.get("/service/tickets", orderBy="lastUpdated asc", conditions="closedFlag = false", pageSize=1)[0]
    operations = [{"op": "replace", "path": "status/name", "value": "In Progress"}]
    changed = api.call("PATCH", f"/service/tickets/{ticket['id']}", json=operations).json()
    assert changed["status"]["name"] == "In Progress"
    assert changed["_info"]["lastUpdated"] > ticket["_info"]["lastUpdated"]


def test_closing_sets_the_closed_flag_and_reopening_takes_it_away(api: ConnectWiseApi) -> None:
    path = f"/service/tickets/{_new_ticket(api)['id']}"
    closed = api.call("PATCH", path, json=[{"op": "replace", "path": "status", "value": {"name": "Closed"}}]).json()
    assert closed["closedFlag"]
    assert closed["closedBy"] == "junto-api"
    opened = api.call("PATCH", path, json=[{"op": "replace", "path": "status", "value": {"name": "New"}}]).json()
    assert not opened["closedFlag"]
    assert "closedDate" not in opened


def test_a_status_of_another_board_is_refused_and_nothing_changes(api: ConnectWiseApi) -> None:
    ticket = _new_ticket(api)
    alerts = next(board for board in api.get("/service/boards") if board["name"] == "Alerts")
    foreign = api.get(f"/service/boards/{alerts['id']}/statuses")[0]["id"]
    path = f"/service/tickets/{ticket['id']}"
    operations = [
        {"op": "replace", "path": "summary", "value": "Changed"},
        {"op": "replace", "path": "status/id", "value": foreign},
    ]
    body = api.refused("PATCH", path, 400, json=operations)
    assert body["errors"][0]["field"] == "status/id"
    assert api.get(path) == ticket


def test_moving_to_another_board_takes_its_default_status_and_drops_the_old_type(api: ConnectWiseApi) -> None:
    ticket = _new_ticket(api, type={"name": "Network"}, subType={"name": "VPN"})
    operations = [{"op": "replace", "path": "board", "value": {"name": "Alerts"}}]
    moved = api.call("PATCH", f"/service/tickets/{ticket['id']}", json=operations).json()
    assert (moved["board"]["name"], moved["status"]["name"]) == ("Alerts", "New")
    assert "type" not in moved
    assert "subType" not in moved


def test_a_subtype_must_go_with_the_type(api: ConnectWiseApi) -> None:
    board = api.get("/service/boards", conditions='name="Service Desk"')[0]["id"]
    vpn = api.get(f"/service/boards/{board}/subtypes", conditions='name="VPN"')[0]["id"]
    path = f"/service/tickets/{_new_ticket(api)['id']}"
    operations = [
        {"op": "replace", "path": "type", "value": {"name": "Printing"}},
        {"op": "replace", "path": "subType/id", "value": vpn},
    ]
    body = api.refused("PATCH", path, 400, json=operations)
    assert body["errors"][0]["field"] == "subType/id"


def test_a_contact_of_another_company_is_refused(api: ConnectWiseApi) -> None:
    stranger = api.get("/company/contacts", conditions='company/identifier="KESSLER"')[0]["id"]
    body = api.refused(
        "POST", "/service/tickets", 400, json={"summary": "x", "company": {"id": 250}, "contact": {"id": stranger}}
    )
    assert body["errors"][0]["field"] == "contact/id"


@pytest.mark.parametrize(
    "body",
    [
        {"status": "New"},
        [],
        [{"op": "move", "path": "summary", "value": "x"}],
        [{"op": "replace", "path": "", "value": "x"}],
        [{"op": "replace", "path": "summary"}],
        [{"op": "replace", "path": "nonsense", "value": 1}],
        [{"op": "replace", "path": "id", "value": 1}],
        [{"op": "replace", "path": "_info/lastUpdated", "value": "2020-01-01T00:00:00Z"}],
        [{"op": "replace", "path": "summary", "value": "x" * 101}],
        [{"op": "replace", "path": "summary", "value": 7}],
        [{"op": "remove", "path": "company"}],
        [{"op": "replace", "path": "owner", "value": {"identifier": "nobody"}}],
        [{"op": "replace", "path": "severity", "value": "Terrible"}],
    ],
)
def test_a_patch_that_is_not_understood_is_400_and_changes_nothing(api: ConnectWiseApi, body: object) -> None:
    ticket = _new_ticket(api)
    path = f"/service/tickets/{ticket['id']}"
    api.refused("PATCH", path, 400, json=body)
    assert api.get(path) == ticket


def test_an_owner_can_be_set_by_identifier_and_removed(api: ConnectWiseApi) -> None:
    path = f"/service/tickets/{_new_ticket(api)['id']}"
    owned = api.call("PATCH", path, json=[{"op": "replace", "path": "owner/identifier", "value": "theo"}]).json()
    assert owned["owner"]["name"] == "Theo Hartmann"
    assert "owner" not in api.call("PATCH", path, json=[{"op": "remove", "path": "owner"}]).json()


def test_a_note_without_any_flag_is_refused_rather_than_shown_to_the_client(api: ConnectWiseApi) -> None:
    path = f"/service/tickets/{_new_ticket(api)['id']}/notes"
    api.refused("POST", path, 400, json={"text": "Called, no answer."})
    assert api.get(path) == []


def test_stamps_are_whole_seconds_as_in_the_contract(api: ConnectWiseApi) -> None:
    info = _new_ticket(api)["_info"]
    assert [len(info[name]) for name in ("dateEntered", "lastUpdated")] == [len("2026-10-01T08:00:00Z")] * 2


def test_a_note_moves_the_ticket_on_so_that_a_poll_finds_it(api: ConnectWiseApi) -> None:
    ticket = api.get("/service/tickets", orderBy="lastUpdated asc", conditions="closedFlag = false", pageSize=1)[0]
    path = f"/service/tickets/{ticket['id']}"
    api.call("POST", f"{path}/notes", json={"text": "Called.", "internalAnalysisFlag": True})
    assert api.get(path)["_info"]["lastUpdated"] > ticket["_info"]["lastUpdated"]


def test_time_is_added_up_on_the_ticket_and_its_text_joins_the_conversation(api: ConnectWiseApi) -> None:
    ticket = _new_ticket(api)
    entry = {
        "chargeToId": ticket["id"],
        "chargeToType": "ServiceTicket",
        "member": {"identifier": "theo"},
        "timeStart": "2026-11-20T09:00:00Z",
        "timeEnd": "2026-11-20T09:20:00Z",
        "notes": "Swapped the dock.",
    }
    logged = api.call("POST", "/time/entries", json=entry).json()
    assert logged["actualHours"] == 0.33
    assert logged["company"]["identifier"] == "HARBOR"
    assert api.get(f"/service/tickets/{ticket['id']}")["actualHours"] == 0.33
    said = api.get(f"/service/tickets/{ticket['id']}/allNotes")
    assert [(note["noteType"], note["text"]) for note in said] == [("TimeEntryNote", "Swapped the dock.")]
    assert [one["id"] for one in api.get(f"/service/tickets/{ticket['id']}/timeentries")] == [logged["id"]]


def test_a_time_entry_that_ends_before_it_starts_is_refused(api: ConnectWiseApi) -> None:
    entry = {
        "chargeToId": _new_ticket(api)["id"],
        "chargeToType": "ServiceTicket",
        "timeStart": "2026-11-20T09:00:00Z",
        "timeEnd": "2026-11-20T08:00:00Z",
    }
    assert api.refused("POST", "/time/entries", 400, json=entry)["errors"][0]["field"] == "timeEnd"


def test_a_device_is_attached_once_and_only_to_its_own_companys_ticket(api: ConnectWiseApi) -> None:
    path = f"/service/tickets/{_new_ticket(api)['id']}/configurations"
    own = api.get("/company/configurations", conditions='company/identifier="HARBOR"')[0]["id"]
    foreign = api.get("/company/configurations", conditions='company/identifier="KESSLER"')[0]["id"]
    assert api.call("POST", path, json={"id": own}).status_code == 201
    api.refused("POST", path, 400, json={"id": own})
    api.refused("POST", path, 400, json={"id": foreign})
    assert [one["id"] for one in api.get(path)] == [own]
    assert api.call("DELETE", f"{path}/{own}").status_code == 204
    assert api.get(path) == []


def test_merged_tickets_close_and_their_words_join_the_parents_conversation(api: ConnectWiseApi) -> None:
    parent = _new_ticket(api)
    child = _new_ticket(api, initialDescription="Same here, no sound either.")
    body = {"mergeTicketIds": [child["id"]], "status": {"name": "Closed"}}
    merged = api.call("POST", f"/service/tickets/{parent['id']}/merge", json=body)
    assert merged.json()["success"]
    assert api.get(f"/service/tickets/{child['id']}")["mergedParentTicket"]["id"] == parent["id"]
    said = api.get(f"/service/tickets/{parent['id']}/allNotes")
    assert [(note["text"], note["mergedFlag"]) for note in said] == [("Same here, no sound either.", True)]


def test_a_booking_shows_as_the_tickets_resource(api: ConnectWiseApi) -> None:
    ticket = _new_ticket(api)
    booking = {"type": {"identifier": "S"}, "objectId": ticket["id"], "member": {"identifier": "tara"}}
    assert api.call("POST", "/schedule/entries", json=booking).status_code == 201
    assert api.get(f"/service/tickets/{ticket['id']}")["resources"] == "tara"


def test_a_ticket_that_does_not_exist_is_404(api: ConnectWiseApi) -> None:
    assert api.refused("GET", "/service/tickets/999999", 404)["code"] == "NotFound"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b'{"summary": "\\ud800", "company": {"id": 250}}',
        b'{"summary": "x", "company": {"id": 250}, "budgetHours": NaN}',
        b"[" * 100_000,
        b'"text"',
        b"[]",
        b"null",
    ],
)
def test_a_body_that_is_no_json_object_is_400(api: ConnectWiseApi, body: bytes) -> None:
    assert api.refused("POST", "/service/tickets", 400, data=body)["code"] == "InvalidObject"


def test_strange_characters_come_back_as_they_were_written(api: ConnectWiseApi) -> None:
    text = "zero\u200bwidth \x07bell <script>alert(1)</script> \u202egnal 🦷 \r\n\ttab"
    ticket = _new_ticket(api, initialDescription=text)
    assert api.get(f"/service/tickets/{ticket['id']}/notes")[0]["text"] == text
