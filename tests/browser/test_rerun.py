"""Reading chosen tickets again in the browser: tick them, leave out a processor, see the cost and how far it is."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_tickets_ticked_in_the_list_are_read_again_by_the_processors_left_ticked(enter, stage):
    stage.take("48261", test="rerun")
    page = enter("adam").open("signals/?q=48261")
    again = page.get_by_role("button", name="Read again…")
    expect(again).to_be_disabled()
    page.get_by_label("Choose 48261").press("Space")
    expect(page.get_by_text("1 chosen")).to_be_visible()
    page.get_by_label("on this page").uncheck()
    expect(again).to_be_disabled()
    page.get_by_label("on this page").check()
    again.click()

    expect(page.get_by_role("heading", name="1 chosen ticket")).to_be_visible()
    page.get_by_label("Category and tags").uncheck()
    said = page.locator("form[method=post] p", has_text="of work")
    expect(said).not_to_contain_text("Category and tags")
    expect(said).to_contain_text("1 ticket, about")
    expect(said).to_contain_text("no cost")
    page.locator("form[method=post]").get_by_role("button", name="Read again").click()
    expect(page.get_by_text("1 of 1 ticket")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Done")).to_be_visible()


@pytest.mark.parametrize(
    "viewport", [{"width": 1440, "height": 900}, {"width": 390, "height": 844}], ids=["desk", "phone"]
)
def test_the_bar_stays_in_sight_of_a_row_far_down_and_covers_none(enter, viewport):
    page = enter("adam", viewport=viewport).open("signals/?state=all")
    rows, bar = page.locator("tr.sig"), page.locator("#choose")
    for row in (rows.nth(rows.count() // 2), rows.last):
        row.get_by_role("checkbox").check()
        expect(bar.get_by_role("button", name="Read again…")).to_be_in_viewport(ratio=1)
        row.locator("th a").focus()
        expect(row).to_be_in_viewport(ratio=1)
        at, over = row.bounding_box(), bar.bounding_box()
        assert at["y"] >= over["y"] + over["height"] or at["y"] + at["height"] <= over["y"] + 1


def test_all_that_the_filter_finds_is_offered_and_stays_what_it_was_while_processors_are_left_out(enter):
    page = enter("adam", viewport={"width": 390, "height": 844}).open("signals/?state=all")
    everything = page.get_by_role("link", name="that fit…")
    expect(everything).to_be_hidden()
    page.get_by_label("on this page").check()
    everything.click()
    expect(page.get_by_role("heading", name="Tickets of the list: All")).to_be_visible()
    named = page.locator("form:has(input[name=key]) input[name=signal]")
    before = named.evaluate_all("each => each.map((field) => field.value)")
    assert len(before) > 50
    page.get_by_label("Category and tags").uncheck()
    expect(page.locator("form[method=post] p", has_text="of work")).not_to_contain_text("Category and tags")
    assert named.evaluate_all("each => each.map((field) => field.value)") == before
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
