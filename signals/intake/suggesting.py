"""Which company a ticket without one may belong to: by its company's name, and the mail addresses that it names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from integrations.matching import companies_like
from integrations.models import Contact
from integrations.vendors import FILES
from junto.tenants.actors import Actor
from junto.tenants.models import Company, Membership
from signals.intake.directory import name_in_reason
from signals.intake.freemail import is_free, name_of
from signals.models import Signal

#: How many companies are suggested, from how many domains of how much text.
MOST = 3
_DOMAINS = 5
_TEXT = 20_000
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@((?:[A-Za-z0-9-]{1,63}\.){1,6}[A-Za-z]{2,24})")
#: Words at the end of a company's name that no domain repeats.
_LEGAL = frozenset(
    re.findall(
        r"\w+",
        "ab ag as bv co company corp corporation gmbh group holding inc kg limited llc llp lp ltd nv oy plc sa sarl",
    )
)
#: A name shorter than this fits too many domains.
_SHORTEST = 4


@dataclass(frozen=True)
class Suggestion:
    """A company, and why it may be the one."""

    company: Company
    reason: str


def suggest_companies(signal: Signal, *, actor: Actor) -> list[Suggestion]:
    """The companies it may belong to, likeliest first; only those that the actor sees and that are worked for.

    A domain that anybody can write from says nothing, nor does the MSP's own.
    """
    domains = list(dict.fromkeys(_domains(signal)))
    own = _own_domains(actor)
    telling = [domain for domain in domains if not is_free(domain) and not _within(domain, own)][:_DOMAINS]
    named = _name_at_source(signal)
    if not telling and not named:
        return []
    companies = {row.pk: row for row in Company.objects.visible_to(actor).filter(is_active=True).order_by("name", "pk")}
    like = companies_like(named, companies.values()) if named else []
    found: dict[UUID, str] = {one.pk: f"The source calls it “{named}”." for one in like}
    for domain in telling:
        for company_id, reason in (*_by_contacts(actor, domain), *_by_name(companies.values(), domain)):
            if company_id in companies:
                found.setdefault(company_id, reason)
    return [Suggestion(companies[pk], reason) for pk, reason in list(found.items())[:MOST]]


def _name_at_source(signal: Signal) -> str:
    """What the source calls its company; a file has no other id than that."""
    if signal.connection is not None and signal.connection.vendor == FILES:
        return signal.company_external_id
    return name_in_reason(signal.state_reason, signal.company_external_id)


def _domains(signal: Signal) -> Iterator[str]:
    """Domains of the addresses of a ticket: its sender's first, then those in its text as they stand there."""
    raw = signal.raw if isinstance(signal.raw, dict) else {}
    sender = [signal.contact_external_id]
    sender += [value for name, value in raw.items() if isinstance(value, str) and "mail" in name.lower()]
    for text in (*sender, signal.subject, signal.description[:_TEXT]):
        for match in _ADDRESS.finditer(text):
            yield match[1].lower()


def _own_domains(actor: Actor) -> frozenset[str]:
    """Where the MSP's own people write from."""
    rows = Membership.objects.for_organization(actor.organization).filter(is_active=True)
    found = {email.rpartition("@")[2].lower() for email in rows.values_list("user__email", flat=True) if "@" in email}
    return frozenset(domain for domain in found if not is_free(domain))


def _within(domain: str, parents: frozenset[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def _by_contacts(actor: Actor, domain: str) -> Iterator[tuple[UUID, str]]:
    """Companies with contacts at the domain, or at the one it is a part of; the one with most first."""
    labels = domain.split(".")
    for cut in range(len(labels) - 1):
        parent = ".".join(labels[cut:])
        if is_free(parent) or (cut and name_of(parent) == parent):
            return
        rows = Contact.objects.visible_to(actor).filter(gone_at=None)
        there = rows.filter(email__iendswith=f"@{parent}").values_list("company_id", flat=True)
        counts = Counter(there)
        for company_id, count in counts.most_common(MOST):
            are = "contact writes" if count == 1 else "contacts write"
            yield company_id, f"{count} {are} from {parent}."
        if counts:
            return


def _by_name(companies: Iterable[Company], domain: str) -> Iterator[tuple[UUID, str]]:
    """Companies whose name, without its legal form, is the domain's."""
    wanted = "".join(letter for letter in name_of(domain) if letter.isalnum())
    if len(wanted) < _SHORTEST:
        return
    for company in companies:
        words = re.findall(r"[a-z0-9]+", company.name.lower())
        while words and words[-1] in _LEGAL:
            words.pop()
        if "".join(words) == wanted or "".join(word for word in words if word != "and") == wanted:
            yield company.pk, f"Its name is that of {domain}."
