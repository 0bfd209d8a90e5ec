"""What people and the agent do with a signal: claim, release, resolve, dismiss, give it a company."""

from __future__ import annotations

import pytest

from approvals.models import Origin, StaleState
from junto.audit.models import AuditEntry
from junto.team.services import limit_to_companies
from junto.tenants.permissions import PermissionDenied
from signals.models import Signal
from signals.services import (
    SignalNotClaimable,
    claim_signal,
    dismiss_signal,
    map_company,
    release_signal,
    resolve_signal,
)
from tests.cases import JuntoTestCase
from tests.factories import ConnectionFactory, ContactFactory, OriginFactory, SignalFactory

State = Signal.State


class ClaimTests(JuntoTestCase):
    def test_a_signal_is_claimed_once(self) -> None:
        signal = SignalFactory(company=self.harlow)
        claim_signal(signal, actor=self.actor(self.theo))
        with pytest.raises(SignalNotClaimable, match="“Working”"):
            claim_signal(Signal.unscoped.get(pk=signal.pk), actor=self.actor(self.oskar))

    def test_a_signal_without_a_company_is_not_claimed(self) -> None:
        signal = SignalFactory(
            organization=self.northwind,
            company=None,
            connection=ConnectionFactory(organization=self.northwind),
            state=State.NEEDS_REVIEW,
        )
        with pytest.raises(SignalNotClaimable, match="choose its company first"):
            claim_signal(signal, actor=self.actor(self.theo))

    def test_a_rival_may_not_claim(self) -> None:
        with pytest.raises(PermissionDenied):
            claim_signal(SignalFactory(company=self.harlow), actor=self.actor(self.ines))

    def test_letting_go_leaves_it_for_review_unless_the_source_closed_it_meanwhile(self) -> None:
        signal, closed = SignalFactory(company=self.harlow), SignalFactory(company=self.harlow)
        theo = self.actor(self.theo)
        for each in (signal, closed):
            claim_signal(each, actor=theo)
        Signal.objects.for_organization(self.northwind).filter(pk=closed.pk).update(state=State.RESOLVED)
        for each in (signal, closed):
            release_signal(each, actor=theo)
            each.refresh_from_db()
        assert (signal.state, closed.state) == (State.IN_REVIEW, State.RESOLVED)


class CloseTests(JuntoTestCase):
    def test_a_person_resolves_or_dismisses_and_the_audit_log_says_so(self) -> None:
        theo = self.actor(self.theo)
        resolve_signal(signal=SignalFactory(company=self.harlow), actor=theo)
        dismiss_signal(signal=SignalFactory(company=self.harlow), actor=theo, reason="Spam.")
        verbs = AuditEntry.objects.for_organization(self.northwind).values_list("verb", flat=True)
        assert {"signal.resolved", "signal.dismissed"} <= set(verbs)

    def test_a_signal_that_is_worked_on_is_not_closed_under_the_agents_hands(self) -> None:
        signal = SignalFactory(company=self.harlow, state=State.TRIAGING)
        with pytest.raises(StaleState):
            resolve_signal(signal=signal, actor=self.actor(self.theo))


class MapTests(JuntoTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.psa = ConnectionFactory(organization=self.northwind)
        self.signal = SignalFactory(
            organization=self.northwind,
            company=None,
            connection=self.psa,
            state=State.NEEDS_REVIEW,
            contact_external_id="7",
        )

    def test_a_company_given_by_a_person_makes_the_signal_new_and_finds_its_contact(self) -> None:
        contact = ContactFactory(company=self.harlow, connection=self.psa, external_id="7")
        map_company(signal=self.signal, company=self.harlow, actor=self.actor(self.theo))
        self.signal.refresh_from_db()
        assert (self.signal.state, self.signal.company, self.signal.contact) == (State.NEW, self.harlow, contact)

    def test_another_company_stops_the_session_of_the_former_one(self) -> None:
        theo = self.actor(self.theo)
        map_company(signal=self.signal, company=self.harlow, actor=theo)
        origin = OriginFactory(company=self.harlow, subject=self.signal.origin_subject)
        map_company(signal=self.signal, company=self.pinewood, actor=theo)
        assert Origin.unscoped.get(pk=origin.pk).stopped_at is not None

    def test_a_rivals_company_cannot_be_given(self) -> None:
        with pytest.raises(PermissionDenied):
            map_company(signal=self.signal, company=self.quayside, actor=self.actor(self.theo))

    def test_a_member_limited_to_one_company_cannot_map_what_belongs_to_none(self) -> None:
        limit_to_companies(
            actor=self.actor(self.olivia), membership=self.theo, all_companies=False, companies=[self.harlow]
        )
        with pytest.raises(PermissionDenied):
            map_company(signal=self.signal, company=self.harlow, actor=self.actor(self.theo))
