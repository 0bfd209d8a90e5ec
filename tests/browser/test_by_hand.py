"""A tool run by hand, by keyboard alone: found by words, its form filled, a look-up answered, a change approved."""

import re

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
    page.get_by_label("Text").fill("Called back, works again.")
    page.get_by_role("button", name="Show what would change").click()

    card = page.locator(".approval").filter(has_text="Called back, works again.").first
    expect(card).to_contain_text("Exactly what will be sent")
    assert stage.effects(ticket=48276) == []
    card.get_by_role("button", name=re.compile("^Approve")).click()
    expect(card.or_(page.locator(".approval")).first).to_contain_text("Done")
    assert len(stage.effects(ticket=48276)) == 1
