"""A processor's back-test in the browser: started on closed tickets, read at two thresholds, and one of them saved."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_back_test_and_threshold(enter, stage):
    page = enter("adam").open("processors/ticket_type/")
    rules = page.locator("#rules")
    rules.get_by_label("What").first.fill("outlook | mail | mailbox")
    rules.get_by_label("Gives").fill("Email > Outlook")
    rules.get_by_role("button", name="Add rule").click()
    expect(page.locator(".rules")).to_contain_text("Email > Outlook")

    page.get_by_role("link", name="Back-test").click()
    page.get_by_label("Tickets, at most").fill("100")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("heading", name="At 0.70")).to_be_visible()
    expect(page.get_by_text("In force")).to_be_visible()
    for heading in ("Boards", "What is taken for what", "Wrong, the surest first"):
        expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.locator(".bt-plot")).to_be_visible()

    page.get_by_label("Threshold").fill("0.85")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", name="At 0.85")).to_be_visible()
    page.get_by_role("button", name="Use 0.85").click()
    expect(page.get_by_role("heading", name="At 0.85")).to_be_visible()
    expect(page.get_by_text("In force")).to_be_visible()
    page.goto(stage.path("processors/ticket_type/"))
    expect(page.get_by_label("Confidence", exact=True)).to_have_value("0.85")
    expect(page.get_by_role("button", name="Switch on")).to_be_visible()
