"""A technician's consent at NinjaOne, by way of its own page: whose it is, what it opens, and how it ends."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from integrations.errors import ToolUnavailable
from integrations.models import Consent, ConsentRequest
from junto.audit.models import AuditEntry
from tests.integrations.monitored import MonitoredTestCase


class ConsentTests(MonitoredTestCase):
    """`northwind-rmm-machine` is a client that NinjaOne lets run no scripts."""

    def setUp(self) -> None:
        super().setUp()
        self.connect_monitoring(self.adam, "northwind-rmm-machine", row=self.monitoring)
        self.lab = self.number("HBR-WS-LAB")

    def test_scripts_run_once_a_technician_consented_and_everything_else_goes_on_as_before(self) -> None:
        asked = len(self.asked())
        for attempt in (self.run_script, self.foreseen):
            with pytest.raises(ToolUnavailable, match="An admin gets that consent under Integrations"):
                attempt()
        assert len(self.asked()) == asked
        browser = self.log_in(self.adam)

        page = self.come_back(browser, self.allow(self.begin(browser)))

        assert "run in the name of whoever consented" in page
        self.run_script()
        assert [row["route"] for row in self.sandbox.effects()] == ["/v2/device/{id}/script/run"]
        self.call("ninjaone.device_storage", device_id=self.lab)
        assert AuditEntry.objects.for_organization(self.northwind).filter(verb="connection.consented").count() == 1

    def test_the_refresh_token_is_sealed_and_a_new_one_takes_its_place(self) -> None:
        self.consent()
        first = self.stored().sealed_token

        self.run_script()

        assert self.stored().sealed_token != first
        assert self.stored().busy_until is None

    def test_the_card_says_in_whose_name_a_script_runs(self) -> None:
        self.consent()
        assert "in the name of the technician who consented" in self.foreseen()

    def test_what_comes_back_counts_for_the_member_who_was_sent_there_and_once(self) -> None:
        browser = self.log_in(self.adam)
        back = self.allow(self.begin(browser))

        for other, organization in ((self.olivia, self.northwind), (self.ines, self.southgate)):
            own = back.replace("/o/northwind/", f"/o/{organization.slug}/")
            self.log_in(other, Client()).get(own)
            assert not Consent.objects.for_organization(self.northwind).exists()
        self.come_back(browser, back)
        given = self.stored().pk

        assert "Nobody asked you for this consent" in self.come_back(browser, back)
        assert self.stored().pk == given

    def test_a_forged_or_old_state_opens_nothing(self) -> None:
        browser = self.log_in(self.adam)
        back = self.allow(self.begin(browser))
        forged = re.sub(r"state=[^&]+", "state=abc", back)

        assert "Nobody asked you" in self.come_back(browser, forged)
        ConsentRequest.objects.for_organization(self.northwind).update(
            created_at=timezone.now() - timedelta(minutes=11)
        )
        assert "Nobody asked you" in self.come_back(browser, back)
        assert not Consent.objects.for_organization(self.northwind).exists()

    def test_a_code_without_our_verifier_opens_nothing(self) -> None:
        browser = self.log_in(self.adam)
        query = parse_qs(urlsplit(self.allow(self.begin(browser))).query)
        other = parse_qs(urlsplit(self.allow(self.begin(browser))).query)

        page = self.come_back(
            browser, f"{self.path('connections/consent/')}?state={other['state'][0]}&code={query['code'][0]}"
        )

        assert "invalid_grant" in page
        assert query["code"][0] not in page

    def test_a_technician_who_says_no_leaves_everything_as_it_was(self) -> None:
        browser = self.log_in(self.adam)

        page = self.come_back(browser, self.allow(self.begin(browser), decision="deny"))

        assert "NinjaOne gave no consent." in page

    def test_a_consent_that_ninjaone_takes_no_longer_is_told_and_nothing_ran(self) -> None:
        self.consent()
        self.sandbox.end_tokens()

        with pytest.raises(ToolUnavailable, match="The consent for scripts holds no longer"):
            self.run_script()

        assert "invalid_grant" in self.stored().refused
        assert self.sandbox.effects() == []

    def test_a_withdrawn_consent_is_gone_and_so_is_one_of_a_removed_connection(self) -> None:
        browser = self.log_in(self.adam)
        for path in ("consent/withdraw/", "remove/"):
            self.consent()
            browser.post(self.path(f"connections/{self.monitoring.pk}/{path}"))
            assert not Consent.objects.for_organization(self.northwind).exists()

    def test_only_those_who_manage_integrations_ask_for_consent(self) -> None:
        theo, ines = self.log_in(self.theo, Client()), self.log_in(self.ines, Client())
        for path in ("consent/", "consent/withdraw/"):
            assert theo.post(self.path(f"connections/{self.monitoring.pk}/{path}")).status_code == 403
            assert ines.post(self.path(f"connections/{self.monitoring.pk}/{path}")).status_code == 404
        assert theo.get(self.path("connections/consent/")).status_code == 403

    def run_script(self) -> None:
        """Run a script of the library."""
        self.call("ninjaone.run_script", device_id=self.lab, script_id=101)

    def foreseen(self) -> str:
        """What a script's card says of where it comes from."""
        return " ".join(self.preview("ninjaone.run_script", device_id=self.lab, script_id=101).evidence)

    def stored(self) -> Consent:
        """The consent as stored."""
        consent: Consent = Consent.objects.for_organization(self.northwind).get()
        return consent
