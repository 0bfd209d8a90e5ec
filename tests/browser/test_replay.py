"""Mara tries a draft on past tickets before she publishes it, and reads what differs."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: The demo's AI runbook; the agent runs it by itself on the board of alerts.
RUNBOOK = "Backup job failed or did not run"
#: Seconds for the agent to come to that ticket, and for a replay of a few.
PATIENCE = 120


def test_a_draft_is_replayed_on_past_tickets_and_its_differences_are_read(enter):
    page = enter("mara").open("admin/runbooks/runbook/")
    page.get_by_role("link", name=RUNBOOK).click()
    page.locator("select[name=audience]").select_option("hybrid")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name=RUNBOOK).first.click()
    page.get_by_role("link", name="Replay…").click()
    wait_for_tickets(page)

    page.get_by_role("button", name="Replay on the chosen tickets").click()
    expect(page.locator('#progress[data-state="done"]')).to_be_visible(timeout=PATIENCE * 1000)
    page.get_by_role("link", name="Only differences").click()

    ticket = page.locator("article").first
    expect(ticket).to_contain_text("Runs by itself → Asks")
    expect(ticket.get_by_role("heading", name="What happened")).to_be_visible()
    expect(ticket.get_by_role("heading", name="The draft")).to_be_visible()

    # each call opens by keyboard and shows what it was to do with
    call = ticket.locator(".rp-lane").last.locator("summary").first
    call.focus()
    page.keyboard.press("Enter")
    expect(ticket.locator(".rp-lane").last.locator("dl").first).to_be_visible()


def test_how_a_runbook_does_is_drawn_and_told_in_words(enter):
    page = enter("mara").open("admin/runbooks/runbook/")
    page.get_by_role("link", name=RUNBOOK).first.click()
    page.get_by_role("link", name="How it does").click()
    wait_for_use(page)

    expect(page.get_by_role("img", name="Uses a week")).to_be_visible()
    page.get_by_text("As a table").first.click()
    expect(page.get_by_role("columnheader", name="Runs that went well")).to_be_visible()


def wait_for_tickets(page: Page) -> None:
    """Until the agent has worked on a ticket with this runbook to its end."""
    for _ in range(PATIENCE):
        if page.get_by_role("checkbox").count():
            return
        page.wait_for_timeout(1000)
        page.reload()
    pytest.fail("no ticket ever had this runbook")


def wait_for_use(page: Page) -> None:
    """Until it was used once."""
    for _ in range(PATIENCE):
        if page.locator("svg.rp-svg").count():
            return
        page.wait_for_timeout(1000)
        page.reload()
    pytest.fail("this runbook was never used")
