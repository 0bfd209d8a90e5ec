"""Northwind connected to the sandbox's NinjaOne over real HTTP, beside its PSA, with its companies linked."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import requests
from django.test import Client

from integrations.models import Connection
from integrations.services import link_company, save_connection
from junto.tenants.models import Company, Membership
from tests.integrations.connected import ConnectedTestCase

HARBOR_THERE, KESSLER_THERE = "31", "32"
"""Northwind's clients as NinjaOne numbers them; Southgate has organizations of the same numbers."""


class MonitoredTestCase(ConnectedTestCase):
    """`self.monitoring` is Northwind's connection to NinjaOne; Harbor and Kessler are linked there."""

    slug = "ninjaone"
    monitoring: Connection

    def setUp(self) -> None:
        super().setUp()
        self.monitoring = self.connect_monitoring(self.adam, "northwind-rmm")
        for company, there in ((self.harbor, HARBOR_THERE), (self.kessler, KESSLER_THERE)):
            self.link_there(company, there)

    def link_there(self, company: Company, there: str) -> None:
        """Say which organization of NinjaOne a company is."""
        link_company(actor=self.actor(self.adam), connection=self.monitoring, company=company, external_id=there)

    def connect_monitoring(
        self, admin: Membership, name: str, *, base_url: str = "", secret: str = "", row: Connection | None = None
    ) -> Connection:
        """A connection to the sandbox's NinjaOne with one of its API clients."""
        key = self.sandbox.ninjaone[name]
        return save_connection(
            actor=self.actor(admin),
            vendor="ninjaone",
            label="NinjaOne",
            base_url=base_url or key.base_url,
            credentials={"client_id": key.client_id, "client_secret": secret or key.client_secret},
            connection=row,
        )

    def device(self, name: str) -> dict[str, Any]:
        """A device as NinjaOne really holds it."""
        found: dict[str, Any] = next(one for one in self.sandbox.monitored("devices") if one["displayName"] == name)
        return found

    def number(self, name: str) -> int:
        """A device's number at NinjaOne."""
        return int(self.device(name)["id"])

    def consent(self) -> None:
        """A whole consent, by Adam."""
        browser = self.log_in(self.adam, Client())
        self.come_back(browser, self.allow(self.begin(browser)))

    def begin(self, browser: Any) -> str:
        """Ask for consent; the address of NinjaOne's page."""
        answer = browser.post(self.path(f"connections/{self.monitoring.pk}/consent/"))
        found = re.search(r'data-kind="primary" href="([^"]+)"', answer.content.decode())
        assert found, answer.content.decode()
        return found[1].replace("&amp;", "&")

    def allow(self, address: str, decision: str = "allow") -> str:
        """What the technician answers on NinjaOne's page; where it sends them back to."""
        address = f"{self.sandbox.ninjaone['northwind-rmm'].base_url}/ws/{address.partition('/ws/')[2]}"
        page = requests.get(address, timeout=10)
        assert page.status_code == 200, page.text
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page.text))
        answer = requests.post(
            address.partition("?")[0], data=form | {"decision": decision}, timeout=10, allow_redirects=False
        )
        assert answer.status_code == 302, answer.text
        split = urlsplit(answer.headers["Location"])
        return f"{split.path}?{split.query}"

    def come_back(self, browser: Any, back: str) -> str:
        """Follow the way back; the page that shows."""
        page: str = browser.get(back, follow=True).content.decode()
        return page
