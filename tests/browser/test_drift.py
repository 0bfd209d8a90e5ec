"""Drift repair in the browser: a ticket that is gone at the source is found and marked, at the press of two buttons."""

from __future__ import annotations

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TICKET = "48262"


def test_drift_repair(enter: Any, stage: Any) -> None:
    stage.take(TICKET, test="test_drift_repair")
    adam = enter("adam")
    page = adam.open("connections/")
    address = page.locator(".tile", has_text="ConnectWise").locator(".mono").first.inner_text()
    delete_at_the_source(address.partition("/connectwise/")[0])
    page.locator(".tile", has_text="ConnectWise").get_by_role("link", name="Sync").click()
    page.get_by_role("button", name="Compare now").click()
    expect(page.locator("#drift")).to_contain_text("Not in step")
    expect(page.locator("#drift")).to_contain_text(TICKET)
    look = page.locator("#drift").get_by_label("I looked")
    if look.count():  # alerts that another test posted are not at the source either: many, and so asked for
        look.check()
    page.get_by_role("button", name="Repair").click()
    expect(page.locator("#drift")).to_contain_text("In step")
    page = adam.open(f"signals/?state=gone&q={TICKET}")
    expect(page.locator("tr.sig")).to_have_count(1)


def delete_at_the_source(sandbox: str) -> None:
    """Somebody at the MSP deletes the ticket in ConnectWise."""
    body = json.dumps({"owner": "northwind", "by": "mara"}).encode()
    request = Request(f"{sandbox}/_sandbox/connectwise/tickets/{TICKET}", data=body, method="DELETE")
    with urlopen(request, timeout=30) as answer:  # the sandbox on loopback
        assert answer.status == 200
