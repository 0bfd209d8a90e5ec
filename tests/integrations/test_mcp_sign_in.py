"""Signing in at an MCP server: a person consents there, and what they gave opens that server alone."""

from __future__ import annotations

import json
import re
from ipaddress import ip_network
from socket import socket
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client

from integrations.connections import open_client
from integrations.consents import begin_consent, withdraw_consent
from integrations.errors import AddressRefused, ToolUnavailable, VendorError
from integrations.models import Connection, Consent, McpTool
from integrations.services import InvalidConnection, check_connection, save_connection
from integrations.toolbox import toolbox
from integrations.warrants import Errand
from junto.inbox.models import Notification
from tests.integrations.rogue import rogue_server, says
from tests.integrations.served import GUIDES, ServedTestCase


class TestSigningIn(ServedTestCase):
    def setUp(self) -> None:
        """A second connection to the register, at which people sign in."""
        super().setUp()
        self.signed = self.connect_server(self.adam, system="mcp_signed", credentials={"auth": "oauth"})

    def allow(self, address: str, *, owner: str = "northwind") -> str:
        """Sign in on the server's page: the path that the browser is sent back to."""
        form = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        session = requests.Session()
        session.trust_env = False
        answer = session.post(
            address.partition("?")[0], data={**form, "owner": owner}, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["Location"])
        return f"{back.path}?{back.query}"

    def come_back(self, path: str, *, browser: Client | None = None) -> str:
        """What the member reads after coming back."""
        return (browser or self.log_in(self.adam)).get(path, follow=True).content.decode()

    def begin(self) -> str:
        """The address of the server's page, as the member is shown it."""
        page = self.log_in(self.adam).post(self.path(f"connections/{self.signed.pk}/consent/")).content.decode()
        found = re.search(r'href="(http[^"]+/authorize[^"]+)"', page)
        assert found, page
        return found[1].replace("&amp;", "&")

    def test_until_somebody_signed_in_nothing_is_asked(self) -> None:
        asked = len(self.sandbox.log())
        with pytest.raises(ToolUnavailable, match="Nobody signed in"):
            open_client(self.signed, Errand.reading(5)).probe()
        assert len(self.sandbox.log()) == asked

    def test_a_person_signs_in_there_and_the_tools_are_read(self) -> None:
        address = self.begin()
        query = parse_qs(urlsplit(address).query)
        assert query["code_challenge_method"] == ["S256"]
        assert query["resource"] == [self.signed.base_url]

        page = self.come_back(self.allow(address))

        assert "in the name of whoever signed in there" in page
        assert self.signed.mcp_tools.count() == 5
        self.classify_signed()

    def test_what_comes_back_counts_for_the_member_who_was_sent_there_and_once(self) -> None:
        back = self.allow(self.begin())
        for other, slug in ((self.olivia, "northwind"), (self.ines, "southgate")):
            own = back.replace("/o/northwind/", f"/o/{slug}/")
            self.come_back(own, browser=self.log_in(other, Client()))
            assert not Consent.objects.for_organization(self.northwind).exists()
        self.come_back(back)
        given = Consent.objects.for_organization(self.northwind).get().pk

        assert "Nobody asked you for this consent" in self.come_back(back)
        assert Consent.objects.for_organization(self.northwind).get().pk == given

    def test_an_answer_of_another_authorization_server_is_not_taken(self) -> None:
        back = re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", self.allow(self.begin()))

        assert "Another authorization server answered" in self.come_back(back)
        assert not Consent.objects.for_organization(self.northwind).exists()

    def test_a_sign_in_that_ended_there_is_told(self) -> None:
        self.come_back(self.allow(self.begin()))
        self.sandbox.take_out("mcp", "tokens", 1)

        health = check_connection(self.signed, insists=True)

        assert not health.ok
        health = check_connection(self.signed, insists=True)  # the token in memory is forgotten by now
        assert "give it again" in health.summary

    def test_tokens_stand_sealed_and_in_no_page(self) -> None:
        page = self.come_back(self.allow(self.begin()))
        row = Consent.objects.for_organization(self.northwind).get()

        page += self.log_in(self.adam).get(self.path(f"connections/{self.signed.pk}/")).content.decode()
        assert "rt-" not in row.sealed_token
        assert not re.search(r"\b[ar]t-[A-Za-z0-9_-]{20}", page)

    def test_the_token_of_one_server_goes_to_no_other(self) -> None:
        self.come_back(self.allow(self.begin()))
        with rogue_server(says("401 Unauthorized", b"{}")) as rogue:
            self.settings.LOCAL_TARGETS |= {("127.0.0.1", rogue.port)}
            moved = save_connection(
                actor=self.actor(self.adam),
                vendor="mcp_signed",
                label="Moved",
                base_url=f"{rogue.base_url}/mcp",
                connection=self.signed,
            )
            assert not Consent.objects.for_organization(self.northwind).exists()
            assert not check_connection(moved, insists=True).ok
            assert rogue.requests == []

    def test_a_sign_in_at_another_authorization_server_blocks_the_tools(self) -> None:
        self.come_back(self.allow(self.begin()))
        self.classify_signed()
        self.come_back(self.allow(self.begin()))
        assert self.signed.mcp_tools.get(name="search_guides").state == McpTool.State.ALLOWED  # the same one
        withdraw_consent(actor=self.actor(self.adam), connection=self.signed)
        assert f"{self.signed.vendor}.search_guides" in toolbox(self.northwind)  # nothing can be asked meanwhile

        McpTool.unscoped.update(trusted_server={"address": self.signed.base_url, "issuer": "https://other.example/"})
        self.come_back(self.allow(self.begin()))

        assert self.signed.mcp_tools.get(name="search_guides").state == McpTool.State.CHANGED
        told = Notification.objects.for_organization(self.northwind).filter(membership=self.adam, kind="mcp.changed")
        assert "https://other.example/" in told.get().body

    def test_a_server_cannot_lead_a_sign_in_to_an_address_of_ours(self) -> None:
        for where in ("http://169.254.169.254/latest", "https://10.0.0.7/auth", f"{self.sandbox.base_url}/mcp/auth"):
            told = f'{{"resource":"BASE/mcp","authorization_servers":["{where}"]}}'
            with rogue_server(
                says("401 Unauthorized", b"{}"), says("200 OK", b"{}"), says("200 OK", told.encode())
            ) as rogue:
                self.settings.LOCAL_TARGETS = frozenset({("127.0.0.1", self.sandbox.port), ("127.0.0.1", rogue.port)})
                asked = len(self.sandbox.log())
                row = self.rogue_connection(rogue.base_url)
                with pytest.raises((VendorError, AddressRefused)):
                    begin_consent(actor=self.actor(self.adam), connection=row)
                assert len(self.sandbox.log()) == asked
                row.delete()

    def test_a_server_cannot_lead_a_sign_in_into_the_network_that_the_operator_listed(self) -> None:
        self.settings.PRIVATE_CIDRS = (ip_network("10.0.0.0/8"),)

        def leads(request: bytes, connection: socket) -> None:
            told = {"resource": f"{rogue.base_url}/mcp", "authorization_servers": ["https://10.0.0.7/auth"]}
            says("200 OK", json.dumps(told).encode())(request, connection)

        with rogue_server(says("401 Unauthorized", b"{}"), leads) as rogue:
            self.settings.LOCAL_TARGETS = frozenset({("127.0.0.1", rogue.port)})
            with pytest.raises(AddressRefused, match="nobody but the operator"):
                begin_consent(actor=self.actor(self.adam), connection=self.rogue_connection(rogue.base_url))

    def test_a_private_address_is_refused_unless_the_operator_listed_it(self) -> None:
        for address in (
            "http://127.0.0.1:9/mcp",
            "https://10.1.2.3/mcp",
            "https://169.254.169.254/mcp",
            "http://a.b/mcp",
        ):
            with pytest.raises(InvalidConnection):
                save_connection(
                    actor=self.actor(self.adam),
                    vendor="mcp_private",
                    label="Private",
                    base_url=address,
                    credentials={"auth": "none"},
                )

    def rogue_connection(self, base_url: str) -> Connection:
        """A connection to a server that says what it likes."""
        return save_connection(
            actor=self.actor(self.adam),
            vendor="mcp_rogue",
            label="Rogue",
            base_url=f"{base_url}/mcp",
            credentials={"auth": "oauth"},
        )

    def classify_signed(self) -> None:
        """One of its tools works, in the name of whoever signed in."""
        self.server, former = self.signed, self.server
        self.classify("search_guides", GUIDES)
        self.server = former
