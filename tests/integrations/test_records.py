"""What is kept of a vendor's records for people: every field, but for secrets, prices and what does not fit."""

from __future__ import annotations

import json

import pytest
from pydantic import JsonValue

from integrations.records import LONGEST_TEXT, MOST_BYTES, REMOVED, sent_records
from integrations.wire import Wire, record_of

PASSWORD = "Gr33n-Tree!"


class Thing(Wire):
    """A record of which one field is used."""

    id: int


def kept(*records: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """What is kept of records that came like this."""
    found = sent_records([record_of(Thing, {"id": 1, **one}, label="Vendor") for one in records])
    assert isinstance(found, dict)
    return found


def sent(**fields: JsonValue) -> dict[str, JsonValue]:
    """What is kept of one record that came with these fields beside its id."""
    rows = kept(fields)["records"]
    assert isinstance(rows, list)
    assert isinstance(rows[0], dict)
    return rows[0]


def test_fields_that_nobody_uses_are_kept_as_they_came() -> None:
    came: dict[str, JsonValue] = {
        "colour": "red",
        "deep": {"list": [1, None, True]},
        "billingTerm": "Monthly",
        "postalCode": "1010",
        "isPasswordProtected": True,
        "keyId": "7",
        "passed": 3,
        "lastPasswordChangeDateTime": "2026-01-01T00:00:00Z",
        "password_updated_at": "2026-01-01",
        "passwordLastSet": "2026-01-01T00:00:00Z",
        "passwordPolicy": "twelve letters",
        "issue_key": "ITS-42",
        "privateIp": "10.0.0.4",
        "bitlockerStatus": "on",
        "signatureVersion": "1.401.2",
        "tokenType": "hardware",
    }
    assert sent(**came) == {"id": 1, **came}


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "adminPassword",
            "PASSWORD_HINT",
            "local-admin-pw",
            "userpass",
            "temporaryAccessPass",
            "passphrase",
        ),
        *("client_secret", "apiKey", "APIKey", "wifi-key", "WiFiPSK", "wpa2", "psk", "pwd", "snmp community"),
        *("access_token", "otpSecret", "PIN", "alarmPin", "alarm_code", "Kennwort", "mot de passe", "recoveryKey"),
        *("sessionId", "connectionString", "licenseKey", "private_key", "bitlocker", "x" * 300),
    ],
)
def test_what_may_be_a_secret_is_removed_whatever_it_is_called(name: str) -> None:
    assert sent(**{name: PASSWORD})[name] == REMOVED
    assert "Gr33n" not in json.dumps(sent(deep=[{name: {"value": PASSWORD}}]))
    assert sent(**{name: 481_516})[name] == REMOVED


@pytest.mark.parametrize(
    "name",
    [
        *("price", "partnerCost", "partnerBuyRate", "suggestedRetailPrice", "partnerTotal", "costTotal", "total"),
        *("currentCharges", "hourlyRate", "actualRate", "billingAmount", "estimatedExpenseRevenue", "annualRevenue"),
    ],
)
def test_what_something_costs_is_removed(name: str) -> None:
    assert sent(deep={name: 12.5})["deep"] == {name: REMOVED}


def test_a_password_that_is_called_a_moment_is_removed_even_so() -> None:
    assert sent(passwordChangedAt=PASSWORD)["passwordChangedAt"] == REMOVED


@pytest.mark.parametrize(
    "pair",
    [
        {"question": "Administrator password", "answer": PASSWORD},
        {"id": 3, "caption": "Alarm code", "type": "Text", "value": PASSWORD},
        {"displayName": "apiKey", "oldValue": "", "newValue": PASSWORD},
        {"label": "WLAN PSK", "text": PASSWORD},
    ],
)
def test_what_stands_beside_the_name_of_a_secret_is_removed(pair: dict[str, JsonValue]) -> None:
    assert "Gr33n" not in json.dumps(sent(customFields=[pair]))


@pytest.mark.parametrize(
    "text",
    [
        f"The password: {PASSWORD}, as always",
        f"<b>Password:</b> {PASSWORD}",
        f"<p>Password</p><p>:&nbsp;{PASSWORD}</p>",
        f"<table><tr><td>Password</td><td>{PASSWORD}</td></tr></table>",
        f"<table><tr><th>User</th><th>Pwd</th></tr><tr><td>adm</td><td>{PASSWORD}</td></tr></table>",
        f"<h3>Password</h3><p>{PASSWORD}</p>",
        f"Password&#58; {PASSWORD}",
        f"wpa2: {PASSWORD}",
        f"<div>PSK = <span>{PASSWORD}</span></div>",
        json.dumps({"user": "adm", "password": PASSWORD}),
        json.dumps([{"name": "Root password", "value": PASSWORD}]),
        f'settings are {{"password": "{PASSWORD}"}} there',
        f"https://portal.example/reset?token={PASSWORD}",
        f"See https://portal.example/share#{PASSWORD} for it",
        f"ftp://adm:{PASSWORD}@files.example/",
    ],
)
def test_a_password_that_stands_in_a_text_is_cut_out(text: str) -> None:
    assert "Gr33n" not in json.dumps(sent(notes=text))


def test_words_in_html_are_kept_as_words() -> None:
    assert sent(notes="<p>Printer &amp; scanner<br>second floor</p>")["notes"] == "Printer & scanner\nsecond floor"


def test_a_long_text_is_cut_and_says_how_much_is_missing() -> None:
    assert sent(notes="x" * (LONGEST_TEXT + 7))["notes"] == "x" * LONGEST_TEXT + " … [7 more characters there]"


def test_what_is_nested_too_deeply_to_be_looked_through_is_removed() -> None:
    deep: JsonValue = PASSWORD
    for _ in range(40):
        deep = [deep]
    assert "Gr33n" not in json.dumps(sent(deep=deep))


def test_records_that_do_not_fit_are_counted() -> None:
    large: dict[str, JsonValue] = {"text": "x " * 30_000}
    found = kept(*[large] * 9)

    assert len(json.dumps(found)) < MOST_BYTES + 1000
    assert found["left_out"] == 9 - len(found["records"])  # type: ignore[arg-type]
    assert kept({"text": "x" * MOST_BYTES}) == {"records": [], "left_out": 1}
    assert sent_records([]) is None
