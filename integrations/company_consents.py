"""Consent of a company's own administrator to our app, at a vendor that each company lets in by itself.

The vendor's page sends the administrator's browser back with our `state`, which belongs to one member, one connection
and one company, holds an hour and opens once. What that browser says is not believed: the vendor is asked for a token.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable

import structlog
from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from integrations.connections import consent_link, each_company_consents, normal_company_id, open_client, vendor_of
from integrations.consents import ConsentRefused, digest_of, member_of
from integrations.contracts import CompanyAccess
from integrations.errors import IntegrationError, NotACompany, NotConsented, ToolUnavailable
from integrations.matching import READ_SECONDS
from integrations.models import CompanyConsent, CompanyLink, Connection, ConsentRequest
from integrations.warrants import Errand
from junto.audit.services import record
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership, Organization
from junto.tenants.permissions import Permission, require
from junto.tenants.scoping import TenantQuerySet

log = structlog.get_logger(__name__)

REQUEST_HOLDS = timedelta(hours=1)
"""Longer than a member's own consent: it may be somebody at the company who has to sign in."""
LOOKS_FOR = timedelta(days=14)
"""So long after asking the clock looks for an answer that reached nobody here."""

TESTS_FOR = 20.0
"""Seconds after which no further company is tested while somebody waits."""
USES_NOTED = timedelta(minutes=5)
"""How exactly it is kept when a call was last let in."""

State = CompanyConsent.State


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """What the vendor's page sent back. `company` = the id of the one that answered, `said` = why it did not consent.

    All of it comes by way of a browser.
    """

    state: str
    company: str
    accepted: bool
    said: str = ""


@dataclass(frozen=True, slots=True)
class ConsentOutcome:
    """What came of asking a company, in a sentence. `consented` = the vendor gives a token for it."""

    link: CompanyLink
    consented: bool
    words: str


@dataclass(frozen=True, slots=True)
class Tally:
    """What testing all companies found. `failed` = those that could not be asked, each with the reason; `left` = those
    that there was no time for."""

    consented: int
    not_consented: int
    failed: tuple[str, ...]
    left: int


@runtime_checkable
class ChecksCompanies(Protocol):
    """A client that each company lets in by itself."""

    let_in: set[str]
    """The companies, by their ids there, that this client holds or held a token of."""

    def check_company(self, external_id: str) -> CompanyAccess:
        """What the company lets us do, asked now. Raises NotConsented, or another IntegrationError."""
        ...


def return_address(organization: Organization) -> str:
    """Where the vendor's page sends administrators back to; to be registered with the app, exactly so."""
    return f"{settings.PUBLIC_URL}/consented/{organization.slug}/"


def ask_company(*, actor: Actor, link: CompanyLink) -> str:
    """Ask a company for consent: the address of the vendor's page, for this member and the next hour.

    Raises PermissionDenied; ToolUnavailable or AddressRefused where there is nobody to ask.
    """
    membership = member_of(actor)
    state = secrets.token_urlsafe(32)
    address = consent_link(link, redirect_uri=return_address(actor.organization), state=state)
    with transaction.atomic():
        _requests(actor).filter(link=link, membership=membership).delete()
        ConsentRequest.unscoped.create(
            organization=actor.organization,
            connection=link.connection,
            membership=membership,
            link=link,
            state_digest=digest_of(state),
        )
        _keep(link, State.ASKED, membership=membership)
        record(actor, "company.consent_asked", link.company, {"connection": link.connection.label})
    return address


def finish_company_consent(*, actor: Actor, answer: ConsentAnswer) -> ConsentOutcome:
    """Take what the vendor's page sent back, ask the vendor whether it is so, and keep that.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        ConsentRefused: we did not ask this member, or not in the last hour, or the answer has come already.
    """
    link = _asked(actor, answer.state)
    name, label = link.company.name, vendor_of(link.connection).label
    if not answer.accepted:
        return _not_accepted(link, actor=actor, said=f"{label} says: {answer.said or 'nothing more'}", why=answer.said)
    if not _is_of(link, answer.company):
        words = (
            f"It was not {name} that consented but another company ({answer.company[:80] or 'not told which'}). Nothing"
            f" changed here. Whoever signs in there has to be an administrator of {name}."
        )
        return ConsentOutcome(link, False, words)
    try:
        return ConsentOutcome(link, True, check_link(actor=actor, link=link, asked_by=actor.membership))
    except NotConsented:
        early = f"{label} says that {name} accepted, but gives no token for it yet. That can take some minutes"
    except IntegrationError as failure:
        early = f"{label} says that {name} accepted, and could not be asked whether it is so. {failure} Later"
    return ConsentOutcome(link, False, f"{early}: press Test then.")


def _not_accepted(link: CompanyLink, *, actor: Actor, said: str, why: str) -> ConsentOutcome:
    """A refusal takes nothing away from a consent that was given before, ours to know or not: the vendor is asked."""
    name = link.company.name
    try:
        _checked(link, actor=actor, insists=True)
    except NotConsented:
        with transaction.atomic():
            _keep(link, State.REFUSED, membership=actor.membership, said=why)
            record(actor, "company.consent_refused", link.company, {"connection": link.connection.label})
        return ConsentOutcome(link, False, f"{name} gave no consent. {said}")
    except IntegrationError as failure:
        words = f"{name} did not accept. {said} Whether a consent of before stands could not be asked: {failure}"
        return ConsentOutcome(link, False, f"{words} Press Test later.")
    words = f"{name} did not accept again, and what was consented before stands. {said}"
    return ConsentOutcome(link, False, words)


def check_link(*, actor: Actor, link: CompanyLink, asked_by: Membership | None = None) -> str:
    """Whether the company lets us in at the vendor, asked now, kept, and told in a sentence.

    Raises:
        PermissionDenied: the actor may not manage integrations.
        NotConsented: it does not.
        IntegrationError: it could not be asked; what was known stays.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    return _checked(link, actor=actor, asked_by=asked_by, insists=True)


def check_asked(connection: Connection) -> None:
    """Look whether companies that were asked in the last `LOOKS_FOR` consented since: the clock does, nobody waits.

    Where an administrator without a login accepts, the vendor's page tells us nothing.
    """
    if not each_company_consents(vendor_of(connection)):
        return
    links = CompanyLink.objects.for_organization(connection.organization).filter(
        connection=connection, consent__state=State.ASKED, consent__changed_at__gte=timezone.now() - LOOKS_FOR
    )
    for link in links.select_related("company", "connection__organization"):
        try:
            _checked(link, actor=Actor.system("sync", connection.organization))
        except IntegrationError as failure:  # NotConsented mostly; of each company by itself
            log.info("no consent found", connection=str(connection.pk), link=str(link.pk), reason=str(failure))


def check_all(*, actor: Actor, connection: Connection) -> Tally:
    """Test the linked companies, those first whose test is longest ago, until `TESTS_FOR` is over.

    Raises PermissionDenied.
    """
    require(actor, Permission.MANAGE_INTEGRATIONS)
    links = CompanyLink.objects.for_organization(connection.organization).filter(connection=connection)
    ordered = links.select_related("company", "connection__organization").order_by(
        F("consent__tested_at").asc(nulls_first=True), "company__name"
    )
    until, counts = time.monotonic() + TESTS_FOR, {True: 0, False: 0}
    failed: list[str] = []
    waiting = list(ordered)
    while waiting and time.monotonic() < until:
        link = waiting.pop(0)
        try:
            _checked(link, actor=actor, insists=True)
        except NotConsented:
            counts[False] += 1
        except IntegrationError as failure:
            failed.append(f"{link.company.name}: {failure}")
        else:
            counts[True] += 1
    return Tally(counts[True], counts[False], tuple(failed), len(waiting))


def page_of_consents(*, actor: Actor, company: Company, vendor: str) -> str:
    """The page on which a company that has not let us in is asked; empty where it has, and for who may not ask."""
    if not actor.can(Permission.MANAGE_INTEGRATIONS):
        return ""
    links = CompanyLink.objects.for_organization(company.organization).filter(
        company=company,
        connection__vendor=vendor,
        connection__removed_at=None,
        consent__state__in=(State.ASKED, State.REFUSED, State.MISSING),
    )
    link = links.first()
    return reverse("connection-companies", args=[link.connection_id]) if link else ""


@contextmanager
def noting_consent(client: object, connection: Connection, company: Company) -> Iterator[None]:
    """What a call for a company learns of its consent is kept, at a vendor that each company lets in by itself."""
    if not isinstance(client, ChecksCompanies):
        yield
        return
    links = CompanyLink.objects.for_organization(connection.organization).select_related("company", "connection")
    link = links.filter(connection=connection, company=company).first()
    refused = False
    try:
        yield
    except NotConsented:
        refused = True
        raise
    finally:
        if link is not None and (refused or link.external_id in client.let_in):
            _note_call(link, let_in=not refused)


def _note_call(link: CompanyLink, *, let_in: bool) -> None:
    """Never fails: the call's own end counts."""
    try:
        known = _consents(link).first()
        before = known.state if known else ""
        if not let_in:
            if before in ("", State.GIVEN):
                _keep(link, State.MISSING, told=True)
            return
        if known and before == State.GIVEN and known.used_at and timezone.now() - known.used_at < USES_NOTED:
            return
        with transaction.atomic():
            lacking = tuple(known.lacking) if known and before == State.GIVEN else ()
            _keep(link, State.GIVEN, lacking=lacking, told=True, used=True)
            if before != State.GIVEN:
                actor = Actor.system("sync", link.organization)
                record(actor, "company.consented", link.company, {"connection": link.connection.label})
    except (DatabaseError, ConsentRefused) as failure:
        log.warning("consent not noted", link=str(link.pk), reason=str(failure))


def _checked(link: CompanyLink, *, actor: Actor, asked_by: Membership | None = None, insists: bool = False) -> str:
    before = _state_of(link)
    with closing(open_client(link.connection, Errand.reading(READ_SECONDS), insists=insists)) as client:
        if not isinstance(client, ChecksCompanies):
            raise ToolUnavailable(f"{vendor_of(link.connection).label} does not ask each company.")
        try:
            access = client.check_company(link.external_id)
        except NotConsented:
            _keep(link, State.MISSING if before in ("", State.GIVEN) else before, told=True, tested=True)
            raise
    with transaction.atomic():
        _keep(link, State.GIVEN, membership=asked_by, lacking=access.lacking, told=True, tested=True)
        if before != State.GIVEN:
            record(actor, "company.consented", link.company, {"connection": link.connection.label})
    named = f" as {access.name}" if access.name not in ("", link.company.name) else ""
    extent = f"; not consented there: {', '.join(access.lacking)}" if access.lacking else ", to everything"
    return f"{link.company.name} has consented{named}{extent}."


def _asked(actor: Actor, state: str) -> CompanyLink:
    """Whom this member asked with this state, which is used up by it. Raises ConsentRefused."""
    since = timezone.now() - REQUEST_HOLDS
    rows = _requests(actor).filter(membership=member_of(actor), state_digest=digest_of(state), created_at__gte=since)
    asked = rows.select_related("link__company", "link__connection__organization").first()
    if asked is None or asked.link is None or not rows.filter(pk=asked.pk).delete()[0]:
        raise ConsentRefused(
            "You asked no company for this consent in the last hour, or its answer has come already. What was accepted"
            " there counts all the same: press Test beside the company."
        )
    return asked.link


def _is_of(link: CompanyLink, told: str) -> bool:
    """Whether an id that a browser told is the one that the company is linked to."""
    try:
        return normal_company_id(vendor_of(link.connection), told) == link.external_id
    except NotACompany:
        return False


def _state_of(link: CompanyLink) -> str:
    return _consents(link).values_list("state", flat=True).first() or ""


@transaction.atomic
def _keep(
    link: CompanyLink,
    state: str,
    *,
    membership: Membership | None = None,
    said: str = "",
    lacking: tuple[str, ...] = (),
    told: bool = False,
    tested: bool = False,
    used: bool = False,
) -> bool:
    """Write what is known now; since when and by whom stay where the state does. Raises ConsentRefused if unlinked.

    `told` = the vendor says so, in a test or to a call that was `used`. Whether it was written: a consent that stands
    is ended by the vendor's word alone. To ask once more, say for a right that was
    added, and to be refused that takes nothing away there.
    """
    links = CompanyLink.objects.for_organization(link.organization).filter(pk=link.pk)
    if links.select_for_update(no_key=True).first() is None:
        raise ConsentRefused(f"{link.company.name} is no longer linked.")
    now, before = timezone.now(), _state_of(link)
    if before == State.GIVEN and not told:
        return False
    values: dict[str, object] = {"lacking": list(lacking)}
    if tested:
        values["tested_at"] = now
    if used:
        values["used_at"] = now
    if not told or before != state:
        values |= {"state": state, "changed_at": now, "said": said[:300]}
        if membership or before != State.ASKED:  # whoever asked is still the one when a test finds the answer
            values["membership"] = membership
    if not _consents(link).update(**values):
        CompanyConsent.unscoped.create(organization=link.organization, link=link, **values)
    return True


def _consents(link: CompanyLink) -> TenantQuerySet[CompanyConsent]:
    rows: TenantQuerySet[CompanyConsent] = CompanyConsent.objects.for_organization(link.organization)
    return rows.filter(link=link)


def _requests(actor: Actor) -> TenantQuerySet[ConsentRequest]:
    rows: TenantQuerySet[ConsentRequest] = ConsentRequest.objects.for_organization(actor.organization)
    return rows.exclude(link=None)
