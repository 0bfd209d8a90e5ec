"""People, tokens, notifications and the audit log, as a browser sees them."""

import csv
import io
import json
import re
from datetime import timedelta

from django.db import transaction
from django.test import Client
from django.utils import timezone

from junto.audit.models import AuditEntry
from junto.audit.services import record
from junto.inbox.models import Notification
from junto.inbox.services import notify
from junto.team.models import ApiToken, TokenUse
from junto.team.tasks import forget_answers
from junto.team.usage import count_use
from junto.tenants.actors import Actor
from junto.tenants.models import Membership, User
from tests.cases import JuntoTestCase
from tests.factories import LOGIN_BACKEND, RunbookFactory, SignalFactory, UserFactory

PASSWORD = "a quiet harbour at dawn"


class PeopleTests(JuntoTestCase):
    """Mara looks after the team."""

    def invite(self, email: str = "nora@example.com", role: str = "technician") -> str:
        """The path of the link that the page shows."""
        page = self.log_in(self.mara).post(self.path("people/invite/"), {"email": email, "role": role, "reach": "all"})
        found = re.search(r"http://127\.0\.0\.1:8000(/invitation/[^<]+)", page.content.decode())
        assert found is not None, "the page shows no link"
        return found[1]

    def test_a_role_is_changed_on_the_page(self) -> None:
        page = self.log_in(self.mara).post(self.path(f"people/{self.theo.pk}/role/"), {"role": "operator"}, follow=True)
        assert "Theo Okafor is Operator now." in page.content.decode()

    def test_a_role_that_is_too_high_is_a_403_and_changes_nothing(self) -> None:
        page = self.log_in(self.mara).post(self.path(f"people/{self.theo.pk}/role/"), {"role": "admin"})
        assert page.status_code == 403
        assert Membership.objects.for_organization(self.northwind).get(pk=self.theo.pk).role == "technician"

    def test_a_made_up_role_is_told(self) -> None:
        page = self.log_in(self.mara).post(self.path(f"people/{self.theo.pk}/role/"), {"role": "king"}, follow=True)
        assert "There is no such role." in page.content.decode()

    def test_a_technician_changes_nobody(self) -> None:
        page = self.log_in(self.theo).post(self.path(f"people/{self.oskar.pk}/role/"), {"role": "technician"})
        assert page.status_code == 403

    def test_the_last_owner_is_told_why_they_stay(self) -> None:
        page = self.log_in(self.olivia).post(self.path(f"people/{self.olivia.pk}/deactivate/"), follow=True)
        assert "The last Owner of an organization stays." in page.content.decode()

    def test_the_menus_offer_only_roles_below_ones_own(self) -> None:
        page = self.log_in(self.mara).get(self.path(f"people/{self.theo.pk}/")).content.decode()
        assert '<option value="operator"' in page
        assert '<option value="manager"' not in page

    def test_an_invited_person_makes_an_account_and_comes_in(self) -> None:
        link = self.invite()
        nora = Client()
        assert "Northwind MSP" in nora.get(link).content.decode()
        answer = nora.post(
            link, {"username": "nora", "first_name": "Nora", "last_name": "Vik", "password": PASSWORD}, follow=True
        )
        assert "/accounts/login/" in answer.redirect_chain[-1][0]
        nora.post("/accounts/login/", {"login": "nora", "password": PASSWORD})
        assert nora.get(self.path()).status_code == 200

    def test_a_weak_password_is_told_and_the_link_stays_good(self) -> None:
        link = self.invite()
        person = {"username": "nora", "first_name": "Nora", "last_name": "Vik"}
        assert "too common" in Client().post(link, {**person, "password": "password1234"}).content.decode()
        Client().post(link, {**person, "password": PASSWORD})
        assert User.objects.filter(username="nora").exists()

    def test_somebody_with_an_account_accepts_with_it(self) -> None:
        link = self.invite(email=self.ines.user.email)
        assert "has an account" in Client().get(link).content.decode()
        browser = self.log_in(self.ines, Client())
        browser.post(link)
        assert browser.get(self.path()).status_code == 200

    def test_somebody_elses_link_lets_nobody_in(self) -> None:
        link = self.invite(email=self.ines.user.email)
        eve = Client()
        eve.force_login(UserFactory(username="eve"), backend=LOGIN_BACKEND)
        eve.post(link)
        assert eve.get(self.path()).status_code == 404

    def test_a_used_or_made_up_link_is_a_friendly_404(self) -> None:
        link = self.invite()
        person = {"username": "nora", "first_name": "Nora", "last_name": "Vik", "password": PASSWORD}
        Client().post(link, person)
        for path in (link, "/invitation/made-up/"):
            page = Client().get(path)
            assert page.status_code == 404
            assert "no longer valid" in page.content.decode()

    def test_the_link_is_kept_in_no_cache(self) -> None:
        page = self.log_in(self.mara).post(
            self.path("people/invite/"), {"email": "nora@example.com", "role": "technician", "reach": "all"}
        )
        assert page["Cache-Control"] == "no-store"


class TokenPageTests(JuntoTestCase):
    """Adam makes tokens."""

    def make(self, **changes: object) -> str:
        form = {"name": "Sync", "days": "30", "scopes": ["signals:write"], **changes}
        return self.log_in(self.adam).post(self.path("tokens/create/"), form).content.decode()

    def test_the_secret_is_shown_once(self) -> None:
        found = re.search(r"jt_[\w-]{40,}", self.make())
        assert found is not None
        assert found[0] not in self.log_in(self.adam).get(self.path("tokens/")).content.decode()

    def test_a_refusal_is_told_on_the_page(self) -> None:
        assert "Choose at least one scope." in self.make(scopes=[])
        assert "Unknown scope: everything:write." in self.make(scopes=["everything:write"])
        assert "from 1 to 365" in self.make(days="366")
        assert "from 1 to 365" in self.make(days="soon")
        assert not ApiToken.objects.for_organization(self.northwind).exists()

    def test_what_was_typed_stands_in_the_form_that_was_refused(self) -> None:
        page = self.make(name="Copilot", days="0", reach="chosen", companies=[str(self.harlow.pk)])
        assert 'value="Copilot"' in page
        for checked in ('value="signals:write" checked', f'value="{self.harlow.pk}" checked', 'value="chosen" checked'):
            assert checked in page, checked

    def test_a_token_is_limited_to_companies_and_shown_as_such(self) -> None:
        limited = {"scopes": ["signals:read"], "reach": "chosen"}
        assert "Choose at least one company" in self.make(**limited)
        assert "not there any more" in self.make(**limited, companies=[str(self.quayside.pk)])
        assert "reaches into all companies" in self.make(reach="chosen", companies=[str(self.harlow.pk)])
        assert not ApiToken.objects.for_organization(self.northwind).exists()
        assert "Only Harlow &amp; Beck" in self.make(**limited, companies=[str(self.harlow.pk)])
        token = ApiToken.objects.for_organization(self.northwind).get()
        assert (token.all_companies, list(token.companies.all())) == (False, [self.harlow])

    def test_what_a_token_did_over_mcp_is_told(self) -> None:
        self.make(scopes=["signals:read"])
        token = ApiToken.objects.for_organization(self.northwind).get()
        actor = Actor.token(self.northwind, token_id=token.pk, label="Sync", scopes=frozenset(token.scopes))
        for refused in (False, False, True):
            count_use(actor=actor, tool="search_signals", refused=refused)
        count_use(actor=actor, tool="read_signal", refused=False)
        page = self.log_in(self.adam).get(self.path("tokens/")).content.decode()
        assert "4 calls over MCP in 30 days, 1 not obeyed: search_signals 3, read_signal 1" in page
        TokenUse.objects.for_organization(self.northwind).update(day=timezone.now().date() - timedelta(days=91))
        assert "over MCP in 30 days" not in self.log_in(self.adam).get(self.path("tokens/")).content.decode()
        forget_answers.call()
        assert not TokenUse.objects.for_organization(self.northwind).exists()

    def test_a_revoked_token_is_shown_as_such(self) -> None:
        self.make()
        token = ApiToken.objects.for_organization(self.northwind).get()
        page = self.log_in(self.adam).post(self.path(f"tokens/{token.pk}/revoke/"), follow=True)
        assert "Revoked" in page.content.decode()

    def test_a_manager_sees_no_tokens(self) -> None:
        assert self.log_in(self.mara).get(self.path("tokens/")).status_code == 403


class InboxTests(JuntoTestCase):
    """Notices reach whom they are for."""

    def test_a_notice_is_read_by_its_member_only(self) -> None:
        notify(members=[self.theo], kind="passed_on", title="Please decide", path="approvals/")
        mine = self.log_in(self.theo, Client()).get(self.path("inbox/")).content.decode()
        assert "Please decide" in mine
        assert f'href="{self.path("approvals/")}"' in mine
        assert "Please decide" not in self.log_in(self.mara, Client()).get(self.path("inbox/")).content.decode()

    def test_the_same_thing_is_not_told_twice_before_it_is_read(self) -> None:
        for _ in range(2):
            notify(members=[self.theo], kind="passed_on", title="Please decide", subject="action:1")
        assert Notification.objects.for_organization(self.northwind).count() == 1
        self.log_in(self.theo).post(self.path("inbox/read/"))
        notify(members=[self.theo], kind="passed_on", title="Please decide", subject="action:1")
        assert Notification.objects.for_organization(self.northwind).count() == 2

    def test_reading_marks_only_ones_own(self) -> None:
        notify(members=[self.theo, self.mara], kind="passed_on", title="Please decide")
        self.log_in(self.theo).post(self.path("inbox/read/"))
        unread = Notification.objects.for_organization(self.northwind).filter(read_at=None)
        assert [notice.membership_id for notice in unread] == [self.mara.pk]


class AuditPageTests(JuntoTestCase):
    """Adam reads the log and takes it away."""

    def setUp(self) -> None:
        super().setUp()
        with transaction.atomic():
            record(self.actor(self.mara), "test.done", self.harlow, {"why": '=HYPERLINK("http://evil.example")'})
            record(self.actor(self.ines), "test.rival", self.quayside, {"why": "a secret of Southgate"})

    def export(self, form: str) -> str:
        answer = self.log_in(self.adam).post(self.path(f"audit/export.{form}"))
        assert answer.status_code == 200
        return b"".join(answer).decode()  # type: ignore[arg-type]

    def test_the_page_shows_deeds_and_that_the_chain_holds(self) -> None:
        page = self.log_in(self.adam).get(self.path("audit/")).content.decode()
        assert "Test done" in page
        assert "entries hold" in page
        assert "Southgate" not in page

    def test_it_can_be_searched_and_filtered(self) -> None:
        browser = self.log_in(self.adam)
        assert ">Test done</th>" in browser.get(self.path("audit/"), {"q": "mara"}).content.decode()
        rows = browser.get(self.path("audit/"), {"verb": "company.created"}).content.decode()
        assert ">Test done</th>" not in rows
        assert ">Company created</th>" in rows

    def test_an_entry_is_told_in_words_with_a_link_to_what_it_is_about(self) -> None:
        runbook = RunbookFactory(organization=self.northwind, title="Reset a password")
        signal = SignalFactory(organization=self.northwind, company=self.harlow, subject="Printer")
        action = {"title": "Add a note", "tool": "x.y", "digest": "0" * 64, "origin": str(signal.pk), "four_eyes": True}
        with transaction.atomic():
            record(self.actor(self.mara), "runbook.published", runbook, {"version": 3, "note": "", "grants": []})
            record(self.actor(self.mara), "signal.resolved", signal, {})
            record(self.actor(self.mara), "grant.revoked", self.harlow, {**action, "runbook": str(runbook.pk)})
        page = self.log_in(self.adam).get(self.path("audit/")).content.decode()
        assert f'<a href="{self.path(f"runbooks/{runbook.pk}/")}">Runbook Reset a password</a>' in page
        assert ">Version: 3</td>" in page
        assert f'<a href="{self.path(f"signals/{signal.pk}/")}">Signal {signal}</a>' in page
        assert "Four eyes: yes; Runbook: Reset a password" in page
        assert "None</td>" not in page
        assert "digest" not in page.lower()

    def test_jsonl_holds_every_entry_in_order(self) -> None:
        rows = [json.loads(line) for line in self.export("jsonl").splitlines()]
        assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
        last = AuditEntry.objects.for_organization(self.northwind).order_by("number").last()
        assert last is not None
        assert rows[-1]["hash"] == last.hash
        assert "a secret of Southgate" not in str(rows)

    def test_csv_has_no_cell_that_a_spreadsheet_would_run(self) -> None:
        rows = list(csv.reader(io.StringIO(self.export("csv"))))
        assert rows[0][0] == "number"
        assert not [cell for row in rows for cell in row if cell[:1] in {"=", "+", "-", "@"}]

    def test_taking_it_away_is_itself_written_down(self) -> None:
        self.export("csv")
        last = AuditEntry.objects.for_organization(self.northwind).order_by("number").last()
        assert last is not None
        assert (last.verb, last.actor_label) == ("audit.exported", "Adam Reyes")

    def test_a_manager_may_not(self) -> None:
        browser = self.log_in(self.mara)
        assert browser.get(self.path("audit/")).status_code == 403
        assert browser.post(self.path("audit/export.csv")).status_code == 403
