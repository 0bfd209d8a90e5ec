"""The filter language: what it finds, and that nothing unknown ever finds everything."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integrations.sandbox.connectwise_api import ConnectWiseApi, northwind
from tests.sandbox_process import SandboxProcess


@pytest.fixture(scope="module")
def api(sandbox_process: SandboxProcess) -> ConnectWiseApi:
    """Four tickets in an otherwise empty world; no test of this module changes anything."""
    sandbox_process.reset(seed="empty")
    harbor = sandbox_process.plant_company("HARBOR", "Harbor Dental Group")
    sandbox_process.plant_company("KESSLER", "Kessler Maschinenbau GmbH")
    dana = sandbox_process.plant_contact("Dana", "Reyes", "dana.reyes@harbordental.example")
    sandbox_process.plant_contact("Tom", "Kowalski", "tom@harbordental.example")
    for summary, company, status, entered in (
        ("Printer offline", "HARBOR", "New", "2026-10-01T08:00:00Z"),
        ('The "blue" screen', "HARBOR", "In Progress", "2026-10-02T08:00:00Z"),
        ("Drucker: 50% Rabatt", "KESSLER", "New", "2026-10-03T08:00:00Z"),
        ("Backslash C:\\Temp", "KESSLER", "Closed", "2026-10-04T08:00:00Z"),
    ):
        contact = dana if summary == "Printer offline" else None
        sandbox_process.plant_ticket(summary, company=company, status=status, entered=entered, contact=contact)
    assert harbor == 1
    return northwind(sandbox_process)


def _found(api: ConnectWiseApi, conditions: str) -> list[str]:
    return [ticket["summary"].split()[0] for ticket in api.get("/service/tickets", conditions=conditions)]


@pytest.mark.parametrize(
    ("conditions", "found"),
    [
        ('summary = "printer OFFLINE"', ["Printer"]),
        ('summary != "Printer offline"', ["The", "Drucker:", "Backslash"]),
        ('summary like "%print%"', ["Printer"]),
        ('summary like "dru*"', ["Drucker:"]),
        ('summary like "print"', []),
        ('summary contains "50%"', ["Drucker:"]),
        ('summary not contains "e"', []),
        ('summary contains "\\"blue\\""', ["The"]),
        ('summary contains "C:\\\\Temp"', ["Backslash"]),
        ("company/id = 2 and closedFlag = false", ["Drucker:"]),
        ('company/identifier = "HARBOR"', ["Printer", "The"]),
        ('status/name in ("New", "Closed")', ["Printer", "Drucker:", "Backslash"]),
        ('status/name not in ("New", "Closed")', ["The"]),
        ('not (status/name = "New" or closedFlag = true)', ["The"]),
        ('status/name = "New" or company/id = 2 and closedFlag = true', ["Printer", "Drucker:", "Backslash"]),
        ('(status/name = "New" or company/id = 2) and closedFlag = true', ["Backslash"]),
        ("dateEntered >= [2026-10-03T08:00:00Z]", ["Drucker:", "Backslash"]),
        ("dateEntered < [2026-10-02]", ["Printer"]),
        ("dateEntered > [2026-10-03T10:30:00+02:00]", ["Backslash"]),
        ("lastUpdated > [2026-01-01T00:00:00Z] AND _info/lastUpdated < [2020-01-01]", []),
        ("contact = null", ["The", "Drucker:", "Backslash"]),
        ("contact != null", ["Printer"]),
        ('contact/name = "Dana Reyes"', ["Printer"]),
        ('contact/name != "Dana Reyes"', []),
        ('not contact/name = "Dana Reyes"', []),
        ("priority/sort <= 3", ["Printer", "The", "Drucker:", "Backslash"]),
        ("actualHours > -1.5", ["Printer", "The", "Drucker:", "Backslash"]),
    ],
)
def test_conditions_find_exactly_what_they_say(api: ConnectWiseApi, conditions: str, found: list[str]) -> None:
    assert _found(api, conditions) == found
    assert api.get("/service/tickets/count", conditions=conditions) == {"count": len(found)}


@pytest.mark.parametrize(
    "conditions",
    [
        "",
        "   ",
        "true",
        "1 = 1",
        "summary",
        "summary =",
        "summary = Printer",
        "summary = 'Printer offline'",
        'summary = "Printer',
        'summary == "x"',
        'colour = "red"',
        "company/colour = 1",
        "company/site/id = 1",
        "id = 1 or",
        "id = 1 id = 2",
        "(id = 1",
        "id = 1)",
        "id in ()",
        "id in (1,)",
        "id in (null)",
        'id = "1"',
        "summary > 5",
        'summary > "a"',
        "closedFlag = 1",
        "closedFlag > false",
        'id like "%"',
        "company like 250",
        "company = 250",
        "id < null",
        "dateEntered > 2026-01-01",
        'dateEntered > "2026-01-01"',
        "dateEntered > [yesterday]",
        "id = 1; drop table tickets",
        "id = 1 -- and company/id = 2",
        "summary not = 1",
        'summary between "a" and "b"',
        "_info = null",
        "_info/nothing = null",
        "customFields/id = 1",
        'summary contains ""',
        'summary not contains ""',
        'summary like ""',
        "(" * 60 + "id = 1" + ")" * 60,
        "not " * 60 + "id = 1",
        "id = 1 or " * 3000 + "id = 1",
    ],
)
def test_an_expression_outside_the_grammar_is_400_and_finds_nothing(api: ConnectWiseApi, conditions: str) -> None:
    body = {"conditions": conditions}
    refused = api.call("POST", "/service/tickets/search", json=body)
    assert refused.status_code == 400, refused.text
    assert refused.json()["code"] == "InvalidQuery"
    if len(conditions) < 1000:
        api.refused("GET", "/service/tickets", 400, params=body)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_quoted_text_stays_a_text_whatever_stands_in_it(api: ConnectWiseApi, text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    search = {"conditions": f'summary = "{escaped}"'}
    answer = api.call("POST", "/service/tickets/search", json=search)
    assert answer.status_code == 200, answer.text
    assert answer.json() == []


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    expression=st.lists(
        st.sampled_from(
            [
                "id",
                "summary",
                "=",
                "!=",
                "<",
                "(",
                ")",
                "and",
                "or",
                "not",
                "in",
                "like",
                ",",
                '"x"',
                "0",
                "[2026-01-01]",
            ]
        ),
        min_size=1,
        max_size=8,
    ).map(" ".join)
)
def test_any_row_of_words_is_answered_or_refused_but_never_breaks(api: ConnectWiseApi, expression: str) -> None:
    assert api.call("POST", "/service/tickets/search", json={"conditions": expression}).status_code in (200, 400)


def test_child_conditions_find_a_contact_by_address(api: ConnectWiseApi) -> None:
    wanted = (
        'communicationItems/value="DANA.reyes@harbordental.example" and communicationItems/communicationType="Email"'
    )
    assert [one["firstName"] for one in api.get("/company/contacts", childConditions=wanted)] == ["Dana"]


@pytest.mark.parametrize(
    "child_conditions",
    ["", 'value="x"', 'lastName="Reyes"', 'communicationItems/nothing="x"', "communicationItems = null"],
)
def test_child_conditions_that_name_no_collection_are_400(api: ConnectWiseApi, child_conditions: str) -> None:
    api.refused("GET", "/company/contacts", 400, params={"childConditions": child_conditions})


def test_child_conditions_on_a_record_without_collections_are_400(api: ConnectWiseApi) -> None:
    api.refused("GET", "/service/boards", 400, params={"childConditions": 'communicationItems/value="x"'})
