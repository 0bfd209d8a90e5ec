"""No tool of Hudu crosses the border of a company, and what becomes of its writes without an answer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from integrations.errors import TargetRefused
from tests.integrations.border import BorderConformance
from tests.integrations.outcomes import OutcomeConformance
from tests.integrations.test_hudu import HuduTestCase
from tests.wire import changed_records, listening


class HuduBorderTests(BorderConformance, HuduTestCase):
    arguments = {
        "find_company": {},
        "search_assets": {},
        "get_asset": {"asset_id": "assets"},
        "list_articles": {},
        "read_article": {"article_id": "articles"},
        "list_expirations": {},
        "create_article": {"name": "A draft of ours", "text": "a"},
        "add_to_article": {"article_id": "articles", "text": "a"},
    }
    collections = {"assets": "company_id", "articles": "company_id"}
    common = frozenset({"layout_id"})
    makes = frozenset({"create_article"})
    silent = frozenset({"find_company", "list_expirations"})

    def test_an_article_of_no_company_belongs_to_none(self) -> None:
        general = self.plant_there("articles", name="General", company_id=None)["id"]
        with pytest.raises(TargetRefused):
            self.found("read_article", article_id=general)
        assert general not in [one["id"] for one in self.found("list_articles")["articles"]]

    def test_dates_of_another_company_are_left_out_though_the_filter_were_ignored(self) -> None:
        kessler = self.number("companies", self.kessler.name)
        changes = changed_records(lambda row: {"company_id": kessler} if "expiration_type" in row else {})
        with self.detour(listening(self.sandbox.port, [], change=changes)):
            assert self.found("list_expirations")["expirations"] == []


class HuduOutcomeTests(OutcomeConformance, HuduTestCase):
    def orders(self) -> dict[str, dict[str, Any]]:
        article = self.number("articles", "X-ray sensor driver")
        return {
            "create_article": {"name": "A lost article", "text": "- one\n- two"},
            "add_to_article": {"article_id": article, "text": "- one\n- two & <three>"},
        }

    def test_a_change_by_somebody_else_meanwhile_is_left_to_a_person(self) -> None:
        order = self.orders()["add_to_article"]
        before = self.preview("hudu.add_to_article", **order).target_state
        self.alter_there("articles", order["article_id"], content="<p>Something else.</p>")
        outcome = self.outcome_of("hudu.add_to_article", order, before, ago=timedelta(hours=1))
        assert outcome.verdict == "unclear"
