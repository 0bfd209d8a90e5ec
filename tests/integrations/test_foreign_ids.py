"""More than two thousand ids of other companies' records, over every tool of every vendor: none gets through (I7)."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import pytest

from integrations.dispatch import preview_tool
from integrations.errors import IntegrationError
from integrations.models import ConnectionPace
from integrations.tools import registry
from tests.integrations.cloud import CloudTestCase
from tests.integrations.connected import ConnectedTestCase
from tests.integrations.documented import DocumentedTestCase
from tests.integrations.monitored import MonitoredTestCase
from tests.integrations.protected import ProtectedTestCase
from tests.integrations.resold import ResoldTestCase
from tests.integrations.test_company_border import ARGUMENTS as CONNECTWISE
from tests.integrations.test_itglue_border import ARGUMENTS as ITGLUE
from tests.integrations.test_microsoft365_border import ARGUMENTS as MICROSOFT365
from tests.integrations.test_ninjaone_border import ARGUMENTS as NINJAONE
from tests.integrations.test_pax8_border import ARGUMENTS as PAX8
from tests.integrations.test_sophos_border import ARGUMENTS as SOPHOS

CANARY = "CANARY-of-another-company"
EACH = 700
"""Attempts a vendor."""

HARMLESS = {"connectwise.create_ticket", "itglue.create_document"}
"""Make something of our own company's, whatever ids stand in them."""


class ForeignIds(ConnectedTestCase):
    """To be mixed into a vendor's case. `plant` makes records of another company, each with the canary in its name."""

    slug = ""
    arguments: Mapping[str, dict[str, Any]] = {}

    def plant(self) -> dict[str, list[Any]]:
        """Ids by the words that stand for them in the arguments."""
        raise NotImplementedError

    def try_them_all(self) -> None:
        """Call, and preview, every tool with one foreign id after another."""
        chance, foreign = random.Random(20261122), self.plant()
        named = {
            name: arguments
            for name, arguments in self.arguments.items()
            if f"{self.slug}.{name}" not in HARMLESS
            and any(isinstance(value, str) and value in foreign for value in arguments.values())
        }
        assert named
        for at in range(EACH):
            if at % 100 == 0:  # nobody shall wait here for the vendor's limits
                ConnectionPace.objects.for_organization(self.northwind).update(next_at=None)
            name = sorted(named)[at % len(named)]
            filled = {
                key: chance.choice(foreign[value]) if isinstance(value, str) and value in foreign else value
                for key, value in named[name].items()
            }
            assert CANARY not in self.attempt(f"{self.slug}.{name}", filled, previewed=at % 3 == 0), (name, filled)
        assert [row for row in self.sandbox.log() if row["effect"]] == []

    def attempt(self, name: str, arguments: dict[str, Any], *, previewed: bool) -> str:
        """Everything that came back, a refusal's words included."""
        tool = registry.get(name)
        try:
            if tool.preview is not None and previewed:
                shown = preview_tool(tool=tool, arguments=arguments, organization=self.northwind, company=self.harbor)
                return str(shown)
            result = self.call(name, **arguments)
        except IntegrationError as error:
            return str(error)
        return json.dumps([result.content, result.summary])


@pytest.mark.slow
class ForeignTicketTests(ForeignIds):
    slug = "connectwise"
    arguments = CONNECTWISE

    def plant(self) -> dict[str, list[Any]]:
        contacts = [
            self.sandbox.plant_contact(CANARY, CANARY, f"canary{at}@kessler.example", company="KESSLER")
            for at in range(20)
        ]
        tickets = [
            self.sandbox.plant_ticket(CANARY, CANARY, company="KESSLER", contact=contacts[at % 20]) for at in range(40)
        ]
        rivals = [self.sandbox.plant_ticket(CANARY, owner="southgate", company="ALDER") for _ in range(20)]
        ours = {row["id"] for row in self.sandbox.stored("tickets") if row["company"] == 250}
        return {"ticket": [*tickets, *(one for one in rivals if one not in ours)], "contact": contacts}

    def test_no_foreign_id_gets_through(self) -> None:
        self.try_them_all()


@pytest.mark.slow
class ForeignDeviceTests(ForeignIds, MonitoredTestCase):
    slug = "ninjaone"
    arguments = NINJAONE

    def plant(self) -> dict[str, list[Any]]:
        names = [{"organizationId": 32, "displayName": CANARY, "systemName": CANARY} for _ in range(60)]
        self.sandbox.plant_many_monitored("devices", names)
        devices = [one["id"] for one in self.sandbox.monitored("devices") if one["organizationId"] == 32]
        alerts = [
            self.sandbox.plant_monitored("alerts", {"deviceId": one, "subject": CANARY, "message": CANARY})["uid"]
            for one in devices[-20:]
        ]
        return {"device": devices, "alert": alerts}

    def test_no_foreign_id_gets_through(self) -> None:
        self.try_them_all()


@pytest.mark.slow
class ForeignRecordTests(ForeignIds, DocumentedTestCase):
    slug = "itglue"
    arguments = ITGLUE

    def plant(self) -> dict[str, list[Any]]:
        record = {"organization-id": 2502, "name": CANARY, "archived": False, "restricted": False}
        kinds = ("configurations", "documents", "flexible_assets")
        for collection in kinds:
            more = {"flexible-asset-type-id": 33, "traits": {"name": CANARY}} if collection == kinds[2] else {}
            self.sandbox.put_in_many("itglue", collection, [{**record, **more} for _ in range(60)])
        foreign = {
            collection: [
                one["id"] for one in self.documented(collection) if one["attributes"]["organization-id"] != 2501
            ]
            for collection in kinds
        }
        sections = [{"document-id": one, "content": CANARY, "sort": 1} for one in foreign["documents"]]
        self.sandbox.put_in_many("itglue", "document_sections", sections)
        return {**foreign, "type": [33]}

    def test_no_foreign_id_gets_through(self) -> None:
        self.try_them_all()


@pytest.mark.slow
class ForeignComputerTests(ForeignIds, ProtectedTestCase):
    slug = "sophos"
    arguments = SOPHOS

    def plant(self) -> dict[str, list[Any]]:
        ours = self.held("computers", "HBR-SRV-01")["tenant"]
        foreign = {}
        for word, collection, field in (("computer", "computers", "hostname"), ("alert", "alerts", "description")):
            rows = [one for one in self.sandbox.held("sophos", collection) if one["tenant"] != ours]
            for one in rows:
                self.sandbox.alter("sophos", collection, one["id"], {f"shown/{field}": CANARY})
            foreign[word] = [one["shown"]["id"] for one in rows]
        return foreign

    def test_no_foreign_id_gets_through(self) -> None:
        self.try_them_all()


@pytest.mark.slow
class ForeignSubscriptionTests(ForeignIds, ResoldTestCase):
    slug = "pax8"
    arguments = PAX8

    def plant(self) -> dict[str, list[Any]]:
        theirs = self.buyer(self.kessler.name)
        rows = [{"companyId": theirs, "productName": CANARY} for _ in range(60)]
        self.sandbox.put_in_many("pax8", "subscriptions", rows)
        foreign = [row["shown"]["id"] for row in self.rows("subscriptions", companyId=theirs)]
        return {"subscription": foreign + [row["shown"]["id"] for row in self.rows("subscriptions", owner="southgate")]}

    def test_no_foreign_id_gets_through(self) -> None:
        self.try_them_all()


@pytest.mark.slow
class ForeignAccountTests(ForeignIds, CloudTestCase):
    slug = "microsoft365"
    arguments = MICROSOFT365

    def plant(self) -> dict[str, list[Any]]:
        ours = self.tenant(self.harbor.name)["tenantId"]
        names = {"users": "displayName", "groups": "displayName", "devices": "deviceName"}
        foreign: dict[str, list[Any]] = {"method": []}
        for collection, field in names.items():
            rows = [one for one in self.sandbox.cloud(collection) if one["tenant"] != ours]
            for one in rows:
                self.sandbox.change_cloud(collection, one["id"], **{field: CANARY})
            foreign[collection.removesuffix("s")] = [one["body"]["id"] for one in rows]
        people = [one["body"]["userPrincipalName"] for one in self.sandbox.cloud("users") if one["tenant"] != ours]
        foreign["user"] += people
        foreign["upn"] = people
        methods = [one["body"]["method"]["id"] for one in self.sandbox.cloud("methods") if one["tenant"] != ours]
        return {**foreign, "method": [one for one in methods if "-" in one]}

    def test_no_foreign_id_gets_through(self) -> None:
        self.try_them_all()
