"""Mara writes a runbook, publishes it, forks it for a company and settles what both sides changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_runbook_is_written_with_the_tools_behind_the_at_sign_and_published(enter: Any) -> None:
    page = enter("mara").open("admin/runbooks/runbook/add/")
    page.get_by_label("Title").fill("Tell the desk of a dead badge reader")
    text = area(page)
    text.fill("1. Read it. ")

    text.press_sequentially("@get_ti")
    expect(page.get_by_role("listbox", name="Tools")).to_contain_text("@connectwise.get_ticket")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Insert").click()
    expect(text).to_have_value("1. Read it. @connectwise.get_ticket(ticket_id=ticket.id)")

    text.press_sequentially("\n2. Write it down. @internal")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("^text")).select_option(label="Always this value")
    dialog.get_by_label("Value of text").fill('The reader says "no".')
    dialog.get_by_role("button", name="Insert").click()
    expect(text).to_have_value(re.compile(r'text="The reader says \\"no\\"\."'))
    expect(page.get_by_role("region", name="Preview")).to_contain_text("Write it down")

    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Tell the desk of a dead badge reader").first.click()
    page.get_by_role("link", name="Publish…").click()
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.locator("body")).to_contain_text("Published as version 1")


def test_what_is_wrong_is_marked_at_its_line_while_it_is_typed(enter: Any) -> None:
    page = enter("mara").open("admin/runbooks/runbook/add/")

    area(page).press_sequentially("1. Restart it. @connectwise.restart_moon\n2. ")

    problems = page.locator(".rb-problems")
    expect(problems).to_contain_text("restart_moon")
    expect(problems).to_contain_text("Line 1")


def test_a_fork_takes_over_what_moved_on_and_a_person_settles_what_both_changed(enter: Any) -> None:
    page = enter("mara").open("admin/runbooks/runbook/add/")
    title = "Order a new door badge"
    page.get_by_label("Title").fill(title)
    write(page, "1. Look at the form\n2. Order one badge\n3. Wait for it\n4. Tell the client")
    publish(page, title, number=1)

    original = page.url
    page.locator("summary").filter(has_text="More").press("Enter")
    page.get_by_role("link", name="Fork").first.press("Enter")
    page.get_by_label("Company").select_option(label="Harbor Dental Group")
    page.get_by_role("button", name="Fork").click()
    page.wait_for_url("**/change/")
    fork = page.url
    write(page, "1. Look at the form\n2. Order two badges\n3. Wait for it\n4. Tell the client")

    page.goto(original)
    write(page, "1. Look at the form\n2. Order one badge today\n3. Wait for it\n4. Tell the client and their manager")
    publish(page, title, number=2)
    page.goto(fork)
    page.get_by_role("link", name="See what changed, take it over or skip it").click()

    expect(page.get_by_role("status").filter(has_text="meet")).to_contain_text(
        "One of the original’s changes meets yours"
    )
    page.get_by_label("Write it").check()
    page.get_by_label("Text for conflict").fill("2. Order two badges today")
    page.get_by_role("button", name="Take over into the draft").click()

    page.goto(fork)
    expect(area(page)).to_have_value(
        "1. Look at the form\n2. Order two badges today\n3. Wait for it\n4. Tell the client and their manager"
    )
    expect(page.locator("[data-standing]")).not_to_contain_text("moved on")


def area(page: Page) -> Locator:
    """The text of the runbook, once the tools can be searched."""
    expect(page.locator(".rb-area[data-ready]")).to_be_visible()
    return page.locator(".rb-area")


def write(page: Page, text: str) -> None:
    area(page).fill(text)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("body")).to_contain_text("successfully")


def publish(page: Page, title: str, *, number: int) -> None:
    page.get_by_role("link", name=title, exact=True).first.click()
    page.get_by_role("link", name="Publish…").click()
    page.get_by_role("button", name=f"Publish version {number}").click()
    expect(page.locator("body")).to_contain_text(f"Published as version {number}")
