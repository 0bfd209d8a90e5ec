"""The marks that every page repeats."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.template.loader import render_to_string
from freezegun import freeze_time

NOW = datetime(2026, 11, 21, 14, 15, tzinfo=UTC)


def shown(source, **context):
    return Template("{% load look %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("ago", "words"),
    [
        (timedelta(seconds=8), "8 s ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=2), "2 d ago"),
        (timedelta(days=40), "12 Oct"),
        (timedelta(days=400), "17 Oct 2025"),
        (-timedelta(minutes=59), "in 59 min"),
        (-timedelta(days=40), "31 Dec"),
    ],
)
@freeze_time(NOW)
def test_a_moment_is_said_in_plain_words(ago, words):
    assert f">{words}</time>" in shown("{% when moment %}", moment=NOW - ago)


@freeze_time(NOW)
def test_a_deadline_says_when_and_how_long():
    assert "Ends 14:41, in 26 min" in shown("{% ends moment %}", moment=NOW + timedelta(minutes=26))


@freeze_time(NOW)
def test_a_deadline_that_is_over_says_so():
    assert "Ended 14:14" in shown("{% ends moment %}", moment=NOW - timedelta(minutes=1))
    assert "Time is over" in shown("{% left moment %}", moment=NOW - timedelta(minutes=1))


@freeze_time(NOW)
def test_a_moment_is_named_with_its_zone_until_the_page_knows_the_readers():
    assert 'data-tick="at"' in shown("{% at moment %}", moment=NOW)
    assert ">21 Nov 14:15 UTC</time>" in shown("{% at moment %}", moment=NOW)


def test_what_never_happened_is_said():
    assert "Never" in shown("{% when moment %}", moment=None)


def test_risk_is_bars_and_always_the_word():
    drawn = shown("{% risk 'medium' %}")

    assert 'data-risk="medium"' in drawn
    assert "Medium" in drawn


@pytest.mark.parametrize(
    ("name", "letters"), [("Mara Lindholm", "ML"), ("Jean de la Cruz", "JC"), ("theo", "T"), ("", "?")]
)
def test_initials_exist_for_every_name(name, letters):
    assert shown("{{ name|initials }}", name=name) == letters


def test_a_hostile_name_stays_text():
    assert "<script" not in shown("{% risk level %}{% icon 'x' label=level %}", level='"><script>alert(1)</script>')


CARD = {
    "id": "a1",
    "state": "waiting",
    "waiting": True,
    "title": "Add an internal note to ticket 48213",
    "system": "ConnectWise",
    "company": "Harlow & Beck",
    "risk": "low",
    "arguments": [("text", "<b>bold</b>", "text")],
    "digest": "d" * 64,
    "may_decide": True,
    "may_modify": True,
    "who_may": "Technicians and above may decide.",
}


def card(**changes):
    return render_to_string("agent/_approval_card.html", {"card": {**CARD, **changes}})


def test_a_card_shows_the_whole_argument_as_text():
    assert "&lt;b&gt;bold&lt;/b&gt;" in card()


def test_a_card_keeps_the_order_that_the_design_fixed():
    html = card(
        changes=[("Note", "", "New text")],
        evidence=["Disk report, 13:58"],
        undo="Delete the note",
        seen_by="Your team",
        ends_at=NOW,
        short_code="7f3a 91c2",
    )
    order = [
        "Waiting for your decision",
        "Add an internal note to ticket 48213</h2>",
        "In ConnectWise, for Harlow",
        "New text",
        "<dt>Risk",
        "Who will see it",
        "Runbook step",
        "Undo",
        "Exactly what will be sent",
        "What it rests on",
        'data-decide="approve"',
        "Technicians and above",
    ]

    places = [html.index(each) for each in order]
    assert places == sorted(places)


def test_who_may_not_decide_sees_whom_to_pass_it_on_to_and_no_approve_button():
    why = "You may not decide this one."
    html = card(may_decide=False, may_modify=False, why_not_you=why, roles_to_pass=[("decide_medium", "Operators")])

    assert "data-decide" not in html
    assert "Operators" in html
    assert why in html


def test_a_once_per_session_tool_asks_for_the_session_first():
    html = card(session_grant_allowed=True)

    assert html.index('data-decide="approve_session"') < html.index('data-decide="approve"')


def test_a_high_risk_action_needs_its_target_typed_before_its_button_works():
    html = card(risk="high", needs_target_typed="HB-FS01")

    assert 'data-typed="HB-FS01"' in html
    assert 'data-decide="approve" disabled' in html


def test_an_unknown_outcome_asks_what_was_seen():
    html = card(state="unknown", waiting=False, unknown=True, may_settle=True)

    assert "It may or may not have been done." in html
    assert "It was done" in html
    assert "It was not done" in html


def test_a_decided_card_says_who_and_why():
    html = card(
        state="denied", state_word="Denied", icon="ban", waiting=False, decided_by="Theo Okafor",
        decision_word="Denied", reason="It is not hardware.",
    )  # fmt: skip

    assert "data-decide" not in html
    assert "Denied: Theo Okafor." in html
    assert "“It is not hardware.”" in html
