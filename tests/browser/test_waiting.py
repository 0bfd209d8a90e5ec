"""A vendor that answers late: the pressed button says that Junto asks, and pressing it again sends nothing."""

import json
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

#: Presses a button so many milliseconds from now, and keeps for the page that follows what this one showed. It runs in
#: the page: while an answer is awaited a driver from outside is told of the next page only.
WATCH = """(button, { presses, stops }) => {
  const seen = [];
  const keep = (what) => {
    seen.push(what);
    sessionStorage.setItem("seen", JSON.stringify(seen));
  };
  new MutationObserver(() => keep(button.getAttribute("aria-busy")))
    .observe(button, { attributeFilter: ["aria-busy"] });
  new MutationObserver((all) => all.forEach(({ addedNodes }) => addedNodes.forEach((each) => keep(each.textContent))))
    .observe(document.getElementById("toasts"), { childList: true });
  for (const after of presses) setTimeout(() => button.click(), after);
  if (stops) setTimeout(() => stop(), stops);
}"""


def test_a_button_says_that_it_asks_and_is_sent_once(enter, stage):
    adam = enter("adam")
    page = adam.open("connections/")
    tile = page.locator("li.tile", has_text="IT Glue")
    sandbox = "{0.scheme}://{0.netloc}".format(urlsplit(tile.locator("td.mono").inner_text()))
    tile.get_by_role("link", name="Change").click()
    for name in ("Pause", "Go on"):  # what a button itself says is sent with it
        page.get_by_role("button", name=name).click()
    expect(page.locator("#health")).to_contain_text("Not tested")
    own = page.url
    sent = []
    page.on("request", lambda request: sent.append(urlsplit(request.url).path) if request.method == "POST" else None)
    button = page.get_by_role("button", name="Test now")
    width = button.bounding_box()["width"]
    control(sandbox, "POST", {"kind": "latency", "vendor": "itglue", "latency_ms": 2500, "count": None})
    try:
        with page.expect_navigation():
            button.evaluate(WATCH, {"presses": [0, 150, 700, 1400], "stops": 0})
        expect(page.locator("#health")).to_contain_text("Working")
        assert page.url == own
        assert sent == [f"{urlsplit(own).path}test/"]
        assert seen(page) == ["true", "Asking IT Glue of Northwind MSP…"]
        assert button.get_attribute("aria-busy") is None
        assert button.bounding_box()["width"] == width

        # who stops the loading has the button back
        button.evaluate(WATCH, {"presses": [0], "stops": 900})
        page.wait_for_function("sessionStorage.getItem('seen').endsWith('null]')")
        assert seen(page) == ["true", "Asking IT Glue of Northwind MSP…", None]
        expect(page.locator("#toasts")).not_to_contain_text("Asking")
    finally:
        control(sandbox, "DELETE")

    with page.expect_navigation():
        button.evaluate(WATCH, {"presses": [0], "stops": 0})
    expect(page.locator("#health")).to_contain_text("Working")


def seen(page) -> list[str | None]:
    """What the page before showed of its waiting, in order."""
    return json.loads(page.evaluate("sessionStorage.getItem('seen')"))


def control(sandbox: str, method: str, fault: dict[str, object] | None = None) -> None:
    """Switch a fault of the vendors on, or all of them off."""
    body = json.dumps(fault).encode() if fault else None
    with urlopen(Request(f"{sandbox}/_sandbox/faults", data=body, method=method), timeout=30) as answer:
        assert answer.status == 200
