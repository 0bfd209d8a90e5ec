"""What people do with a run on its page: one takes it over from the agent, two share the steps of a checklist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.running import publish, run_on_ticket
from tests.browser.stage import Stage

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PHONE = {"width": 390, "height": 844}

SHARED = """---
key: spare-mouse
title: Bring a spare mouse
audience: hybrid
category: hardware
---
1. Read the ticket. @connectwise.get_ticket(ticket_id=ticket.id)

   > [!DECISION] Is the person at their desk?
   > - Yes, go on
   > - No: stop here
2. Note that somebody comes. @connectwise.add_internal_note(ticket_id=ticket.id, text="Somebody comes by.")
3. Walk over with the mouse.
4. Write up how it went. @connectwise.add_internal_note(ticket_id=ticket.id, text="The mouse was replaced.")
"""
PEOPLES = """---
key: loan-laptop
title: Hand out a loan laptop
audience: human
category: hardware
---
1. Take the next laptop from the cupboard.

   > [!DECISION] Does it start?
   > - Yes
   > - No: go to step 3
2. Write its number on the slip.
3. Have the slip signed.
4. Put the slip into the folder.
"""


def test_somebody_takes_a_run_over_skips_and_retries_steps_and_hands_it_back(
    enter: Any, stage: Stage, tmp_path: Path
) -> None:
    runbook = publish(enter("mara").open(""), stage, tmp_path, SHARED, approves=False)
    page = run_on_ticket(enter("theo", viewport=PHONE), runbook, "48272")
    expect(step(page, "1a").get_by_role("button", name="Yes, go on")).to_be_visible()
    # where the agent has the run in hand, what lies ahead of it is not to be touched
    expect(step(page, "2").get_by_role("button")).to_have_count(0)

    page.get_by_role("button", name="Take over").click()
    expect(page.locator(".page-body")).to_contain_text("A person has this run in hand; the agent waits.")
    skip(step(page, "2"), "They know already")
    step(page, "2").get_by_role("button", name="Try again").click()
    expect(step(page, "2")).to_contain_text("Not yet")
    step(page, "3").get_by_role("button", name="Mark as done").click()
    expect(step(page, "3")).to_contain_text("Theo")
    skip(step(page, "4"), "Mara writes it up")
    assert stage.effects(ticket=48272) == []

    page.get_by_role("button", name="Hand back").click()
    expect(page.get_by_role("button", name="Take over")).to_be_visible()
    step(page, "1a").get_by_role("button", name="Yes, go on").click()
    expect(step(page, "2")).to_contain_text("Waiting for a decision")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    step(page, "2").get_by_role("link", name="Decide").click()
    card = page.locator(".approval").filter(has_text="Somebody comes by.")
    expect(card).to_be_visible()
    # a request in the chat makes the page itself no longer than the phone
    assert page.evaluate("document.documentElement.scrollHeight") <= PHONE["height"]
    expect(page.locator("main")).not_to_contain_text("For free conversation, connect a model")
    card.get_by_role("button", name="Only this one").click()
    expect(card).to_contain_text("Done")

    page.go_back()
    expect(page.locator(".page-body")).to_contain_text("5 of 5 over")
    expect(step(page, "2")).to_contain_text("approved by Theo")
    expect(step(page, "4")).to_contain_text("Mara writes it up")
    notes = [row["body"]["text"] for row in stage.effects(ticket=48272) if "text" in row["body"]]
    assert notes[0].startswith("Somebody comes by.")
    assert not any(note.startswith("The mouse was replaced.") for note in notes)


def test_two_people_share_a_checklist_that_keeps_who_did_which_step(enter: Any, stage: Stage, tmp_path: Path) -> None:
    mara = enter("mara")
    runbook = publish(mara.open(""), stage, tmp_path, PEOPLES, approves=False)
    theos = run_on_ticket(enter("theo"), runbook, "48271")
    maras = mara.page
    maras.goto(theos.url)
    expect(theos.get_by_role("button", name="Take over")).to_have_count(0)

    step(theos, "1").get_by_role("button", name="Mark as done").click()
    # nobody reads the page anew: what the other did appears
    expect(step(maras, "1")).to_contain_text(re.compile("Theo .*just now|Theo .* ago", re.DOTALL))
    step(maras, "1a").get_by_role("button", name="No: go to step 3").click()
    expect(step(theos, "1a")).to_contain_text("“No: go to step 3”, Mara")
    for page in (theos, maras):
        expect(step(page, "2")).to_contain_text("Skipped")

    step(theos, "1a").get_by_role("button", name="Undo").click()
    expect(step(maras, "2")).to_contain_text("Not yet")
    step(maras, "1a").get_by_role("button", name="Yes", exact=True).click()
    expect(step(maras, "1a")).to_contain_text("“Yes”, Mara")
    step(maras, "2").get_by_role("button", name="Mark as done").click()
    expect(step(theos, "2")).to_contain_text("Mara")
    theos.get_by_role("button", name="Finish").click()
    expect(theos.get_by_role("alert")).to_contain_text("Step 3 and 1 more are open")
    step(theos, "3").get_by_role("button", name="Mark as done").click()
    skip(step(maras, "4"), "The folder is in the other office")
    expect(theos.locator(".page-body")).to_contain_text("5 of 5 over")
    theos.get_by_role("button", name="Finish").click()
    expect(theos.locator(".page-head")).to_contain_text("Completed")

    maras.reload()
    for label, name in (("1", "Theo"), ("1a", "“Yes”, Mara"), ("2", "Mara"), ("3", "Theo"), ("4", "Mara")):
        expect(step(maras, label)).to_contain_text(name)
    expect(step(maras, "4")).to_contain_text("The folder is in the other office")
    expect(maras.get_by_role("button", name=re.compile("Mark as done|Undo|Skip"))).to_have_count(0)
    assert stage.effects(ticket=48271) == []


def step(page: Page, label: str) -> Locator:
    """A step by what the text calls it; both runbooks have 1, 1a, 2, 3 and 4."""
    return page.locator(f'[data-step="{["1", "1a", "2", "3", "4"].index(label) + 1}"]')


def skip(row: Locator, reason: str) -> None:
    row.get_by_text("Skip…").click()
    row.get_by_label(re.compile("^Why is step")).fill(reason)
    row.get_by_role("button", name=re.compile("^Skip step")).click()
    expect(row).to_contain_text(reason)
