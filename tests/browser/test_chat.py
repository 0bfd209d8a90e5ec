"""The chat as several people use it, on a line that breaks."""

import json
import re

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.stage import first_request

ENTER = "new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})"

#: A page whose sockets take a second and a half to open.
SLOW_LINE = """
const Line = window.WebSocket;
window.WebSocket = class extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  readyState = 0;
  constructor(url) {
    super();
    setTimeout(() => {
      this.line = new Line(url);
      for (const kind of ["open", "message", "close"])
        this.line.addEventListener(kind, (event) => {
          this.readyState = this.line.readyState;
          this.dispatchEvent(new event.constructor(kind, event));
        });
    }, 1500);
  }
  send(text) {
    this.line.send(text);
  }
  close() {
    this.line?.close();
  }
};
"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_after_a_break_everything_is_there_once_in_order_and_typed_text_is_kept(enter):
    theo, mara = enter("theo"), enter("mara")
    lines = Lines(theo.page)
    page = start(theo, "48285")
    page.get_by_label("Message to the agent").fill("Half a sen")

    lines.cut()
    expect(page.locator('[data-link="lost"], [data-link="connecting"]')).to_be_visible()
    other = mara.open_signal("48285")
    say(other, "Who called in about this?")
    say(other, "And from which device?")

    expect(page.locator('[data-link="open"]')).to_be_visible()
    expect(page.get_by_label("Message to the agent")).to_have_value("Half a sen")
    for words in ("Who called in about this?", "And from which device?"):
        expect(page.locator(".msg").filter(has_text=words)).to_have_count(1)
    shown = numbers(page)
    assert shown == sorted(set(shown))
    expect(page.locator("[data-present] .avatar")).to_have_count(2)


def test_what_somebody_does_with_a_ticket_is_seen_by_others_who_have_it_open(enter):
    pane = enter("theo").open_signal("48282").locator("[data-ticket]")
    subject = pane.get_by_role("heading", level=2).inner_text()

    other = start(enter("mara"), "48282")
    expect(other.get_by_role("button", name="Dismiss")).to_be_hidden()
    other.get_by_role("button", name="Stop").click()
    other.get_by_role("button", name="Dismiss").click()

    expect(pane).to_contain_text("Dismissed")
    expect(pane).to_contain_text(subject)


def test_two_who_decide_at_once_make_one_decision_and_the_second_is_told(enter, stage):
    theo, mara = enter("theo"), enter("mara")
    lines = Lines(theo.page)
    page = start(theo, "48278")
    mine = first_request(page)
    other = mara.open_signal("48278")
    hers = other.locator('.approval[data-state="waiting"]').first
    expect(hers).to_be_visible()
    lines.events_are_late = True
    hers.get_by_role("button", name="Only this one").click()
    expect(other.locator('.approval[data-state="decided"]').first).to_contain_text("Done")

    mine.get_by_role("button", name="Only this one").click()

    expect(mine.locator("[data-card-error]")).to_contain_text(re.compile("^Mara .* approved this"))
    assert len(stage.effects(ticket=48278)) == 1


def test_what_somebody_was_typing_is_kept_when_another_decides_first(enter):
    page, other = start(enter("theo"), "48240"), enter("mara").open_signal("48240")
    mine = first_request(page)
    mine.get_by_role("button", name=re.compile("^Modify")).click()
    mine.get_by_label("Text", exact=True).fill("It answers on its old address again.")

    other.locator('.approval[data-state="waiting"]').first.get_by_role("button", name="Only this one").click()

    expect(page.locator('.approval[data-state="decided"]').first).to_contain_text("Done")
    kept = page.locator("[data-unsent]")
    expect(kept.get_by_role("alert")).to_contain_text("What you typed was not sent")
    expect(kept.get_by_label("Text", exact=True)).to_have_value("It answers on its old address again.")
    kept.get_by_role("button", name="Copy").click()
    expect(page.locator(".toast")).to_contain_text("Copied")
    kept.get_by_role("button", name="Put away").press("Enter")  # the chat moves on: a click may meet another place
    expect(kept).to_have_count(0)


def test_what_is_pressed_while_the_line_is_being_opened_is_sent_once_it_is_open(enter):
    theo = enter("theo")
    page = start(theo, "48268")
    page.add_init_script(SLOW_LINE)
    page.reload()
    expect(page.locator('[data-link="connecting"]')).to_be_visible()

    say(page, "Which devices does she have?")

    expect(page.locator(".msg").filter(has_text="Which devices does she have?")).to_have_count(1)


def test_enter_pressed_twice_sends_a_message_once(enter):
    page = start(enter("theo"), "48263")
    box = page.get_by_label("Message to the agent")
    box.fill("Which devices does she have?")

    box.evaluate(f"field => {{ for (let i = 0; i < 2; i++) field.dispatchEvent({ENTER}) }}")

    expect(box).to_have_value("")
    say(page, "And who called?")
    expect(page.locator(".msg").filter(has_text="Which devices does she have?")).to_have_count(1)


def test_values_that_the_tool_does_not_take_are_marked_where_they_were_typed_and_escape_gives_them_up(enter):
    page = start(enter("theo"), "48284")
    asked = page.locator('.approval[data-state="waiting"]').filter(has_text="Add an internal note").first
    asked.get_by_role("button", name=re.compile("^Modify")).click()
    asked.get_by_label("Text", exact=True).fill("")
    asked.get_by_role("button", name="Show what would change").click()

    expect(asked.locator('[data-field="text"] [data-field-error]')).to_be_visible()
    expect(asked.locator("[data-approve-changed]")).to_be_hidden()

    page.keyboard.press("Escape")
    expect(asked.locator("[data-modify-form]")).to_be_hidden()
    expect(asked).to_be_focused()


def test_stop_ends_the_session_and_withdraws_what_waited(enter):
    page = start(enter("theo"), "48280")
    first_request(page)

    page.get_by_role("button", name="Stop").click()

    expect(page.locator("[data-session-state]")).to_contain_text("Stopped")
    expect(page.locator('.approval[data-state="waiting"]')).to_have_count(0)
    expect(page.get_by_role("button", name="Start the agent")).to_be_visible()


def test_a_rival_finds_nothing_behind_a_link(enter, stage):
    address = start(enter("theo"), "48281").url

    answer = enter("ines").page.goto(address)

    assert answer.status == 404


def start(somebody, ticket: str) -> Page:
    """Open a signal, start the agent and wait for what it found."""
    page = somebody.open_signal(ticket)
    page.get_by_role("button", name="Start the agent").click()
    expect(page.locator(".msg").filter(has_text="Findings").first).to_be_visible()
    return page


def say(page: Page, words: str) -> None:
    page.get_by_label("Message to the agent").fill(words)
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".msg").filter(has_text=words)).to_have_count(1)


def numbers(page: Page) -> list[int]:
    """The numbers of the events on the page that are no action; an action stands where it was first asked."""
    shown = page.locator(".chat > article[data-number]:not([data-action])")
    return [int(each.get_attribute("data-number")) for each in shown.all()]


class Lines:
    """The sockets that a page opens to the real server, for a test to cut or to make slow."""

    def __init__(self, page: Page) -> None:
        self.open: list[WebSocketRoute] = []
        self.events_are_late = False
        page.route_web_socket(re.compile("/ws/"), self._opened)

    def cut(self) -> None:
        self.open[-1].close(code=1012)

    def _opened(self, line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        server.on_message(lambda message: self._pass_on(line, message))
        self.open.append(line)

    def _pass_on(self, line: WebSocketRoute, message: str | bytes) -> None:
        if not (self.events_are_late and isinstance(message, str) and json.loads(message)["type"] == "event"):
            line.send(message)
