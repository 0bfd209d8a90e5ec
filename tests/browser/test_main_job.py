"""The main job, as somebody who never saw the product would do it."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: One that no runbook of the demo fits, so that the agent proposes what it always does.
TICKET = "48279"
NOTE = "Checked with the client on the phone: the account is locked, not forgotten."


def test_a_ticket_goes_from_the_list_to_approved_actions(enter, stage):
    theo = enter("theo")
    page = theo.open_signal(TICKET)
    page.get_by_role("button", name="Start the agent").click()

    gathers(page)
    denies_the_classification(page)
    modifies_and_approves_the_note(page)
    passes_the_time_entry_on(page)
    approves_it_from_the_queue(enter("oskar").open("approvals/"))

    expect(page.locator(".chat")).to_contain_text("Summary")
    expect(card(page, "Log .* on ticket")).to_contain_text("Oskar")
    expect(card(page, "Add an internal note", closing=True)).to_contain_text("By standing approval")
    assert kinds(stage) == ["note", "time_entry", "note"]
    assert NOTE in stage.effects(ticket=int(TICKET))[0]["body"]["text"]


def gathers(page: Page) -> None:
    expect(page.locator(".msg-tool").filter(has_text=f"Read ticket {TICKET}")).to_be_visible()
    expect(page.locator(".chat")).to_contain_text("rehearsal model: fixed rules")


def denies_the_classification(page: Page) -> None:
    asked = card(page, "Classify ticket")
    expect(asked).to_contain_text("Waiting for your decision")
    asked.focus()
    page.keyboard.press("d")
    expect(page.get_by_label(re.compile("^Reason"))).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_be_visible()  # a denial says why
    page.keyboard.type("No, I classify these myself.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(asked).to_contain_text("Denied")
    expect(asked).to_contain_text("I classify these myself")


def modifies_and_approves_the_note(page: Page) -> None:
    asked = card(page, "Add an internal note")
    asked.get_by_role("button", name=re.compile("^Modify")).click()
    asked.get_by_label("Text", exact=True).fill(NOTE)
    asked.get_by_role("button", name="Show what would change").click()
    expect(asked.locator(".preview")).to_contain_text(NOTE)
    asked.get_by_role("button", name="Approve the change for this session").click()
    expect(page.locator(".chat .approval").filter(has_text="Changed and approved")).to_contain_text("Done")


def passes_the_time_entry_on(page: Page) -> None:
    asked = card(page, "Log .* on ticket")
    expect(asked).to_contain_text("You may not decide this one. Operators")
    expect(asked.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)
    asked.get_by_role("button", name="Pass on").click()
    expect(asked).to_contain_text("passed on to Operators")


def approves_it_from_the_queue(page: Page) -> None:
    page.get_by_role("link", name=re.compile(f"Log .* on ticket {TICKET}")).click()
    asked = card(page, "Log .* on ticket")
    asked.get_by_role("button", name=re.compile("^Approve")).click()
    expect(asked).to_contain_text("Approved: Oskar")


def card(page: Page, title: str, *, closing: bool = False) -> Locator:
    """The newest card with this title; the closing note is the last of its kind."""
    return page.locator(".approval").filter(has_text=re.compile(f"{title}.*{TICKET}")).last


def kinds(stage) -> list[str]:
    return [row["record"]["kind"] for row in stage.effects(ticket=int(TICKET))]
