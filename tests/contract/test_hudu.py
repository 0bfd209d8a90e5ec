"""Every request of the Hudu client, byte for byte as it is sent, and every answer of the sandbox, by our contract."""

from __future__ import annotations

from typing import Any

from tests.contract.own_contract import OwnContract
from tests.integrations.vendor_case import VendorTestCase


class HuduContractTests(OwnContract, VendorTestCase):
    slug = "hudu"
    key = "northwind-hudu"
    surprises = ("nickname", "primary_mail", "content", "draft", "url", "fields", "archived", "position")

    def calls(self) -> list[tuple[str, dict[str, Any]]]:
        server = self.there("assets", "HBR-SRV-01")
        article = self.there("articles", "New starter checklist")["id"]
        return [
            ("find_company", {}),
            ("list_asset_layouts", {"name": "computer"}),
            ("search_assets", {"name": "HBR ä & ?", "layout_id": server["asset_layout_id"], "limit": 5}),
            ("search_assets", {"serial_number": server["primary_serial"]}),
            ("search_assets", {"archived": True}),
            ("get_asset", {"asset_id": server["id"]}),
            ("list_articles", {"name": "starter"}),
            ("read_article", {"article_id": article}),
            ("list_expirations", {"since": "2026-01-01", "until": "2040-01-01"}),
            ("create_article", {"name": "What was done ä & ?", "text": "- one\n- two & <three>"}),
            ("add_to_article", {"article_id": article, "text": "| a | b |\n|---|---|\n| 1 | 2 |"}),
        ]

    def test_nothing_that_tells_passwords_is_in_the_contract(self) -> None:
        assert not [name for name in self.operations() if "password" in name]
