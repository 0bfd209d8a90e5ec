"""The review queue in the browser: what a person says moves the figure that says how often the processor is right."""

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_word_in_the_review_queue_moves_the_precision_figure(enter, stage):
    for ticket in ("48242", "48258"):
        stage.take(ticket, test="review")
    adam, theo = enter("adam"), enter("theo")
    figure = adam.open("processors/issue_or_request/").locator(".card", has_text="How often it is right")
    expect(figure).to_contain_text("Nobody confirmed or corrected a value yet.")

    page = theo.open("review/")
    invoice = page.locator(".review-line", has_text="48242")
    for _ in range(20):  # the demo's tickets are read in the background
        if invoice.count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    invoice.get_by_role("link", name="Correct").click()
    said = page.get_by_label("Kind")
    said.select_option("issue" if said.input_value() == "request" else "request")
    page.get_by_role("button", name="Save").click()
    expect(invoice).to_have_count(0)
    adam.page.reload()
    expect(figure).to_contain_text("0 of 1 values that people confirmed or corrected")

    mail = page.locator(".review-line", has_text="48258")
    mail.get_by_role("button", name="Right").click()
    expect(mail).to_have_count(0)
    adam.page.reload()
    expect(figure).to_contain_text("50 %")
