"""Where an organization's tickets may be routed to, and what its contacts say of who sent one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q

from integrations.models import Contact
from junto.tenants.models import Company, Organization
from junto.tenants.scoping import TenantQuerySet
from signals.models import Board
from signals.processors.base import Guess, Producer, TicketFacts
from signals.processors.router import BOARD, COMPANY

#: How sure an address makes of its company: a contact's own, one of its domain, one that is merely named in the text.
SURE_OF_CONTACT: Final = 0.97
SURE_OF_DOMAIN: Final = 0.90
SURE_OF_NAMED: Final = 0.80
#: Addresses of a text that are looked up.
MOST_ADDRESSES: Final = 20
#: Domains under which anybody has an address: they say nothing of a company.
_FREE_MAIL: Final = re.compile(
    r"(?:gmail|googlemail|outlook|hotmail|live|msn|yahoo|aol|icloud|me|mac|proton|protonmail|gmx|web|mail|t-online"
    r"|orange|free|laposte|libero|terra|sapo|ziggo|btinternet)\.(?:com|net|me|de|fr|it|es|pt|nl|co\.uk)"
)
_ADDRESS: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", re.IGNORECASE)
_SENDER: Final = re.compile(r"^\s*(?:from|von|de|da|van|sender)\s*:(.{0,300})$", re.IGNORECASE | re.MULTILINE)
_READ: Final = 8000


def places(organization: Organization) -> list[str]:
    """Every company that is worked for and every board, as the router's labels."""
    companies = Company.objects.for_organization(organization).filter(is_active=True).order_by("name")
    boards = Board.objects.for_organization(organization).order_by("name")
    return [
        *(f"{BOARD}{name}" for name in dict.fromkeys(boards.values_list("name", flat=True))),
        *(f"{COMPANY}{name}" for name in companies.values_list("name", flat=True)),
    ]


@dataclass(frozen=True)
class SenderGuesser:
    """Looks a ticket's addresses up among the organization's contacts: whose contact writes, it is theirs."""

    organization: Organization

    def guess(self, facts: TicketFacts) -> Guess | None:
        """The one company they lead to; None where they lead to none or to several."""
        text = f"{facts.subject}\n{facts.description[:_READ]}"
        own = facts.contact.detail if facts.contact else ""
        senders = _addresses([own, *_SENDER.findall(text)])
        others = Contact.objects.for_organization(self.organization).filter(gone_at=None, company__is_active=True)
        others = others.exclude(company__name=facts.company) if facts.company else others
        return _theirs(others, senders, SURE_OF_CONTACT, SURE_OF_DOMAIN) or _theirs(
            others, _addresses([text]), SURE_OF_NAMED, SURE_OF_NAMED
        )


def _theirs(contacts: TenantQuerySet[Any], addresses: list[str], of_contact: float, of_domain: float) -> Guess | None:
    if not addresses:
        return None
    exact, under = Q(), Q()
    for address in addresses:
        exact |= Q(email__iexact=address)
    guess = _only(contacts.filter(exact), f"A contact of its has the address {', '.join(addresses[:3])}.", of_contact)
    if guess is not None:
        return guess
    domains = sorted({domain for each in addresses if not _FREE_MAIL.fullmatch(domain := each.rpartition("@")[2])})
    for domain in domains:
        under |= Q(email__iendswith=f"@{domain}")
    reason = f"Its contacts have addresses under {', '.join(domains[:3])}."
    return _only(contacts.filter(under), reason, of_domain) if domains else None


def _only(contacts: TenantQuerySet[Any], reason: str, sureness: float) -> Guess | None:
    names = list(contacts.order_by().values_list("company__name", flat=True).distinct()[:2])
    return Guess(f"{COMPANY}{names[0]}", sureness, reason, Producer.RULE) if len(names) == 1 else None


def _addresses(texts: Iterable[str]) -> list[str]:
    found = (address.casefold() for text in texts for address in _ADDRESS.findall(text or ""))
    return list(dict.fromkeys(found))[:MOST_ADDRESSES]
