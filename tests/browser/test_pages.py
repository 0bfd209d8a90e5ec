"""Every page on a desk and on a phone, in both themes: nothing sticks out, nothing complains."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stage import first_request

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_of_the_menu_fits_and_is_quiet(enter, viewport, theme):
    olivia = enter("olivia", viewport=viewport, color_scheme=theme)
    paths = menu(olivia.page)
    assert len(paths) >= 9

    for path in [*paths, "/o/northwind/processors/ticket_type/"]:
        olivia.page.goto(olivia.stage.address + path)
        expect(olivia.page.get_by_role("heading", level=1)).to_be_visible()
        assert overflow(olivia.page) <= 0, path
        assert taller(olivia.page) <= 0, path
        assert clipped(olivia.page) == [], path


@pytest.mark.parametrize("viewport", [DESK, {"width": 1100, "height": 800}, PHONE], ids=["desk", "tablet", "phone"])
def test_ticket_chat_and_context_can_be_reached_at_every_width(enter, viewport):
    page = enter("theo", viewport=viewport).open_signal("48289")

    for name, place in (("Ticket", "aside[data-ticket]"), ("Chat", ".pane-chat"), ("Context", ".pane-context")):
        choice = page.locator(".pane-pick").get_by_text(name)
        if choice.is_visible():
            choice.click()
        expect(page.locator(place)).to_be_visible()
        assert overflow(page) <= 0
        assert clipped(page) == []


def test_on_a_phone_a_session_shows_its_state_and_can_be_closed(enter):
    page = enter("theo", viewport=PHONE).open_signal("48286")
    page.get_by_role("button", name="Start the agent").click()
    first_request(page)

    expect(page.locator("[data-session-state]")).to_be_in_viewport()
    expect(page.locator("[data-session-state]")).to_contain_text("Needs approval")
    expect(page.get_by_role("button", name="Stop")).to_be_in_viewport()
    assert clipped(page) == []
    page.get_by_role("button", name="Close").click()
    expect(page.locator("[data-session-state]")).to_contain_text("Completed")


def test_on_a_phone_the_queue_is_a_list_and_a_request_is_a_page_of_its_own(enter):
    page = enter("theo", viewport=PHONE).open_signal("48283")
    page.get_by_role("button", name="Start the agent").click()
    first_request(page)
    page.goto(re.sub("signals/.*", "approvals/", page.url))
    expect(page.locator(".approval")).to_be_hidden()

    page.locator(".q-mine a").first.click()

    expect(page.locator(".q-mine")).to_be_hidden()
    page.locator(".approval .args").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name=re.compile("^Approve")).first).to_be_in_viewport()
    expect(page.get_by_role("button", name=re.compile("^Deny"))).to_be_in_viewport()
    assert clipped(page) == []


def test_a_chosen_theme_is_there_at_the_next_page_before_it_is_painted(enter):
    page = enter("theo", color_scheme="light").page
    page.get_by_role("button", name="Switch theme").last.click()
    page.reload(wait_until="commit")

    page.wait_for_function("document.body !== null")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_the_badge_says_that_it_rehearses_and_how_to_connect_a_model(enter):
    page = enter("theo").open_signal("48287")
    page.get_by_role("button", name="Rehearsal model").last.click()

    expect(page.get_by_role("dialog")).to_contain_text("JUNTO_LLM_BASE_URL")


def test_keys_move_and_tell_what_they_do(enter):
    page = enter("theo").open("signals/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("tr.sig a").nth(1)).to_be_focused()

    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def test_the_last_row_of_a_list_can_be_chosen_beside_the_bar_of_actions(enter):
    page = enter("mara", viewport={"width": 1440, "height": 500}).open("admin/runbooks/runbook/")
    rows = page.locator("input.action-select")
    rows.first.check()
    rows.last.check()
    expect(page.locator(".action-counter")).to_contain_text("2 of")


def test_a_search_that_finds_nothing_says_so_and_can_be_cleared(enter):
    page = enter("theo").open("signals/")
    page.get_by_role("searchbox").fill("no such ticket anywhere")
    expect(page.get_by_role("heading", name="No signal fits")).to_be_visible()

    page.get_by_role("link", name="Clear them").click()
    expect(page.locator("tr.sig").first).to_be_visible()


def menu(page: Page) -> list[str]:
    """Paths of all pages that this person's menu offers."""
    links = page.locator(".side .nav a").all()
    return [re.sub(r"^https?://[^/]+", "", link.get_attribute("href") or "") for link in links]


#: Elements whose content is wider than they are, where nobody can scroll to it. Left out: what ends in an ellipsis,
#: what only screen readers get, a control's own text, and whatever stands in, or holds, a part that scrolls sideways.
CLIPPED = """() => {
  const style = (element) => getComputedStyle(element);
  const wider = (element) => element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1;
  const scrolls = (element) => /auto|scroll/.test(style(element).overflowX) && wider(element);
  const ancestors = (element) => (element ? [element, ...ancestors(element.parentElement)] : []);
  return [...document.querySelectorAll("main *, .topbar *, .bottom *")]
    .filter(wider)
    .filter((each) => style(each).textOverflow !== "ellipsis" && !each.matches("input, select, textarea, svg, svg *"))
    .filter((each) => !ancestors(each).some((one) => style(one).clipPath !== "none"))
    .filter((each) => !ancestors(each).some((one) => one.matches("main *") && scrolls(one)))
    .filter((each) => ![...each.querySelectorAll("*")].some(scrolls))
    .map((each) => `${each.tagName}.${each.className}: ${each.textContent.trim().slice(0, 60)}`);
}"""


def clipped(page: Page) -> list[str]:
    """What is cut off inside the page, as its tag, class and first words."""
    found: list[str] = page.evaluate(CLIPPED)
    return found


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


def taller(page: Page) -> int:
    """Pixels by which one of our own pages is taller than the window: it scrolls inside, the admin's as a whole."""
    return int(
        page.evaluate("document.querySelector('.shell') ? document.documentElement.scrollHeight - innerHeight : 0")
    )
