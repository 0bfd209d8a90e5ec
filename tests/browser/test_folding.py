"""A storm of alerts in the browser: one row that counts, one page that tells each time; maintenance is quiet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

STORM = 40


def test_folding_of_a_storm(enter: Any) -> None:
    adam = enter("adam")
    token = made_token(adam.page, adam.stage.path("tokens/"))
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=STORM)
    storm = [alert(f"storm-{number}", now + timedelta(minutes=number), "9041") for number in range(STORM)]
    send(adam, token, storm[: STORM // 2])
    send(adam, token, storm)  # some come twice, as they do in a storm

    page = adam.open("signals/?q=Storm+on+9041")
    expect(page.locator("tr.sig")).to_have_count(1)
    expect(page.locator("tr.sig .rep")).to_have_text(str(STORM))
    page.locator("tr.sig a").click()
    repeats = page.locator("#repeats")
    expect(repeats).to_contain_text(f"Told {STORM} times")
    expect(repeats.locator("li")).to_have_count(20)

    page = adam.open("signals/?state=merged&q=storm-3")
    page.locator("tr.sig a").first.click()
    expect(page.locator("aside[data-ticket]")).to_contain_text("This alert repeats another")


def test_alerts_during_maintenance_are_quiet_until_an_admin_ends_it(enter: Any) -> None:
    adam = enter("adam")
    token = made_token(adam.page, adam.stage.path("tokens/"))
    page = adam.open("maintenance/")
    page.get_by_label("Company").select_option(label="Harbor Dental Group")
    page.get_by_label("What is done").fill("New switches")
    page.get_by_role("button", name="Set the window").click()
    expect(page.locator("tr", has_text="New switches")).to_contain_text("Quiet now")

    send(adam, token, [alert("quiet-1", datetime.now(UTC), "9042")])
    page = adam.open("signals/?q=Storm+on+9042")
    expect(page.locator("tr.sig")).to_have_count(0)
    page = adam.open("signals/?state=all&q=Storm+on+9042")
    page.locator("tr.sig a").click()
    expect(page.locator("aside[data-ticket]")).to_contain_text("Kept quiet by maintenance")

    page = adam.open("maintenance/")
    expect(page.locator("tr", has_text="New switches")).to_contain_text("1 alert")
    page.get_by_role("button", name="End now").click()
    expect(page.locator("body")).to_contain_text("1 alert stands still")
    page = adam.open("signals/?q=Storm+on+9042")
    expect(page.locator("tr.sig")).to_have_count(1)


def made_token(page: Page, path: str) -> str:
    """Adam makes a token for his monitoring's script."""
    page.goto(path)
    page.get_by_label("Name").fill("Monitoring")
    page.locator('input[name="scopes"][value="signals:write"]').check()
    page.get_by_role("button", name="Make a token").click()
    return page.locator("#secret").inner_text()


def alert(number: str, raised_at: datetime, device: str) -> dict[str, Any]:
    """An alert on a device of Harbor Dental Group, as a script posts it."""
    moment = raised_at.isoformat().replace("+00:00", "Z")
    return {
        "external_id": number,
        "subject": f"Storm on {device}: the link is down",
        "company": "250",
        "devices": [device],
        "alert_type": "LINK_DOWN",
        "created_at": moment,
        "updated_at": moment,
    }


def send(somebody: Any, token: str, items: list[dict[str, Any]]) -> None:
    """POST them."""
    answer = somebody.page.request.post(
        f"{somebody.stage.address}/api/v1/northwind/signals/sync",
        headers={"Authorization": f"Bearer {token}"},
        data={"connection": "connectwise", "items": items},
    )
    assert answer.ok, answer.text()
