"""Signing in to IT Glue, reading to the end, and what it says when it refuses: as the vendor's side sees it."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from integrations.connections import open_client
from integrations.errors import VendorForbidden, VendorGarbled, VendorThrottled
from integrations.itglue.client import PER_MINUTE, ITGlueClient, normal_base_url
from integrations.itglue.schemas import ErrorBody, without_secrets
from integrations.matching import accept_suggestions
from integrations.models import CompanyLink, ConnectionPace
from integrations.services import check_connection
from integrations.texts import address, told
from integrations.traffic import BURST
from integrations.warrants import Errand
from tests.integrations.documented import DocumentedTestCase
from tests.integrations.rogue import Respond, rogue_server, says


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("us", "https://api.itglue.com"),
        ("EU", "https://api.eu.itglue.com"),
        (" https://api.au.itglue.com/ ", "https://api.au.itglue.com"),
    ],
)
def test_a_region_or_an_address_is_understood(typed: str, meant: str) -> None:
    assert normal_base_url(typed) == meant


def test_a_refusal_is_told_with_the_field_it_is_about() -> None:
    body = {
        "errors": [
            {"title": "Unprocessable", "detail": "is too long", "source": {"pointer": "/data/attributes/mac-address"}},
            {"title": "Same", "detail": "Same"},
            {"title": None, "detail": 7},
        ]
    }
    assert ErrorBody.words(body) == "Unprocessable: is too long (mac-address); Same; 7"
    assert ErrorBody.words({"errors": "no"}) == ErrorBody.words([]) == ErrorBody.words(None) == ""


@pytest.mark.parametrize(
    "name", ["password", "Password", "otp-secret", "otpSecret", "otp_secret", "autofill-selectors"]
)
def test_what_opens_something_is_dropped_however_it_is_spelt_and_however_deep(name: str) -> None:
    assert without_secrets({"data": [{"attributes": {name: "x", "password-category-name": "kept"}}]}) == {
        "data": [{"attributes": {"password-category-name": "kept"}}]
    }


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("<p>Password: <b>Hunter2!</b></p>", "Password: [removed"),
        ("Administratorkennwort: Sommer2024", "Administratorkennwort: [removed"),
        ("WLAN-Passwort ist „Hallo Welt“ und", "WLAN-Passwort ist [removed"),
        ("mot de passe = vendange", "mot de passe = [removed"),
        ("login: adm / x9x9x9", "login: adm / [removed"),
        ("local password Gr33nTree", "local password [removed"),
        ("https://admin:hunter2@192.0.2.1/x", "https://[removed"),
        ("<table><tr><th>User</th><th>Password</th></tr><tr><td>a</td><td>two words</td></tr></table>", "a | [removed"),
        ("<table><tr><td>IP</td><td>192.0.2.1</td></tr><tr><td>PIN</td><td>47 11</td></tr></table>", "PIN | [removed"),
        ("x -----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY----- y", "x [removed"),
    ],
)
def test_a_password_that_somebody_typed_into_a_text_is_cut_out(typed: str, shown: str) -> None:
    text = told(typed, most=500)
    assert shown in text
    secrets = ("Hunter2", "Sommer2024", "Hallo Welt", "vendange", "x9x9x9", "Gr33nTree", "hunter2", "two words")
    assert not any(secret in text for secret in (*secrets, "47 11", "MIIB"))


@pytest.mark.parametrize(
    "text",
    [
        "The password policy demands 12 characters.",
        "Reset the password in the portal, then tell the user.",
        "Passwörter stehen in IT Glue.",
        "Compass and keyboard | key account",
    ],
)
def test_talk_about_passwords_stays(text: str) -> None:
    assert told(text, most=500) == text


def test_an_address_is_told_without_user_password_and_query() -> None:
    assert address("https://u:p@192.0.2.1:8443/login?token=x") == "https://192.0.2.1:8443/login"
    assert address("http://[bad") == ""


class ConnectingTests(DocumentedTestCase):
    def test_a_good_key_is_connected_and_companies_are_suggested_by_name(self) -> None:
        assert check_connection(self.documentation).ok
        CompanyLink.objects.for_organization(self.northwind).filter(connection=self.documentation).delete()

        assert accept_suggestions(actor=self.actor(self.adam), connection=self.documentation) == 4

    def test_a_revoked_key_is_told_with_the_region_as_a_possible_cause_and_never_shown(self) -> None:
        self.connect_documentation(self.adam, "northwind-docs-revoked", row=self.documentation)
        health = check_connection(self.documentation)

        assert not health.ok
        assert "was revoked" in health.summary
        assert "own region only" in health.summary
        assert (
            self.sandbox.itglue["northwind-docs-revoked"].api_key not in f"{health} {self.documentation.state_detail}"
        )

    def test_the_msps_own_organization_is_no_client(self) -> None:
        self.plant_documented("organizations", name="Northwind MSP", primary=True)
        with closing(self.opened()) as client:
            assert "Northwind MSP" not in [one.name for one in client.company_records()]

    def test_the_key_goes_in_its_header_and_is_shown_nowhere(self) -> None:
        with closing(self.opened()) as client:
            client.probe()
        made = self.sandbox.log()[-1]
        assert "x-api-key" in made["headers_seen"]
        assert self.sandbox.itglue["northwind-docs"].api_key not in json.dumps(made)

    def test_no_five_minutes_hold_more_requests_than_the_vendor_takes(self) -> None:
        assert PER_MINUTE * (5 + BURST / timedelta(minutes=1)) <= 3000
        paces = ConnectionPace.objects.for_organization(self.northwind).filter(connection=self.documentation)
        moments = []
        with closing(self.opened()) as client:
            for _ in range(2):
                client.probe()
                moments.append(paces.get().next_at)
        assert None not in moments
        assert moments[1] - moments[0] >= timedelta(minutes=1) / PER_MINUTE

    def test_after_too_many_requests_it_is_left_alone_for_half_a_minute(self) -> None:
        self.sandbox.fault("status", vendor="itglue", path="*/documents", status=429)
        with pytest.raises(VendorThrottled) as refused:
            self.call("itglue.list_documents")
        assert refused.value.retry_after == 30.0
        assert len(self.asked("/documents")) == 1

        with pytest.raises(VendorThrottled, match="asks again in"):
            self.call("itglue.list_documents")
        assert len(self.asked("/documents")) == 1

    def test_a_refusal_by_the_vendor_is_told_in_its_words(self) -> None:
        self.connect_documentation(self.adam, "northwind-docs-revoked", row=self.documentation)
        with pytest.raises(VendorForbidden, match="not valid for this region"):
            self.call("itglue.list_documents")

    def opened(self) -> ITGlueClient:
        """A client to be closed."""
        client = open_client(self.documentation, Errand.reading(30))
        assert isinstance(client, ITGlueClient)
        return client


class PagingTests(DocumentedTestCase):
    def organizations(self, *pages: dict[str, Any]) -> list[str]:
        """What a client reads from a server that gives these pages in turn."""
        answers: list[Respond] = [says("200 OK", json.dumps(page).encode()) for page in pages]
        with rogue_server(*answers) as wire:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
            url = f"http://127.0.0.1:{wire.port}"
            self.connect_documentation(self.adam, "northwind-docs", base_url=url, row=self.documentation)
            client = open_client(self.documentation, Errand.reading(30))
            assert isinstance(client, ITGlueClient)
            with closing(client):
                return [one.name for one in client.company_records()]

    @staticmethod
    def page(*numbers: int, following: int | None = None) -> dict[str, Any]:
        """A page of organizations."""
        rows = [{"id": str(one), "type": "organizations", "attributes": {"name": f"O{one}"}} for one in numbers]
        return {"data": rows, "meta": {"next-page": following}}

    def test_the_answer_says_which_page_is_next(self) -> None:
        assert self.organizations(self.page(1, following=2), self.page(2)) == ["O1", "O2"]

    def test_an_empty_page_is_the_end_and_so_is_a_short_one_without_numbers(self) -> None:
        assert self.organizations(self.page(following=2)) == []
        assert self.organizations({"data": self.page(1)["data"]}) == ["O1"]

    def test_the_same_page_again_and_a_step_back_are_no_endless_reading(self) -> None:
        for second in (self.page(1, following=3), self.page(2, following=1)):
            with pytest.raises(VendorGarbled, match="same page again"):
                self.organizations(self.page(1, following=2), second)

    def test_a_list_that_never_ends_is_cut_off_with_words(self) -> None:
        pages = [self.page(at, following=at + 1) for at in range(1, 120)]
        with pytest.raises(VendorGarbled, match="more than 100 pages"):
            self.organizations(*pages)

    def test_what_is_no_list_is_told_and_not_guessed(self) -> None:
        for body in ({"data": None}, {"data": {"id": "1"}}, {}, {"data": [{"id": "x"}]}, {"data": ["x"]}):
            with pytest.raises(VendorGarbled):
                self.organizations(body)
