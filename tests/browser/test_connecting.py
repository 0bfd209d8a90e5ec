"""Connecting NinjaOne in the browser: what is wrong is told precisely, companies are matched, a technician consents."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

KEYS = Path(__file__).resolve().parents[2] / "integrations/sandbox/world/credentials.json"


def test_connecting_ninjaone(enter, stage):
    ines = enter("ines")
    page = ines.page
    page.goto(stage.path("connections/", organization="southgate"))
    tile = page.locator("li.tile", has_text="NinjaOne")
    address = tile.locator("td.mono").inner_text()
    tile.get_by_role("link", name="Change").click()
    page.get_by_role("link", name="Remove…").click()
    expect(page.locator("main")).to_contain_text("They stay on record and open nothing")
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("li.tile", has_text="NinjaOne")).to_have_count(0)

    page.locator("section", has_text="Connect a system").get_by_role("link", name="NinjaOne").click()
    expect(page.locator("main")).to_contain_text("First, in NinjaOne")
    key = next(row for row in json.loads(KEYS.read_text())["ninjaone"] if row["name"] == "southgate-rmm")
    page.get_by_label("Label").fill("NinjaOne of Southgate IT")
    page.get_by_label("Address").fill(address)
    page.get_by_label("Client ID").fill(key["client_id"])
    page.get_by_label("Client secret").fill("mistyped")
    page.get_by_role("button", name="Save and test").click()
    expect(page.locator("body")).to_contain_text("does not accept the credentials")

    page.locator("li.tile", has_text="NinjaOne").get_by_role("link", name="Change").click()
    page.get_by_label("Client ID").fill(key["client_id"])
    page.get_by_label("Client secret").fill(key["client_secret"])
    page.get_by_role("button", name="Save and test").click()
    tile = page.locator("li.tile", has_text="NinjaOne")
    expect(tile).to_contain_text("Working")

    tile.get_by_role("link", name="Change").click()
    page.get_by_role("link", name="Companies").click()
    suggestions = page.locator("section", has_text="Suggested by name").get_by_role("checkbox")
    expect(suggestions.first).to_be_checked()
    wanted = suggestions.count()
    page.get_by_role("button", name="Link the chosen").click()
    expect(page.get_by_role("link", name="Unlink")).to_have_count(wanted)
    page.get_by_role("link", name="Back").click()

    page.get_by_role("button", name="Get a technician's consent").click()
    page.get_by_role("link", name="Go to NinjaOne").click()
    expect(page.get_by_role("heading")).to_contain_text("act as Script Runner")
    page.get_by_role("button", name="Allow").click()
    expect(page.locator("#consent")).to_contain_text("Consented")
    # the mistyped secret was turned away, and so was nothing after it
    expect(page.locator("#health")).to_contain_text(", 1 failed")
    with page.expect_navigation():
        page.get_by_role("button", name="Test now").click()
    expect(page.locator("#health")).to_contain_text(", 1 failed")


def test_connecting_microsoft365(enter, stage):
    ines = enter("ines")
    page = ines.page
    page.goto(stage.path("connections/", organization="southgate"))
    tile = page.locator("li.tile", has_text="Microsoft 365")
    address = tile.locator("td.mono").inner_text()
    tile.get_by_role("link", name="Change").click()
    page.get_by_role("link", name="Remove…").click()
    page.get_by_role("button", name="Remove").click()

    page.goto(stage.path("connections/add/microsoft365/", organization="southgate"))
    expect(page.locator("main")).to_contain_text("In your own (partner) tenant")
    key = next(row for row in json.loads(KEYS.read_text())["microsoft365"] if row["name"] == "southgate-365")
    page.get_by_label("Label").fill("Microsoft 365 of Southgate IT")
    page.get_by_label("Address").fill(address)
    page.get_by_label("Application (client) ID").fill(key["client_id"])
    page.get_by_label("Client secret").fill(key["client_secret"])
    page.get_by_label("Directory (tenant) ID").fill(key["tenant_id"])
    page.get_by_role("button", name="Save and test").click()
    expect(page.locator(".toast", has_text="Next: say which company is which there")).to_be_visible()
    wanted = page.locator("section", has_text="Suggested by name").get_by_role("checkbox").count()
    page.get_by_role("button", name="Link the chosen").click()
    row = page.locator("tr", has=page.get_by_role("link", name="Unlink"))
    expect(row).to_have_count(wanted)

    for answer, shown in (("Cancel", "Consented"), ("Accept for", "Consented")):
        row.first.get_by_role("button", name="Get consent").click()
        expect(page.locator("#return-address")).to_contain_text("/consented/southgate/")
        page.get_by_role("link", name="Go to Microsoft 365").click()
        page.get_by_role("button", name=answer).click()
        expect(page.locator(".toast")).to_contain_text(
            "did not accept again" if answer == "Cancel" else "to everything"
        )
        page.locator(".toast").get_by_role("button", name="Close").click()
        expect(row.first).to_contain_text(shown)
    row.last.get_by_role("button", name="Test").click()
    expect(row.last).to_contain_text("Tested")
