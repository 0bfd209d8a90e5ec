"""The way in: start page, login, health, error pages, and what stands around every page."""

from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client, override_settings

from junto.audit.models import AuditEntry
from junto.team.services import add_member, change_role, deactivate_member
from junto.tenants.models import Organization, User
from junto.tenants.permissions import Role
from tests.cases import JuntoTestCase
from tests.factories import LOGIN_BACKEND, ActionFactory, SessionFactory, SignalFactory, UserFactory

PASSWORD = "a quiet harbour at dawn"


class StartTests(JuntoTestCase):
    """`/` leads home."""

    def test_the_anonymous_is_sent_to_log_in(self) -> None:
        assert self.client.get("/")["Location"] == "/accounts/login/?next=/"

    def test_the_only_organization_is_home(self) -> None:
        assert self.log_in(self.theo).get("/")["Location"] == "/o/northwind/"

    def test_of_several_one_chooses(self) -> None:
        add_member(actor=self.actor(self.ines), user=self.theo.user, role=Role.TECHNICIAN, all_companies=True)
        page = self.log_in(self.theo).get("/").content.decode()
        assert "/o/northwind/" in page
        assert "/o/southgate/" in page

    def test_the_one_last_open_is_home(self) -> None:
        add_member(actor=self.actor(self.ines), user=self.theo.user, role=Role.TECHNICIAN, all_companies=True)
        browser = self.log_in(self.theo)
        browser.get("/o/southgate/")
        assert browser.get("/")["Location"] == "/o/southgate/"

    def test_a_former_member_is_not_led_back(self) -> None:
        browser = self.log_in(self.theo)
        browser.get("/o/northwind/")
        deactivate_member(actor=self.actor(self.olivia), membership=self.theo)
        page = browser.get("/")
        assert page.status_code == 200
        assert "No organization yet" in page.content.decode()


class LoginTests(JuntoTestCase):
    """In with a password, out with a button, and nobody signs themselves up."""

    def setUp(self) -> None:
        super().setUp()
        cache.clear()  # allauth counts tries there, whichever test made them
        self.theo.user.set_password(PASSWORD)
        self.theo.user.save()

    def try_login(self, password: str, login: str = "theo") -> int:
        answer = self.client.post("/accounts/login/", {"login": login, "password": password})
        return answer.status_code

    def test_name_or_address_with_the_password_leads_in(self) -> None:
        for login in ("theo", "theo@example.com"):
            client = Client()
            answer = client.post("/accounts/login/?next=/o/northwind/", {"login": login, "password": PASSWORD})
            assert answer["Location"] == "/o/northwind/"
            assert client.get("/o/northwind/").status_code == 200

    def test_a_login_is_written_down_in_each_organization(self) -> None:
        add_member(actor=self.actor(self.ines), user=self.theo.user, role=Role.TECHNICIAN, all_companies=True)
        self.try_login(PASSWORD)
        for organization in (self.northwind, self.southgate):
            entry = AuditEntry.objects.for_organization(organization).order_by("number").last()
            assert entry is not None
            assert (entry.verb, entry.actor_label) == ("member.logged_in", "Theo Okafor")

    def test_another_page_is_never_the_next_one(self) -> None:
        answer = self.client.post(
            "/accounts/login/?next=https://evil.example/", {"login": "theo", "password": PASSWORD}
        )
        assert answer["Location"] == "/"

    def test_ten_wrong_passwords_lock_the_right_one_out(self) -> None:
        for _ in range(10):
            self.try_login("wrong password")
        self.try_login(PASSWORD)
        assert self.client.get("/o/northwind/").status_code == 302

    def test_a_wrong_password_is_written_down_about_its_member(self) -> None:
        self.try_login("wrong password", login="THEO@example.com")
        entry = AuditEntry.objects.for_organization(self.northwind).order_by("number").last()
        assert entry is not None
        assert (entry.verb, entry.target_id) == ("member.login_refused", str(self.theo.pk))

    @override_settings(ACCOUNT_RATE_LIMITS=False)
    def test_who_is_locked_out_reads_why_and_for_how_long(self) -> None:
        for _ in range(10):
            self.try_login("wrong password")
        answer = self.client.post("/accounts/login/", {"login": "theo", "password": PASSWORD})
        assert answer.status_code == 429
        assert "Wait a quarter of an hour" in answer.content.decode()

    def test_a_changed_password_is_written_down(self) -> None:
        self.try_login(PASSWORD)
        new = "a louder harbour at dusk"
        self.client.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
        verbs = AuditEntry.objects.for_organization(self.northwind).values_list("verb", flat=True)
        assert "member.password_changed" in verbs

    def test_a_second_factor_is_written_down(self) -> None:
        self.try_login(PASSWORD)
        self.client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        page = self.client.get("/accounts/2fa/totp/activate/")
        secret = page.context["form"].secret
        code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
        with self.captureOnCommitCallbacks(execute=True):
            self.client.post("/accounts/2fa/totp/activate/", {"code": code})
        verbs = AuditEntry.objects.for_organization(self.northwind).values_list("verb", flat=True)
        assert "member.second_factor_added" in verbs

    def test_a_second_factor_asks_for_no_confirmed_address_as_no_mail_is_ever_sent(self) -> None:
        self.try_login(PASSWORD)
        EmailAddress.objects.create(user=self.theo.user, email=self.theo.user.email, verified=False)
        self.client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        assert self.client.get("/accounts/2fa/totp/activate/").status_code == 200

    def test_no_page_offers_to_send_a_mail(self) -> None:
        assert self.log_in(self.theo).get("/accounts/email/").status_code == 404

    def test_an_address_that_takes_only_a_button_says_so_when_it_is_opened(self) -> None:
        answer = self.log_in(self.mara).get(self.path("people/invite/"))
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        assert "press its button" in answer.content.decode()

    def test_there_is_no_sign_up(self) -> None:
        for spelling in ("/accounts/signup/", "/accounts/signup", "/accounts//signup/", "/Accounts/Signup/"):
            self.client.post(
                spelling,
                {"username": "eve", "email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD},
                follow=True,
            )
        assert not User.objects.filter(username="eve").exists()

    def test_logging_out_takes_a_button_and_not_a_link(self) -> None:
        browser = self.log_in(self.theo)
        browser.get("/accounts/logout/")
        assert browser.get("/o/northwind/").status_code == 200
        browser.post("/accounts/logout/")
        assert browser.get("/o/northwind/").status_code == 302

    def test_the_pages_around_the_account_answer(self) -> None:
        browser = self.log_in(self.theo)
        for path in ("/accounts/password/change/", "/accounts/2fa/"):
            assert browser.get(path, follow=True).status_code == 200, path
        for path in ("/accounts/login/", "/accounts/password/reset/"):
            assert Client().get(path).status_code == 200, path

    def test_a_closed_account_ends_its_session(self) -> None:
        browser = self.log_in(self.theo)
        User.objects.filter(pk=self.theo.user_id).update(is_active=False)
        assert browser.get("/o/northwind/").status_code == 302


class HealthTests(JuntoTestCase):
    """`/healthz` tells a watcher one word."""

    def test_it_is_ok_when_database_and_migrations_are(self) -> None:
        answer = Client().get("/healthz")
        assert (answer.status_code, answer.content) == (200, b"ok\n")

    def test_it_tells_nothing_else(self) -> None:
        assert "northwind" not in str(Client().get("/healthz").headers)


class RoleTests(JuntoTestCase):
    """What each role may open, and that a demotion holds at the next request."""

    PAGES = {
        "": "technician",
        "signals/": "technician",
        "approvals/": "technician",
        "runbooks/": "technician",
        "inbox/": "technician",
        "policies/": "technician",
        "people/": "manager",
        "admin/": "manager",
        "tokens/": "admin",
        "connections/": "admin",
        "audit/": "admin",
    }
    ORDER = ["technician", "operator", "manager", "admin", "owner"]

    def test_every_page_times_every_role(self) -> None:
        for membership in (self.theo, self.oskar, self.mara, self.adam, self.olivia):
            browser = self.log_in(membership, Client())
            for page, lowest in self.PAGES.items():
                allowed = self.ORDER.index(membership.role) >= self.ORDER.index(lowest)
                status = browser.get(self.path(page)).status_code
                assert status == (200 if allowed else 403), f"{membership.role} {page or 'home'}: {status}"

    def test_the_menu_shows_what_the_role_may_open(self) -> None:
        for membership in (self.theo, self.mara, self.adam):
            page = self.log_in(membership, Client()).get(self.path()).content.decode()
            for path, label in (("people/", "People"), ("tokens/", "API tokens"), ("audit/", "Audit log")):
                allowed = self.ORDER.index(membership.role) >= self.ORDER.index(self.PAGES[path])
                assert (f'href="{self.path(path)}"' in page) is allowed, f"{membership.role} {label}"

    def test_a_demotion_holds_at_the_next_request(self) -> None:
        browser = self.log_in(self.adam)
        assert browser.get(self.path("audit/")).status_code == 200
        change_role(actor=self.actor(self.olivia), membership=self.adam, role=Role.TECHNICIAN)
        assert browser.get(self.path("audit/")).status_code == 403

    def test_a_removed_member_is_a_stranger_at_the_next_request(self) -> None:
        browser = self.log_in(self.adam)
        deactivate_member(actor=self.actor(self.olivia), membership=self.adam)
        assert browser.get(self.path()).status_code == 404


class PageTests(JuntoTestCase):
    """Around every page."""

    def test_the_policy_of_pages_allows_nothing_inline_and_no_other_host(self) -> None:
        policy = self.log_in(self.theo).get(self.path())["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "http" not in policy
        assert "frame-ancestors 'none'" in policy

    def test_error_pages_have_the_policy_too(self) -> None:
        assert "default-src 'none'" in Client().get("/nowhere")["Content-Security-Policy"]

    def test_only_the_admin_may_evaluate(self) -> None:
        policy = self.log_in(self.mara).get(self.path("admin/"))["Content-Security-Policy"]
        assert "'unsafe-eval'" in policy
        assert "script-src 'self' 'unsafe-eval';" in policy

    def test_the_dashboard_shows_what_waits_for_whom(self) -> None:
        session = SessionFactory(signal=SignalFactory(company=self.harlow))
        ActionFactory(origin=session.origin, title="Reset the password of Dana", risk="high")
        assert "Reset the password of Dana" in self.log_in(self.mara, Client()).get(self.path()).content.decode()
        assert "Reset the password of Dana" not in self.log_in(self.theo, Client()).get(self.path()).content.decode()

    def test_the_screen_says_that_a_rehearsal_model_answers(self) -> None:
        for page in ("", "signals/", "approvals/", "runbooks/", "people/"):
            assert "Rehearsal model" in self.log_in(self.mara).get(self.path(page)).content.decode(), page

    def test_an_unknown_path_is_a_friendly_404(self) -> None:
        page = self.log_in(self.theo).get(self.path("nothing/here/"))
        assert page.status_code == 404
        assert "Not found" in page.content.decode()

    def test_a_refusal_says_which_right_is_missing(self) -> None:
        page = self.log_in(self.theo).get(self.path("audit/"))
        assert page.status_code == 403
        assert "It takes the role of Admin or Owner" in page.content.decode()

    def test_a_form_from_elsewhere_is_refused_with_a_clear_word(self) -> None:
        browser = self.log_in(self.mara, Client(enforce_csrf_checks=True))
        page = browser.post(self.path("inbox/read/"))
        assert page.status_code == 403
        assert "no longer valid" in page.content.decode()

    def test_a_missing_slash_is_forgiven(self) -> None:
        assert self.log_in(self.theo).get("/o/northwind")["Location"] == "/o/northwind/"

    @override_settings(ALLOWED_HOSTS=["junto.example.com"])
    def test_a_foreign_host_is_a_400(self) -> None:
        assert Client().get("/", headers={"host": "evil.example"}).status_code == 400


class FirstOrganizationTests(JuntoTestCase):
    """Only the console makes an organization."""

    def create(self, **options: str) -> None:
        call_command("organization", "create", **{"name": "Eastbay IT", "slug": "eastbay", **options})

    def test_the_owner_can_log_in_with_the_printed_password(self) -> None:
        output = StringIO()
        call_command(
            "organization", "create", name="Eastbay IT", slug="eastbay", owner="Lena@Eastbay.example", stdout=output
        )
        password = output.getvalue().strip().rsplit(" ", 1)[1]
        assert User.objects.get(email="lena@eastbay.example").check_password(password)

    def test_an_existing_account_keeps_its_password(self) -> None:
        user = UserFactory(email="lena@eastbay.example")
        self.create(owner="lena@eastbay.example")
        self.client.force_login(user, backend=LOGIN_BACKEND)
        assert self.client.get("/o/eastbay/").status_code == 200

    def test_a_taken_or_odd_slug_is_refused(self) -> None:
        for slug in ("northwind", "North wind", "NORTH", "../etc"):
            with pytest.raises(CommandError):
                self.create(slug=slug, owner="lena@eastbay.example")
        assert not Organization.objects.filter(slug__iexact="north").exists()


class WaysBackTests(JuntoTestCase):
    def test_a_closed_sign_up_and_a_bad_invitation_lead_back_to_the_login(self) -> None:
        for path in ("/accounts/signup/", "/invitation/nothing-like-it/"):
            page = self.client.get(path).content.decode()
            assert "Back to the login" in page, path

    def test_the_password_is_changed_on_a_page_of_ours(self) -> None:
        self.theo.user.set_password("a-long-enough-word")
        self.theo.user.save()
        page = self.log_in(self.theo).get("/accounts/password/change/").content.decode()
        assert "Change your password" in page
        assert 'name="oldpassword"' in page
