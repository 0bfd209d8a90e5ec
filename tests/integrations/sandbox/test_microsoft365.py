"""The sandbox's Microsoft 365 is as strict as the vendor: what it does not know it refuses, and never answers all."""

from __future__ import annotations

from typing import Any

import requests

from integrations.sandbox.microsoft365.routes import READS
from tests.integrations.cloud import DANA, CloudTestCase

NO = (
    "$select=id,noSuchFieldAtAll",
    "$select=displayname",
    "$filter=noSuchField eq 'a'",
    "$filter=displayName like 'a'",
    "$orderby=noSuchField",
    "$top=0",
    "$top=many",
    "$expand=manager",
    "$search=a",
    "noSuchParameter=1",
)


class StrictnessTests(CloudTestCase):
    def setUp(self) -> None:
        super().setUp()
        key = self.sandbox.microsoft365["northwind-365"]
        self.base, self.key = key.base_url.removesuffix("/"), key
        self.tenant_id = self.tenant(self.harbor.name)["tenantId"]

    def test_no_list_and_no_record_answers_what_it_does_not_understand(self) -> None:
        for route in READS:
            assert self.ask(route.template).status_code == 200, route.template
            for query in NO:
                answer = self.ask(f"{route.template}?{query}")
                assert answer.status_code == 400, (route.template, query)
                assert "value" not in answer.json()

    def test_what_is_understood_narrows(self) -> None:
        (only,) = self.ask(f"/users?$filter=mail eq '{DANA}'&$select=id,mail").json()["value"]
        assert set(only) == {"id", "mail"}

    def ask(self, template: str) -> Any:
        """A look-up in Harbor's tenant, or for what is read there in the partner's own."""
        tenant = self.key.tenant_id if "tenantRelationships" in template else self.tenant_id
        form = {
            "grant_type": "client_credentials",
            "client_id": self.key.client_id,
            "client_secret": self.key.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        }
        place = self.base.removesuffix("/v1.0")
        token = requests.post(f"{place}/login/{tenant}/oauth2/v2.0/token", data=form, timeout=10).json()["access_token"]
        bodies = [one["body"] for one in self.sandbox.cloud("devices") if one["tenant"] == self.tenant_id]
        groups = [one["body"] for one in self.sandbox.cloud("groups") if one["tenant"] == self.tenant_id]
        path = template.replace("{user-id}", self.account(DANA)["id"]).replace("{group-id}", groups[0]["id"])
        path = path.replace("{managedDevice-id}", bodies[0]["id"])
        return requests.get(f"{self.base}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=10)
