"""A runbook on its way in the browser: read in from a file and published, and started on a ticket."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.stage import Somebody, Stage
from tests.processes import junto


def publish(page: Page, stage: Stage, folder: Path, text: str, *, approves: bool) -> str:
    """Mara reads a file in and publishes it on its page; the runbook's id."""
    (folder / "runbook.md").write_text(text, encoding="utf-8")
    words = ["runbooks", "import", str(folder), "--organization", "northwind", "--actor", "mara@northwind.example"]
    done = junto(*words, data_dir=stage.data_dir)
    assert done.returncode == 0, done.stderr
    title = re.search(r"title: (.+)", text)
    assert title is not None
    page.goto(stage.path("admin/runbooks/runbook/?q=" + title[1].replace(" ", "+")))
    page.get_by_role("link", name=title[1]).first.click()
    page.get_by_role("link", name="Publish…").click()
    if approves:
        page.get_by_label("I may approve each of these tools myself").check()
    page.get_by_role("button", name="Publish version 1").click()
    expect(page.locator("body")).to_contain_text("Published as version 1")
    found = re.search(r"/runbook/([0-9a-f-]{36})/", page.url)
    assert found is not None
    return found[1]


def run_on_ticket(somebody: Somebody, runbook: str, ticket: str) -> Page:
    """Somebody presses Run on a runbook's page and names a ticket, which no other test may then; the run's page."""
    somebody.stage.take(ticket, test=somebody.test)
    page = somebody.open(f"runbooks/{runbook}/")
    page.get_by_role("link", name="Run…").click()
    page.get_by_label("Ticket number").fill(ticket)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Run", exact=True).click()
    page.wait_for_url("**/runs/*/")
    return page
