"""An MCP server in the browser: connected, its tools blocked, one said to be a read of guides, then in use."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

KEYS = Path(__file__).resolve().parents[2] / "integrations/sandbox/world/credentials.json"


def test_an_mcp_server_is_connected_and_its_tools_classified(enter, stage):
    ines = enter("ines")
    page = ines.page
    page.goto(stage.path("connections/", organization="southgate"))
    address = page.locator("li.tile", has_text="Asset register").locator("td.mono").inner_text()
    token = next(row for row in json.loads(KEYS.read_text())["mcp"] if row["owner"] == "southgate")["token"]

    page.locator("section", has_text="Connect a system").get_by_role("link", name="MCP server").click()
    page.get_by_label("Short name").fill("guides")
    page.get_by_label("Name", exact=True).fill("Guides")
    page.get_by_label("Address").fill(address)
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Save and test").click()
    expect(page.locator("main")).to_contain_text("5 tools are blocked and wait for an Admin's word")

    page.get_by_role("link", name="Search guides").click()
    expect(page.locator("#claims")).to_contain_text("It claims: It changes nothing.")
    page.get_by_label("What it does").select_option("read")
    page.get_by_label("Risk").select_option("low")
    page.get_by_label("When it asks").select_option("auto")
    page.get_by_label("Whose records it sees").select_option("free")
    page.get_by_role("button", name="Let it be used so").click()
    row = page.locator("tr", has_text="search_guides")
    expect(row).to_contain_text("In use")
    expect(page.locator("main")).to_contain_text("4 tools are blocked")

    page.get_by_role("link", name="Set an asset's note").click()
    page.get_by_label("What it does").select_option("write")
    page.get_by_label("Risk").select_option("high")
    page.get_by_label("When it asks").select_option("auto")
    page.get_by_label("Whose records it sees").select_option("argument")
    page.get_by_label("Argument, where one names the company").select_option("company")
    page.get_by_role("button", name="Let it be used so").click()
    expect(page.locator("#classify")).to_contain_text("such a tool asks always")
    page.get_by_label("When it asks").select_option("always")
    page.get_by_role("button", name="Let it be used so").click()
    expect(page.locator("tr", has_text="set_asset_note")).to_contain_text("In use")

    page.goto(stage.path("policies/", organization="southgate"))
    expect(page.locator("main")).to_contain_text("Search guides (Guides)")
    page.goto(stage.path("connections/", organization="southgate"))
    page.locator("li.tile", has_text="Guides").get_by_role("link", name="Change").click()
    expect(page.locator("#health")).to_contain_text("0 failed")
    page.get_by_role("link", name="Remove…").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("li.tile", has_text="MCP server guides")).to_have_count(0)
