"""Tools and policies over HTTP: everybody sees what is in force, Admins change it, the log keeps it (PRODUCT 7)."""

from __future__ import annotations

from typing import Any

from approvals.models import Action, ApprovalPolicy
from junto.audit.models import AuditEntry
from tests.approvals.cases import ApprovalTestCase

PUT = "junto.put_low"


class Policies(ApprovalTestCase):
    """Adam sets them."""

    def rows(self, query: str = "") -> dict[str, Any]:
        response = self.client.get(self.path(f"policies/{query}"))
        assert response.status_code == 200
        return {row.tool: row for group in response.context["groups"] for row in group.tools}

    def post(self, **fields: str) -> int:
        return int(self.client.post(self.path(f"policies/{PUT}/"), fields).status_code)

    def test_every_member_sees_what_is_in_force_and_where_it_comes_from(self) -> None:
        self.policy(PUT, "auto")
        self.log_in(self.theo)
        row = self.rows()[PUT]
        assert (row.default_word, row.effective_word) == ("Ask once a session", "Runs by itself")
        assert row.source.startswith("Your organization, set by Adam Reyes")
        assert self.rows()["junto.put_high"].source == "Default"

    def test_adam_lets_an_internal_write_run_by_itself_and_it_does(self) -> None:
        self.log_in(self.adam)
        assert self.post(mode="auto") == 302
        assert self.ask(PUT).state == Action.State.APPROVED
        entry = AuditEntry.objects.for_organization(self.northwind).filter(verb="policy.set").get()
        assert (entry.actor_label, entry.detail["mode"]) == ("Adam Reyes", "auto")

    def test_taking_it_back_brings_the_default_again(self) -> None:
        self.log_in(self.adam)
        self.post(mode="auto")
        self.post(mode="")
        assert self.ask(PUT).state == Action.State.WAITING
        assert AuditEntry.objects.for_organization(self.northwind).filter(verb="policy.removed").count() == 1

    def test_a_company_can_be_stricter_and_never_milder(self) -> None:
        self.log_in(self.adam)
        assert self.post(mode="always", company=str(self.harlow.pk)) == 302
        assert self.rows(f"?company={self.harlow.pk}")[PUT].effective_word == "Always ask"
        assert self.rows()[PUT].effective_word == "Ask once a session"
        self.post(mode="auto", company=str(self.pinewood.pk))
        assert not ApprovalPolicy.objects.for_organization(self.northwind).filter(company=self.pinewood).exists()

    def test_never_unattended_keeps_the_mode_and_asks_in_a_run(self) -> None:
        self.log_in(self.adam)
        self.post(mode="auto", never_unattended="on")
        assert self.ask(PUT).state == Action.State.APPROVED
        row = self.rows()[PUT]
        assert (row.unattended, row.never_unattended) == (False, True)

    def test_off_is_off(self) -> None:
        self.log_in(self.adam)
        self.post(mode="disabled")
        assert self.ask(PUT).state == Action.State.REFUSED

    def test_only_admins_and_the_owner_change_them(self) -> None:
        for member, status in (
            (self.theo, 403),
            (self.oskar, 403),
            (self.mara, 403),
            (self.adam, 302),
            (self.olivia, 302),
        ):
            self.log_in(member)
            assert self.post(mode="auto") == status

    def test_ines_of_southgate_finds_neither_the_page_nor_the_company(self) -> None:
        self.log_in(self.ines)
        assert self.client.get(self.path("policies/")).status_code == 404
        assert self.post(mode="auto") == 404
        own = self.path(f"policies/?company={self.harlow.pk}", organization=self.southgate)
        assert self.client.get(own).status_code == 404

    def test_what_makes_no_sense_is_refused(self) -> None:
        self.log_in(self.adam)
        assert self.post(mode="sometimes") == 400
        assert self.post(mode="auto", company="no-id") == 404
        assert self.client.post(self.path("policies/no.tool/"), {"mode": "auto"}).status_code == 404
        assert self.client.get(self.path("policies/no.tool/")).status_code == 404
        assert self.client.get(self.path("policies/?risk=huge&vendor=none")).status_code == 200

    def test_tools_are_searched_and_narrowed_by_what_is_in_force(self) -> None:
        self.log_in(self.theo)
        assert PUT in self.rows("?q=put_low")
        assert set(self.rows("?q=put_low")) != set(self.rows())
        assert {row.risk for row in self.rows("?risk=high").values()} == {"high"}
        assert {row.effective_word for row in self.rows("?policy=always&category=write").values()} == {"Always ask"}
        assert self.rows("?q=zzz") == {}
        self.assertContains(self.client.get(self.path("policies/?q=zzz")), "No tool found")

    def test_what_is_not_connected_is_there_with_a_way_to_connect_it(self) -> None:
        self.log_in(self.adam)
        page = self.client.get(self.path("policies/?connected=no"))

        assert "pax8.place_order" in self.rows("?connected=no")
        assert PUT not in self.rows("?connected=no")
        self.assertContains(page, "connections/add/pax8/")
        self.log_in(self.theo)
        self.assertNotContains(self.client.get(self.path("policies/?connected=no")), "connections/add/")

    def test_who_may_approve_stands_where_somebody_is_asked(self) -> None:
        self.policy(PUT, "auto")
        self.log_in(self.theo)
        assert self.rows()["junto.put_high"].decides == "Managers and above may decide."
        assert self.rows()[PUT].decides == ""

    def test_setting_one_keeps_what_was_searched_for(self) -> None:
        self.log_in(self.adam)
        sent = {"mode": "auto", "kept": "q=put&risk=low&evil=1"}
        response = self.client.post(self.path(f"policies/{PUT}/"), sent)
        assert response["Location"].endswith("policies/?q=put&risk=low")

    def test_a_tools_own_page_tells_its_last_uses_to_those_who_may_see_them(self) -> None:
        action = self.ask(PUT)
        self.log_in(self.theo)
        page = self.client.get(self.path(f"policies/{PUT}/"))
        self.assertContains(page, "What it takes")
        assert [use.action for use in page.context["uses"]] == [action]
        self.log_in(self.ines)
        page = self.client.get(self.path(f"policies/{PUT}/", organization=self.southgate))
        assert page.context["uses"] == []

    def test_a_page_of_a_vendors_tool_says_which_rights_it_needs_there(self) -> None:
        self.log_in(self.adam)
        page = self.client.get(self.path("policies/microsoft365.revoke_sessions/"))
        self.assertContains(page, "User.RevokeSessions.All")
        self.assertContains(page, "Microsoft 365 is not connected")
