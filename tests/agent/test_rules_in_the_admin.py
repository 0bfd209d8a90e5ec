"""Start rules and instructions in the admin: Admins set them, managers read them, every change is in the audit log."""

from __future__ import annotations

from django.test import Client

from agent.instructions import INSTRUCTION_LIMIT
from agent.models import Instruction, StartRule
from junto.audit.models import AuditEntry
from junto.tenants.permissions import Role
from signals.models import Board
from tests.cases import JuntoTestCase
from tests.factories import BoardFactory, MembershipFactory


class RulesCase(JuntoTestCase):
    """Adam is Admin of Northwind."""

    board: Board

    def setUp(self) -> None:
        super().setUp()
        self.board = BoardFactory(organization=self.northwind, name="Alerts")
        self.log_in(self.adam)

    def rules(self) -> list[tuple[str, str]]:
        rows = StartRule.objects.for_organization(self.northwind).select_related("board").order_by("board__name")
        return [(rule.board.name if rule.board else "", rule.mode) for rule in rows]

    def told(self) -> dict[str, str]:
        rows = Instruction.objects.for_organization(self.northwind).select_related("company")
        return {row.company.name if row.company else "": row.text for row in rows}

    def audited(self) -> list[tuple[str, object]]:
        rows = AuditEntry.objects.for_organization(self.northwind).order_by("number")
        return [(row.verb, row.detail) for row in rows if row.verb.startswith(("start_rule.", "instruction."))]


class StartRulePageTests(RulesCase):
    """Where the agent starts by itself."""

    list_path = "admin/agent/startrule/"

    def add(self, **form: str) -> str:
        answer = self.client.post(self.path(f"{self.list_path}add/"), {"board": "", "mode": "off", **form}, follow=True)
        return answer.content.decode()

    def test_an_empty_list_says_what_happens_without_a_rule(self) -> None:
        page = self.client.get(self.path(self.list_path)).content.decode()
        assert "Without any rule the agent prepares" in page

    def test_an_admin_sets_the_organizations_rule_and_a_boards_own(self) -> None:
        self.add(mode="run")
        self.add(board=str(self.board.pk), mode="off")
        assert sorted(self.rules()) == [("", "run"), ("Alerts", "off")]

    def test_each_change_is_in_the_audit_log_with_what_was_before(self) -> None:
        self.add(mode="run")
        rule = StartRule.objects.for_organization(self.northwind).get()
        self.client.post(self.path(f"{self.list_path}{rule.pk}/change/"), {"mode": "off"})
        self.client.post(self.path(f"{self.list_path}{rule.pk}/delete/"), {"post": "yes"})
        assert self.audited() == [
            ("start_rule.set", {"board": "", "mode": "run", "before": None}),
            ("start_rule.set", {"board": "", "mode": "off", "before": "run"}),
            ("start_rule.removed", {"board": "", "before": "off"}),
        ]

    def test_several_removed_at_once_are_each_in_the_audit_log(self) -> None:
        self.add(mode="run")
        self.add(board=str(self.board.pk))
        keys = [str(rule.pk) for rule in StartRule.objects.for_organization(self.northwind)]
        form = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
        self.client.post(self.path(self.list_path), form)
        assert self.rules() == []
        assert [verb for verb, _ in self.audited()][2:] == ["start_rule.removed"] * 2

    def test_a_second_rule_for_one_board_is_refused_in_words(self) -> None:
        self.add(board=str(self.board.pk), mode="run")
        assert "The board Alerts has a rule already: change that one." in self.add(board=str(self.board.pk))
        assert self.rules() == [("Alerts", "run")]

    def test_a_second_rule_for_all_boards_is_refused_in_words(self) -> None:
        self.add(mode="run")
        assert "have a rule already: change that one." in self.add(mode="off")
        assert self.rules() == [("", "run")]

    def test_the_board_of_a_rule_stays_whatever_a_browser_posts(self) -> None:
        self.add(mode="run")
        rule = StartRule.objects.for_organization(self.northwind).get()
        self.client.post(self.path(f"{self.list_path}{rule.pk}/change/"), {"mode": "off", "board": str(self.board.pk)})
        assert self.rules() == [("", "off")]

    def test_a_rivals_board_cannot_be_chosen(self) -> None:
        theirs = BoardFactory(organization=self.southgate, name="Their alerts")
        assert "Select a valid choice" in self.add(board=str(theirs.pk))
        assert self.rules() == []

    def test_a_manager_reads_the_rules_and_changes_none(self) -> None:
        self.add(mode="run")
        browser = self.log_in(self.mara, Client())
        assert "Admins and Owners" in browser.get(self.path(self.list_path)).content.decode()
        rule = StartRule.objects.for_organization(self.northwind).get()
        for path, form in (
            ("add/", {"board": "", "mode": "off"}),
            (f"{rule.pk}/change/", {"mode": "off"}),
            (f"{rule.pk}/delete/", {"post": "yes"}),
        ):
            assert browser.post(self.path(f"{self.list_path}{path}"), form).status_code == 403
        assert self.rules() == [("", "run")]

    def test_an_admin_of_some_companies_only_changes_no_rule(self) -> None:
        limited = MembershipFactory(
            organization=self.northwind, role=Role.ADMIN, all_companies=False, companies=[self.harlow]
        )
        answer = self.log_in(limited, Client()).post(self.path(f"{self.list_path}add/"), {"board": "", "mode": "off"})
        assert answer.status_code == 403


class InstructionPageTests(RulesCase):
    """What the agent is always told."""

    list_path = "admin/agent/instruction/"

    def add(self, text: str, company: str = "") -> str:
        form = {"company": company, "text": text}
        return self.client.post(self.path(f"{self.list_path}add/"), form, follow=True).content.decode()

    def test_an_admin_says_something_to_the_agent_for_all_companies_and_for_one(self) -> None:
        self.add("Write English.")
        self.add("Call before you restart anything.", str(self.harlow.pk))
        assert self.told() == {"": "Write English.", "Harlow & Beck": "Call before you restart anything."}

    def test_the_audit_log_keeps_the_words_before_and_after(self) -> None:
        self.add("Write English.")
        row = Instruction.objects.for_organization(self.northwind).get()
        self.client.post(self.path(f"{self.list_path}{row.pk}/change/"), {"text": "Write German."})
        self.client.post(self.path(f"{self.list_path}{row.pk}/delete/"), {"post": "yes"})
        assert self.audited() == [
            ("instruction.set", {"company": "", "text": "Write English.", "before": None}),
            ("instruction.set", {"company": "", "text": "Write German.", "before": "Write English."}),
            ("instruction.removed", {"company": "", "before": "Write German."}),
        ]

    def test_a_second_one_for_the_same_company_is_refused_in_words(self) -> None:
        self.add("Write English.", str(self.harlow.pk))
        assert "there is an instruction already" in self.add("Write German.", str(self.harlow.pk))
        assert self.told() == {"Harlow & Beck": "Write English."}

    def test_too_long_a_one_is_refused_and_stays_in_the_form(self) -> None:
        page = self.add("word " * INSTRUCTION_LIMIT)
        assert f"at most {INSTRUCTION_LIMIT} characters" in page
        assert "word word word" in page
        assert self.told() == {}

    def test_an_empty_one_is_refused(self) -> None:
        assert "This field is required" in self.add("   ")

    def test_a_manager_reads_them_and_changes_none(self) -> None:
        self.add("Write English.")
        browser = self.log_in(self.mara, Client())
        assert "Write English." in browser.get(self.path(self.list_path)).content.decode()
        assert browser.post(self.path(f"{self.list_path}add/"), {"company": "", "text": "No."}).status_code == 403

    def test_a_manager_of_one_company_does_not_see_anothers(self) -> None:
        self.add("About Harlow.", str(self.harlow.pk))
        limited = MembershipFactory(
            organization=self.northwind, role=Role.MANAGER, all_companies=False, companies=[self.pinewood]
        )
        page = self.log_in(limited, Client()).get(self.path(self.list_path)).content.decode()
        assert "About Harlow." not in page
