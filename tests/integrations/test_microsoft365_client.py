"""Signing in to each client's own tenant, and reading to the end: as the vendor's side sees it."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from integrations.connections import consent_link, open_client
from integrations.errors import (
    AddressRefused,
    ToolRefused,
    ToolUnavailable,
    VendorForbidden,
    VendorGarbled,
    VendorThrottled,
)
from integrations.linking import link_by_id
from integrations.matching import unmapped
from integrations.microsoft365 import client as microsoft365
from integrations.microsoft365.client import MicrosoftClient, normal_base_url
from integrations.microsoft365.endpoints import PERMISSIONS
from integrations.microsoft365.tokens import claims_of, sign_in_address
from integrations.models import CompanyLink
from integrations.pace import Unpaced
from integrations.services import AlreadyLinked, check_connection, link_company
from integrations.warrants import Errand
from junto.tenants.models import Company
from tests.integrations.cloud import DANA, CloudTestCase
from tests.integrations.rogue import rogue_server
from tests.wire import listening


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("", "https://graph.microsoft.com/v1.0"),
        ("US", "https://graph.microsoft.us/v1.0"),
        ("graph.microsoft.com", "https://graph.microsoft.com/v1.0"),
        ("https://graph.microsoft.com/", "https://graph.microsoft.com/v1.0"),
        ("https://graph.microsoft.com/v1.0", "https://graph.microsoft.com/v1.0"),
    ],
)
def test_a_cloud_or_an_address_is_understood(typed: str, meant: str) -> None:
    assert normal_base_url(typed) == meant


def test_the_secret_goes_to_the_sign_in_service_of_the_same_cloud_and_to_no_other_host() -> None:
    assert sign_in_address("https://graph.microsoft.com/v1.0") == "https://login.microsoftonline.com"
    assert sign_in_address("https://graph.microsoft.us/v1.0") == "https://login.microsoftonline.us"
    for address in ("https://graph.microsoft.example/v1.0", "https://graph.microsoft.com.evil.example/v1.0"):
        with pytest.raises(AddressRefused):
            sign_in_address(address)


@pytest.mark.parametrize("token", ["opaque", "a.b.c", "a.e30.c", "a.W10.c", "..."])
def test_a_token_that_does_not_say_whose_tenant_it_opens_is_not_used(token: str) -> None:
    with pytest.raises(VendorGarbled):
        claims_of(token)


def test_what_to_grant_is_shown_whole_and_stands_in_the_docs() -> None:
    shown = {name for one in microsoft365.RIGHTS for name in one.names}
    assert shown == {name for words in PERMISSIONS.values() for name in words.split(" and ")}
    assert all(one.acts or not any("Write" in name for name in one.names) for one in microsoft365.RIGHTS)
    page = Path("docs/admins.md").read_text(encoding="utf-8").partition("## Connect Microsoft 365")[2]
    assert shown == set(re.findall(r"`([A-Z][\w-]+\.[\w.]+)`", page.partition("## ")[0])) - {"Directory.Read.All"}


class SigningInTests(CloudTestCase):
    def test_each_tenant_has_a_token_of_its_own_and_one_serves_until_it_ends(self) -> None:
        for company in (self.harbor, self.kessler, self.harbor):
            self.call("microsoft365.license_pool", company)
        assert len(self.asked("/token")) == 2
        assert len({row["path"] for row in self.asked("/token")}) == 2

        self.sandbox.end_cloud_tokens()
        self.call("microsoft365.license_pool")

        assert len(self.asked("/token")) == 3
        assert [row["status"] for row in self.asked()].count(401) == 1

    def test_of_many_that_need_a_token_at_once_one_asks(self) -> None:
        """Threads of their own see nothing of a test's transaction: the clients here are paced by nobody."""
        failures: list[Exception] = []
        key = self.sandbox.microsoft365["northwind-365"]
        credentials = {"client_id": key.client_id, "client_secret": key.client_secret, "tenant_id": key.tenant_id}

        def look() -> None:
            try:
                client = microsoft365.open_client(
                    base_url=key.base_url,
                    credentials=credentials,
                    errand=Errand.reading(20),
                    lane=str(self.cloud.pk),
                    pace=Unpaced(),
                )
                with closing(client):
                    client.probe()
            except Exception as error:
                failures.append(error)

        self.sandbox.fault("latency", path="*/token", latency_ms=150)
        several = [threading.Thread(target=look) for _ in range(6)]
        for one in several:
            one.start()
        for one in several:
            one.join(30)

        assert failures == []
        assert len(self.asked("/token")) == 1

    def test_a_wrong_secret_is_told_precisely_and_never_shown(self) -> None:
        self.connect_cloud(self.adam, "northwind-365", secret="not-the-secret", row=self.cloud)
        health = check_connection(self.cloud)

        assert not health.ok
        assert "AADSTS7000215" in health.summary
        assert "client secret" in health.advice
        assert "not-the-secret" not in f"{health} {self.cloud.state_detail}"

    def test_a_check_says_whose_tenant_answers_and_which_permissions_nobody_gave(self) -> None:
        assert "Microsoft 365 of Northwind answers" in check_connection(self.cloud).summary
        self.connect_cloud(self.adam, "northwind-365-reading", row=self.cloud)
        summary = check_connection(self.cloud).summary

        assert "not consented in your own tenant: " in summary
        assert "User.ReadWrite.All" in summary
        assert "User.Read.All" not in summary.replace("User.ReadWrite.All", "")

    def test_a_tenant_that_has_not_consented_is_told_by_what_to_do_and_works_once_it_has(self) -> None:
        brightwater = self.linked("253")
        self.link_tenant(brightwater)
        with pytest.raises(ToolUnavailable) as refused:
            self.call("microsoft365.license_pool", brightwater)
        assert "has not consented" in str(refused.value)
        assert "AADSTS700016" in str(refused.value)

        link = CompanyLink.objects.for_organization(self.northwind).get(connection=self.cloud, company=brightwater)
        address = consent_link(link, redirect_uri="https://junto.example/consented/northwind/", state="x")
        assert f"/{link.external_id}/adminconsent?client_id=" in address
        self.sandbox.consent(address)

        self.call("microsoft365.license_pool", brightwater)

    def test_a_tenant_that_is_not_there_is_told(self) -> None:
        self.sandbox.change_cloud("tenants", self.number("tenants", displayName=self.harbor.name), tenantId="gone")
        with pytest.raises(ToolUnavailable, match="There is no tenant"):
            self.call("microsoft365.license_pool")

    def test_a_token_for_another_tenant_is_not_used(self) -> None:
        kessler = self.tenant(self.kessler.name)["tenantId"]
        for told in (kessler, None):
            with rogue_server(listening(self.sandbox.port, heard := [], change=other_tenant(told))) as wire:
                self.settings.LOCAL_TARGETS |= {("127.0.0.1", wire.port)}
                url = f"http://127.0.0.1:{wire.port}/microsoft365/v1.0"
                self.connect_cloud(self.adam, "northwind-365", base_url=url, row=self.cloud)
                with pytest.raises(VendorGarbled, match="tenant"):
                    self.call("microsoft365.license_pool")
            assert len(heard) == 1

    def test_the_clients_of_the_partner_centre_are_offered_for_linking_by_name(self) -> None:
        found = unmapped(actor=self.actor(self.adam), connection=self.cloud)
        assert {one.company.name for one in found.suggestions} == {"Maison Laurent & Fils", "Brightwater Legal LLP"}
        assert all(one.sure for one in found.suggestions)

    def test_one_tenant_is_linked_to_one_company_however_its_id_is_written(self) -> None:
        there, laurent = self.tenant(self.harbor.name)["tenantId"], self.linked("252")
        for text in (there.upper(), f" {there}", there):
            with pytest.raises(AlreadyLinked):
                link_by_id(actor=self.actor(self.adam), connection=self.cloud, company=laurent, external_id=text)
            with pytest.raises(AlreadyLinked):
                link_company(actor=self.actor(self.adam), connection=self.cloud, company=laurent, external_id=text)
        with pytest.raises(IntegrityError), transaction.atomic():
            CompanyLink.unscoped.create(
                organization=self.northwind, connection=self.cloud, company=laurent, external_id=there.upper()
            )

    def test_a_tenant_is_linked_by_its_id_under_its_own_name_and_only_where_it_says_so(self) -> None:
        """One that is not among the clients under GDAP: it has to have consented, and is asked who it is."""
        brightwater, there = self.linked("253"), self.tenant("Brightwater Legal LLP")["tenantId"]
        for row in self.sandbox.cloud("customers"):
            if row["body"]["tenantId"] == there:
                self.sandbox.change_cloud("customers", row["id"], tenantId="another")
        with pytest.raises(
            ToolUnavailable, match=rf"has consented, it can be linked: \S+/{there}/adminconsent"
        ) as refused:
            self.link_typed(brightwater, there)
        self.sandbox.consent(re.search(r"http\S+", str(refused.value))[0])  # type: ignore[index]
        link = self.link_typed(brightwater, there.upper())
        assert (link.external_id, link.external_name) == (there, "Brightwater Legal LLP")

    def test_the_msps_own_tenant_what_is_no_id_and_what_nobody_knows_are_not_linked(self) -> None:
        home = self.sandbox.microsoft365["northwind-365"].tenant_id
        nobody = "00000000-0000-4000-8000-000000000000"
        for text, words in (
            (home.upper(), "your own tenant"),
            ("contoso.com", "no id"),
            (nobody, "There is no tenant"),
        ):
            with pytest.raises(ToolRefused, match=words):
                self.link_typed(self.linked("252"), text)

    def test_the_page_links_by_another_id_also_where_all_that_is_listed_is_linked(self) -> None:
        browser, base = self.log_in(self.adam), self.path(f"connections/{self.cloud.pk}/companies/")
        there = self.tenant("Maison Laurent & Fils")["tenantId"]
        for row in self.sandbox.cloud("customers"):
            if row["body"]["displayName"] not in (self.harbor.name, self.kessler.name):
                self.sandbox.change_cloud("customers", row["id"], tenantId=self.tenant(self.harbor.name)["tenantId"])
        assert 'id="other-id"' in browser.get(base).content.decode()
        form = {"company": self.linked("252").pk, "external_id": there}
        page = browser.post(f"{base}link/", form, follow=True).content.decode()
        assert "is linked to Maison Laurent &amp; Fils." in page

    def link_typed(self, company: Company, external_id: str) -> CompanyLink:
        """Link by an id that somebody typed."""
        return link_by_id(actor=self.actor(self.adam), connection=self.cloud, company=company, external_id=external_id)


class ReadingTests(CloudTestCase):
    def test_all_pages_are_read(self) -> None:
        tenant = self.tenant(self.harbor.name)["tenantId"]
        for at in range(120):
            upn = f"many{at}@harbordental.example"
            self.sandbox.plant_cloud("users", tenant, {"displayName": f"Many {at}", "userPrincipalName": upn})
        found: Any = self.call("microsoft365.find_user", text="many").content
        assert len(found["users"]) + found["left_out"] == 120
        assert len(self.asked("/users")) == 3

    def test_a_link_to_another_host_or_path_is_not_followed(self) -> None:
        for link in ("https://evil.example/microsoft365/v1.0/users?$skiptoken=1", "/v1.0/groups", "again"):
            with self.opened(following=link) as client, pytest.raises(VendorGarbled):
                list(client.rows(microsoft365.schemas.User, client.home, microsoft365.endpoints.USERS))
        assert {row["path"] for row in self.asked("/users")} == {"/microsoft365/v1.0/users"}

    def test_a_missing_permission_is_named(self) -> None:
        number = self.number("tenants", displayName=self.harbor.name)
        self.sandbox.change_cloud("tenants", number, withheld=["MailboxSettings.Read", "MailboxSettings.ReadWrite"])
        with pytest.raises(VendorForbidden, match=r"application permission MailboxSettings\.Read,"):
            self.call("microsoft365.inbox_rules", user=DANA)

    def test_a_licence_that_the_tenant_has_not_is_told_as_such(self) -> None:
        number = self.number("tenants", displayName=self.harbor.name)
        self.sandbox.change_cloud("tenants", number, premium=False)
        for name in ("sign_ins", "risky_users"):
            with pytest.raises(ToolUnavailable, match="no Entra ID P1 or P2"):
                self.call(f"microsoft365.{name}")

    def test_a_vendor_that_is_busy_is_asked_again_after_the_time_it_names(self) -> None:
        for status in (429, 503):
            self.sandbox.fault("status", status=status, retry_after="0", path="*/subscribedSkus")
            self.call("microsoft365.license_pool")
        assert [row["status"] for row in self.asked("/subscribedSkus")] == [429, 200, 503, 200]

        self.sandbox.fault("status", status=429, retry_after="900", path="*/subscribedSkus")
        with pytest.raises(VendorThrottled, match="900 s"):
            self.call("microsoft365.license_pool")

    def test_a_web_page_in_place_of_an_answer_is_told(self) -> None:
        self.sandbox.fault("html", status=200, path="*/subscribedSkus")
        with pytest.raises(VendorGarbled, match="web page"):
            self.call("microsoft365.license_pool")

    def opened(self, *, following: str) -> Any:
        """A client whose first page leads on to `following`."""
        client = open_client(self.cloud, Errand.reading(10))
        assert isinstance(client, MicrosoftClient)
        sent: Callable[..., Any] = client.get
        again = f"{client.base_url}/users?$skiptoken=0"

        def get(*arguments: Any, **segments: Any) -> Any:
            told: Any = sent(*arguments, **segments)
            return {**told, "@odata.nextLink": again if following == "again" else following}

        client.get = get  # type: ignore[method-assign]  # the vendor's answer, changed on its way
        return closing(client)


def other_tenant(tenant: str | None) -> Callable[[bytes], bytes]:
    """An answer whose token says that it is for this tenant, or for none."""

    def changed(answer: bytes) -> bytes:
        _, _, body = answer.partition(b"\r\n\r\n")
        told = json.loads(body)
        claims = base64.urlsafe_b64encode(json.dumps({"tid": tenant}).encode()).decode().rstrip("=")
        told["access_token"] = f"e30.{claims}.e30"
        sent = json.dumps(told).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(sent), sent)

    return changed
