"""Solved tickets like the one at hand: for the prompt those of its own company, for the screen also those of others."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone
from pytest_django import Settings

from agent.solutions import solutions
from approvals.models import Action, Origin
from junto.tenants.models import Company, Membership
from junto.tenants.permissions import Role
from signals.models import ServiceClock, Signal
from signals.similar.past import forget_past
from tests.agent.model_cases import ModelTestCase
from tests.cases import JuntoTestCase
from tests.factories import MembershipFactory, SignalFactory, SignalNoteFactory
from tests.scripted_model import Says

SUBJECT = "Outlook asks for the password after the migration"


def solved(company: Company, subject: str, note: str, **more: Any) -> Signal:
    """A solved ticket with its last note."""
    signal: Signal = SignalFactory(company=company, subject=subject, state=Signal.State.RESOLVED, **more)
    SignalNoteFactory(signal=signal, text=note)
    return signal


class SimilarInPromptTest(ModelTestCase):
    @pytest.fixture(autouse=True)
    def _settings(self, settings: Settings) -> None:
        self.settings = settings

    def test_the_model_is_told_of_its_own_company_s_solved_tickets_in_a_fence_and_of_no_other_company_s(self) -> None:
        forget_past()
        own = self.signal.company
        assert own is not None
        solved(own, "VPN credentials rejected at sign in", "Renewed the heron certificate")
        solved(self.pinewood, "VPN credentials rejected at sign in", "Renewed the otter certificate")
        with self.model(Says("That is all.")) as server:
            session = self.start()
        [request] = server.requests
        whole = json.dumps(request.messages)
        assert "heron" in whole
        assert "otter" not in whole
        ticket = str(request.messages[1]["content"])
        before, fence, inside = ticket.partition("similar, solved")
        assert fence
        assert ">>>" not in before.rpartition("<<<FOREIGN")[2]
        assert "heron" in inside.partition("\nFOREIGN ")[0]
        assert "otter" not in self.words(session)


class PasswordInTicketTest(ModelTestCase):
    @pytest.fixture(autouse=True)
    def _settings(self, settings: Settings) -> None:
        self.settings = settings

    def test_a_password_that_stands_in_a_ticket_a_note_or_a_solved_one_is_not_told_to_the_model(self) -> None:
        forget_past()
        own = self.signal.company
        assert own is not None
        typed = "Password: Gr33n!Horse"
        solved(own, f"{self.signal.subject} {typed}", f"Set it anew. **{typed}**")
        long = f"{'It asks again and again. ' * 700}\n{typed}"
        Signal.unscoped.filter(pk=self.signal.pk).update(
            subject=f"{self.signal.subject} ({typed})", description=f"The old one was\n{typed}\nand heron."
        )
        SignalNoteFactory(signal=self.signal, text=long)
        with self.model(Says("That is all.")) as server:
            self.start()
        whole = json.dumps(server.requests[0].messages)
        assert "heron" in whole
        assert "similar, solved" in whole
        assert whole.count("[removed: looks like a password]") >= 5
        assert "Gr33n" not in whole


class SimilarOnScreenTest(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        forget_past()
        self.signal: Signal = SignalFactory(company=self.harlow, subject=SUBJECT)
        self.own = solved(self.harlow, "Outlook asks for the password", "Recreated the profile")
        self.other = solved(self.pinewood, "Outlook asks for the password", "Cleared the otter cache")
        solved(self.quayside, "Outlook asks for the password", "Cleared the rival cache")

    def page(self, by: Membership, tail: str = "") -> HttpResponse:
        return self.log_in(by).get(self.path(f"signals/{self.signal.pk}/{tail}"))

    def test_the_page_shows_how_the_company_s_own_ones_were_solved(self) -> None:
        origin = Origin.unscoped.create(
            organization=self.northwind,
            kind=Origin.Kind.BY_HAND,
            key="one",
            subject=self.own.origin_subject,
            mode=Origin.Mode.BY_HAND,
            company=self.harlow,
        )
        done = {"organization": self.northwind, "company": self.harlow, "origin": origin, "category": "write"}
        Action.unscoped.create(
            **done, call_id="1", tool="x.y", title="Reset the sign-in", state="succeeded", digest="1"
        )
        Action.unscoped.create(**done, call_id="2", tool="x.y", title="Delete it all", state="denied", digest="2")
        page = self.page(self.theo)
        self.assertContains(page, "Recreated the profile")
        self.assertContains(page, "Reset the sign-in")
        self.assertNotContains(page, "Delete it all")
        self.assertNotContains(page, "otter cache")

    def test_a_solved_ticket_has_the_day_of_its_solution_not_of_its_last_change(self) -> None:
        closed = timezone.now() - timedelta(days=40)
        ServiceClock.objects.create(organization=self.northwind, signal=self.own, resolved_at=closed)
        assert solutions([self.own])[self.own.pk].closed_at == closed

    def test_those_of_other_companies_are_shown_on_request_to_members_who_may_see_them(self) -> None:
        page = self.page(self.theo, "elsewhere/")
        self.assertContains(page, "otter cache")
        self.assertContains(page, "Pinewood Clinic")
        self.assertNotContains(page, "Recreated the profile")
        self.assertNotContains(page, "rival cache")

    def test_a_member_limited_to_one_company_is_shown_none_of_the_others(self) -> None:
        limited = MembershipFactory(
            organization=self.northwind, role=Role.TECHNICIAN, all_companies=False, companies=[self.harlow]
        )
        page = self.page(limited)
        self.assertContains(page, "Recreated the profile")
        self.assertNotContains(page, "Look at other companies")
        self.assertNotContains(self.page(limited, "elsewhere/"), "otter")

    def test_one_that_was_opened_again_or_moved_away_is_no_longer_named(self) -> None:
        self.assertContains(self.page(self.theo), "Recreated the profile")
        Signal.unscoped.filter(pk=self.own.pk).update(company=self.pinewood)
        self.assertNotContains(self.page(self.theo), "Recreated the profile")

    def test_a_ticket_about_something_else_is_not_alike(self) -> None:
        text = "The second floor waits for a cartridge."
        solved(self.harlow, "Toner of the printer is empty", "Ordered toner", description=text)
        self.assertNotContains(self.page(self.theo), "Ordered toner")
