"""Whatever is delivered twice, late, in another order or with the same stamp: we end saying what the source says."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from integrations.contracts import TicketRecord
from integrations.models import Connection
from signals.models import Signal, SignalNote
from tests.cases import Cast, set_the_stage
from tests.factories import CompanyLinkFactory, ConnectionFactory
from tests.signals.deliveries import deliver, note, ticket

TICKETS = ("1", "2", "3")
COMPANIES = {"250": "harlow", "251": "pinewood", "999": None, "": None}


@st.composite
def revisions(draw: st.DrawFn, external_id: str, *, step: int = 1) -> list[TicketRecord]:
    """The life of one ticket at the source; of `step` minutes, where 0 = all in one second."""
    lives = st.lists(
        st.tuples(
            st.sampled_from(sorted(COMPANIES)),
            st.sampled_from(["open", "closed", "deleted"]),
            st.text(max_size=20),
            st.sets(st.sampled_from("abc")),
        ),
        min_size=1,
        max_size=6,
    )
    return [
        ticket(
            external_id,
            minute=number * step,
            company_external_id=company,
            closed=life == "closed",
            deleted=life == "deleted",
            description=text,
            notes=tuple(note(f"{external_id}{name}", text) for name in sorted(notes)),
        )
        for number, (company, life, text, notes) in enumerate(draw(lives))
    ]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[TicketRecord], list[list[TicketRecord]]]:
    """The newest revision of each ticket, and deliveries of all of them: shuffled, some repeated, in lists."""
    lives = [draw(revisions(external_id)) for external_id in TICKETS]
    everything = [revision for life in lives for revision in life]
    repeated = draw(st.lists(st.sampled_from(everything), max_size=6))
    shuffled = draw(st.permutations(everything + repeated))
    cuts = sorted(draw(st.sets(st.integers(0, len(shuffled)), max_size=4)))
    edges = [0, *cuts, len(shuffled)]
    return [life[-1] for life in lives], [shuffled[start:end] for start, end in pairwise(edges)]


@st.composite
def hasty_histories(draw: st.DrawFn) -> list[list[TicketRecord]]:
    """Deliveries of tickets that changed several times in one second, in the order of the changes, some repeated."""
    lives = [
        draw(revisions(external_id, step=0)) + draw(revisions(external_id)) * draw(st.booleans())
        for external_id in TICKETS
    ]
    everything = [each for life in lives for each in life for _ in range(draw(st.integers(1, 2)))]
    cuts = sorted(draw(st.sets(st.integers(0, len(everything)), max_size=6)))
    return [everything[start:end] for start, end in pairwise([0, *cuts, len(everything)])]


class OrderOfDeliveriesTests(Cast, TestCase):
    psa: ClassVar[Connection]

    @classmethod
    def setUpTestData(cls) -> None:
        set_the_stage(cls)
        cls.psa = ConnectionFactory(organization=cls.northwind)
        CompanyLinkFactory(company=cls.harlow, connection=cls.psa, external_id="250")
        CompanyLinkFactory(company=cls.pinewood, connection=cls.psa, external_id="251")

    @settings(max_examples=60, deadline=None)
    @given(histories())
    def test_shuffled_repeated_and_stale_deliveries_end_in_the_sources_state(
        self, history: tuple[list[TicketRecord], list[list[TicketRecord]]]
    ) -> None:
        newest, deliveries = history
        for delivery in deliveries:
            deliver(self.psa, *delivery)
        for truth in newest:
            self.check(truth)

    @settings(max_examples=60, deadline=None)
    @given(hasty_histories())
    def test_of_changes_in_one_second_the_last_or_the_deletion_stands(
        self, deliveries: list[list[TicketRecord]]
    ) -> None:
        truth: dict[str, TicketRecord] = {}
        for one in (each for delivery in deliveries for each in delivery):
            held = truth.get(one.external_id, one)
            if (one.updated_at, one.deleted) >= (held.updated_at, held.deleted):
                truth[one.external_id] = one
        for delivery in deliveries:
            deliver(self.psa, *delivery)
        for newest in truth.values():
            self.check(newest)

    def check(self, truth: TicketRecord) -> None:
        signal = Signal.objects.for_organization(self.northwind).get(external_id=truth.external_id)
        assert signal.source_updated_at == truth.updated_at
        if truth.deleted:
            assert signal.state == Signal.State.GONE
            return
        name = COMPANIES[truth.company_external_id]
        company = getattr(self, name) if name else None
        open_state = Signal.State.NEW if company else Signal.State.NEEDS_REVIEW
        assert signal.state == (Signal.State.RESOLVED if truth.closed else open_state)
        assert signal.company == company
        assert signal.description == truth.description.replace("\0", "")
        notes = SignalNote.objects.for_organization(self.northwind).filter(signal=signal)
        assert {one.external_id for one in notes} == {one.external_id for one in truth.notes or ()}
