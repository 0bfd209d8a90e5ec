"""A ticket that moved to another company: what was said and done before stays with the company it was done for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import transaction

from agent.events import Notice
from agent.journal import append_event
from agent.models import AgentSession, StartRule
from agent.services import SessionRefused, live_session, open_session
from agent.stream import session_group
from integrations.models import Connection
from junto import engine
from junto.engine import push
from junto.tenants.models import Company, Membership, Organization
from signals.models import ModelQuestion, ProcessorResult, Signal
from tests.agent.test_socket import SocketTestCase
from tests.cases import JuntoTestCase
from tests.factories import CompanyLinkFactory, ConnectionFactory, MembershipFactory, UserFactory
from tests.signals.deliveries import deliver, stored, ticket

SAID = "Stefan Huber, s.huber@harlow.example"
"""What only the session says."""
RENAMED = "It is ours now"
OLD, NEW = "250", "19"


def limited(organization: Organization, name: str, company: Company) -> Membership:
    """A technician who reaches this company alone."""
    member: Membership = MembershipFactory(
        organization=organization, user=UserFactory(username=name), all_companies=False, companies=[company]
    )
    return member


def arrive(case: Any) -> Connection:
    """A ticket of Harlow & Beck, on which Theo started the agent; companies of both ids are linked."""
    connection = ConnectionFactory(organization=case.northwind)
    CompanyLinkFactory(company=case.harlow, connection=connection, external_id=OLD)
    CompanyLinkFactory(company=case.pinewood, connection=connection, external_id=NEW)
    StartRule(organization=case.northwind, mode=StartRule.Mode.OFF).save()
    deliver(connection, ticket())
    case.signal = stored(connection)
    case.session = open_session(signal=case.signal, actor=case.actor(case.theo))
    with transaction.atomic():
        append_event(case.session, Notice(tone="quiet", text=SAID))
    case.tess = limited(case.northwind, "tess", case.pinewood)
    case.hana = limited(case.northwind, "hana", case.harlow)
    found: Connection = connection
    return found


class MovedTicketTest(JuntoTestCase):
    """Tess reaches Pinewood Clinic alone, Hana Harlow & Beck alone."""

    signal: Signal
    session: AgentSession
    tess: Membership
    hana: Membership

    def setUp(self) -> None:
        super().setUp()
        self.connection = arrive(self)

    def move(self, **told: Any) -> None:
        """The source says that it is Pinewood's."""
        deliver(self.connection, ticket(minute=5, company_external_id=NEW, subject=RENAMED, **told))
        self.signal = stored(self.connection)

    def page(self, by: Membership, path: str | None = None) -> Any:
        self.log_in(by)
        return self.client.get(self.path(f"signals/{self.signal.pk}/" if path is None else path))

    def test_who_reaches_the_new_company_alone_reads_nothing_of_the_session_before(self) -> None:
        assert self.page(self.tess).status_code == 404
        self.move()
        for _ in range(2):  # while it is ending, and when it has ended
            page = self.page(self.tess)
            self.assertContains(page, "Worked on as a ticket of another company")
            self.assertNotContains(page, SAID)
            self.assertNotContains(page, self.harlow.name)
            self.assertNotContains(page, str(self.session.pk))
            self.drain()
        assert self.page(self.hana).status_code == 404

    def test_nor_where_it_was_merged_in_the_same_word(self) -> None:
        self.move(merged_into="48286")
        self.drain()
        self.assertNotContains(self.page(self.tess), SAID)

    def test_who_reaches_both_reads_it_and_is_told_whose_it_was(self) -> None:
        self.move()
        self.drain()
        page = self.page(self.theo)
        self.assertContains(page, SAID)
        self.assertContains(page, "The ticket was Harlow &amp; Beck’s then.")

    def test_nor_what_was_found_out_about_it_before(self) -> None:
        for slug, state in (("summary", "current"), ("entities", "superseded")):
            ProcessorResult.unscoped.create(
                organization=self.northwind, signal=self.signal, processor=slug, state=state, reason=SAID, revision=1
            )
            ModelQuestion.unscoped.create(
                organization=self.northwind, signal=self.signal, processor=slug, prompt=SAID, revision=1
            )
        self.move()
        for _ in range(2):  # before processors read it anew, and after
            for path in ("", "findings/summary/", "findings/entities/"):
                self.assertNotContains(self.page(self.tess, f"signals/{self.signal.pk}/{path}"), SAID)
                shown = self.page(self.theo, f"signals/{self.signal.pk}/{path}")
            self.assertContains(shown, SAID)
            self.drain()

    def test_nobody_goes_on_in_it_and_a_new_one_begins_for_the_new_company(self) -> None:
        self.move()
        assert live_session(self.signal) is None
        with pytest.raises(SessionRefused, match="from another company"):
            open_session(signal=self.signal, actor=self.actor(self.tess))
        secret = self.token(self.adam, "sessions:start", companies=[self.pinewood])
        asked = self.client.post(
            "/api/v1/northwind/sessions",
            data=json.dumps({"signal": str(self.signal.pk), "mode": "triage"}),
            content_type="application/json",
            headers={"authorization": f"Bearer {secret}"},
        )
        assert asked.status_code == 409, asked.content
        self.drain()
        opened = open_session(signal=stored(self.connection), actor=self.actor(self.tess))
        assert (opened.company, opened.pk != self.session.pk) == (self.pinewood, True)

    def test_who_reaches_the_old_company_alone_is_not_told_what_the_ticket_says_now(self) -> None:
        self.assertContains(self.page(self.hana, ""), self.signal.subject)
        self.move()
        self.drain()
        home = self.page(self.hana, "")
        self.assertContains(home, "A ticket of another company by now")
        self.assertNotContains(home, RENAMED)
        self.assertContains(self.page(self.theo, ""), RENAMED)


class MovedTicketSocketTest(SocketTestCase):
    """The same by the socket."""

    session: AgentSession
    tess: Membership
    hana: Membership

    def setUp(self) -> None:
        super().setUp()
        with transaction.atomic():
            self.connection = arrive(self)
        engine.forget()

    def move(self) -> None:
        deliver(self.connection, ticket(minute=5, company_external_id=NEW, subject=RENAMED))

    def stream(self) -> None:
        """The agent writes into the old session, then somebody types."""
        group = session_group(self.signal.pk)
        push(group, {"type": "stream.delta", "session": str(self.session.pk), "run": "1", "text": SAID})
        push(group, {"type": "stream.end", "session": str(self.session.pk), "run": "1"})
        push(group, {"type": "person.typing", "channel": "another", "person": {"name": "Theo", "initials": "TO"}})

    async def test_it_tells_who_reaches_the_new_company_alone_nothing_of_the_old_one(self) -> None:
        await sync_to_async(self.move)()
        async with self.engine(), self.browser(self.tess) as page:
            hello = await page.until("hello")
            assert (hello["session"], hello["state"]) == (None, None)
            await sync_to_async(self.stream)()
            await page.until("typing")
            assert {frame["type"] for frame in page.frames} <= {"hello", "presence", "typing", "ticket"}
            await page.send({"type": "say", "id": "1", "text": "Go on"})
            refused = await page.until("error")
            assert refused["code"] == "no_session"

    async def test_who_is_shown_the_session_sees_it_being_written(self) -> None:
        async with self.engine(), self.browser(self.hana) as page:
            await page.until("event")
            await sync_to_async(self.stream)()
            assert (await page.until("delta"))["text"] == SAID

    async def test_the_page_of_who_does_not_reach_the_new_company_is_closed(self) -> None:
        async with self.engine(), self.browser(self.hana) as page:
            await page.until("event")
            await sync_to_async(self.move)()
            with pytest.raises(AssertionError, match="closed with 4404"):
                await page.until("never")
