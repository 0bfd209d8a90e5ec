"""A tool run by hand, by keyboard alone: found by words, its form filled, a look-up answered, a change approved."""

import json
import re
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_technician_looks_something_up_and_adds_a_note_by_keyboard(enter, stage):
    theo = enter("theo")
    page = theo.open_signal("48276")
    page.keyboard.press("t")
    expect(page.get_by_role("searchbox", name="Search tools")).to_be_focused()

    page.keyboard.type("search tickets")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Search tickets")).to_be_visible()
    page.get_by_label("Text").fill("VPN")
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_contain_text(re.compile("VPN"))

    theo.open_signal("48276")
    page.get_by_role("link", name="Tools", exact=True).click()
    expect(page.get_by_role("searchbox", name="Search tools")).to_be_focused()
    page.keyboard.type("internal note")
    expect(page.locator("[data-tool]").first).to_contain_text("Add an internal note")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Ticket")).to_have_value("48276")
    expect(page.get_by_label("Ticket")).to_be_focused()
    page.get_by_label("Text").fill("Called back, works again.")
    page.get_by_role("button", name="Show what would change").click()

    card = page.locator(".approval").filter(has_text="Called back, works again.").first
    expect(card).to_contain_text("Exactly what will be sent")
    assert stage.effects(ticket=48276) == []
    card.get_by_role("button", name=re.compile("^Approve")).click()
    expect(card.or_(page.locator(".approval")).first).to_contain_text("Done")
    assert len(stage.effects(ticket=48276)) == 1


def test_an_object_is_modified_as_json_and_a_mistake_in_it_is_told_at_its_field(enter, stage):
    adam = enter("adam")
    page = adam.open("connections/")
    tile = page.locator("li.tile", has_text="Asset register")
    plant_tool(tile.locator("td.mono").inner_text().removesuffix("/mcp"))
    tile.get_by_role("link", name="Change").click()
    page.get_by_role("link", name="Tools").last.click()
    page.get_by_role("button", name="Read the tools again").click()
    page.get_by_role("link", name="label_asset").click()
    for label, value in (
        ("What it does", "write"),
        ("Risk", "low"),
        ("When it asks", "once"),
        ("Whose records it sees", "free"),
    ):
        page.get_by_label(label).select_option(value)
    page.get_by_role("button", name="Let it be used so").click()

    page = adam.open_signal("48245")
    page.keyboard.press("t")
    expect(page.get_by_role("searchbox", name="Search tools")).to_be_focused()
    page.keyboard.type("label_asset")
    expect(page.locator("[data-tool]").first).to_contain_text("label_asset")
    page.keyboard.press("Enter")
    page.get_by_label("Labels").fill('{"room": 4}')
    page.get_by_label("Marks").fill('{"at": 1}\n{"at": 2}')
    page.get_by_role("button", name="Show what would change").click()

    card = page.locator('.approval[data-state="waiting"]').filter(has_text="label_asset").first
    card.get_by_role("button", name="Modify").click()
    labels, marks = card.get_by_label("Labels"), card.get_by_label("Marks")
    expect(labels).to_have_value('{"room": 4}')
    labels.fill('{"room": 5')
    marks.fill('{"at": 1}\n{"at": 90071992547409931}')
    card.get_by_role("button", name="Show what would change").click()
    expect(card.locator('[data-field="labels"]')).to_contain_text("This is no JSON")
    expect(card.locator('[data-field="marks"]')).to_contain_text("more digits than can be sent")
    labels.fill('{"room": "5"}')
    marks.fill('{"at": 3}')
    card.get_by_role("button", name="Show what would change").click()
    expect(card.locator('[data-field="labels"] [data-field-error]')).to_contain_text("is not of type 'integer'")
    expect(labels).to_have_value('{"room": "5"}')

    labels.fill('{"room": 5}')
    card.get_by_role("button", name="Show what would change").click()
    preview = card.locator("[data-preview]")
    expect(preview).to_contain_text('{"room": 5}')
    expect(preview).to_contain_text('[{"at": 3}]')


def plant_tool(sandbox: str) -> None:
    """The asset register offers one more tool, which takes an object and a list of objects."""
    number = {"type": "object", "properties": {"at": {"type": "integer"}}}
    shapes = {
        "labels": {"type": "object", "properties": {"room": {"type": "integer"}}},
        "marks": {"type": "array", "items": number},
    }
    schema = {"type": "object", "properties": shapes, "required": ["labels"]}
    record = {"name": "label_asset", "description": "Label.", "inputSchema": schema}
    body = json.dumps({"owner": "northwind", "record": record}).encode()
    with urlopen(Request(f"{sandbox}/_sandbox/mcp/tools", data=body, method="POST"), timeout=30) as answer:
        assert answer.status == 200
