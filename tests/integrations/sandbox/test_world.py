"""The demo world: as large and as varied as promised, and true in itself."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from integrations.sandbox import store as stores
from integrations.sandbox.connectwise.conditions import parse_moment
from integrations.sandbox.store import Store, World
from integrations.sandbox.vendors import make_vendors, seed_all
from tests.integrations.sandbox.connectwise_api import ConnectWiseApi, northwind, southgate
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def api(sandbox_process: SandboxProcess) -> ConnectWiseApi:
    sandbox_process.reset()
    return northwind(sandbox_process)


@pytest.mark.parametrize(
    ("path", "count"),
    [("/company/companies", 4), ("/company/contacts", 30), ("/company/configurations", 60), ("/service/tickets", 80)],
)
def test_northwind_is_as_large_as_promised(api: ConnectWiseApi, path: str, count: int) -> None:
    assert api.get(f"{path}/count") == {"count": count}


def test_northwinds_ten_people_have_the_demos_logins(api: ConnectWiseApi) -> None:
    people = api.get("/system/members", conditions='licenseClass = "F"', fields="identifier")
    assert {one["identifier"] for one in people} == {
        "olivia",
        "adam",
        "mara",
        "miguel",
        "oskar",
        "orla",
        "theo",
        "tara",
        "tim",
        "tess",
    }


def test_the_rival_has_clients_and_tickets_of_its_own(sandbox_process: SandboxProcess, api: ConnectWiseApi) -> None:
    rival = southgate(sandbox_process)
    assert rival.get("/company/companies/count") == {"count": 2}
    assert rival.get("/service/tickets/count") == {"count": 12}
    ours = {one["summary"] for one in api.get("/service/tickets", pageSize=1000)}
    assert not ours & {one["summary"] for one in rival.get("/service/tickets", pageSize=1000)}


def test_no_two_tickets_read_alike(sandbox_process: SandboxProcess, api: ConnectWiseApi) -> None:
    opening = [note["text"] for note in sandbox_process.stored("notes") if note["issueFlag"]]
    assert len(opening) == len(set(opening)) == 80


def test_tickets_vary_in_board_status_priority_and_company(api: ConnectWiseApi) -> None:
    tickets = api.get("/service/tickets", pageSize=1000)
    for field, kinds in (("board", 3), ("status", 8), ("priority", 4), ("company", 4)):
        assert len(Counter(ticket[field]["name"] for ticket in tickets)) >= kinds, field
    assert 10 <= sum(ticket["closedFlag"] for ticket in tickets) <= 30


def test_most_tickets_have_a_conversation_and_a_device(sandbox_process: SandboxProcess, api: ConnectWiseApi) -> None:
    answered = {note["ticketId"] for note in sandbox_process.stored("notes") if not note["issueFlag"]}
    with_device = {link["ticket"] for link in sandbox_process.stored("ticket-configurations")}
    assert len(answered) > 40
    assert len(with_device) > 50


def test_the_worlds_dates_lie_in_the_past_and_follow_each_other(api: ConnectWiseApi) -> None:
    now = datetime.now(tz=UTC)
    for ticket in api.get("/service/tickets", pageSize=1000):
        entered, updated = (parse_moment(ticket["_info"][name]) for name in ("dateEntered", "lastUpdated"))
        assert entered <= updated <= now, ticket["summary"]
        assert "closedDate" not in ticket or entered <= parse_moment(ticket["closedDate"]) <= updated
    newest = api.get("/service/tickets", orderBy="dateEntered desc", pageSize=1)[0]
    assert now - parse_moment(newest["dateEntered"]) < timedelta(hours=1)


def test_a_tickets_devices_and_contact_are_its_companys(sandbox_process: SandboxProcess, api: ConnectWiseApi) -> None:
    tickets = {one["id"]: one for one in sandbox_process.stored("tickets")}
    devices = {one["id"]: one for one in sandbox_process.stored("configurations")}
    contacts = {one["id"]: one for one in sandbox_process.stored("contacts")}
    for link in sandbox_process.stored("ticket-configurations"):
        assert tickets[link["ticket"]]["company"] == devices[link["configuration"]]["company"]
    for ticket in tickets.values():
        assert ticket["contact"] is None or contacts[ticket["contact"]]["company"] == ticket["company"]


def test_a_new_filling_has_the_same_ids(sandbox_process: SandboxProcess, api: ConnectWiseApi) -> None:
    def told() -> list[tuple[int, str]]:
        return [(one["id"], one["summary"]) for one in api.get("/service/tickets", pageSize=1000)]

    before = told()
    planted = sandbox_process.plant_ticket("New", "A new one")
    sandbox_process.change_ticket(before[0][0], summary="Changed")
    sandbox_process.delete("tickets", before[1][0])
    changed = told()
    assert (planted, "New") in changed
    assert (before[0][0], "Changed") in changed
    assert before[1] not in changed
    sandbox_process.reset()
    assert told() == before
    assert sandbox_process.plant_ticket("New", "A new one") == planted
    sandbox_process.reset()


def test_another_seed_takes_the_place_of_a_world_that_nobody_touched(
    sandbox_process: SandboxProcess, api: ConnectWiseApi
) -> None:
    sandbox_process.reset(seed="empty")
    assert api.get("/service/tickets/count") == {"count": 0}
    sandbox_process.reset()
    assert api.get("/service/tickets/count") == {"count": 80}


@pytest.mark.parametrize("touch", ["added", "changed", "deleted"])
def test_every_world_that_somebody_touched_is_filled_anew(tmp_path: Path, touch: str) -> None:
    store = Store(tmp_path)
    vendors = make_vendors(store)
    worlds = [store.world(vendor.slug, owner) for vendor in vendors.values() for owner in vendor.owners()]
    with store.change():
        seed_all(vendors, "world")
    first = [ids(store, world) for world in worlds]
    with store.change():
        for world in worlds:
            kind, records = next(iter(store.read(world).items()))
            number, record = next(iter(records.items()))
            if touch == "added":
                world.save(kind, {**record, "id": max(records) + 1})
            elif touch == "changed":
                world.save(kind, {**record, "touched": True})
            else:
                world.remove(kind, number)
    assert all(ids(store, world) != before for world, before in zip(worlds, first, strict=True))
    with store.change():
        seed_all(vendors, "world")
    assert [ids(store, world) for world in worlds] == first
    store.close()


def test_what_is_filled_is_in_the_file_as_it_is_in_memory(tmp_path: Path) -> None:
    store = Store(tmp_path)
    vendors = make_vendors(store)
    with store.change():
        seed_all(vendors, "world")
    for vendor in vendors.values():
        for owner in vendor.owners():
            world = store.world(vendor.slug, owner)
            written = {kind: [rows[at] for at in sorted(rows)] for kind, rows in store.read(world).items()}
            assert written
            assert {kind: world.all(kind) for kind in written} == written
    store.close()


def test_a_world_whose_dates_are_old_is_filled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    vendors = make_vendors(store)

    def oldest() -> object:
        with store.change():
            seed_all(vendors, "world")
        return store.world("connectwise", "northwind").all("ticket")[0]

    first = oldest()
    assert oldest() is first
    monkeypatch.setattr(stores, "_FRESH_SECONDS", 0.0)
    assert oldest() is not first
    store.close()


def ids(store: Store, world: World) -> dict[str, object]:
    """What a world holds, without its dates: ids and the names of fields, and the last ids given out."""
    held = {
        kind: {number: sorted(record) for number, record in rows.items()} for kind, rows in store.read(world).items()
    }
    return {**held, "last": store.read_counters(world)}
