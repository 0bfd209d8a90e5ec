"""A real `bin/junto up` with its demo, and browsers in which its people are logged in."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.processes import running_up
from tests.services import free_port

READY_SECONDS = 180.0
#: Nothing that a person waits for may take longer to appear.
PATIENCE_SECONDS = 30.0
#: A browser's arguments in a container without a display.
CHROMIUM_ARGUMENTS = ("--no-sandbox", "--disable-background-networking", "--disable-gpu")
#: What Chromium says on its console about an answer that the test itself asked for.
EXPECTED = re.compile(r"status of 40[349]|ERR_INTERNET_DISCONNECTED|ERR_CONNECTION_REFUSED|WebSocket connection")


@dataclass(frozen=True)
class Stage:
    """The running product, with the demo loaded: where it answers, and what its vendor was really told."""

    address: str
    data_dir: Path
    password: str
    #: Which test works on which ticket.
    taken: dict[str, str] = field(default_factory=dict)

    def take(self, ticket: str, *, test: str) -> None:
        """Work on a ticket; fails where another test does, for then the order of the tests would tell what it finds."""
        first = self.taken.setdefault(ticket, test)
        assert first == test, f"{test} wants ticket {ticket}, which is {first}'s: take one of its own"

    def path(self, path: str = "", *, organization: str = "northwind") -> str:
        """The address of one of an organization's pages."""
        return f"{self.address}/o/{organization}/{path}"

    def effects(self, *, ticket: int) -> list[dict[str, Any]]:
        """What changed at the vendor on one ticket, in order: the rows of the sandbox's own log."""
        lines = (self.data_dir / "sandbox" / "requests.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [row for row in map(json.loads, lines) if row["effect"]]
        return [row for row in rows if f"/tickets/{ticket}" in row["path"] or _about(row["body"]) == ticket]


def _about(body: object) -> object:
    """The ticket that a time entry is charged to."""
    return body.get("chargeToId") if isinstance(body, dict) else None


@contextmanager
def demo_stage(data_dir: Path, *, port: int | None = None) -> Iterator[Stage]:
    """`bin/junto up` until it says that it is ready; the demo is loaded by then."""
    port = port or free_port()
    log = data_dir.parent / f"{data_dir.name}-up.log"
    seen = len(log.read_text(encoding="utf-8")) if log.exists() else 0
    with running_up(data_dir, port) as process:
        deadline = time.monotonic() + READY_SECONDS
        while "Junto is ready" not in (said := log.read_text(encoding="utf-8")[seen:]):
            if time.monotonic() > deadline or process.poll() is not None:
                pytest.fail(f"Junto did not become ready:\n{said[-3000:]}")
            time.sleep(0.2)
        password = re.search(r"with the password (\S+)", said)
        assert password is not None, said
        yield Stage(f"http://127.0.0.1:{port}", data_dir, password[1])


@contextmanager
def chromium_browser(executable: str) -> Iterator[Browser]:
    """A Chromium without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_ARGUMENTS))
        expect.set_options(timeout=PATIENCE_SECONDS * 1000)
        try:
            yield browser
        finally:
            browser.close()


def first_request(page: Page) -> Locator:
    """The first request that waits; where the matched runbook asks people something before, its first answer is taken.

    Which runbook fits a ticket best is not what these tests are about.
    """
    request = page.locator('.approval[data-state="waiting"]').first
    option = page.locator("[data-decision] .option:enabled").first  # a question that is being answered has none
    for _ in range(4):
        expect(request.or_(option).first).to_be_visible()
        if request.is_visible():
            break
        option.click()
    expect(request).to_be_visible()
    return request


class Somebody:
    """One person with a browser of their own. What the browser complains about is kept in `complaints`."""

    def __init__(self, browser: Browser, stage: Stage, login: str, *, test: str, **options: Any) -> None:
        self.stage = stage
        self.test = test
        self.complaints: list[str] = []
        self.context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, **options})
        self.context.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda said: self._complain(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self._complain(str(error)))
        self.page.goto(f"{stage.address}/accounts/login/")
        self.page.get_by_label("Login").fill(login)
        self.page.get_by_label("Password").fill(stage.password)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/o/*/")

    def open(self, path: str) -> Page:
        """Go to one of Northwind's pages."""
        self.page.goto(self.stage.path(path))
        return self.page

    def open_signal(self, number: str) -> Page:
        """Find a signal by its ticket's number and open it, as a person would; no other test may then."""
        self.stage.take(number, test=self.test)
        self.open("signals/")
        self.page.get_by_role("searchbox", name="Search signals").fill(number)
        expect(self.page.locator("tr.sig")).to_have_count(1)
        self.page.locator("tr.sig a").click()
        expect(self.page.locator('[data-link="open"]')).to_be_visible()
        return self.page

    def leave(self) -> None:
        """Close the browser; it must not have complained about anything that the test did not provoke."""
        self.context.close()
        assert self.complaints == []

    def _complain(self, words: str) -> None:
        if not EXPECTED.search(words):
            self.complaints.append(f"{urlsplit(self.page.url).path}: {words}")
